"""Who owes what since when: open items by how late they are on a day (balance âgée). Pure.

Credits are in no age class: they stand apart, as a positive amount, so that a class says what was asked for and not
paid. Claims for lateness stand apart too. Amounts of different currencies are never added.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from gateway.receivables.account import NOTHING, Client, Item

LAST_DAYS: Final = (0, 30, 60, 90)
"""The last day late of each age class but the last one."""

CLASSES: Final = ("current", "1-30", "31-60", "61-90", "over-90")
"""The age classes: not due (or without a due date), days late, over 90 days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aged:
    """What one client, or one group of clients, owes in one currency, by lateness."""

    key: str
    """`Client.key`, or the name of the group; empty for a total."""

    name: str
    siren: str | None
    currency: str
    items: int
    """Open invoices and credits."""

    parts: tuple[Decimal, ...]
    """What is owed in each of CLASSES, credits not taken off."""

    credits: Decimal
    """Over-payments and open credit notes, as a positive amount."""

    claimed: Decimal
    """Open claims for lateness, which are in no other figure."""

    oldest: date | None
    """The earliest due date that is past."""

    @property
    def gross(self) -> Decimal:
        """Everything that is asked for, credits not taken off."""
        return sum(self.parts, NOTHING)

    @property
    def overdue(self) -> Decimal:
        """What is past its due date, credits not taken off."""
        return sum(self.parts[1:], NOTHING)

    @property
    def balance(self) -> Decimal:
        """What is owed less the credits, without claims."""
        return self.gross - self.credits


@dataclass(frozen=True, slots=True)
class Piece:
    """Something open: an invoice that asks for money, or (negative) a credit."""

    client: Client
    currency: str
    balance: Decimal
    due_date: date | None
    issued_on: date
    items: int = 1
    """How many documents it is about, all of them of one age class."""

    def days_late(self, as_of: date) -> int:
        """Days past the due date; 0 where it is not past, or there is none."""
        return max(0, (as_of - self.due_date).days) if self.due_date is not None else 0


@dataclass(frozen=True, slots=True)
class Group:
    """Under what a client is counted: itself, as a rule."""

    key: str
    name: str
    siren: str | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a client owes for lateness in a currency."""

    client: Client
    currency: str
    amount: Decimal


def itself(client: Client) -> Group:
    """Each client alone."""
    return Group(client.key, client.name, client.siren)


def age_class(days_late: int) -> int:
    """The place in CLASSES of something so many days late."""
    return bisect_left(LAST_DAYS, days_late)


def piece_of(item: Item) -> Piece:
    """An item as the ageing counts it."""
    one = item.document
    return Piece(one.client, one.currency, item.balance, one.due_date, one.issued_on)


def ageing(
    pieces: Iterable[Piece], as_of: date, claims: Iterable[Claimed] = (), group: Callable[[Client], Group] = itself
) -> list[Aged]:
    """What is open on a day by group and currency, in the order of the group's keys.

    The name of a group is that of its newest document.
    """
    sums: dict[tuple[str, str], _Sum] = defaultdict(_Sum)
    for piece in pieces:
        found = group(piece.client)
        sums[found.key, piece.currency].add(piece, as_of, found)
    for claim in claims:
        found = group(claim.client)
        row = sums[found.key, claim.currency]
        row.claimed += claim.amount
        row.group = row.group or found
    return [row.aged(currency) for (_, currency), row in sorted(sums.items(), key=lambda one: one[0])]


def totals(rows: Iterable[Aged]) -> list[Aged]:
    """One row for each currency, with the sums of these rows."""
    by_currency: dict[str, list[Aged]] = defaultdict(list)
    for row in rows:
        by_currency[row.currency].append(row)
    return [total(currency, same) for currency, same in sorted(by_currency.items())]


def total(currency: str, rows: Sequence[Aged]) -> Aged:
    """The sums of these rows, which are of one currency; there may be none."""
    return Aged(
        key="", name="", siren=None, currency=currency, items=sum(row.items for row in rows),
        parts=tuple(sum((row.parts[place] for row in rows), NOTHING) for place in range(len(CLASSES))),
        credits=sum((row.credits for row in rows), NOTHING), claimed=sum((row.claimed for row in rows), NOTHING),
        oldest=min((row.oldest for row in rows if row.oldest is not None), default=None),
    )


class _Sum:
    """The row of a group while its items are counted."""

    __slots__ = ("claimed", "credits", "group", "items", "newest", "oldest", "parts")

    def __init__(self) -> None:
        self.items = 0
        self.parts = [NOTHING] * len(CLASSES)
        self.credits = self.claimed = NOTHING
        self.oldest: date | None = None
        self.newest = date.min
        self.group: Group | None = None

    def add(self, piece: Piece, as_of: date, group: Group) -> None:
        self.items += piece.items
        if piece.balance < 0:
            self.credits -= piece.balance
        else:
            late, due = piece.days_late(as_of), piece.due_date
            self.parts[age_class(late)] += piece.balance
            if late and due is not None and (self.oldest is None or due < self.oldest):
                self.oldest = due
        if self.group is None or piece.issued_on >= self.newest:
            self.group, self.newest = group, piece.issued_on

    def aged(self, currency: str) -> Aged:
        group = self.group or Group("", "")
        return Aged(key=group.key, name=group.name, siren=group.siren, currency=currency, items=self.items,
                    parts=tuple(self.parts), credits=self.credits, claimed=self.claimed, oldest=self.oldest)
