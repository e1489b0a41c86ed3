"""Business term to JSON pointer: where a finding about an invoice in our JSON stands in that JSON."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from formats.invoice import Invoice
from formats.mapping.invoice import INVOICE
from formats.rows import Group, Row
from validation.locations import rewrite

_LINE_POINTER: Final = re.compile(r"/lines/\d+")
_LINE: Final = re.compile(r"ram:IncludedSupplyChainTradeLineItem\[(\d+)\]")


def pointer_of(
    invoice: Invoice | None, terms: Sequence[str], value: str | None = None, line: int | None = None
) -> str | None:
    """The pointer of the first term that the invoice has, with this value where one is given; None if it has none.

    `line` is the position of an invoice line, from 0: then other lines do not count.
    """
    if invoice is None:
        return None
    known = list(_pointers(invoice, INVOICE, ""))
    for term in terms:
        for name, pointer, content in known:
            elsewhere = line is not None and _LINE_POINTER.match(pointer) and not pointer.startswith(f"/lines/{line}/")
            if name == term and not elsewhere and (value is None or str(content) == value):
                return pointer
    return None


def pointer_for(invoice: Invoice | None, terms: Sequence[str], cii_location: str | None) -> str:
    """The pointer for a finding on the CII that was written from an invoice.

    The term in the same line if it is about a line, else the only place of the term, else the line, else "" (all).
    """
    line = _LINE.search(rewrite(cii_location or ""))
    prefix = f"/lines/{int(line.group(1)) - 1}" if line else ""
    if invoice is None:
        return ""
    known = list(_pointers(invoice, INVOICE, ""))
    for term in terms:
        places = [pointer for name, pointer, _ in known if name == term and pointer.startswith(prefix)]
        if len(places) == 1:
            return places[0]
    return prefix


def pointers_of(invoice: Invoice | None, term: str) -> Iterator[str]:
    """The pointers of every place where the invoice says a term, in the order of the model."""
    if invoice is not None:
        yield from (pointer for name, pointer, _ in _pointers(invoice, INVOICE, "") if name == term)


def term_at(pointer: str) -> str | None:
    """The business term or group that a pointer into our JSON leads to; None for anything else."""
    group: Group | Row = INVOICE
    for name in pointer.split("/")[1:]:
        if name.isdecimal():
            continue
        rows = group.rows if isinstance(group, Group) else ()
        found = next((entry for entry in rows if entry.field == name), None)
        if found is None:
            break
        group = found
    return group.term if group is not INVOICE else None


def _pointers(model: Any, group: Group, pointer: str) -> Iterator[tuple[str, str, Any]]:
    for entry in group.rows:
        value = getattr(model, entry.field, None)
        if value is None or value == ():
            continue
        many = value if isinstance(value, tuple) else (value,)
        for number, each in enumerate(many):
            here = f"{pointer}/{entry.field}/{number}" if isinstance(value, tuple) else f"{pointer}/{entry.field}"
            yield (entry.term, here, getattr(each, "value", each) if isinstance(entry, Row) else None)
            if isinstance(entry, Group):
                yield from _pointers(each, entry, here)
