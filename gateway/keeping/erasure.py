"""Personal data that no duty keeps (any more): where it lies, and how it goes while every proof still holds.

Under the duty to keep, and therefore not erased before its time: the invoice with its statuses, reports, reminders and
payments, and what the journal says of them. The journal itself holds ids and hashes; of the words beside it an HMAC
under a key per subject, which is destroyed with them. docs/retention.md says for each place what is erased and when.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote

from sqlalchemy import ColumnElement, String, Update, cast, delete, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from archive.journal import read_entry
from gateway.db import change_rows
from gateway.deps import Deps
from gateway.evidence.looks import LISTS
from gateway.evidence.saying import ERASED, forget
from gateway.keeping.addresses import address_in, erase_spool, is_of_another, names
from gateway.record import Change, lock_tenant, record
from gateway.searchable import forget_words
from gateway.tables import Document, Event, JournalEntry, LegalEntity, OutboxEntry, Payment, SeenFlow, Submission
from gateway.tables_care import Alarm, EventWord, SavedSearch
from gateway.tables_channels import ReturnedMail
from gateway.tables_journal import SubjectKey
from gateway.tables_receivables import BankFile, BankMovement, Claim, ClaimPayment, LedgerLine, LedgerSpell
from gateway.tables_reminders import Case, Decision, Hold, ReminderAnswer, ReminderClient
from gateway.turns import for_each_tenant

BATCH = 500
SEARCHES = tuple(f"{name}:" for name in sorted(LISTS))
"""Subjects of looks that say what was searched for, followed by their month."""

PERSONAL = ("seller_name", "seller_address", "buyer_siren", "buyer_name", "buyer_address", "buyer_email", "linked",
            "transmission_reason")
"""Columns of an invoice that go with it. Its number, seller's SIREN, dates, total and hashes stay: its identity."""


CARRIED = ("n", "code", "day", "until", "offset", "size", "subject", "balance", "currency", "together", "to_pay",
           "refused", "passed_over")
"""Of the facts of a decision what no address is in, and what is read again."""


def erase_invoice(session: Session, submission: Submission) -> None:
    """Everything that the database says about the people of an invoice that is destroyed. Nothing is journaled here."""
    tenant_id, about = submission.tenant_id, submission.id
    forget_words(session, tenant_id, about)
    erase_events(session, Event.tenant_id == tenant_id, Event.submission_id == about)
    forget(session, tenant_id, about)
    for name in PERSONAL:
        setattr(submission, name, None)
    for table, values in (
        (Document, {"name": Document.role}), (Payment, {"reference": None}), (SeenFlow, {"cause": None}),
        (Decision, {"recipient": None, "reason": "", "facts": {}}), (Hold, {"reason": ""}),
        (Case, {"client": "", "reason": "", "resolution": None, "proposal": None}), (ReminderAnswer, {"words": {}}),
        (ReturnedMail, {"words": {}}),
        (Claim, {"waived_reason": None, "basis": {}}),
    ):
        session.execute(update(table).where(table.tenant_id == tenant_id, table.submission_id == about).values(values))
    session.execute(update(ClaimPayment).where(ClaimPayment.tenant_id == tenant_id, ClaimPayment.claim_id.in_(
        select(Claim.id).where(Claim.tenant_id == tenant_id, Claim.submission_id == about))).values(reference=None))
    for found_by in (LedgerLine, LedgerSpell):
        session.execute(delete(found_by).where(found_by.tenant_id == tenant_id, found_by.submission_id == about))
    session.execute(delete(OutboxEntry).where(
        OutboxEntry.tenant_id == tenant_id, OutboxEntry.subject_id == about, OutboxEntry.state != "pending"))


