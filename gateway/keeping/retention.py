"""Until when each invoice is kept with all its objects, and whether the law lets an object go.

An invoice belongs to the fiscal year of the last thing that happened to it in business (issue, receipt, statuses,
payments, reminders; not looks and exports), and is kept for the tenant's number of years from the close of that year.
The year closes when its legal entity's does, else the tenant's. What was counted is written down and never becomes
earlier: not by a shorter rule, not by another close. Days are French calendar days.

A statement of the bank is an accounting record of its own (C. com. L123-22): kept from the close of the year in which
it came, and as long as any invoice that one of its movements paid.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from sqlalchemy import ColumnElement, Select, String, cast, func, literal, or_, select
from sqlalchemy.orm import Session

from archive.errors import DestructionRefused, ObjectMissing, StoreUnavailable
from archive.retention import fiscal_close, retain_until
from archive.store import Digest
from gateway.alarms.sounding import clear, sound
from gateway.clock import PARIS, day_in_france
from gateway.deps import Deps
from gateway.tables import Document, Event, LegalEntity, SeenFlow, Submission, Tenant
from gateway.tables_archive import KeptObject
from gateway.tables_receivables import BankAllocation, BankFile, BankMovement
from gateway.tables_reminders import Decision
from gateway.tables_retention import Destruction, DestructionItem, LegalHold, Retention
from gateway.turns import for_each_tenant

BATCH = 500
NOT_BUSINESS = ("access", "evidence", "alarm", "setting")
CERTIFICATE = "certificate"
"""Role of what outlives its invoice: the certificate of its destruction."""

OBJECT = "object:"
EVERYTHING = "all"
LATE_DAYS = 30
"""What is past its last day by more than this, and under no hold, is an overdue task."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Until when an invoice is kept, and what that follows from."""

    until: date
    rule: str
    counted_to: datetime
    destroyed_at: datetime | None = None
    destruction_id: str | None = None


def reckoned(session: Session, submission: Submission) -> Kept:
    """The retention of an invoice under the rule in force, and never earlier than it was written down."""
    row = session.get(Retention, (submission.tenant_id, submission.id))
    closes = _closes(session, submission.tenant_id)
    last = _last_operations(session, submission.tenant_id, [submission.id])
    return _reckoned(submission, row, closes, last)


def _reckoned(
    submission: Submission, row: Retention | None, closes: Mapping[str, tuple[str, int]], last: Mapping[str, datetime]
) -> Kept:
    close, years = closes.get(submission.legal_entity_id or "", closes[""])
    to = max(submission.received_at, last.get(submission.id, submission.received_at))
    day = max(day_in_france(to), submission.issue_date or date.min)
    until, rule = retain_until(fiscal_close(day, *map(int, close.split("-"))), years), f"{close}+{years}"
    if row is None:
        return Kept(until, rule, to)
    return Kept(max(row.until, until), rule, max(row.counted_to, to), row.destroyed_at, row.destruction_id)


def counted(session: Session, submission: Submission) -> Retention:
    """As `reckoned`, written down in the caller's transaction."""
    return _count(session, submission.tenant_id, [submission])[submission.id]


def _count(session: Session, tenant_id: str, submissions: Sequence[Submission]) -> dict[str, Retention]:
    ids = [submission.id for submission in submissions]
    rows = {row.submission_id: row for row in _rows_of(session, tenant_id, ids)}
    closes, last = _closes(session, tenant_id), _last_operations(session, tenant_id, ids)
    for submission in submissions:
        kept = _reckoned(submission, rows.get(submission.id), closes, last)
        row = rows.setdefault(submission.id, Retention(
            tenant_id=tenant_id, submission_id=submission.id, locked_until=None, destroyed_at=None,
            destruction_id=None))
        row.until, row.rule, row.counted_to = kept.until, kept.rule, kept.counted_to
        session.add(row)
    return rows


def _rows_of(session: Session, tenant_id: str, ids: Iterable[str]) -> Sequence[Retention]:
    """What was written down about these invoices."""
    return session.scalars(select(Retention).where(
        Retention.tenant_id == tenant_id, Retention.submission_id.in_(list(ids)))).all()


