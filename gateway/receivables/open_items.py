"""What clients owe on any day, read from the database. Reads, changes nothing.

`open_items` and `owed` are what reminders, pages and the matching of bank files go by. Claims for lateness are apart:
see `claims_of`. Amounts of different currencies are never added.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from formats.codes import CORRECTIVE_TYPES
from gateway.deps import PARIS
from gateway.receivables.account import CREDITS, NOTHING, Client, Document, Item, Received, client_of, positions
from gateway.receivables.claiming import ClaimState, states_of
from gateway.tables import Event, Payment, Submission
from gateway.tables_receivables import Claim

ENDED = ("210", "213", "220")
"""Refused by the buyer, rejected by a platform, cancelled."""

COLUMNS = (
    Submission.id, Submission.number, Submission.seller_siren, Submission.legal_entity_id, Submission.buyer_siren,
    Submission.buyer_name, Submission.type_code, Submission.processing_rule, Submission.currency, Submission.total,
    Submission.due, Submission.issue_date, Submission.received_at, Submission.due_date, Submission.preceding,
    Submission.lifecycle, Submission.active, Submission.transmission,
)
SLICE = 500


@dataclass(frozen=True, slots=True)
class Owed:
    """What one client owes in one currency."""

    currency: str
    items: tuple[Item, ...]
    """Everything that is open, also credits, the oldest due date first."""

    claims: tuple[ClaimState, ...] = field(default=())
    """Open claims for lateness, which are in none of the sums but `claimed`."""

    @property
    def balance(self) -> Decimal:
        """What is owed less the credits; without claims."""
        return sum((item.balance for item in self.items), NOTHING)

    @property
    def overdue(self) -> Decimal:
        """What is owed under invoices that are past their due date; credits are not taken off."""
        return sum((item.balance for item in self.items if item.days_late), NOTHING)

    @property
    def credit(self) -> Decimal:
        """Over-payments and open credit notes, as a positive amount."""
        return -sum((item.balance for item in self.items if item.balance < 0), NOTHING)

    @property
    def claimed(self) -> Decimal:
        """What is open of the claims."""
        return sum((claim.outstanding for claim in self.claims), NOTHING)


def open_items(session: Session, as_of: date, client: str | None = None) -> list[Item]:
    """Every item with a balance at the end of this day, of one client (`Client.key`) or of all, oldest due date first.

    A later day than today shows what is known today.
    """
    return [item for item in all_items(session, as_of, client) if item.balance != 0]


def all_items(session: Session, as_of: date, client: str | None = None) -> list[Item]:
    """As `open_items`, with those that are settled."""
    found = _items(session, as_of, client, _of_client(client))
    return sorted(found, key=lambda item: (item.document.due_date or item.document.issued_on, item.document.number))


def item_of(session: Session, submission: Submission, as_of: date) -> Item | None:
    """One invoice as it stands on a day; None where a credit note is netted against its invoice, or before its issue.

    What the page of an invoice shows as still due.
    """
    client = _client(submission).key
    relevant = or_(Submission.number == submission.number, Submission.type_code.in_(CREDITS | CORRECTIVE_TYPES))
    return next((item for item in _items(session, as_of, client, [*_of_client(client), relevant])
                 if item.document.id == submission.id), None)


def owed(session: Session, client: str, as_of: date) -> dict[str, Owed]:
    """What one client (`Client.key`) owes, by currency; no entry where nothing is open."""
    items = open_items(session, as_of, client)
    claims = [claim for claim in claims_of(session, as_of, client) if claim.outstanding]
    currencies = sorted({item.document.currency for item in items} | {claim.row.currency for claim in claims})
    return {currency: Owed(currency, tuple(item for item in items if item.document.currency == currency),
                           tuple(claim for claim in claims if claim.row.currency == currency))
            for currency in currencies}


def clients(items: Iterable[Item]) -> Mapping[str, Client]:
    """The clients of these items by key; the name is that of the newest document."""
    newest = sorted((item.document for item in items), key=lambda one: one.issued_on)
    return {one.client.key: one.client for one in newest}


def claims_of(session: Session, as_of: date, client: str | None = None) -> list[ClaimState]:
    """Every claim for lateness up to this day, of one client or of all, with what is left of it."""
    query = select(Claim, Submission).join(Submission, and_(
        Submission.tenant_id == Claim.tenant_id, Submission.id == Claim.submission_id)).where(*_of_client(client))
    rows = [claim for claim, invoice in session.execute(query) if client in {None, _client(invoice).key}]
    return states_of(session, rows, as_of)


def documents_of(session: Session, rows: Sequence[Any]) -> list[Document]:
    """Rows of COLUMNS as documents of the ledger; those that were never in force are ended from their first day."""
    ended = _ends(session, [row.id for row in rows if row.lifecycle in ENDED])
    return [_document(row, ended.get(row.id)) for row in rows]


def payments_of_all(session: Session, ids: Sequence[str] | None) -> list[Received]:
    """The payments of these invoices, or all (None)."""
    query = select(Payment.submission_id, Payment.amount, Payment.paid_on)
    if ids is None:
        return [Received(*row) for row in session.execute(query)]
    return [Received(*row) for start in range(0, len(ids), SLICE) for row in session.execute(
        query.where(Payment.submission_id.in_(ids[start:start + SLICE])))]


def _items(session: Session, as_of: date, client: str | None, conditions: Sequence[ColumnElement[bool]]) -> list[Item]:
    rows = session.execute(select(*COLUMNS).where(*conditions)).all()  # no entities: a quarter of their time
    documents = documents_of(session, [row for row in rows if client in {None, _client(row).key}])
    wanted = None if client is None else [one.id for one in documents]
    return positions(documents, payments_of_all(session, wanted), as_of)


def _document(row: Any, ended_on: date | None) -> Document:
    total = row.total if row.total is not None else row.due or NOTHING
    issued_on = row.issue_date or row.received_at.astimezone(PARIS).date()
    if ended_on is None and (row.active is not True or row.transmission == "refused"):
        ended_on = issued_on
    return Document(
        id=row.id, number=row.number or "", seller=row.seller_siren or "", entity_id=row.legal_entity_id,
        client=_client(row), type_code=row.type_code, processing_rule=row.processing_rule,
        currency=row.currency or "EUR", total=total, due=row.due if row.due is not None else total,
        issued_on=issued_on, due_date=row.due_date, names=tuple(row.preceding), ended_on=ended_on,
    )


def _client(row: Any) -> Client:
    return client_of(row.buyer_siren, row.buyer_name)


def _of_client(client: str | None) -> list[ColumnElement[bool]]:
    """What narrows a query on Submission to one client; of clients without SIREN, to all of them."""
    if client is None:
        return []
    nameless = or_(Submission.buyer_siren.is_(None), Submission.buyer_siren == "")
    return [nameless if client.startswith("nom:") else Submission.buyer_siren == client]


def _ends(session: Session, ids: Sequence[str]) -> dict[str, date]:
    """The French day on which each of these invoices was refused, rejected or cancelled."""
    found: dict[str, date] = {}
    for start in range(0, len(ids), SLICE):
        query = select(Event.submission_id, Event.platform_at, Event.at).where(
            Event.submission_id.in_(ids[start:start + SLICE]), Event.kind == "lifecycle", Event.code.in_(ENDED))
        for submission_id, set_at, at in session.execute(query):
            day = min(set_at or at, at).astimezone(PARIS).date()
            found[submission_id or ""] = min(day, found.get(submission_id or "", day))
    return found
