"""Celery as a doorbell: a commit rings with the ids of the entries it added. The rows are the truth.

A task delivered ten times finds its entry taken or done; one that is lost is found by the sweep that each worker
process makes every `sweep_seconds` (gateway/worker.py). So the broker may be emptied, or away, at any moment.
"""

import queue
import threading
from collections.abc import Collection, Mapping, Sequence

import structlog
from celery import Celery

from gateway.db import Ring
from gateway.deps import Deps
from gateway.worker import Handler, attend

TASK = "passerelle.attend"
QUEUE = "passerelle"
MOST_UNHEARD = 10_000
"""Rings that wait for a broker that does not answer; those beyond are left to the sweep."""

log = structlog.get_logger()


def celery_app(broker_url: str) -> Celery:
    """The Celery application, with deliveries that survive a killed worker."""
    app = Celery("passerelle", broker=broker_url)
    app.conf.update(
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        task_default_queue=QUEUE,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # a worker waits for its broker for ever, and sweeps meanwhile
        broker_transport_options={"visibility_timeout": 3600, "socket_connect_timeout": 5},
    )
    return app


def install_relay(
    app: Celery, deps: Deps, handlers: Mapping[str, Handler], strangers: Collection[str] = ()
) -> None:
    """Let this process's Celery worker handle what it is told of, but for what waits for strangers."""

    @app.task(name=TASK, shared=False)  # type: ignore[untyped-decorator]  # celery has no types
    def attend_task(entry_id: str) -> bool:
        return attend(deps, handlers, entry_id, without=strangers)


def ringer(app: Celery) -> Ring:
    """What a commit calls. It never waits and never fails: a thread tells the broker, and what it cannot tell is swept.

    Messages go to the queue by its name (the exchange without a name): an emptied broker has forgotten which
    exchange led where, and nobody would tell it again.
    """
    unheard: queue.Queue[str] = queue.Queue(MOST_UNHEARD)

    def tell() -> None:
        while True:
            entry_id = unheard.get()
            try:
                app.send_task(TASK, args=(entry_id,), exchange="", routing_key=QUEUE, expires=300, retry=False)
            except Exception as error:  # noqa: BLE001 - each broker has its own errors; the commit stands
                log.warning("broker does not answer", error=repr(error))

    def ring(added: Sequence[str]) -> None:
        for entry_id in added:
            try:
                unheard.put_nowait(entry_id)
            except queue.Full:
                return

    threading.Thread(target=tell, name="passerelle-bell", daemon=True).start()
    return ring
