"""What is old and finished goes; what waits, is parked or was given up stays, with all that belongs to it."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from gateway import outbox, tidying
from gateway.db import EVERY_TENANT
from gateway.deps import Deps
from gateway.idempotency import Answer, once, remember
from gateway.settings import Settings
from gateway.tables import OutboxEntry
from gateway.tables_access import IdempotencyKey
from gateway.topics import ticks


def put(deps: Deps, tenant: str, subject: str, state: str) -> None:
    with deps.db.transaction(tenant) as session:
        entry = outbox.put(session, tenant, "work", subject, now=deps.now())
        session.flush()
        session.get_one(OutboxEntry, (tenant, entry)).state = state


def left(deps: Deps) -> list[tuple[str, str]]:
    with deps.db.reading(EVERY_TENANT) as session:
        return sorted((row.subject_id, row.state) for row in session.scalars(select(OutboxEntry)))


def answered(deps: Deps, tenant: str, key: str) -> Answer:
    """A request with this key; the answer says how many there were."""
    asked = []

    def act() -> Answer:
        asked.append(key)
        with deps.db.transaction(tenant) as session:
            answer = 200, {"at": deps.now().isoformat()}
            remember(session, tenant, key, answer)
        return answer

    return once(deps, tenant, key, "fingerprint", act)


def test_finished_work_goes_after_its_time_and_nothing_else(deps: Deps, tenant: str, clock: Any) -> None:
    for state in ("done", "pending", "parked", "closed"):
        put(deps, tenant, f"only {state}", state)
    for unresolved in ("pending", "parked"):
        for state in ("done", unresolved):
            put(deps, tenant, f"beside {unresolved}", state)
    clock.forward(days=29)
    put(deps, tenant, "young", "done")
    assert tidying.forget_work(deps) == 0
    clock.forward(days=2)

    assert tidying.forget_work(deps) == 1

    assert left(deps) == sorted([
        ("only pending", "pending"), ("only parked", "parked"), ("only closed", "closed"), ("young", "done"),
        ("beside pending", "done"), ("beside pending", "pending"), ("beside parked", "done"),
        ("beside parked", "parked")])


def test_what_became_due_late_is_kept_from_then_on(deps: Deps, tenant: str, clock: Any) -> None:
    with deps.db.transaction(tenant) as session:
        entry = outbox.put(session, tenant, "work", "s", now=deps.now(), due_at=deps.now() + timedelta(days=40))
    clock.forward(days=41)
    with deps.db.transaction(tenant) as session:
        session.get_one(OutboxEntry, (tenant, entry)).state = "done"
    assert tidying.forget_work(deps) == 0
    clock.forward(days=30)
    assert tidying.forget_work(deps) == 1


def test_the_same_subject_of_another_tenant_keeps_nothing(
    deps: Deps, tenant: str, clock: Any, make_tenant: Any
) -> None:
    put(deps, tenant, "same", "done")
    put(deps, make_tenant("Autre"), "same", "parked")
    clock.forward(days=31)
    assert tidying.forget_work(deps) == 1


def test_a_key_keeps_its_answer_for_its_time(deps: Deps, tenant: str, clock: Any) -> None:
    first = answered(deps, tenant, "k")
    clock.forward(days=30)
    tidying.tidy(deps)
    assert answered(deps, tenant, "k") == first
    clock.forward(minutes=1)
    ticks(Settings())["tidy"].act(deps)
    with deps.db.reading(EVERY_TENANT) as session:
        assert session.scalars(select(IdempotencyKey)).all() == []
    assert answered(deps, tenant, "k") != first


def test_more_than_a_batch_goes_in_one_turn(
    deps: Deps, tenant: str, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidying, "BATCH", 3)
    for number in range(7):
        put(deps, tenant, str(number), "done")
    clock.forward(days=31)
    assert tidying.forget_work(deps) == 7
    assert left(deps) == []


@pytest.mark.parametrize("name", ["keep_keys_days", "keep_work_days"])
def test_nothing_goes_on_the_day_it_came(name: str) -> None:
    with pytest.raises(ValidationError):
        Settings(**{name: 0})
