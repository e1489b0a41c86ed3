"""Where a business term stands in each syntax, and which term stands at a place: read off the mapping table."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from formats.mapping.invoice import INVOICE
from formats.rows import Column, Group

ROOTS: Final[Mapping[Column, str]] = {Column.UBL: "/ubl:Invoice", Column.CII: "/rsm:CrossIndustryInvoice"}
_DEFAULT: Final = re.compile(r"\[[^\]]*\|[^\]]*\]")
_PREDICATE: Final = re.compile(r"\[[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\]")
_ROOT: Final = re.compile(r"^/(?:ubl:Invoice|cn:CreditNote|rsm:CrossIndustryInvoice)")


@cache
def paths(column: Column) -> Mapping[str, str]:
    """Term or group to its absolute path in one syntax. A term with a scheme has an entry `BT-34-1` for it too."""
    found: dict[str, str] = {}
    for term, path in _walk(INVOICE, column, ROOTS[column]):
        found.setdefault(f"{term}-1" if path.endswith("/@schemeID") else term, path)
    return found


@cache
def terms(column: Column) -> Mapping[str, str]:
    """Path without conditions to the term or group that stands there."""
    found: dict[str, str] = {}
    for term, path in paths(column).items():
        if " " not in term:
            found.setdefault(bare(path), term)
    return found


def place_of(term: str, syntax: str | None) -> str:
    """Where to write a term, as words: in one syntax, or in both where none is given; "" where no path says it."""
    ubl, cii = (_readable(paths(column).get(term, "")) for column in (Column.UBL, Column.CII))
    if syntax in {"cii", "factur-x"}:
        return cii
    if syntax == "ubl-credit-note":
        return ubl.replace("/ubl:Invoice", "/cn:CreditNote").replace("cac:InvoiceLine", "cac:CreditNoteLine")
    if syntax is not None:
        return ubl
    return " · ".join(f"{name} {path}" for name, path in (("UBL", ubl), ("CII", cii)) if path)


def _readable(path: str) -> str:
    """The variables of the table as the terms that they stand for."""
    return path.replace("$doc", "BT-5").replace("$tax", "BT-6")


def term_at(path: str) -> str | None:
    """The term or group at an absolute path, or the only one whose path ends as a relative `//a/b` does."""
    wanted = bare(path)
    column = Column.CII if "ram:" in wanted or "rsm:" in wanted else Column.UBL
    known = terms(column)
    if not wanted.startswith("//"):
        return known.get(_ROOT.sub(ROOTS[column], wanted))
    found = {term for each, term in known.items() if each.endswith(wanted[1:])}
    return found.pop() if len(found) == 1 else None


def bare(path: str) -> str:
    """A path without conditions and positions."""
    previous = ""
    while previous != path:
        previous, path = path, _PREDICATE.sub("", path)
    return path


def _walk(group: Group, column: Column, base: str) -> Iterator[tuple[str, str]]:
    for entry in group.rows:
        place = entry.place(column)
        if not isinstance(place, str):  # a quirk, or a term that this syntax cannot carry
            if isinstance(entry, Group):
                yield from _walk(entry, column, base)
            continue
        path = base if place == "." else f"{base}/{_DEFAULT.sub('', place)}"
        yield entry.term, path
        if isinstance(entry, Group):
            yield from _walk(entry, column, path)