def _closes(session: Session, tenant_id: str) -> dict[str, tuple[str, int]]:
    """(MM-DD of the close, years) by legal entity; "": for invoices of none."""
    tenant = session.get_one(Tenant, tenant_id)
    entities = session.execute(select(LegalEntity.id, LegalEntity.fiscal_year_end).where(
        LegalEntity.tenant_id == tenant_id))
    return {"": (tenant.fiscal_year_end, tenant.retention_years),
            **{entity_id: (close, tenant.retention_years) for entity_id, close in entities}}


def _last_operations(session: Session, tenant_id: str, ids: Sequence[str]) -> dict[str, datetime]:
    """When the newest thing happened to these invoices in business, as their events tell."""
    told = session.execute(select(Event.submission_id, func.max(Event.at)).where(
        Event.tenant_id == tenant_id, Event.submission_id.in_(ids), Event.kind.not_in(NOT_BUSINESS),
    ).group_by(Event.submission_id))
    return {submission_id or "": at for submission_id, at in told}


def count_due(deps: Deps) -> None:
    """Regular work: count what is new or changed, tell the store its locks, and say what is overdue."""
    for_each_tenant(deps, count_tenant)


def count_tenant(deps: Deps, tenant_id: str) -> None:
    """The same for one tenant."""
    while count_some(deps, tenant_id):
        pass
    while lock_some(deps, tenant_id):
        pass
    count_statements(deps, tenant_id)
    tell_overdue(deps, tenant_id)


def count_some(deps: Deps, tenant_id: str) -> bool:
    """Count some of the invoices that are not counted, or not up to their last operation or under today's rule."""
    with deps.db.transaction(tenant_id) as session:
        stale = session.scalars(uncounted(tenant_id).limit(BATCH)).all()
        _count(session, tenant_id, stale)
    return len(stale) == BATCH


def uncounted(tenant_id: str) -> Select[Submission]:
    """Invoices whose retention is absent, or counted under another rule, or before a later operation."""
    close = func.coalesce(LegalEntity.fiscal_year_end, Tenant.fiscal_year_end)
    rule = close + "+" + cast(Tenant.retention_years, String)
    newer = select(literal(1)).where(
        Event.tenant_id == Submission.tenant_id, Event.submission_id == Submission.id,
        Event.kind.not_in(NOT_BUSINESS), Event.at > Retention.counted_to).exists()
    return (
        select(Submission)
        .join(Tenant, Tenant.id == Submission.tenant_id)
        .outerjoin(LegalEntity, (LegalEntity.tenant_id == Submission.tenant_id)
                   & (LegalEntity.id == Submission.legal_entity_id))
        .outerjoin(Retention, (Retention.tenant_id == Submission.tenant_id)
                   & (Retention.submission_id == Submission.id))
        .where(Submission.tenant_id == tenant_id, Retention.destroyed_at.is_(None),
               or_(Retention.until.is_(None), Retention.rule != rule, newer))
        .order_by(Submission.id)
    )


def lock_some(deps: Deps, tenant_id: str) -> bool:
    """Tell the store until when the objects of some invoices are locked. False when nothing is left, or it is away."""
    with deps.db.reading(tenant_id) as session:
        rows = session.scalars(select(Retention).where(
            Retention.destroyed_at.is_(None),
            or_(Retention.locked_until.is_(None), Retention.locked_until < Retention.until)).limit(BATCH)).all()
        named = objects_of_each(session, tenant_id, [row.submission_id for row in rows])
        wanted = [(row, sorted(named[row.submission_id])) for row in rows]
    done = []
    for row, digests in wanted:
        for sha256 in digests:
            try:
                deps.store.keep(Digest(sha256), end_of(row.until))
            except ObjectMissing:
                continue  # the control of everything says so
            except StoreUnavailable:
                return False
        done.append(row)
    if done:
        with deps.db.transaction(tenant_id) as session:
            told = {row.submission_id: row.until for row in done}
            for row in _rows_of(session, tenant_id, told):
                row.locked_until = told[row.submission_id]
    return len(rows) == BATCH


