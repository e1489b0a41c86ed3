"""Everything that one invoice's page shows, read at once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive.errors import ArchiveError
from archive.store import Digest, Store
from gateway.console import people, queries
from gateway.console.verdict import Reading, arrange
from gateway.lifecycle.derive import derive
from gateway.lifecycle.expecting import Expected
from gateway.lifecycle.guard import Objection
from gateway.lifecycle.history import not_to_offer, objections_of, read_events, total_of
from gateway.lifecycle.standing import may_set, next_of
from gateway.problems import not_found
from gateway.receivables.reconciling import Reconciliation, reconcile
from gateway.reminders.state import in_force
from gateway.tables import Document, Event, JournalEntry, LegalEntity, Payment, Seal, Submission
from gateway.tables_reminders import Decision, Hold


@dataclass(frozen=True, slots=True)
class Proof:
    """How far the journal entries of one invoice are sealed."""

    entries: int
    sealed: int
    at: datetime | None
    """The timestamp over the newest of them; None while one still waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicePage:
    """One invoice with all that belongs to it."""

    row: queries.InvoiceRow
    entity: LegalEntity | None
    events: Sequence[Event]
    """Newest first."""

    shown: Mapping[str, Document]
    """The document that brought or shows an event, by its hash."""

    documents: Sequence[Document]
    payments: Sequence[Payment]
    decisions: Sequence[Decision]
    holds: Sequence[Hold]
    """Those in force."""

    proof: Proof
    earlier: Submission | None
    """The submission that this one replaces."""

    later: Submission | None
    names: people.Names
    objections: Mapping[str, Objection]
    """Why a status does not count today, by event id."""

    coming: Expected | None
    """What is expected next, and of whom."""

    may_set: Sequence[str]
    """Our own statuses that a person may set now."""

    reconciliation: Reconciliation
    """What became of the 212 of each payment."""


def load(session: Session, tenant_id: str, submission_id: str, now: datetime, today: date) -> InvoicePage:
    """The page of an invoice. Raises the not-found problem for an absent and for a foreign one."""
    invoice = session.get(Submission, (tenant_id, submission_id))
    if invoice is None:
        raise not_found()
    payments = queries.payments_by_invoice(session, [invoice.id]).get(invoice.id, [])
    documents = session.scalars(
        select(Document).where(Document.submission_id == invoice.id).order_by(Document.at, Document.role)).all()
    events = session.scalars(
        select(Event).where(Event.submission_id == invoice.id).order_by(Event.position.desc())).all()
    statuses = read_events(events)
    state = derive(statuses, total_of(invoice))
    return InvoicePage(
        row=queries.with_money(session, [invoice], today)[0],
        entity=session.get(LegalEntity, (tenant_id, invoice.legal_entity_id or "")),
        events=told(events),
        shown={document.sha256: document for document in documents},
        documents=documents,
        payments=payments,
        decisions=session.scalars(
            select(Decision).where(Decision.submission_id == invoice.id).order_by(Decision.at.desc()).limit(50)).all(),
        holds=session.scalars(
            select(Hold).where(Hold.submission_id == invoice.id, *in_force(today))).all(),
        proof=proof_of(session, invoice.id),
        earlier=session.get(Submission, (tenant_id, invoice.replaces or "")),
        later=session.scalar(select(Submission).where(Submission.replaces == invoice.id).limit(1)),
        names=people.names(session),
        objections=objections_of(events, total_of(invoice)),
        coming=next_of(invoice, state, events),
        may_set=may_set(invoice, statuses, now, not_to_offer(session, invoice)),
        reconciliation=reconcile(session, invoice, payments),
    )


def told(events: Sequence[Event]) -> list[Event]:
    """The events that tell something: a reminder under way goes once it is known what became of it."""
    under_way = ("reminder", "sending")
    return [event for n, event in enumerate(events) if (event.kind, event.code) != under_way
            or not any(later.kind == "reminder" for later in events[:n])]


def proof_of(session: Session, submission_id: str) -> Proof:
    """Counts the journal entries of an invoice, and those below a timestamped checkpoint."""
    newest = (
        select(Seal.log, func.max(Seal.size).label("size"), func.max(Seal.token_at).label("at"))
        .where(Seal.token.is_not(None)).group_by(Seal.log)
    ).subquery()
    entries = session.execute(
        select(JournalEntry.seq, newest.c.size, newest.c.at)
        .outerjoin(newest, newest.c.log == JournalEntry.log)
        .where(JournalEntry.subject == submission_id)
    ).all()
    sealed = [at for seq, size, at in entries if size is not None and seq < size]
    return Proof(len(entries), len(sealed), max(sealed) if sealed and len(sealed) == len(entries) else None)


def verdict_of(store: Store, documents: Sequence[Document]) -> Reading | None:
    """The kept report of an invoice, arranged; None when there is none or its bytes cannot be read now."""
    reports = [document for document in documents if document.role == "report"]
    if not reports:
        return None
    try:
        return arrange(json.loads(store.get(Digest(reports[-1].sha256))))
    except (ArchiveError, ValueError, KeyError):
        return None
