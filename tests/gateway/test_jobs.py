"""Long work is started once, and can be started again when nobody does it any more."""

from gateway import outbox
from gateway.deps import Deps
from gateway.jobs import TOPIC, start_check


def test_a_job_is_started_once_unless_its_work_was_parked(deps: Deps, tenant: str, clock) -> None:
    first = start_check(deps, tenant, "", "user:one")
    assert start_check(deps, tenant, "", "user:two").id == first.id

    entry = outbox.claim(deps.db, deps.now(), only=(TOPIC,))
    assert start_check(deps, tenant, "", "user:two").id == first.id
    outbox.park(deps.db, entry, "ValueError: x (40 essais)")
    clock.forward(minutes=1)
    again = start_check(deps, tenant, "", "user:two")

    assert again.id != first.id
    assert start_check(deps, tenant, "", "user:one").id == again.id
