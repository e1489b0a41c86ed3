"""The open items that some movements may pay, found without reading all of them: by number, amount, account and name.

What `matching.find` says with these is what it would say with every item of the ledger: whatever it could have looked
at is among them.
"""

from collections.abc import Collection, Iterator, Sequence

from rapidfuzz import fuzz, process
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from gateway.bank.matching import ALIKE, Money, OpenItem, numbers_of
from gateway.receivables.lines import as_kept
from gateway.receivables.names import bare_name
from gateway.tables_receivables import LedgerLine

SLICE = 500


def items_for(session: Session, moneys: Sequence[Money], clients: Collection[str]) -> list[OpenItem]:
    """Every item that matters for these movements; `clients` are those of accounts seen before.

    Needs lines that are up to date (receivables/lines.py).
    """
    amounts = {(one.currency, as_kept(one.amount)) for one in moneys}
    alike = _alike(session, {bare_name(one.name) for one in moneys} - {""})
    found: dict[str, OpenItem] = {}
    for condition in (
        *_parts(LedgerLine.signs, {number for one in moneys for number in numbers_of(one)}),
        *(and_(LedgerLine.is_open, part) for part in _parts(LedgerLine.client, {*clients, *alike})),
        *_parts(LedgerLine.submission_id, set(_two_of_each(session, amounts))),
    ):
        found |= {line.submission_id: _item(line) for line in session.scalars(select(LedgerLine).where(condition))}
    return list(found.values())


def _alike(session: Session, names: Collection[str]) -> set[str]:
    """The clients whose names are like one of these."""
    if not names:
        return set()
    known: dict[str, list[str]] = {}
    for name, client in session.execute(select(LedgerLine.bare_name, LedgerLine.client).where(
            LedgerLine.is_open, LedgerLine.bare_name != "").distinct()):
        known.setdefault(name, []).append(client)
    choices = list(known)
    return {client for name in names
            for match, _, _ in process.extract(name, choices, scorer=fuzz.ratio, score_cutoff=ALIKE, limit=None)
            for client in known[match]}


def _two_of_each(session: Session, amounts: Collection[tuple[str, object]]) -> Iterator[str]:
    """Of each amount one item that is open for it, and a second one if there is: whether it is the only one."""
    wanted = sorted(amounts)
    for start in range(0, len(wanted), SLICE):
        query = select(func.min(LedgerLine.submission_id), func.max(LedgerLine.submission_id)).where(
            LedgerLine.is_open, or_(*(and_(LedgerLine.currency == currency, LedgerLine.balance == amount)
                                      for currency, amount in wanted[start:start + SLICE])),
        ).group_by(LedgerLine.currency, LedgerLine.balance)
        for pair in session.execute(query):
            yield from pair


def _parts(column: InstrumentedAttribute[str], values: Collection[str]) -> Iterator[ColumnElement[bool]]:
    wanted = sorted(values)
    return (column.in_(wanted[start:start + SLICE]) for start in range(0, len(wanted), SLICE))


def _item(line: LedgerLine) -> OpenItem:
    return OpenItem(id=line.submission_id, number=line.number, client=line.client, name=line.name,
                    currency=line.currency, balance=line.balance, due_date=line.due_date)
