"""The control finds what is damaged, names whose it is, heals it from the second copy, and goes on where it stood."""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from archive.journal import read_entry
from archive.store import Digest
from archive.stores.copies import Copies
from archive.stores.directory import DirectoryStore
from archive.stores.safe import Verb
from gateway.auth import Permission, Principal
from gateway.db import EVERY_TENANT
from gateway.deps import Deps
from gateway.evidence import scrub
from gateway.evidence.ledger import Kept
from gateway.evidence.sealing import seal_due
from gateway.evidence.trust import check_everything
from gateway.keeping.objects import safe_of
from gateway.record import Change, record
from gateway.tables import Document, JournalEntry, Submission
from gateway.tables_archive import Scrub, ScrubFault
from gateway.tables_care import Alarm

OBJECTS = 6


@pytest.fixture
def twice(deps: Deps, tmp_path: Path) -> Deps:
    """The same with two copies of every object."""
    return replace(deps, store=Copies({"main": DirectoryStore(tmp_path / "objects"),
                                       "copy": DirectoryStore(tmp_path / "second")}))


@pytest.fixture
def filled(twice: Deps, make_invoice: Callable[..., Submission]) -> tuple[Submission, list[Digest]]:
    """An invoice with some sealed entries, each naming an object."""
    row, digests = make_invoice(), []
    for number in range(OBJECTS):
        data = b"object %d" % number
        digests.append(twice.store.put(data))
        with twice.db.transaction(row.tenant_id) as session:
            session.add(Document(tenant_id=row.tenant_id, id=str(number), submission_id=row.id, role="status",
                                 syntax=None, media_type="application/xml", name="s.xml", sha256=digests[-1].hex,
                                 size=len(data), at=twice.now()))
            record(session, row.tenant_id, Change(
                kind="lifecycle", code="207", actor="worker", submission_id=row.id,
                objects=(Kept("status", digests[-1].hex, len(data)),)), now=twice.now())
    seal_due(twice)
    return row, digests


def spoil(root: Path, digest: Digest) -> None:
    path = root / "sha256" / digest.hex[:2] / digest.hex[2:4] / digest.hex
    path.chmod(0o644)
    path.write_bytes(b"spoilt")


def passed(deps: Deps) -> Scrub:
    """The row of a pass at full speed."""
    return [*scrub.whole_pass(deps)][-1]


def told(deps: Deps, tenant: str) -> list[tuple[str, str]]:
    with deps.db.reading(tenant) as session:
        lines = session.scalars(select(JournalEntry.line).order_by(JournalEntry.log, JournalEntry.seq)).all()
    return [(entry.outcome, entry.subject) for _, entry in map(read_entry, lines)]


def rows(deps: Deps, tenant: str, table: type) -> list:
    with deps.db.reading(tenant) as session:
        return list(session.scalars(select(table)))


def test_an_intact_archive_is_counted_and_the_pass_journaled(twice: Deps, tenant: str, filled) -> None:  # noqa: ARG001  something to control
    made = passed(twice)
    assert (made.faults, made.healed, made.finished_at) == (0, 0, twice.now())
    assert (made.objects, made.entries, made.seals) == (OBJECTS + 2, OBJECTS + 1, 1)  # checkpoint and token too
    assert made.octets > sum(len(b"object n") for _ in range(OBJECTS))
    assert told(twice, tenant)[-1] == ("control.done", f"control:{made.id}")
    assert rows(twice, tenant, Alarm) == rows(twice, tenant, ScrubFault) == []


@pytest.mark.parametrize("place", ["objects", "second"])
def test_a_spoilt_copy_is_healed_and_that_is_journaled(
    twice: Deps, tenant: str, filled, tmp_path: Path, place: str
) -> None:
    invoice, digests = filled
    spoil(tmp_path / place, digests[2])
    assert any(digests[2].hex in fault for fault in check_everything(twice).faults)
    made = passed(twice)
    assert (made.faults, made.healed) == (0, 1)
    assert twice.store.control(digests[2]).size == len(b"object 2")
    [fault] = rows(twice, tenant, ScrubFault)
    assert (fault.what, fault.submission_id, fault.healed_from) == (
        digests[2].hex, invoice.id, "main" if place == "objects" else "copy")
    assert ("object.healed", f"object:{digests[2]}") in told(twice, tenant)
    [alarm] = rows(twice, tenant, Alarm)
    assert (alarm.kind, alarm.subject, alarm.facts["invoice"]) == ("object-healed", digests[2].hex, invoice.id)
    assert check_everything(twice).faults == ()
    assert passed(twice).healed == 0
    reader = Principal(tenant_id=tenant, actor="user:a", name="A", permissions=frozenset(Permission))
    safe_of(twice, reader).control(digests[2])
    assert [call.verb for call in safe_of(twice, reader).journal(digests[2])] == [Verb.CONTROL]


