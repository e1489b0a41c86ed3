"""No invoice leaves for an address that leads nowhere unless its seller wants that, and the answer is kept."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from archive.store import Digest
from gateway import outbox
from gateway.deps import Deps
from gateway.outgoing.addressing import AGAIN_AFTER, ANYWAY, MOST_HELD
from gateway.outgoing.deliver import deliver
from gateway.tables import Document, Event, LegalEntity, OutboxEntry, Submission
from gateway.worker import relay

SIREN = "000001016"


def work(deps: Deps) -> None:
    relay(deps, {"deliver": deliver, "remind": lambda *_: None})


def seen(deps: Deps, row: Submission) -> Submission:
    with deps.db.reading(row.tenant_id) as session:
        return session.get_one(Submission, (row.tenant_id, row.id))


def entry_of(deps: Deps, row: Submission) -> OutboxEntry:
    with deps.db.reading(row.tenant_id) as session:
        return session.scalars(select(OutboxEntry).where(OutboxEntry.subject_id == row.id,
                                                         OutboxEntry.topic == "deliver")).one()


def events(deps: Deps, row: Submission) -> list[Event]:
    with deps.db.reading(row.tenant_id) as session:
        return list(session.scalars(select(Event).where(Event.submission_id == row.id).order_by(Event.position)))


def choose(deps: Deps, entity: LegalEntity, **policy: str) -> None:
    with deps.db.transaction(entity.tenant_id) as session:
        session.get_one(LegalEntity, (entity.tenant_id, entity.id)).reachability = {
            name.replace("_", "-"): step for name, step in policy.items()}


@pytest.mark.usefixtures("directory")
def test_a_reachable_buyer_is_sent_to_and_the_answer_is_kept(deps: Deps, queued) -> None:
    row = queued()
    work(deps)
    assert seen(deps, row).transmission == "deposited"
    sending, _ = events(deps, row)
    assert (sending.code, sending.data["reach"], sending.data["address"]) == ("sending", "reachable", SIREN)
    kept = json.loads(deps.store.get(Digest(sending.sha256)))
    [said] = json.loads(kept["said"])
    assert json.loads(said["answer"])["results"][0]["directoryLineStatus"] == "Enabled"
    with deps.db.reading(row.tenant_id) as session:
        [document] = session.scalars(select(Document).where(Document.role == "directory")).all()
    assert document.sha256 == sending.sha256


def test_a_hundred_invoices_to_one_buyer_are_one_question_an_hour(deps: Deps, directory, queued, clock) -> None:
    rows = [queued(f"F-{number}") for number in range(5)]
    work(deps)
    assert {seen(deps, row).transmission for row in rows} == {"deposited"}
    assert directory.directory_asked == 1
    clock.forward(hours=2)
    queued("F-9")
    work(deps)
    assert directory.directory_asked == 2


def test_a_buyer_whose_line_opens_later_is_waited_for(deps: Deps, directory, queued, clock) -> None:
    directory.lines[SIREN] = "Upcoming"
    row = queued()
    work(deps)
    held = seen(deps, row)
    assert (held.transmission, held.active, directory.outgoing(row.id)) == ("held", True, [])
    assert "reach-not-yet" in (held.transmission_reason or "")
    assert (entry_of(deps, row).state, entry_of(deps, row).attempts) == ("pending", 0)
    for _ in range(3):
        clock.now += AGAIN_AFTER
        work(deps)
    assert [event.code for event in events(deps, row)] == ["held"]  # the same answer again is no event
    directory.lines[SIREN] = "Enabled"
    clock.now += AGAIN_AFTER
    work(deps)
    assert seen(deps, row).transmission == "deposited"
    assert len(directory.outgoing(row.id)) == 1
    assert [event.code for event in events(deps, row)] == ["held", "sending", "deposited"]


def test_nobody_is_waited_for_for_ever(deps: Deps, directory, queued, clock) -> None:
    directory.lines[SIREN] = "Upcoming"
    row, started = queued(), clock.now
    while entry_of(deps, row).state == "pending":
        work(deps)
        clock.now += AGAIN_AFTER
        assert clock.now - started < MOST_HELD + timedelta(days=1)
    assert seen(deps, row).transmission == "parked"
    assert "Retenue depuis le 23/11/2026" in (seen(deps, row).transmission_reason or "")


@pytest.mark.parametrize(("lines", "units", "reach"), [
    ({SIREN: "Disabled"}, set(), "disabled"), ({}, {SIREN}, "disabled"), ({}, set(), "unknown"),
    ({f"{SIREN}_COMPTA": "Enabled"}, set(), "unknown"),
])
def test_an_address_that_leads_nowhere_is_for_a_person(
    deps: Deps, directory, queued, lines, units, reach
) -> None:
    directory.lines, directory.units = lines, units
    row = queued()
    work(deps)
    assert (seen(deps, row).transmission, seen(deps, row).active, directory.flows) == ("parked", True, [])
    assert f"reach-{reach} : " in (entry_of(deps, row).reason or "")
    [parked] = events(deps, row)
    assert (parked.code, parked.data["reach"]) == ("parked", reach)
    assert json.loads(deps.store.get(Digest(parked.sha256)))["reach"] == reach


@pytest.mark.parametrize("says", [
    (500, b"x"), (503, b"{}"), (404, b"<html>not here</html>"), (200, b"<html>login</html>"), (200, b'{"results": 3}'),
    (200, b'{"results": [{"siren": "000001016"}]}'), (302, b""), (401, b"{}"), (501, b"{}"), (400, b"{}"),
])
def test_a_directory_that_fails_stops_no_invoice(deps: Deps, directory, queued, says) -> None:
    directory.directory_says = says
    row = queued()
    work(deps)
    assert seen(deps, row).transmission == "deposited"
    assert events(deps, row)[0].data["reach"] == "cannot-tell"


def test_a_directory_that_is_away_is_left_alone(deps: Deps, directory, queued, clock) -> None:
    directory.directory_says = (500, b"")
    for number in range(8):
        queued(f"F-{number}", buyer_address=f"{SIREN}_{number}")
    work(deps)
    assert len(directory.flows) == 8
    assert directory.directory_asked == 5
    directory.directory_says = None
    clock.forward(minutes=10)
    row = queued("F-9")
    work(deps)
    assert events(deps, row)[0].data["reach"] == "reachable"


@pytest.mark.parametrize(("policy", "state"), [({"unknown": "send"}, "deposited"), ({"unknown": "hold"}, "held"),
                                               ({"cannot_tell": "ask"}, "parked")])
def test_the_entity_decides(
    deps: Deps, directory, queued, entity, policy, state
) -> None:
    directory.lines.clear()
    if "cannot_tell" in policy:
        directory.directory_says = (500, b"")
    choose(deps, entity, **policy)
    row = queued()
    work(deps)
    assert seen(deps, row).transmission == state


@pytest.mark.parametrize("rule", ["B2BInt", "B2C", "OutOfScope", "ArchiveOnly"])
def test_buyers_outside_the_french_directory_are_not_looked_up(deps: Deps, directory, queued, rule) -> None:
    directory.lines.clear()
    row = queued(processing_rule=rule, buyer_address="someone")
    work(deps)
    assert (seen(deps, row).transmission, directory.directory_asked) == ("deposited", 0)


def test_once_it_may_be_at_the_platform_the_directory_is_not_asked(deps: Deps, directory, queued, clock) -> None:
    row = queued()
    directory.lose_answers = 1
    work(deps)
    directory.lines.clear()
    clock.forward(hours=2)
    work(deps)
    assert seen(deps, row).transmission == "deposited"
    assert (len(directory.outgoing(row.id)), directory.directory_asked) == (1, 1)


def test_a_person_may_send_it_anyway(deps: Deps, directory, queued) -> None:
    directory.lines.clear()
    row = queued()
    work(deps)
    with deps.db.transaction(row.tenant_id) as session:
        entry = session.get_one(OutboxEntry, (row.tenant_id, entry_of(deps, row).id))
        entry.payload = {ANYWAY: "user:x"}
        assert outbox.revive(session, entry.id, deps.now())
    work(deps)
    assert seen(deps, row).transmission == "deposited"
    assert len(directory.outgoing(row.id)) == 1


def test_a_person_who_asks_again_gets_a_new_answer(deps: Deps, directory, queued) -> None:
    directory.lines.clear()
    row = queued()
    work(deps)
    directory.lines[SIREN] = "Enabled"
    with deps.db.transaction(row.tenant_id) as session:
        assert outbox.revive(session, entry_of(deps, row).id, deps.now())
    work(deps)
    assert seen(deps, row).transmission == "deposited"
