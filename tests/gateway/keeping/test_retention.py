"""How long invoices are kept, legal holds, and destruction by two persons with its certificate."""

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import OperationalError

from archive.errors import ArchiveError, DestructionRefused, ObjectMissing
from archive.journal import read_entry
from archive.store import Digest
from gateway.accounts.service import set_retention_years
from gateway.deps import Deps
from gateway.dossiers.dossier import gather
from gateway.evidence.checking import check_invoice, check_tenant
from gateway.evidence.sealing import dossier_key
from gateway.evidence.trust import check_everything
from gateway.keeping import certifying, destruction, holds, retention
from gateway.keeping.certificates import read_certificate
from gateway.problems import Problem
from gateway.record import Change, record
from gateway.tables import Document, Event, JournalEntry, Submission
from gateway.tables_care import Alarm, EventWord, InvoiceWord
from gateway.tables_receivables import Claim
from gateway.tables_reminders import Case, ReminderAnswer, ReminderClient
from gateway.tables_retention import Destruction, Retention

FIRST, SECOND = "user:first", "user:second"
WHY = "au terme des dix ans"


def until(deps: Deps, submission: Submission) -> date:
    """The last day, as counted and written down now."""
    with deps.db.transaction(submission.tenant_id) as session:
        return retention.counted(session, session.get_one(Submission, (submission.tenant_id, submission.id))).until


def destroyed(deps: Deps, drain: Callable[[Deps], None], *invoices: Submission) -> Destruction:
    """Two persons and the worker."""
    tenant_id = invoices[0].tenant_id
    row = destruction.propose(deps, tenant_id, FIRST, [one.id for one in invoices], WHY)
    destruction.approve(deps, tenant_id, SECOND, row.id)
    drain(deps)
    with deps.db.reading(tenant_id) as session:
        return session.get_one(Destruction, (tenant_id, row.id))


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(Problem) as caught:
        call()
    return caught.value.code


def test_an_invoice_is_kept_ten_years_from_the_close_of_its_year(deps: Deps, tenant: str, archived, entity) -> None:
    one = archived()
    assert until(deps, one) == date(2036, 12, 31)
    with deps.db.transaction(tenant) as session:
        session.merge(entity).fiscal_year_end = "03-31"
    assert until(deps, one) == date(2037, 3, 31)
    set_retention_years(deps, tenant, 6, "user:admin")
    assert until(deps, one) == date(2037, 3, 31)  # what was promised is not shortened
    assert until(deps, archived(number="F-2")) == date(2033, 3, 31)
    assert code_of(lambda: set_retention_years(deps, tenant, 5, "user:admin")) == "invalid-request"


def test_what_happens_later_lengthens_it_and_looks_do_not(deps: Deps, tenant: str, archived, clock) -> None:
    one = archived()
    clock.forward(days=60)
    retention.count_due(deps)
    for kind, expected in (("access", 2036), ("payment", 2037)):
        with deps.db.transaction(tenant) as session:
            record(session, tenant, Change(kind=kind, code="recorded", actor="key:test", submission_id=one.id),
                   now=deps.now())
        retention.count_due(deps)
        with deps.db.reading(tenant) as session:
            row = session.get_one(Retention, (tenant, one.id))
        assert (row.until, row.locked_until) == (date(expected, 12, 31), date(expected, 12, 31))


def test_a_day_late_by_the_clock_of_paris(deps: Deps, archived, clock) -> None:
    clock.now = clock.now.replace(month=12, day=31, hour=23, minute=30)  # UTC: in Paris the year has begun
    assert until(deps, archived(issue_date=date(2026, 12, 31))) == date(2037, 12, 31)


def test_nothing_goes_early_under_a_hold_or_by_one_person(deps: Deps, tenant: str, archived, clock, drain) -> None:
    one = archived()

    def propose(actor: str = FIRST) -> Destruction:
        return destruction.propose(deps, tenant, actor, [one.id], WHY)

    clock.now = clock.now.replace(year=2036, month=12, day=31)
    assert code_of(propose) == "retention-runs"
    clock.forward(days=1)
    assert code_of(lambda: propose("key:abc")) == "person-needed"
    assert code_of(lambda: destruction.propose(deps, tenant, FIRST, ["nothing"], WHY)) == "not-found"
    assert code_of(lambda: destruction.propose(deps, tenant, FIRST, [one.id], " ")) == "invalid-request"
    held = holds.set_hold(deps, tenant, "key:abc", one.id, "contrôle fiscal")
    assert code_of(propose) == "under-hold"
    holds.lift_hold(deps, tenant, held.id, FIRST, "contrôle clos")
    row = propose()
    assert code_of(propose) == "already-proposed"
    assert code_of(lambda: destruction.approve(deps, tenant, FIRST, row.id)) == "same-person"
    assert code_of(lambda: destruction.approve(deps, tenant, "operator:cli", row.id)) == "person-needed"
    drain(deps)
    assert deps.store.count() == 1
    held = holds.set_hold(deps, tenant, FIRST, "all", "litige")
    assert code_of(lambda: destruction.approve(deps, tenant, SECOND, row.id)) == "under-hold"
    destruction.decline(deps, tenant, SECOND, row.id, "pas avant la fin du litige")
    assert code_of(lambda: destruction.approve(deps, tenant, SECOND, row.id)) == "not-open"
    assert deps.store.count() == 1


