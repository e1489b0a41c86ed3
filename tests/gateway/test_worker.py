"""The outbox and its relay: nothing lost, nothing done twice in effect, failures wait with their reason."""

import threading
import time
from datetime import datetime, timedelta

import pytest
from celery.contrib.testing.worker import start_worker
from sqlalchemy import select

from gateway import outbox
from gateway.db import EVERY_TENANT, Database
from gateway.deps import Bell, Deps
from gateway.doorbell import celery_app, install_relay, ringer
from gateway.outbox import Entry, Park, RetryLater
from gateway.tables import OutboxEntry, Tenant
from gateway.tables_care import Alarm
from gateway.turns import for_each_tenant
from gateway.worker import Tick, Worker, relay, ring_due


def put(deps: Deps, tenant: str, topic: str = "work", subject: str = "s") -> str:
    with deps.db.transaction(tenant) as session:
        return outbox.put(session, tenant, topic, subject, now=deps.now())


def entry_of(deps: Deps, entry_id: str) -> OutboxEntry:
    with deps.db.reading(EVERY_TENANT) as session:
        return session.scalars(select(OutboxEntry).where(OutboxEntry.id == entry_id)).one()


def test_work_is_done_once(deps: Deps, tenant: str) -> None:
    done = []
    made = put(deps, tenant)
    assert relay(deps, {"work": lambda _, entry: done.append(entry.subject_id)}) == 1
    assert relay(deps, {"work": lambda _, entry: done.append(entry.subject_id)}) == 0
    assert done == ["s"]
    assert entry_of(deps, made).state == "done"


def put_and_fail(deps: Deps, tenant: str) -> None:
    with deps.db.transaction(tenant) as session:
        outbox.put(session, tenant, "work", "s", now=deps.now())
        raise RuntimeError


def test_work_of_a_rolled_back_change_never_was(deps: Deps, tenant: str) -> None:
    with pytest.raises(RuntimeError):
        put_and_fail(deps, tenant)
    assert outbox.claim(deps.db, deps.now()) is None


def test_a_dead_workers_lease_expires(deps: Deps, tenant: str, clock) -> None:
    put(deps, tenant)
    assert outbox.claim(deps.db, deps.now()) is not None
    assert outbox.claim(deps.db, deps.now()) is None
    clock.forward(minutes=6)
    again = outbox.claim(deps.db, deps.now())
    assert again is not None
    assert again.attempts == 2


def test_a_worker_that_slept_through_a_revival_holds_nothing(deps: Deps, tenant: str, clock) -> None:
    made = put(deps, tenant)
    sleeper = outbox.claim(deps.db, deps.now())
    clock.forward(minutes=6)
    second = outbox.claim(deps.db, deps.now())
    assert sleeper is not None
    assert second is not None
    outbox.park(deps.db, second, "a person must look")
    with deps.db.transaction(tenant) as session:
        assert outbox.revive(session, made, deps.now())
    third = outbox.claim(deps.db, deps.now())
    assert third is not None
    assert third.attempts == sleeper.attempts
    with deps.db.transaction(tenant) as session:
        assert not outbox.holds(session, sleeper)
        assert outbox.holds(session, third)
    outbox.done(deps.db, sleeper)
    assert entry_of(deps, made).state == "pending"


def test_a_retry_waits_and_then_parks(deps: Deps, tenant: str, clock) -> None:
    made = put(deps, tenant)

    def fail(_: Deps, __: Entry) -> None:
        raise RetryLater("not yet")

    for _ in range(outbox.MOST_ATTEMPTS):
        assert relay(deps, {"work": fail}) == 1
        assert relay(deps, {"work": fail}) == 0
        clock.forward(hours=4)
    assert entry_of(deps, made).state == "parked"
    assert "not yet" in (entry_of(deps, made).reason or "")