def test_without_a_good_copy_the_alarm_rings_until_somebody_brings_one(
    twice: Deps, tenant: str, filled, tmp_path: Path
) -> None:
    invoice, digests = filled
    for place in ("objects", "second"):
        spoil(tmp_path / place, digests[0])
    assert passed(twice).faults == 1
    assert passed(twice).faults == 1
    [fault] = rows(twice, tenant, ScrubFault)
    assert (fault.tenant_id, fault.what, fault.submission_id, fault.ended_at) == (
        tenant, digests[0].hex, invoice.id, None)
    [alarm] = rows(twice, tenant, Alarm)
    assert (alarm.kind, alarm.active, alarm.count) == ("object-damaged", True, 2)
    twice.store.mend(b"object 0")
    assert passed(twice).faults == 0
    assert rows(twice, tenant, ScrubFault)[0].ended_at is not None
    assert rows(twice, tenant, Alarm)[0].active is None


@pytest.mark.sqlite
@pytest.mark.parametrize(("change", "kind", "what"), [
    ("UPDATE journal SET line = replace(CAST(line AS TEXT), '207', '208') WHERE seq = 3", "journal", "2026/3"),
    ("DELETE FROM journal WHERE seq = 3", "journal", "2026/4"),
    ("UPDATE journal SET frontier = x'00' WHERE seq = 3", "journal", "2026/3"),
    ("UPDATE journal SET leaf = x'00' WHERE seq = 3", "journal", "2026/3"),
    ("UPDATE seals SET checkpoint = replace(CAST(checkpoint AS TEXT), '6', '5')", "seal", "2026/6"),
    ("UPDATE seals SET token = x'00'", "seal", "2026/6"),
])
def test_a_changed_entry_or_seal_is_found_and_named(
    twice: Deps, tenant: str, filled, change: str, kind: str, what: str  # noqa: ARG001  something to control
) -> None:
    with twice.db.engine.begin() as connection:
        connection.execute(text(change))
    passed(twice)
    found = {(fault.kind, fault.what) for fault in rows(twice, tenant, ScrubFault)}
    assert (kind, what) in found
    assert {alarm.kind for alarm in rows(twice, tenant, Alarm)} == {"journal-damaged"}


def test_a_pass_goes_on_where_it_stood_and_ends_in_time(twice: Deps, tenant: str, filled, clock, monkeypatch) -> None:  # noqa: ARG001  as above
    monkeypatch.setattr(scrub, "LEAST", 2)
    started = clock.now
    turns = 0
    while (at := scrub.latest(twice)) is None or at.finished_at is None:
        scrub.scrub_due(replace(twice))
        clock.forward(seconds=twice.settings.scrub_seconds)
        turns += 1
    assert turns >= math.ceil((2 * OBJECTS + 3) / 2)
    assert (at.objects, at.entries, at.seals) == (OBJECTS + 2, OBJECTS + 1, 1)
    scrub.scrub_due(twice)
    assert scrub.latest(twice).id == at.id  # one pass per half of the time, however small the archive
    clock.now = started + timedelta(days=twice.settings.scrub_days / 2)
    scrub.scrub_due(twice)
    assert scrub.latest(twice).id == at.id + 1


def test_a_store_that_is_away_stops_the_turn_and_nothing_is_called_lost(
    twice: Deps, tenant: str, filled, tmp_path: Path  # noqa: ARG001  something to control
) -> None:
    away = replace(twice, store=Away(tmp_path / "objects"))
    scrub.scrub_due(away)
    assert scrub.latest(away).cursor == "objects:"
    assert [alarm.kind for alarm in rows(twice, tenant, Alarm)] == ["store-unavailable"]
    assert passed(twice).faults == 0
    assert rows(twice, tenant, Alarm)[0].active is None


class Away(DirectoryStore):
    """A store on a disk that answers no more."""

    def control(self, digest: Digest):
        from archive.errors import StoreUnavailable
        raise StoreUnavailable(f"{digest}: input/output error")


def test_what_nobody_owns_is_controlled_too(twice: Deps, tenant: str, tmp_path: Path) -> None:
    digest = twice.store.put(b"the file of a rule set")
    spoil(tmp_path / "objects", digest)
    assert passed(twice).healed == 1
    assert twice.store.get(digest) == b"the file of a rule set"
    with twice.db.reading(EVERY_TENANT) as session:
        assert session.scalars(select(Alarm.kind)).all() == ["object-healed"]
    assert rows(twice, tenant, ScrubFault) == []