def count_statements(deps: Deps, tenant_id: str) -> None:
    """Tell the store until when the statements of the bank are kept at least, where it does not know."""
    with deps.db.reading(tenant_id) as session:
        known = [(file, alone(session, tenant_id, file.received_at))
                 for file in session.scalars(standing_statements(tenant_id))]
        wanted = [(file.id, file.sha256, day) for file, day in known
                  if file.kept_until is None or file.kept_until < day]
    for file_id, sha256, day in wanted:
        try:
            deps.store.keep(Digest(sha256), end_of(day))
        except ObjectMissing:
            pass  # the control of everything says so
        except StoreUnavailable:
            return
        with deps.db.transaction(tenant_id) as session:
            session.get_one(BankFile, (tenant_id, file_id)).kept_until = day


def standing_statements(tenant_id: str) -> Select[BankFile]:
    """The statements of the bank that are not destroyed."""
    return select(BankFile).join(KeptObject, (KeptObject.tenant_id == BankFile.tenant_id) & (
        KeptObject.sha256 == BankFile.sha256)).where(
            BankFile.tenant_id == tenant_id, KeptObject.destroyed_at.is_(None)).order_by(BankFile.received_at)


def due_statements(session: Session, tenant_id: str, today: date) -> list[tuple[BankFile, date]]:
    """Statements of the bank past their last day and under no hold, each with it. The oldest first."""
    found = []
    for file in session.scalars(standing_statements(tenant_id).where(BankFile.kept_until < today)):
        subject = f"{OBJECT}{file.sha256}"
        until = last_day(session, tenant_id, subject)
        if until < today and not standing(session, tenant_id, {subject, *owners_of(session, tenant_id, file.sha256)}):
            found.append((file, until))
    return found


def tell_overdue(deps: Deps, tenant_id: str) -> None:
    """Raise or clear the alarm about what is kept more than a month too long, since nobody proposed or approved it."""
    today = deps.today()
    with deps.db.reading(tenant_id) as session:
        ends = [row.until for row in due(session, tenant_id, today)]
        ends += [until for _, until in due_statements(session, tenant_id, today)]
    late = sum(1 for until in ends if (today - until).days > LATE_DAYS)
    if late:
        sound(deps, tenant_id, "retention-late", "", {"count": late})
    else:
        clear(deps, tenant_id, "retention-late")


def due(session: Session, tenant_id: str, today: date, *, limit: int | None = None) -> list[Retention]:
    """Invoices past their last day that are not destroyed and under no hold: a task. The oldest first."""
    held = {hold.subject for hold in standing(session, tenant_id)}
    if EVERYTHING in held:
        return []
    rows = session.scalars(select(Retention).where(
        Retention.tenant_id == tenant_id, Retention.destroyed_at.is_(None), Retention.until < today,
        Retention.submission_id.not_in(held)).order_by(Retention.until, Retention.submission_id).limit(limit))
    return list(rows)


def objects_of(session: Session, tenant_id: str, submission_id: str) -> list[str]:
    """Every kept object that belongs to an invoice and goes with it."""
    return sorted(objects_of_each(session, tenant_id, [submission_id])[submission_id])


def objects_of_each(session: Session, tenant_id: str, ids: Sequence[str]) -> dict[str, set[str]]:
    """The same of some hundred invoices, by id."""
    found: dict[str, set[str]] = {one: set() for one in ids}
    for column in (Document.sha256, Event.sha256, Decision.sha256, SeenFlow.sha256):
        table = column.class_
        for owner, sha256 in session.execute(select(table.submission_id, column).where(
                table.tenant_id == tenant_id, table.submission_id.in_(ids), column.is_not(None))):
            found[owner].add(sha256)
    for owner, sha256 in session.execute(select(Document.submission_id, Document.sha256).where(
            Document.tenant_id == tenant_id, Document.submission_id.in_(ids), Document.role == CERTIFICATE)):
        found[owner].discard(sha256)
    return found