def erase_statement(session: Session, statement: BankFile) -> None:
    """Everything that the database says about the people of a statement of the bank that is destroyed.

    Amounts, days and the bank's references stay, with the hashes by which the same movement is known again.
    """
    tenant_id = statement.tenant_id
    mine = select(BankMovement.id).where(BankMovement.tenant_id == tenant_id, BankMovement.file_id == statement.id)
    for subject in (f"bank-file:{statement.id}", *(f"bank:{movement}" for movement in session.scalars(mine))):
        causes = causes_of(session, tenant_id, subject)
        erase_events(session, Event.tenant_id == tenant_id, Event.id.in_(causes))
        forget(session, tenant_id, subject)
    session.execute(update(BankMovement).where(
        BankMovement.tenant_id == tenant_id, BankMovement.file_id == statement.id).values(
            name=None, iban=None, remittance="", creditor_reference=None, end_to_end=None, decided_reason=None))
    statement.name, statement.remarks = "", []


def causes_of(session: Session, tenant_id: str, subject: str) -> list[str]:
    """The ids of the events that the entries about a subject tell of."""
    lines = session.scalars(select(JournalEntry.line).where(
        JournalEntry.tenant_id == tenant_id, JournalEntry.subject == subject))
    return [read_entry(line)[1].cause for line in lines]


def erase_events(session: Session, *which: ColumnElement[bool]) -> int:
    """Blank the words of some events; gives how many had any. On PostgreSQL the only change that is let through."""
    found = [position for position, reason, data in session.execute(
        select(Event.position, Event.reason, Event.data).where(*which)) if reason is not None or data]
    for start in range(0, len(found), BATCH):
        part = found[start:start + BATCH]
        session.execute(update(Event).where(Event.position.in_(part), *which).values(reason=None, data={}))
        session.execute(delete(EventWord).where(EventWord.position.in_(part)))
    return len(found)


def erase_contact(deps: Deps, tenant_id: str, actor: str, email: str) -> dict[str, int]:
    """Erase an e-mail address, on the wish of its owner, wherever no duty keeps it; how many places, by kind.

    What stays: invoices whose retention still runs hold it in their documents (`kept`), with the reminders that were
    sent to it. The address is not journaled; that an erasure took place is. Raises Problem 422 for what is no address.
    """
    email = email.strip().lower()
    found = address_in(email)
    with deps.db.transaction(tenant_id) as session:
        lock_tenant(session, tenant_id)
        counts = {name: _changed(session, statement) for name, statement in _places(email).items()}
        counts |= {name: _blank(session, column, email, found) for name, column in FOUND_IN.items()}
        counts["reminders"] = _erase_from_decisions(session, email, found)
        counts["looks"] = sum(erase_searches(deps, session, tenant_id, actor, subject)
                              for subject in months(session, tenant_id)
                              if any(names(found, event.data) for event in _looks(session, tenant_id, subject)))
        about = f"tenant:{tenant_id}"
        record(session, tenant_id, Change(kind="evidence", code="contact-erased", actor=actor, subject=about,
                                          data={"subject": about, **counts}), now=deps.now())
    deps.db.overwrite_log()
    return {**counts, "mails": erase_spool(deps, lambda path: names(
        found, path.read_bytes().decode("utf-8", "replace")) and not is_of_another(deps, tenant_id, path))}


def _hint(column: InstrumentedAttribute[Any], email: str) -> ColumnElement[bool]:
    """What a column says that may name the address. JSON may keep letters with accents in another form."""
    sure = email if email.isascii() else "@"
    text = func.lower(cast(column, String))
    return or_(text.contains(sure, autoescape=True), text.contains(quote(sure).lower(), autoescape=True))


def _places(email: str) -> dict[str, Update]:
    """Statements that blank an address where it stands alone and nothing needs it, each under the name of its kind."""
    return {
        "invoices": update(Submission).where(func.lower(Submission.buyer_email) == email).values(buyer_email=None),
        "contacts": update(LegalEntity).where(func.lower(LegalEntity.contact_email) == email)
        .values(contact_email=None, contact_name=None),
        "clients": update(ReminderClient).where(func.lower(ReminderClient.email) == email)
        .values(email=None, phone=None, by_sms=False, contact=None),
    }


