"""What clients owe on any day, read from the database. Reads, changes nothing.

`open_items` and `owed` are what reminders, pages and the matching of bank files go by. Claims for lateness are apart:
see `claims_of`. Amounts of different currencies are never added.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from gateway.receivables.account import NAMELESS, NOTHING, Client, Item, client_of, positions
from gateway.receivables.claiming import ClaimState, states_of
from gateway.receivables.documents import COLUMNS, documents_of, netted_all, received_of
from gateway.tables import Submission
from gateway.tables_receivables import Claim

ANY = aliased(Submission)
BLANK = (ANY.buyer_siren.is_(None), ANY.buyer_siren == "")
"""No SIREN, in each of the two ways that an index finds."""


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
    documents = documents_of(session, session.execute(  # no entities: a quarter of their time
        select(*COLUMNS).where(*of_client(session, client))).all())
    payments = received_of(session, None if client is None else [one.id for one in documents])
    return sorted(positions(documents, payments, as_of),
                  key=lambda item: (item.document.due_date or item.document.issued_on, item.document.number))


def item_of(session: Session, submission: Submission, as_of: date) -> Item | None:
    """One invoice on a day; None where a credit note is netted against its invoice, or before its issue."""
    return netted_all(session, [submission], as_of)[submission.id].item


def owed(session: Session, client: str, as_of: date) -> dict[str, Owed]:
    """What one client (`Client.key`) owes, by currency; no entry where nothing is open."""
    return by_currency(open_items(session, as_of, client), claims_of(session, as_of, client))


def by_currency(items: Sequence[Item], claims: Sequence[ClaimState]) -> dict[str, Owed]:
    """The open ones of these items and claims, which are of one client, by currency."""
    items = [item for item in items if item.balance]
    claims = [claim for claim in claims if claim.outstanding]
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
    rows = session.scalars(select(Claim).join(Submission, and_(
        Submission.tenant_id == Claim.tenant_id, Submission.id == Claim.submission_id)).where(
            *of_client(session, client))).all()
    return states_of(session, rows, as_of)


def of_client(session: Session, client: str | None) -> list[ColumnElement[bool]]:
    """What narrows a query on Submission to one client (`Client.key`); nothing for all of them (None)."""
    if client is None:
        return []
    if not client.startswith(NAMELESS):
        return [Submission.buyer_siren == client]
    names = {name for blank in BLANK for name in session.scalars(select(ANY.buyer_name).where(blank).distinct())}
    spellings = [name for name in names if client_of(None, name).key == client]
    written = or_(ANY.buyer_name.in_([name for name in spellings if name is not None]),
                  *([ANY.buyer_name.is_(None)] if None in spellings else ()))
    return [Submission.id.in_(union_all(*(select(ANY.id).where(blank, written) for blank in BLANK)))]
