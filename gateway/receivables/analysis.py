"""Ageing and figures of a day, read from the database. Reads, changes nothing."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.receivables import figures
from gateway.receivables.account import NOTHING, Client, Item, Received, client_of
from gateway.receivables.ageing import Aged, Claimed, Group, Piece, ageing, itself, piece_of, total
from gateway.receivables.claiming import states_of
from gateway.receivables.documents import received_of
from gateway.receivables.lines import client_hash
from gateway.receivables.open_items import all_items, clients, open_items
from gateway.tables import Payment, Submission
from gateway.tables_receivables import Claim, LedgerLine

PERIODS = (30, 90, 180, 365)
"""Days of sales that the simple and the best possible DSO may be reckoned over."""

PERIOD = 90
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)
"""Between which days anybody asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LateClient:
    """A client more than 30 % of whose invoices of the last twelve months were late."""

    client: Client
    late: int
    bills: int

    @property
    def share(self) -> Decimal:
        """In percent."""
        return figures.percent(self.late, self.bills) or NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of one currency on a day; gateway/receivables/figures.py defines each."""

    currency: str
    owed: Decimal
    overdue: Decimal
    over_90: Decimal
    over_90_share: Decimal | None
    """Of everything asked for, credits not taken off."""

    sales: Decimal
    """Of the period."""

    dso_simple: Decimal | None
    dso_countback: Decimal | None
    dso_best_possible: Decimal | None
    settled: int
    """Invoices with a due date that were settled in the last twelve months."""

    average_delay: Decimal | None
    weighted_delay: Decimal | None
    late: int
    due: int
    """Invoices that fell due in the last twelve months, and how many of them were late."""

    late_clients: Sequence[LateClient]

    @property
    def late_share(self) -> Decimal | None:
        """In percent."""
        return figures.percent(self.late, self.due)


def ageing_on(
    session: Session, as_of: date, today: date, group: Callable[[Client], Group] = itself
) -> list[Aged]:
    """Who owes what on a day, claims for lateness beside it.

    Of today the lines of the ledger say it, which the caller brings up to date first (lines.py): in a tenth of the time
    that it takes to net every document again. They know no days, so that what is dated later than today is netted too.
    """
    by_lines = as_of == today and not _is_dated_later(session, today)
    pieces = _open_lines(session) if by_lines else (piece_of(item) for item in open_items(session, as_of))
    return ageing(pieces, as_of, claimed_on(session, as_of), group)


def claimed_on(session: Session, as_of: date) -> list[Claimed]:
    """What is open of the claims for lateness of every client."""
    query = select(Claim, Submission.buyer_siren, Submission.buyer_name).join(
        Submission, (Submission.tenant_id == Claim.tenant_id) & (Submission.id == Claim.submission_id))
    owing = {claim.id: (claim, client_of(siren, name)) for claim, siren, name in session.execute(query)}
    states = states_of(session, [claim for claim, _ in owing.values()], as_of)
    return [Claimed(owing[state.row.id][1], state.row.currency, state.outstanding) for state in states
            if state.outstanding]


def figures_on(session: Session, as_of: date, days: int = PERIOD) -> list[Figures]:
    """The figures of every currency in which anything was invoiced up to a day, for all clients together."""
    return figures_of(all_items(session, as_of), received_of(session, None), as_of, days)


def figures_of(
    items: Sequence[Item], payments: Sequence[Received], as_of: date, days: int = PERIOD
) -> list[Figures]:
    """The figures of every currency of these items: all of them, or those of one client."""
    names = clients(items)
    known: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        known[item.document.currency].append(item)
    return [_of_currency(same, payments, names, as_of, days) for _, same in sorted(known.items())]


def _of_currency(
    items: Sequence[Item], payments: Sequence[Received], names: Mapping[str, Client], as_of: date, days: int
) -> Figures:
    currency = items[0].document.currency
    now = total(currency, ageing((piece_of(item) for item in items if item.balance), as_of))
    sales = figures.sales_by_day(items)
    sold = figures.sales_of(sales, as_of, days)
    bills = figures.bills(items, payments, as_of)
    late, due = figures.late_share(bills, as_of)
    found = figures.delays(bills, as_of)
    return Figures(
        currency=currency, owed=now.balance, overdue=now.overdue, over_90=now.parts[-1], sales=sold,
        over_90_share=figures.percent(now.parts[-1], now.gross),
        dso_simple=figures.dso_simple(now.balance, sold, days),
        dso_countback=figures.dso_countback(now.balance, sales, as_of),
        dso_best_possible=figures.dso_best_possible(now.balance, now.overdue, sold, days),
        settled=len(found), average_delay=figures.average_delay(found), weighted_delay=figures.weighted_delay(found),
        late=late, due=due, late_clients=[LateClient(client=names[key], late=count, bills=of)
                                          for key, count, of in figures.late_clients(bills, as_of)],
    )


def _open_lines(session: Session) -> Iterator[Piece]:
    """What is open now; a client has the name of its newest document."""
    called = session.execute(select(Submission.buyer_siren, Submission.buyer_name, func.max(Submission.issue_date))
                             .group_by(Submission.buyer_siren, Submission.buyer_name))
    newest = sorted(called, key=lambda row: row[2] or date.min)
    known = {client_hash(client.key): client for client in (client_of(siren, name) for siren, name, _ in newest)}
    for key, currency, balance, due_date in session.execute(
            select(LedgerLine.client, LedgerLine.currency, LedgerLine.balance, LedgerLine.due_date)):
        if balance:
            yield Piece(known[key], currency, balance, due_date, date.min)


def _is_dated_later(session: Session, today: date) -> bool:
    return (session.scalar(select(Submission.id).where(Submission.issue_date > today).limit(1)) is not None
            or session.scalar(select(Payment.id).where(Payment.paid_on > today).limit(1)) is not None)