def test_a_hold_set_after_the_approval_stops_it(deps: Deps, tenant: str, archived, clock, drain) -> None:
    one = archived()
    clock.forward(days=11 * 366)
    row = destruction.propose(deps, tenant, FIRST, [one.id], WHY)
    destruction.approve(deps, tenant, SECOND, row.id)
    held = holds.set_hold(deps, tenant, FIRST, one.id, "contrôle fiscal")
    drain(deps)
    assert deps.store.count() == 1
    with deps.db.reading(tenant) as session:
        sha256 = session.scalar(select(Document.sha256))
    with pytest.raises(DestructionRefused):
        deps.store.destroy(Digest(sha256), reason="round the service")  # the store knows it too
    holds.lift_hold(deps, tenant, held.id, FIRST, "clos")
    drain(deps)
    deps.store.control(Digest(sha256))


def test_a_destruction_leaves_hash_entries_and_certificate(deps: Deps, tenant: str, archived, clock, drain) -> None:
    one, other = archived(), archived(number="F-2")
    with deps.db.reading(tenant) as session:
        sha256 = session.scalar(select(Document.sha256).where(Document.submission_id == one.id))
        before = session.scalar(select(func.count()).select_from(JournalEntry))
    clock.forward(days=11 * 366)
    row = destroyed(deps, drain, one)
    assert (row.state, row.proposed_by, row.decided_by) == ("done", FIRST, SECOND)
    with pytest.raises(ObjectMissing):
        deps.store.get(Digest(sha256))
    note = deps.store.get(Digest(row.certificate))
    text = read_certificate(note, dossier_key(deps).public_key())
    assert all(part in text for part in (sha256, one.id, WHY, FIRST, SECOND, tenant))
    assert other.id not in text
    for position in range(0, len(note), 7):
        with pytest.raises(ArchiveError):
            read_certificate(note[:position] + bytes([note[position] ^ 1]) + note[position + 1:],
                             dossier_key(deps).public_key())
    with deps.db.reading(tenant) as session:
        entries = [read_entry(line)[1] for line in session.scalars(
            select(JournalEntry.line).where(JournalEntry.subject == one.id).order_by(JournalEntry.at))]
        assert (session.scalar(select(func.count()).select_from(JournalEntry)) or 0) > before
    assert entries[0].objects[0].digest.hex == sha256
    assert entries[-1].outcome == "destroyed"
    assert entries[-1].objects[0].digest.hex == row.certificate
    assert check_everything(deps).faults == ()
    checked = check_invoice(deps, tenant, one.id, lambda *_: None)[0]
    assert (checked.checked, checked.faults) == (1, ())  # the certificate
    assert "sous certificat : 1 ;" in checked.text
    assert [point.faults for point in check_tenant(deps, tenant, lambda *_: None)] == [(), (), ()]
    made = gather(deps, tenant, one.id)
    assert [document.role for document in made.documents] == ["certificate"]
    assert any("détruite" in line for line in made.story.missing)
    assert code_of(lambda: destruction.propose(deps, tenant, FIRST, [one.id], WHY)) == "already-destroyed"
    deps.store.control(Digest(Digest.of(f"<Invoice>{other.id}</Invoice>".encode()).hex))


@pytest.fixture
def _one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certifying, "BATCH", 1)


