"""Structured logs on stderr. Never document content, never a secret: callers log ids and codes."""

import logging
import sys

import structlog


def set_up_logs(*, json: bool) -> None:
    """One line per event, JSON for machines or coloured text for people."""
    renderer = structlog.processors.JSONRenderer(ensure_ascii=False) if json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=_on_stderr,
        cache_logger_on_first_use=False,
    )


def _on_stderr(*_: object) -> structlog.PrintLogger:
    """Standard error as it is now: whoever redirects it later gets the lines too."""
    return structlog.PrintLogger(sys.stderr)