FOUND_IN: Mapping[str, InstrumentedAttribute[Any]] = {
    "proposals": Case.proposal, "answers": ReminderAnswer.words, "returned": ReturnedMail.words,
    "searches": SavedSearch.query, "alarms": Alarm.facts,
}
"""Columns that may name an address among other words, each under the name of its kind."""


def _blank(session: Session, column: InstrumentedAttribute[Any], email: str, found: re.Pattern[str]) -> int:
    """Blank a column wherever it names the address; a search that does goes. Gives how many did."""
    rows = [row for row in session.scalars(select(column.class_).where(_hint(column, email))) if names(
        found, parse_qsl(row.query) if isinstance(row, SavedSearch) else getattr(row, column.key))]
    for row in rows:
        if isinstance(row, SavedSearch):
            session.delete(row)
        else:
            setattr(row, column.key, {} if isinstance(getattr(row, column.key), dict) else None)
    return len(rows)


def _erase_from_decisions(session: Session, email: str, found: re.Pattern[str]) -> int:
    """Take an address out of decisions about reminders, also those against a letter; gives how many had it.

    What later decisions and letters rest on stays (CARRIED), so that no stage comes twice or in another order.
    """
    rows = [row for row in session.scalars(select(Decision).where(or_(
        func.lower(Decision.recipient) == email, _hint(Decision.reason, email), _hint(Decision.facts, email))))
        if names(found, [row.recipient, row.reason, row.facts])]
    for row in rows:
        row.recipient = None if (row.recipient or "").lower() == email else row.recipient
        row.reason = found.sub("…", row.reason)
        row.facts = {name: row.facts[name] for name in CARRIED if name in row.facts}
    return len(rows)


def erase_old(deps: Deps) -> None:
    """Regular work: what people searched for, and copies of mails in the spool, are not kept beyond their time."""
    now = deps.now()
    try:
        for_each_tenant(deps, _erase_old_searches)
    finally:  # what one tenant's data hinder is no reason to keep the rest
        deps.db.overwrite_log()
        before = now - timedelta(days=deps.settings.keep_mail_days)
        erase_spool(deps, lambda path: datetime.fromtimestamp(path.stat().st_mtime, UTC) < before)


def _erase_old_searches(deps: Deps, tenant_id: str) -> None:
    before = deps.now() - timedelta(days=deps.settings.keep_looks_days)
    with deps.db.transaction(tenant_id) as session:
        for subject in months(session, tenant_id):
            if subject[-7:] < f"{before:%Y-%m}":
                erase_searches(deps, session, tenant_id, "worker", subject)


def months(session: Session, tenant_id: str) -> list[str]:
    """The months of searches of which words are still there: those that have a key."""
    kept = select(SubjectKey.subject).where(SubjectKey.tenant_id == tenant_id)
    return sorted(subject for subject in session.scalars(kept) if subject.startswith(SEARCHES))


def erase_searches(deps: Deps, session: Session, tenant_id: str, actor: str, subject: str) -> int:
    """Blank what was searched for in one month, with its key, and journal that; gives how many looks."""
    positions = [event.position for event in _looks(session, tenant_id, subject)]
    gone = sum(erase_events(session, Event.tenant_id == tenant_id, Event.position.in_(positions[start:start + BATCH]))
               for start in range(0, len(positions), BATCH))
    forget(session, tenant_id, subject)
    record(session, tenant_id, Change(kind="evidence", code=ERASED, actor=actor, subject=subject), now=deps.now())
    return gone


def _looks(session: Session, tenant_id: str, subject: str) -> list[Event]:
    """The events of one month of searches."""
    lines = session.scalars(select(JournalEntry.line).where(
        JournalEntry.tenant_id == tenant_id, JournalEntry.subject == subject, JournalEntry.type == "access"))
    causes = [read_entry(line)[1].cause for line in lines]
    return [event for start in range(0, len(causes), BATCH) for event in session.scalars(
        select(Event).where(Event.tenant_id == tenant_id, Event.id.in_(causes[start:start + BATCH])))]


def _changed(session: Session, statement: Update) -> int:
    return change_rows(session, statement.execution_options(synchronize_session=False))
