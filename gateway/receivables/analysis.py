"""Ageing and figures of a day, read from the database. Reads, changes nothing."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.receivables import figures
from gateway.receivables.account import NOTHING, Client, Item, Received, client_of
from gateway.receivables.ageing import Aged, Claimed, Group, ageing, itself, piece_of, total
from gateway.receivables.claiming import states_of
from gateway.receivables.open_items import clients
from gateway.receivables.standing import Books, books_on, clients_of, open_by_client
from gateway.tables import Submission
from gateway.tables_receivables import Claim

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
    """The worst of them, as many as were asked for."""

    late_clients_count: int
    """How many there are."""

    @property
    def late_share(self) -> Decimal | None:
        """In percent."""
        return figures.percent(self.late, self.due)


def ageing_on(
    session: Session, as_of: date, group: Callable[[Client], Group] = itself,
    among: Callable[[Client], bool] | None = None,
) -> list[Aged]:
    """Who owes what on a day, claims for lateness beside it; `among`: of which clients only, of all (None).

    The caller brings the ledger up to date first (lines.py).
    """
    pieces, claims = open_by_client(session, as_of), claimed_on(session, as_of)
    if among is not None:
        keys = {client.key for client in (*(one.client for one in pieces), *(one.client for one in claims))
                if among(client)}
        pieces = [one for one in pieces if one.client.key in keys]
        claims = [one for one in claims if one.client.key in keys]
    return ageing(pieces, as_of, claims, group)


def claimed_on(session: Session, as_of: date) -> list[Claimed]:
    """What is open of the claims for lateness of every client."""
    query = select(Claim, Submission.buyer_siren, Submission.buyer_name).join(
        Submission, (Submission.tenant_id == Claim.tenant_id) & (Submission.id == Claim.submission_id))
    owing = {claim.id: (claim, client_of(siren, name)) for claim, siren, name in session.execute(query)}
    states = states_of(session, [claim for claim, _ in owing.values()], as_of)
    return [Claimed(owing[state.row.id][1], state.row.currency, state.outstanding) for state in states
            if state.outstanding]


def figures_on(session: Session, as_of: date, days: int = PERIOD, named: int | None = None) -> list[Figures]:
    """The figures of every currency in which anything was invoiced up to a day, for all clients together.

    The caller brings the ledger up to date first (lines.py). `named`: how many late clients are told; all (None).
    """
    told = _Late(partial(clients_of, session), named)
    return [_figures(currency, books, as_of, days, told) for currency, books in books_on(session, as_of).items()]


def figures_of(
    items: Sequence[Item], payments: Sequence[Received], as_of: date, days: int = PERIOD
) -> list[Figures]:
    """The figures of every currency of these items, which are of one client, or all there are."""
    names = {client.mark: client for client in clients(items).values()}
    known: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        known[item.document.currency].append(item)
    told = _Late(lambda _: names)
    return [_figures(currency, _books_of(same, payments, as_of), as_of, days, told)
            for currency, same in sorted(known.items())]


def _books_of(items: Sequence[Item], payments: Sequence[Received], as_of: date) -> Books:
    bills = figures.bills(items, payments, as_of)
    return Books([piece_of(item) for item in items if item.balance], figures.sales_by_day(items),
                 figures.delays(bills, as_of), figures.dues(bills, as_of))


@dataclass(frozen=True, slots=True)
class _Late:
    """Whose names the late clients have, and how many are told."""

    known: Callable[[Sequence[str]], Mapping[str, Client]]
    most: int | None = None

    def of(self, late: Sequence[figures.Dues]) -> list[LateClient]:
        told = late[:self.most]
        names = self.known([one.client for one in told])
        return [LateClient(client=names[one.client], late=one.late, bills=one.bills) for one in told]


def _figures(currency: str, books: Books, as_of: date, days: int, told: _Late) -> Figures:
    now = total(currency, ageing(books.pieces, as_of))
    sold = figures.sales_of(books.by_day, as_of, days)
    late, due = figures.late_share(books.dues)
    late_clients = figures.late_clients(books.dues)
    return Figures(
        currency=currency, owed=now.balance, overdue=now.overdue, over_90=now.parts[-1], sales=sold,
        over_90_share=figures.percent(now.parts[-1], now.gross),
        dso_simple=figures.dso_simple(now.balance, sold, days),
        dso_countback=figures.dso_countback(now.balance, books.by_day, as_of),
        dso_best_possible=figures.dso_best_possible(now.balance, now.overdue, sold, days),
        settled=sum(one.bills for one in books.delays), average_delay=figures.average_delay(books.delays),
        weighted_delay=figures.weighted_delay(books.delays), late=late, due=due,
        late_clients=told.of(late_clients), late_clients_count=len(late_clients))