def test_a_bug_parks_in_the_end_and_stops_nobody(deps: Deps, tenant: str) -> None:
    broken, fine = put(deps, tenant, subject="broken"), put(deps, tenant, subject="fine")

    def act(_: Deps, entry: Entry) -> None:
        if entry.subject_id == "broken":
            raise ZeroDivisionError("a bug")

    assert relay(deps, {"work": act}) == 2
    assert entry_of(deps, fine).state == "done"
    assert entry_of(deps, broken).state == "pending"
    assert "ZeroDivisionError" in (entry_of(deps, broken).reason or "")


def test_parked_work_comes_back_when_a_person_says_so(deps: Deps, tenant: str) -> None:
    made = put(deps, tenant)

    def park(_: Deps, __: Entry) -> None:
        raise Park("decide")

    relay(deps, {"work": park})
    assert entry_of(deps, made).state == "parked"
    with deps.db.transaction(tenant) as session:
        assert outbox.revive(session, made, deps.now())
        assert not outbox.revive(session, "absent", deps.now())
    relay(deps, {"work": lambda *_: None})
    assert entry_of(deps, made).state == "done"


def test_work_without_a_handler_is_parked(deps: Deps, tenant: str) -> None:
    made = put(deps, tenant, topic="unheard-of")
    relay(deps, {})
    assert entry_of(deps, made).state == "parked"


def test_the_embedded_worker_is_rung_by_a_commit(deps: Deps, tenant: str) -> None:
    done = threading.Event()
    db = Database(deps.settings.database, after_commit=deps.bell.ring)
    worker = Worker(deps, {"work": lambda *_: done.set()}, {})
    worker.start()
    with db.transaction(tenant) as session:
        outbox.put(session, tenant, "work", "s", now=deps.now())
    assert done.wait(10)
    worker.stop()
    db.close()


def test_the_same_relay_runs_under_celery(deps: Deps, tenant: str) -> None:
    """An in-memory broker: a commit tells its rows, Celery's worker handles the same ones."""
    app = celery_app("memory://passerelle")
    done = threading.Event()
    install_relay(app, deps, {"work": lambda *_: done.set(), "stranger": lambda *_: done.set()}, {"stranger"})
    db = Database(deps.settings.database, after_commit=ringer(app))
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=20):
        with db.transaction(tenant) as session:
            slow = outbox.put(session, tenant, "stranger", "s", now=deps.now())
            made = outbox.put(session, tenant, "work", "s", now=deps.now())
        assert done.wait(20)
    assert entry_of(deps, made).state == "done"
    assert entry_of(deps, slow).attempts == 0, "strangers have threads of their own, under Celery too"
    db.close()


@pytest.mark.parametrize("attempts", range(1, 20))
def test_backoff_grows_to_hours_and_no_further(attempts: int) -> None:
    assert timedelta(seconds=2) <= outbox.backoff(attempts) <= timedelta(hours=3)


def test_slow_work_holds_up_no_other_work_and_no_regular_work(deps: Deps, tenant: str) -> None:
    go, done, ticked = threading.Event(), threading.Event(), threading.Event()

    def act(_: Deps, entry: Entry) -> None:
        if entry.subject_id == "slow":
            assert go.wait(20)
        else:
            done.set()

    put(deps, tenant, subject="slow")
    put(deps, tenant, subject="quick")
    worker = Worker(deps, {"work": act}, {"tick": Tick(3600, lambda _: ticked.set())})
    worker.start()
    assert done.wait(10)
    assert ticked.wait(10)
    go.set()
    worker.stop()


def test_slow_regular_work_holds_up_no_entry(deps: Deps, tenant: str) -> None:
    go, done = threading.Event(), threading.Event()
    worker = Worker(deps, {"work": lambda *_: done.set()}, {"poll": Tick(3600, lambda _: go.wait(20))})
    worker.start()
    put(deps, tenant)
    assert done.wait(10)
    go.set()
    worker.stop()


