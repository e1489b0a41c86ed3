"""Celery with a real Redis and a real RabbitMQ: emptied, it rings for the next commit; the sweep finds the rest."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import kombu
import pytest
import redis
import servers
from celery.contrib.testing.worker import start_worker
from sqlalchemy import func, select

from archive.stores.directory import DirectoryStore
from gateway import outbox
from gateway.clock import wall_clock
from gateway.db import EVERY_TENANT, Database
from gateway.deps import Bell, Deps
from gateway.doorbell import QUEUE, celery_app, install_relay, ringer
from gateway.outbox import Entry
from gateway.settings import Settings
from gateway.tables import Base, OutboxEntry, Tenant
from gateway.vault import Vault
from gateway.worker import Worker


class Unused:
    """No document is read here."""


@dataclass(frozen=True, slots=True)
class Broker:
    """One that runs, and its two answers to a test."""

    url: str
    waiting: Callable[[], list[bytes]]
    """What lies in the queue; it lies there afterwards too."""

    empty: Callable[[], None]
    """Forget everything."""


@pytest.fixture(scope="module", params=["redis", "rabbitmq"])
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """Each kind of broker that is installed."""
    here = servers.REDIS is not None if request.param == "redis" else servers.RABBIT.exists()
    if not here:
        pytest.skip(f"{request.param} is not installed (deploy/debian-packages.txt)")
    with redis_broker() if request.param == "redis" else rabbit_broker() as made:
        yield made


@contextmanager
def redis_broker() -> Iterator[Broker]:
    with servers.broker() as url, redis.Redis.from_url(url) as held:
        yield Broker(url, lambda: held.lrange(QUEUE, 0, -1), held.flushall)


@contextmanager
def rabbit_broker() -> Iterator[Broker]:
    with servers.rabbit() as url, kombu.Connection(url) as connection:
        held = connection.channel()
        held.queue_declare(QUEUE, durable=True, auto_delete=False)  # as a worker does when it starts

        def waiting() -> list[bytes]:
            taken = list(iter(lambda: held.basic_get(QUEUE, no_ack=False), None))
            for message in taken:
                held.basic_reject(message.delivery_tag, requeue=True)
            return [message.body if isinstance(message.body, bytes) else message.body.encode() for message in taken]

        yield Broker(url, waiting, lambda: held.queue_purge(QUEUE))


@pytest.fixture
def rung(broker: Broker, tmp_path: Path) -> Iterator[Deps]:
    """Deps whose commits ring at the broker, with one tenant."""
    settings = Settings(data=tmp_path / "data", broker_url=broker.url, sweep_seconds=0.5)
    db = Database(settings.database, after_commit=ringer(celery_app(broker.url)))
    Base.metadata.create_all(db.engine)
    with db.transaction("t") as session:
        session.add(Tenant(id="t", name="t", created_at=datetime(2026, 11, 23, tzinfo=UTC)))
    broker.empty()
    yield Deps(settings=settings, db=db, store=DirectoryStore(tmp_path / "objects"), workshop=Unused(),  # type: ignore[arg-type]
               vault=Vault(bytes(32)), bell=Bell(), clock=wall_clock)
    db.close()


def put(deps: Deps) -> str:
    with deps.db.transaction("t") as session:
        return outbox.put(session, "t", "work", uuid.uuid4().hex, now=deps.now())


def until(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return true()


def open_entries(deps: Deps) -> int:
    with deps.db.reading(EVERY_TENANT) as session:
        return session.scalar(select(func.count()).select_from(OutboxEntry).where(OutboxEntry.state != "done")) or 0


@pytest.mark.filterwarnings("ignore:.*:ResourceWarning")  # kombu leaves the sockets of its pool to the end
def test_a_commit_leaves_the_ids_of_its_rows_at_the_broker(rung: Deps, broker: Broker) -> None:
    made = put(rung)
    assert until(lambda: [made.encode() in message for message in broker.waiting()] == [True])


@pytest.mark.filterwarnings("ignore:.*:ResourceWarning")  # kombu leaves the sockets of its pool to the end
def test_an_emptied_broker_loses_no_work_and_still_rings(rung: Deps, broker: Broker) -> None:
    seen: list[str] = []
    lock = threading.Lock()

    def act(_: Deps, entry: Entry) -> None:
        with lock:
            seen.append(entry.id)

    app = celery_app(broker.url)
    app.conf.broker_heartbeat = 1  # its loop then looks every half second whether it shall end, not every twenty
    install_relay(app, rung, {"work": act})
    before = [put(rung) for _ in range(5)]
    assert until(lambda: len(broker.waiting()) == len(before))
    broker.empty()
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=20):
        after = put(rung)
        assert until(lambda: seen == [after]), "told by the broker, though it had forgotten everything"
        broker.empty()
        again = put(rung)
        assert until(lambda: seen == [after, again])
    sweeper = Worker(rung, {"work": act}, {}, idle_seconds=rung.settings.sweep_seconds)
    sweeper.start()
    assert until(lambda: open_entries(rung) == 0), "found by the sweep"
    sweeper.stop()
    assert sorted(seen) == sorted([*before, after, again])
