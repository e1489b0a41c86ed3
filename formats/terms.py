"""Which business terms an invoice has, where they are in it, and an invoice without some of them."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from formats.invoice import Invoice
from formats.mapping.invoice import INVOICE
from formats.rows import Group, Row

Items = tuple[tuple[str, int], ...]
"""Where something is in the lists of an invoice: field and number of each item around it, the outermost first."""


@dataclass(frozen=True, slots=True)
class Located:
    """One term of one invoice."""

    pointer: str
    """The JSON pointer in our JSON, e.g. "/lines/0/net_amount"."""

    term: str
    """E.g. "BT-131"."""

    value: Any


def located(invoice: Invoice) -> Iterator[Located]:
    """Every term that is there, in the order of the table. A list of identifiers is one entry per identifier."""
    yield from _located(INVOICE, invoice, "")


def _located(group: Group, instance: Any, pointer: str) -> Iterator[Located]:
    for entry in group.rows:
        value = getattr(instance, entry.field)
        where = f"{pointer}/{entry.field}"
        items = [(where, value)]
        if isinstance(value, tuple):
            items = [(f"{where}/{number}", one) for number, one in enumerate(value)]
        for place, item in items:
            if isinstance(entry, Group) and item is not None:
                yield from _located(entry, item, place)
            elif item is not None:
                yield Located(place, entry.term, item)


def terms_below(group: Group) -> frozenset[str]:
    """The terms of a group's rows and of the groups in it."""
    found: set[str] = set()
    for entry in group.rows:
        found |= terms_below(entry) if isinstance(entry, Group) else {entry.term}
    return frozenset(found)


def _groups(group: Group) -> Iterator[Group]:
    for entry in group.rows:
        if isinstance(entry, Group):
            yield entry
            yield from _groups(entry)


GROUPS: dict[str, frozenset[str]] = {group.term: terms_below(group) for group in _groups(INVOICE)}
"""The terms of each business group, e.g. "BG-23"."""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """An invoice without some of its terms."""

    invoice: Invoice
    kept: dict[tuple[Items, str], tuple[int, ...]]
    """Of lists that lost items: the items around the list, its field, and the old numbers of what is left."""


def only(
    invoice: Invoice, carried: Callable[[str], bool], once: frozenset[str] = frozenset(),
    without: Callable[[Any], bool] = lambda _: False,
) -> Narrowed:
    """`invoice` without the terms for which `carried` is false; groups left empty go as well.

    Of the groups in `once` that are lists the first item is kept. A line for which `without` is true goes whole.
    """
    choice = _Choice(carried, once, without, {})
    left = _only(INVOICE, invoice, choice, ())
    return Narrowed(left if isinstance(left, Invoice) else Invoice(), choice.kept)


@dataclass(frozen=True, slots=True)
class _Choice:
    carried: Callable[[str], bool]
    once: frozenset[str]
    without: Callable[[Any], bool]
    kept: dict[tuple[Items, str], tuple[int, ...]]


def _only(group: Group, instance: Any, choice: _Choice, items: Items) -> Any:
    values: dict[str, Any] = {}
    for entry in group.rows:
        value = getattr(instance, entry.field)
        if isinstance(entry, Row):
            value = value if choice.carried(entry.term) else None
        elif isinstance(value, tuple):
            every = [
                None if entry.term == "BG-25" and choice.without(one)
                else _only(entry, one, choice, (*items, (entry.field, place)))
                for place, one in enumerate(value)
            ]
            there = [number for number, one in enumerate(every) if one is not None]
            there = there[:1] if entry.term in choice.once else there
            if len(there) < len(value):
                choice.kept[items, entry.field] = tuple(there)
            value = tuple(every[number] for number in there)
        elif value is not None:
            value = _only(entry, value, choice, items)
        if value is not None and value != ():
            values[entry.field] = value
    needed = group.required | (group.whole if _is_cut(group, instance, choice) else frozenset())
    return group.model(**values) if values and needed <= values.keys() else None


def _is_cut(group: Group, instance: Any, choice: _Choice) -> bool:
    """Whether a term that is there is not carried."""
    rows = (row for row in group.rows if isinstance(row, Row) and not choice.carried(row.term))
    return bool(group.whole) and any(getattr(instance, row.field) is not None for row in rows)


def lost(before: Invoice, after: Invoice) -> list[Located]:
    """The terms of `before` that `after` has not, or has otherwise. What only `after` has is no loss.

    Identifiers of one party are compared without their order: CII keeps those without a scheme apart.
    """
    there = Counter((_unordered(item), repr(item.value)) for item in located(after))
    missing = []
    for item in located(before):
        key = (_unordered(item), repr(item.value))
        if there[key]:
            there[key] -= 1
        else:
            missing.append(item)
    return missing


def _unordered(item: Located) -> str:
    return item.pointer.rpartition("/")[0] if item.pointer.rpartition("/")[2].isdigit() else item.pointer
