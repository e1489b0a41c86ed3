"""The open items that some movements may pay, found without reading all of them: by number, amount, account and name.

What `matching.find` says with these is what it would say with every item of the ledger: whatever it could have looked
at is among them.
"""

from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from typing import TypeVar

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from gateway.bank.matching import Money, OpenItem, names_like, numbers_of
from gateway.db import slices
from gateway.receivables.lines import as_kept
from gateway.receivables.names import bare_name
from gateway.tables_receivables import LedgerLine

T = TypeVar("T", str, Decimal)


def items_for(session: Session, moneys: Sequence[Money], clients: Collection[str]) -> list[OpenItem]:
    """Every item that matters for these movements; `clients` are those of accounts seen before.

    Needs lines that are up to date (receivables/lines.py).
    """
    alike = _alike(session, {one.name for one in moneys if bare_name(one.name)})
    found: dict[str, OpenItem] = {}
    for condition in (
        *_parts(LedgerLine.signs, {number for one in moneys for number in numbers_of(one)}),
        *(and_(LedgerLine.is_open, part) for part in _parts(LedgerLine.client, {*clients, *alike})),
        *_parts(LedgerLine.submission_id, set(_two_of_each(session, moneys))),
    ):
        found |= {line.submission_id: _item(line) for line in session.scalars(select(LedgerLine).where(condition))}
    return list(found.values())


def items_of(session: Session, clients: Collection[str]) -> list[OpenItem]:
    """What is open of these clients, which are named as lines name them."""
    return [_item(line) for part in _parts(LedgerLine.client, clients)
            for line in session.scalars(select(LedgerLine).where(LedgerLine.is_open, part))]


def _alike(session: Session, names: Collection[str | None]) -> set[str]:
    """The clients whose names are like one of these."""
    if not names:
        return set()
    known: dict[str, list[str]] = {}
    for name, client in session.execute(select(LedgerLine.bare_name, LedgerLine.client).where(
            LedgerLine.is_open, LedgerLine.bare_name != "").distinct()):
        known.setdefault(name, []).append(client)
    return {client for name in names for match in names_like(name, known) for client in known[match]}


def _two_of_each(session: Session, moneys: Sequence[Money]) -> Iterator[str]:
    """Of each amount one item that is open for it, and a second one if there is: whether it is the only one."""
    for amounts in _parts(LedgerLine.balance, {as_kept(one.amount) for one in moneys}):
        for pair in session.execute(
                select(func.min(LedgerLine.submission_id), func.max(LedgerLine.submission_id)).where(
                    LedgerLine.currency.in_({one.currency for one in moneys}), amounts, LedgerLine.is_open,
                ).group_by(LedgerLine.currency, LedgerLine.balance)):
            yield from pair


def _parts(column: InstrumentedAttribute[T], values: Collection[T]) -> Iterator[ColumnElement[bool]]:
    return (column.in_(part) for part in slices(sorted(values)))


def _item(line: LedgerLine) -> OpenItem:
    return OpenItem(id=line.submission_id, number=line.number, client=line.client, name=line.name,
                    currency=line.currency, balance=line.balance, due_date=line.due_date)
