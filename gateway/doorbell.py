"""Celery as a doorbell: a commit that adds work rings, a worker drains the outbox. The rows are the truth.

The task carries nothing but the wish to look. Losing the broker loses nothing: each worker process also looks
by itself every `sweep` (gateway/worker.py), and a task delivered ten times finds the work done.
"""

from collections.abc import Callable, Collection, Mapping

import structlog
from celery import Celery

from gateway.deps import Deps
from gateway.worker import Handler, relay

TASK = "passerelle.relay"
log = structlog.get_logger()


def celery_app(broker_url: str) -> Celery:
    """The Celery application, with deliveries that survive a killed worker."""
    app = Celery("passerelle", broker=broker_url)
    app.conf.update(
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"visibility_timeout": 3600},
    )
    return app


def install_relay(
    app: Celery, deps: Deps, handlers: Mapping[str, Handler], strangers: Collection[str] = ()
) -> None:
    """Let this process's Celery worker drain the outbox when it is rung, but for what waits for strangers."""

    @app.task(name=TASK)  # type: ignore[untyped-decorator]  # celery has no types
    def relay_task() -> int:
        return relay(deps, handlers, without=strangers)


def ringer(app: Celery) -> Callable[[], None]:
    """What a commit calls. Whatever goes wrong is logged, never an error: the commit stands, and the sweep comes."""

    def ring() -> None:
        try:
            app.send_task(TASK, expires=300, retry=False)
        except Exception as error:  # noqa: BLE001 - each broker has its own errors; the commit stands
            log.warning("broker does not answer", error=repr(error))

    return ring