def test_regular_work_goes_on_when_the_clock_is_set_back(deps: Deps, clock) -> None:
    rung: list[datetime] = []
    ticks, due = {"poll": Tick(60, lambda one: rung.append(one.now()))}, {}
    for step, times in ((0, 1), (59, 1), (1, 2), (-86400, 3), (30, 3), (30, 4)):
        clock.forward(seconds=step)
        ring_due(deps, ticks, due)
        assert len(rung) == times


def test_regular_work_that_keeps_failing_rings_until_it_goes_well(deps: Deps, tenant: str, clock) -> None:
    def act(one: Deps) -> None:
        for_each_tenant(one, lambda _, tenant_id: turns.append(tenant_id) or 1 // divisors[0])

    def rings() -> list[tuple[str, bool | None]]:
        with deps.db.reading(tenant) as session:
            return [(alarm.subject, alarm.active) for alarm in session.scalars(select(Alarm))]

    with deps.db.transaction(EVERY_TENANT) as session:
        session.add(Tenant(id="later", name="Après", created_at=deps.now()))
    turns: list[str] = []
    ticks, due = {"night": Tick(60, act)}, {}
    divisors = [1]
    for divisors[0], expected in ((0, []), (1, []), (0, []), (0, [("night", True)]), (1, [("night", None)])):
        ring_due(deps, ticks, due)
        assert rings() == expected
        assert len(turns) == 2, "one tenant's trouble keeps no other from its turn"
        turns.clear()
        clock.forward(seconds=61)


def test_a_worker_taken_for_dead_records_nothing(deps: Deps, tenant: str, clock) -> None:
    made = put(deps, tenant)
    stale = outbox.claim(deps.db, deps.now())
    assert stale is not None
    clock.forward(minutes=3)
    fresh = outbox.claim(deps.db, deps.now())
    assert fresh is not None
    for record in (lambda: outbox.done(deps.db, stale), lambda: outbox.park(deps.db, stale, "late"),
                   lambda: outbox.again(deps.db, stale, RetryLater("late"), deps.now())):
        record()
        assert (entry_of(deps, made).state, entry_of(deps, made).attempts) == ("pending", 2)
        assert outbox.claim(deps.db, deps.now()) is None
    outbox.done(deps.db, fresh)
    outbox.renew(deps.db, fresh, deps.now())
    assert (entry_of(deps, made).state, entry_of(deps, made).lease_until) == ("done", None)


def test_a_broker_that_is_away_fails_no_commit(deps: Deps, tenant: str) -> None:
    db = Database(deps.settings.database, after_commit=ringer(celery_app("redis://127.0.0.1:9/0")))
    with db.transaction(tenant) as session:
        made = outbox.put(session, tenant, "work", "s", now=deps.now())
    bells = [thread for thread in threading.enumerate() if thread.name == "passerelle-bell"]
    assert bells, "a thread of its own waits for the broker, not the commit"
    assert entry_of(deps, made).state == "pending"
    db.close()


def test_a_handler_may_finish_its_entry_with_its_effect(deps: Deps, tenant: str) -> None:
    made = put(deps, tenant)

    def act(_: Deps, entry: Entry) -> bool:
        with deps.db.transaction(entry.tenant_id) as session:
            outbox.finish(session, entry)
        assert entry_of(deps, made).state == "done"
        return True

    assert relay(deps, {"work": act}) == 1
    assert (entry_of(deps, made).state, entry_of(deps, made).attempts) == ("done", 1)


def test_one_new_entry_wakes_one_thread_and_the_end_wakes_all() -> None:
    bell, woken = Bell(), threading.Semaphore(0)

    def sleeper() -> None:
        bell.wait(20)
        woken.release()

    threads = [threading.Thread(target=sleeper) for _ in range(3)]
    for thread in threads:
        thread.start()
    while bell.sleepers < 3:
        time.sleep(0.01)
    bell.ring(["an entry"])
    assert woken.acquire(timeout=10)
    assert not woken.acquire(timeout=0.2)
    bell.wake()
    assert woken.acquire(timeout=10)
    assert woken.acquire(timeout=10)
    bell.ring(["while nobody sleeps"])
    bell.wait(20)  # it was kept
