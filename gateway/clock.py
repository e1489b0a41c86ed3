"""The wall clock, in one place. Everything else takes time as an argument."""

from datetime import UTC, datetime


def wall_clock() -> datetime:
    """The present moment, aware UTC."""
    return datetime.now(UTC)
