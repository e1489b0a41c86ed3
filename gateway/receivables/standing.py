"""What stands on a day, added up by the database from the spells of the ledger (spells.py). Reads, changes nothing.

Every figure of a whole house comes from here: ageing, sales, delays, the first page. The caller brings the ledger up to
date first (lines.py). Sums are of whole hundredths; the few amounts that these cannot hold are added here, as they are.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from gateway.db import slices
from gateway.receivables.account import NOTHING, Client, client_of
from gateway.receivables.ageing import LAST_DAYS, Piece
from gateway.receivables.figures import Delay, Dues, year_before
from gateway.receivables.spells import client_from, in_full, of_hundredths
from gateway.tables_receivables import LedgerSpell as Spell

EVERYBODY: Final = client_of(None, None)
"""The client of sums of all clients."""


@dataclass(frozen=True, slots=True)
class Books:
    """What the figures of one currency are made of."""

    pieces: Sequence[Piece]
    """What is open."""

    by_day: Mapping[date, Decimal]
    """The sales of each day of issue."""

    delays: Sequence[Delay]
    dues: Sequence[Dues]
    """Of each client."""


def on(as_of: date) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """What narrows a query on LedgerSpell to what stands at the end of a day."""
    return Spell.since <= as_of, Spell.until > as_of


def of_age(place: int, as_of: date) -> tuple[ColumnElement[bool], ...]:
    """What narrows it to an age class, by its place in CLASSES: as `age_class` has it."""
    asks, due = Spell.balance > 0, Spell.due_date
    if place == 0:
        return asks, due.is_(None) | (due >= as_of)
    last = () if place == len(LAST_DAYS) else (due >= as_of - timedelta(days=LAST_DAYS[place]),)
    return asks, due < as_of - timedelta(days=LAST_DAYS[place - 1]), *last


def open_on(session: Session, as_of: date) -> list[Piece]:
    """What is open, of all clients together: a piece for each currency and due date, and one for its credits."""
    asks = Spell.balance > 0
    query = select(
        Spell.currency, Spell.due_date, func.sum(case((asks, 1), else_=0)),
        func.sum(case((asks, Spell.balance), else_=0)), func.count(), func.sum(Spell.balance),
    ).where(*on(as_of), Spell.is_open, Spell.fits).group_by(Spell.currency, Spell.due_date)
    found = [Piece(EVERYBODY, one.currency, in_full(one).balance, one.due_date, date.min)
             for one in _odd(session, as_of) if one.is_open]
    for currency, due, asking, asked, items, balance in session.execute(query):
        for count, cents in ((asking, asked), (items - asking, balance - asked)):
            if count:
                found.append(Piece(EVERYBODY, currency, _amount(cents), due, date.min, count))
    return found


def open_by_client(session: Session, as_of: date) -> list[Piece]:
    """What is open of each client: a piece for each age class with its earliest due date, and one for the credits.

    A client has the name that its newest document of the house bears.
    """
    due = Spell.due_date
    age = case((Spell.balance < 0, -1), (due.is_(None), 0), *(
        (due >= as_of - timedelta(days=days), place) for place, days in enumerate(LAST_DAYS)), else_=len(LAST_DAYS))
    known = clients_of(session)
    query = select(Spell.client, Spell.currency, func.count(), func.sum(Spell.balance), func.min(due)).where(
        *on(as_of), Spell.is_open, Spell.fits).group_by(Spell.client, Spell.currency, age)
    found = [Piece(known[mark], currency, _amount(cents), first, date.min, items)
             for mark, currency, items, cents, first in session.execute(query)]
    return found + [Piece(known[one.client], one.currency, in_full(one).balance, one.due_date, date.min)
                    for one in _odd(session, as_of) if one.is_open]


def books_on(session: Session, as_of: date) -> dict[str, Books]:
    """What is open, was sold, settled and fell due up to a day, by currency: each in which a document was issued."""
    pieces: dict[str, list[Piece]] = defaultdict(list)
    for piece in open_on(session, as_of):
        pieces[piece.currency].append(piece)
    by_day: dict[str, dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    odd = _odd(session, as_of)
    for currency, issued_on, cents in session.execute(
            select(Spell.currency, Spell.issued_on, func.sum(Spell.sale)).where(*on(as_of), Spell.fits)
            .group_by(Spell.currency, Spell.issued_on)):
        by_day[currency][issued_on] += _amount(cents)
    for one in odd:
        by_day[one.currency][one.issued_on] += in_full(one).sale
    delays, dues = _delays(session, as_of, odd), _dues(session, as_of)
    return {currency: Books(pieces[currency], days, delays[currency], dues[currency])
            for currency, days in sorted(by_day.items())}


def clients_of(session: Session, marks: Sequence[str] | None = None) -> dict[str, Client]:
    """The clients of these marks (all: None), each under the name that its newest document bears."""
    query = select(Spell.client, Spell.name, func.max(Spell.issued_on)).group_by(Spell.client, Spell.name)
    parts = [query] if marks is None else [query.where(Spell.client.in_(part)) for part in slices(marks)]
    found = sorted((row for part in parts for row in session.execute(part)), key=lambda row: (row[2], row[1]))
    return {mark: client_from(mark, name) for mark, name, _ in found}


def _delays(session: Session, as_of: date, odd: Sequence[Any]) -> dict[str, list[Delay]]:
    """How late what was settled in twelve months was paid, by currency."""
    since = year_before(as_of)
    found: dict[str, list[Delay]] = defaultdict(list)
    for currency, delay, count, cents in session.execute(
            select(Spell.currency, Spell.delay, func.count(), func.sum(Spell.sale)).where(
                *on(as_of), Spell.fits, Spell.sale > 0, Spell.due_date.is_not(None), Spell.settled_on > since,
                Spell.settled_on <= as_of).group_by(Spell.currency, Spell.delay)):
        found[currency].append(Delay(delay or 0, count, _amount(cents)))
    for one in odd:
        if one.sale > 0 and one.delay is not None and since < one.settled_on <= as_of:
            found[one.currency].append(Delay(one.delay, 1, in_full(one).sale))
    return found


def _dues(session: Session, as_of: date) -> dict[str, list[Dues]]:
    """How many bills of each client fell due in twelve months, and were late, by currency."""
    found: dict[str, list[Dues]] = defaultdict(list)
    for currency, mark, late, count in session.execute(
            select(Spell.currency, Spell.client, func.sum(case((Spell.delay == 0, 0), else_=1)), func.count()).where(
                *on(as_of), Spell.sale > 0, Spell.due_date > year_before(as_of), Spell.due_date < as_of)
            .group_by(Spell.client, Spell.currency)):
        found[currency].append(Dues(mark, late, count))
    return found


def _odd(session: Session, as_of: date) -> Sequence[Any]:
    """What stands on a day in amounts that hundredths do not hold."""
    return session.execute(select(
        Spell.client, Spell.currency, Spell.issued_on, Spell.due_date, Spell.settled_on, Spell.delay, Spell.is_open,
        Spell.exact, Spell.asked, Spell.paid, Spell.taken_off, Spell.balance, Spell.sale,
    ).where(*on(as_of), ~Spell.fits)).all()


def _amount(cents: Any) -> Decimal:
    """Hundredths, of which PostgreSQL gives the sum as a Decimal."""
    return of_hundredths(int(cents)) if cents else NOTHING
