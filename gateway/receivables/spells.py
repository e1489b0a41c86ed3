"""What a document stands for from one day to the next: its whole history, cut where anything changes.

account.py nets; here its answer is taken on each day on which it may be another than on the day before. So whoever
reads the spell of a day reads what `netted` says of that day, and the database can add up any day without netting.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_UP, Decimal
from typing import Any, Final, NamedTuple

from sqlalchemy.orm import Session

from gateway.receivables.account import Client, Document, Item, Received, client_of
from gateway.receivables.documents import LONGEST_NUMBER, Relations, documents_of, netted, received_of, relations_of
from gateway.receivables.figures import sale_of, settled_on
from gateway.searchable import folded
from gateway.tables import Submission

FOREVER: Final = date.max
CENT: Final = Decimal("0.01")
MOST: Final = Decimal(10) ** 11
"""Greater amounts are in no sum of hundredths, so that no such sum is too great for a database."""


class Amounts(NamedTuple):
    """What a document stands for."""

    asked: Decimal
    paid: Decimal
    taken_off: Decimal
    balance: Decimal
    sale: Decimal


@dataclass(frozen=True, slots=True)
class Standing:
    """A document for some days."""

    since: date
    until: date
    document: Document
    amounts: Amounts
    settled_on: date | None


def histories(session: Session, ones: Sequence[Submission]) -> dict[str, list[Standing]]:
    """The history of each of these invoices and credit notes, by id: a handful of statements, however many."""
    relations = relations_of(session, ones)
    payments: dict[str, list[Received]] = defaultdict(list)
    for money in received_of(session, [one.id for one in ones]):
        payments[money.document].append(money)
    return {one.id: spells_of(one, payments[one.id], relations) for one in documents_of(session, ones)}


def spells_of(document: Document, payments: Sequence[Received], relations: Relations) -> list[Standing]:
    """The history of a document, oldest first; none for the days on which it is no item. Pure.

    `payments` are those of the document.
    """
    found: list[Standing] = []
    days = _turns(document, payments, relations)
    for since, until in zip(days, [*days[1:], FOREVER], strict=True):
        item = netted(document, payments, relations, since).item
        if item is None:
            continue
        new = Standing(since, until, document, _amounts(item), _settled(item, payments))
        last = found[-1] if found else None
        if last is not None and last.until == since and (last.amounts, last.settled_on) == (
                new.amounts, new.settled_on):
            found[-1] = Standing(last.since, until, document, last.amounts, last.settled_on)
        else:
            found.append(new)
    return found


def last_of(history: Sequence[Standing]) -> Standing | None:
    """What the document stands for with everything that is known; None where it is no item."""
    return history[-1] if history and history[-1].until == FOREVER else None


def client_from(mark: str, name: str) -> Client:
    """The client of a `Client.mark`, under this name: for one without SIREN, a spelling of its own."""
    return client_of(None if mark.startswith("~") else mark, name)


def rows_of(tenant_id: str, spells: Iterable[Standing]) -> Iterator[Mapping[str, Any]]:
    """Rows of LedgerSpell."""
    for one in spells:
        document, settled = one.document, one.settled_on
        due, amounts = document.due_date, one.amounts._asdict()
        cents = {name: hundredths(amount) for name, amount in amounts.items()}
        fits = all(amount == of_hundredths(cents[name]) for name, amount in amounts.items())
        yield {
            "tenant_id": tenant_id, "submission_id": document.id, "since": one.since, "until": one.until,
            "client": document.client.mark, "name": document.client.name,
            "name_key": folded(document.client.name), "number": document.number,
            "number_key": folded(document.number)[:LONGEST_NUMBER], "type_code": document.type_code or "",
            "currency": document.currency, "issued_on": document.issued_on, "due_date": due,
            "listed_on": due or document.issued_on, "is_open": one.amounts.balance != 0, **cents,
            "settled_on": settled,
            "delay": max(0, (settled - due).days) if settled is not None and due is not None else None,
            "fits": fits, "exact": None if fits else {name: format(amount, "f") for name, amount in amounts.items()}}


def in_full(row: Any) -> Amounts:
    """The amounts of a row as they are. `row` has the five columns, and `exact`."""
    if row.exact is not None:
        return Amounts(*(Decimal(row.exact[name]) for name in Amounts._fields))
    return Amounts(*(of_hundredths(getattr(row, name)) for name in Amounts._fields))


def hundredths(amount: Decimal) -> int:
    """An amount in hundredths; away from zero where it has more decimals, and never above what sums can hold."""
    return int(min(MOST, max(-MOST, amount)).quantize(CENT, ROUND_UP).scaleb(2))


def of_hundredths(cents: int) -> Decimal:
    """The amount again, with two decimals."""
    return Decimal(cents).scaleb(-2)


def _turns(document: Document, payments: Sequence[Received], relations: Relations) -> list[date]:
    """The days on which what it stands for may change, its day of issue first."""
    found = {document.issued_on, *(one.on for one in payments)}
    around = {one.id: one for one in relations.of(document).documents()} | {document.id: document}
    for one in around.values():
        found |= {one.issued_on, *((one.ended_on,) if one.ended_on is not None else ()),
                  *(money.on for money in relations.money.get(one.id, ()))}
    return sorted(day for day in found if day >= document.issued_on)


def _amounts(item: Item) -> Amounts:
    return Amounts(item.stated - item.ended, item.paid, item.credited - item.refunded, item.balance, sale_of(item))


def _settled(item: Item, payments: Sequence[Received]) -> date | None:
    sale = sale_of(item)
    if item.document.is_credit or sale <= 0:
        return None
    return settled_on(sale, [one for one in payments if one.on <= item.as_of])
