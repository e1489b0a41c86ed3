"""Leaves and edits of an invoice in our JSON: where each value stands in the bytes, by its pointer."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from formats.invoice import Invoice
from formats.json_form import Number, parse_json, shape
from validation.document import Document
from validation.findings import Edit, Finding, Operation
from validation.pointers import pointers_of
from validation.repair.leaves import Kind, Leaf

TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
BOM: Final = b"\xef\xbb\xbf"
SCHEMES: Final = ("schemeID", "listID")
BESIDE: Final = ("unitCode", "currencyID", "mimeCode")
"""Attributes of XML that are terms of their own in our JSON: there the text is what they say."""

KINDS: Final[Mapping[Any, Kind]] = {str: Kind.TEXT, Decimal: Kind.NUMBER, date: Kind.DATE}


@dataclass(frozen=True)
class JsonForm:
    """A document in our JSON and the bytes that it came in."""

    document: Document
    source: bytes

    def of_finding(self, finding: Finding) -> Sequence[Leaf]:
        """As Form. Reading stops at the first value that it cannot take: all values are given then, with their kind."""
        if self.document.invoice is None:
            return list(_typed(Invoice, self._whole, ""))
        place = finding.location or ""
        if leaf := self._leaf(place):
            return (leaf,)
        leaves = (leaf for term in finding.terms for leaf in self.of_term(term))
        return [leaf for leaf in leaves if leaf.where.startswith(f"{place}/")]

    def of_term(self, term: str) -> Sequence[Leaf]:
        """As Form."""
        return [leaf for pointer in pointers_of(self.document.invoice, term) if (leaf := self._leaf(pointer))]

    def _leaf(self, pointer: str) -> Leaf | None:
        value = _at_pointer(self._whole, pointer)
        if isinstance(value, dict) and isinstance(value.get("value"), str):
            return Leaf(f"{pointer}/value", value["value"], _scheme(value), takes_scheme=True)
        return Leaf(pointer, value, dict.fromkeys(BESIDE, value)) if isinstance(value, str) else None

    def edit(self, leaf: Leaf, new: str, attribute: str | None) -> Edit | None:
        """As Form. A text with an escape in it is not touched."""
        where, written = _place(leaf, attribute), json.dumps(new, ensure_ascii=False)
        if where not in self._spans:
            return self._edit(self._spans[leaf.where][1], b"", f', "scheme": {written}', where)
        begin, end = self._spans[where]
        old = self.source[begin:end]
        if old.startswith(b'"'):
            return None if b"\\" in old else self._edit(begin + 1, old[1:-1], written[1:-1], where)
        return self._edit(begin, old, written, where)

    def _edit(self, offset: int, old: bytes, new: str, where: str) -> Edit:
        line = self.source.count(b"\n", 0, offset) + 1
        return Edit(offset=offset, line=line, old=old.decode(), new=new, location=where)

    def operations(self, leaf: Leaf, new: str, attribute: str | None, /) -> tuple[Operation, ...]:
        """As Form: what a text said is tested first, so that the patch refuses another document."""
        where = _place(leaf, attribute)
        old = _at_pointer(self._whole, where)
        change = Operation(op="add" if old is None else "replace", path=where, value=new)
        tested = isinstance(old, str) and not isinstance(old, Number)
        return (Operation(op="test", path=where, value=str(old)), change) if tested else (change,)

    def day(self, year: int, month: int, day: int) -> str:
        """As Form."""
        return date(year, month, day).isoformat()

    @cached_property
    def _whole(self) -> Any:
        return parse_json(self.source)

    @cached_property
    def _spans(self) -> Mapping[str, tuple[int, int]]:
        return dict(_spans(self.source))


def _scheme(identifier: Mapping[str, Any]) -> dict[str, str]:
    scheme = identifier.get("scheme")
    return dict.fromkeys(SCHEMES, scheme) if isinstance(scheme, str) else {}


def _place(leaf: Leaf, attribute: str | None) -> str:
    """The pointer of what an attribute of XML is in our JSON: the scheme beside a value, else the value itself."""
    return f"{leaf.where.removesuffix('/value')}/scheme" if attribute in SCHEMES else leaf.where


def _at_pointer(value: Any, pointer: str) -> Any:
    """What a pointer leads to; None where it leads nowhere."""
    for step in pointer.split("/")[1:]:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _typed(model: Any, value: Any, pointer: str) -> Iterator[Leaf]:
    """Every text and number at the place of a term, with what the term is."""
    if isinstance(value, str):
        yield Leaf(pointer, value, {}, kind=KINDS.get(model, Kind.TEXT), bare=isinstance(value, Number))
    if model in KINDS or not isinstance(value, dict):
        return
    for name, (inner, many, _) in shape(model).items():
        below = value.get(name)
        for place, item in enumerate(below) if many and isinstance(below, list) else ():
            yield from _typed(inner, item, f"{pointer}/{name}/{place}")
        if not many:
            yield from _typed(inner, below, f"{pointer}/{name}")


def _spans(source: bytes) -> Iterator[tuple[str, tuple[int, int]]]:
    """The pointer of every value that has nothing below it, and its bytes. The source has been read as JSON before."""
    steps: list[str | int | None] = []  # the way down; None: an object whose next key is still to come
    for token in TOKEN.finditer(source, len(BOM) if source.startswith(BOM) else 0):
        text, at = token.group(), steps[-1] if steps else ""
        if text in {b"{", b"["}:
            steps.append(None if text == b"{" else 0)
        elif text in {b"}", b"]"}:
            steps.pop()
        elif text == b",":
            steps[-1] = at + 1 if isinstance(at, int) else None
        elif text != b":" and at is None:
            steps[-1] = json.loads(text)
        elif text != b":":
            yield "".join(f"/{step}" for step in steps), token.span()