def owners_of(session: Session, tenant_id: str, sha256: str) -> set[str]:
    """The invoices of a tenant to which an object belongs and that are not destroyed.

    A statement of the bank belongs to all that its movements paid.
    """
    found = {submission_id for column in (Document.sha256, Event.sha256, Decision.sha256, SeenFlow.sha256)
             for submission_id in session.scalars(select(column.class_.submission_id).where(
                 column.class_.tenant_id == tenant_id, column == sha256)) if submission_id}
    found |= set(session.scalars(select(BankAllocation.submission_id).join(BankMovement, (
        BankMovement.tenant_id == BankAllocation.tenant_id) & (BankMovement.id == BankAllocation.movement_id)).join(
            BankFile, (BankFile.tenant_id == BankMovement.tenant_id) & (BankFile.id == BankMovement.file_id)).where(
                BankFile.tenant_id == tenant_id, BankFile.sha256 == sha256)))
    gone = select(Retention.submission_id).where(Retention.tenant_id == tenant_id,
                                                 Retention.destroyed_at.is_not(None))
    return found - set(session.scalars(gone.where(Retention.submission_id.in_(found))))


def standing(session: Session, tenant_id: str, subjects: Iterable[str] | None = None) -> list[LegalHold]:
    """The holds that nobody lifted: on these subjects or on everything; all of them if None."""
    query = select(LegalHold).where(LegalHold.tenant_id == tenant_id, LegalHold.lifted_at.is_(None))
    if subjects is not None:
        query = query.where(LegalHold.subject.in_([*subjects, EVERYTHING]))
    return list(session.scalars(query.order_by(LegalHold.set_at, LegalHold.id)))


def last_day(session: Session, tenant_id: str, subject: str) -> date:
    """Until when an invoice, or an object of no invoice, must be kept. LookupError where there is no such thing."""
    if not subject.startswith(OBJECT):
        submission = session.get(Submission, (tenant_id, subject))
        if submission is None:
            raise LookupError(subject)
        return reckoned(session, submission).until
    card = session.get(KeptObject, (tenant_id, subject.removeprefix(OBJECT)))
    if card is None:
        raise LookupError(subject)
    own = alone(session, tenant_id, card.deposited_at)
    owned = [last_day(session, tenant_id, owner) for owner in owners_of(session, tenant_id, card.sha256)]
    statement = session.scalar(select(BankFile).where(BankFile.tenant_id == tenant_id, BankFile.sha256 == card.sha256))
    if statement is not None:
        return max([*owned, own, statement.kept_until or own])
    return max(owned, default=own)


def alone(session: Session, tenant_id: str, at: datetime) -> date:
    """Until when a record of no invoice is kept that came then: from the latest close that its year may have."""
    day, tenant = day_in_france(at), session.get_one(Tenant, tenant_id)
    ends = session.scalars(select(LegalEntity.fiscal_year_end).where(LegalEntity.tenant_id == tenant_id)).all()
    closes = [fiscal_close(day, *map(int, end.split("-"))) for end in ends or [tenant.fiscal_year_end]]
    return retain_until(max(closes), tenant.retention_years)


def refuse_early(session: Session, tenant_id: str, sha256: str, today: date) -> None:
    """Let an object go only past its last day, under no hold, and by an order of two persons about all it belongs to.

    Raises:
        DestructionRefused.
    """
    subject = f"{OBJECT}{sha256}"
    owners = owners_of(session, tenant_id, sha256)
    if holds := standing(session, tenant_id, {subject, *owners}):
        raise DestructionRefused(f"{sha256}: legal hold {holds[0].id}")
    until = last_day(session, tenant_id, subject)
    if today <= until:
        raise DestructionRefused(f"{sha256}: kept until {until}")
    ordered = set(session.scalars(approved(DestructionItem.subject.in_({subject, *owners}), tenant_id)))
    if subject not in ordered and not (owners and owners <= ordered):
        raise DestructionRefused(f"{sha256}: no order that a second person approved")


def approved(which: ColumnElement[bool], tenant_id: str) -> Select[str]:
    """Subjects of destructions that were approved and are at work."""
    return select(DestructionItem.subject).join(Destruction, (Destruction.tenant_id == DestructionItem.tenant_id) & (
        Destruction.id == DestructionItem.destruction_id)).where(
            DestructionItem.tenant_id == tenant_id, Destruction.state == "approved", which)


def end_of(day: date) -> datetime:
    """The first moment after a French calendar day."""
    return datetime.combine(day, time.max, PARIS).astimezone(UTC)