@pytest.mark.usefixtures("_one_at_a_time")
def test_an_interrupted_end_goes_on_with_the_same_certificate(
    deps: Deps, tenant: str, archived, clock, drain
) -> None:
    def strike(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        struck.append(statement.startswith("INSERT INTO documents"))
        if struck[-1] and sum(struck) == 2:
            raise OperationalError(statement, (), Exception("disk I/O error"))

    struck: list[bool] = []
    invoices = [archived(), archived(number="F-2"), archived(number="F-3")]
    clock.forward(days=11 * 366)
    event.listen(deps.db.engine, "before_cursor_execute", strike)
    row = destroyed(deps, drain, *invoices)
    event.remove(deps.db.engine, "before_cursor_execute", strike)
    assert row.state == "approved"
    assert len(_gone(deps, tenant)) == 1
    clock.forward(days=1)
    drain(deps)
    assert sorted(_gone(deps, tenant)) == sorted(invoice.id for invoice in invoices)
    with deps.db.reading(tenant) as session:
        done = session.get_one(Destruction, (tenant, row.id))
        shown = set(session.scalars(select(Document.sha256).where(Document.role == "certificate")))
    assert (done.state, done.certificate) == ("done", row.certificate)
    assert shown == {row.certificate}
    assert check_everything(deps).faults == ()


def _gone(deps: Deps, tenant: str) -> list[str | None]:
    with deps.db.reading(tenant) as session:
        return list(session.scalars(select(Event.submission_id).where(
            Event.code == "destroyed", Event.submission_id.is_not(None))))


def test_an_object_of_an_invoice_that_stays_stays(deps: Deps, archived, clock, drain) -> None:
    one = archived(content=b"<shared/>")
    clock.forward(days=400)
    other = archived(content=b"<shared/>", number="F-2")
    clock.now = clock.now.replace(year=2037, month=6)
    row = destroyed(deps, drain, one)
    assert row.state == "done"
    assert "still kept" in deps.store.get(Digest(row.certificate)).decode()
    assert deps.store.get(Digest.of(b"<shared/>")) == b"<shared/>"
    clock.now = clock.now.replace(year=2038)
    assert destroyed(deps, drain, other).state == "done"
    with pytest.raises(ObjectMissing):
        deps.store.get(Digest.of(b"<shared/>"))
    assert check_everything(deps).faults == ()


def test_a_destruction_takes_the_words_with_it(deps: Deps, tenant: str, archived, clock, drain, reminded) -> None:
    one, last = archived(), archived(number="F-3")
    other = archived(number="F-2", buyer_name="Autre Oiseau", buyer_siren="000003004")
    reminded(one)
    clock.forward(days=11 * 366)
    destroyed(deps, drain, last)
    with deps.db.reading(tenant) as session:
        assert session.scalars(select(ReminderClient.contact)).all() == ["Mme Canari"], "an invoice of hers is here"
    destroyed(deps, drain, one)
    with deps.db.reading(tenant) as session:
        case, answer = session.scalars(select(Case)).one(), session.scalars(select(ReminderAnswer)).one()
        assert (case.client, case.reason, case.proposal, answer.words) == ("", "", None, {})
        assert session.scalars(select(ReminderClient.key)).all() == []
        assert session.scalars(select(Claim.basis)).all() == [{}]
        row = session.get_one(Submission, (tenant, one.id))
        assert (row.buyer_name, row.buyer_email, row.number) == (None, None, "F-2026-001")
        assert session.get_one(Submission, (tenant, other.id)).buyer_name == "Autre Oiseau"
        said = session.scalars(select(Event.reason).where(Event.submission_id == one.id)).all()
        assert set(said) == {None}
        assert session.scalars(select(InvoiceWord.submission_id).distinct()).all() == [other.id]
        assert session.scalar(select(func.count()).select_from(EventWord)) > 0
        assert session.scalars(select(Document.name).where(
            Document.submission_id == one.id, Document.role == "original")).all() == ["original"]
    with deps.db.transaction(tenant) as session:  # words of after the erasure are proved again, under a new key
        record(session, tenant, Change(kind="access", code="exported", actor=FIRST, submission_id=one.id,
                                       reason="demandé"), now=deps.now())
    assert check_everything(deps).faults == ()


def test_what_nobody_destroys_is_an_overdue_task(deps: Deps, tenant: str, archived, clock) -> None:
    archived()
    clock.now = clock.now.replace(year=2037, month=1, day=30)
    for rings in (0, 1, 1):
        retention.count_due(deps)
        with deps.db.reading(tenant) as session:
            assert len(session.scalars(select(Alarm).where(Alarm.kind == "retention-late")).all()) == rings
        clock.forward(days=1)
    holds.set_hold(deps, tenant, FIRST, "all", "litige")
    retention.count_due(deps)
    with deps.db.reading(tenant) as session:
        assert session.scalar(select(Alarm).where(Alarm.active)) is None
