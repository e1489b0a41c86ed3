"""What of an invoice a target of a profile holds."""

from dataclasses import replace

from formats import terms
from formats.errors import CannotWrite
from formats.invoice import Invoice, Line
from formats.nesting import UNCOUNTED, is_within
from formats.profiles import IDENTIFIERS, ONCE, Profile, carries, profile_of
from formats.syntax import Syntax

SUBTYPE = "EXT-FR-FE-163"


def asked(name: str | None) -> Profile | None:
    """The profile of that name. CannotWrite if none that has a BT-24 of its own."""
    if name is None:
        return None
    if name not in {profile.value for profile in IDENTIFIERS}:
        raise CannotWrite(f"{name!r} is no profile that can be asked for")
    return Profile(name)


def named(invoice: Invoice, profile: Profile) -> Invoice:
    """With the BT-24 of `profile`."""
    if profile_of(invoice.specification_identifier) is profile:
        return invoice
    return replace(invoice, specification_identifier=IDENTIFIERS[profile])


def narrowed(invoice: Invoice, source: Syntax, to: str, limit: Profile | None) -> terms.Narrowed:
    """What the target holds. Where it has no subtype of lines (EXT-FR-FE-163), every line would count in its sums.

    So a line that counts in none is left out. Where no profile limits the terms, only what a UBL that is no French
    extension has within a line: CII would have it beside that line.
    """
    if limit is not None:
        return terms.only(
            invoice, lambda term: carries(limit, term), ONCE.get(limit, frozenset()),
            without=(lambda _: False) if carries(limit, SUBTYPE) else _is_uncounted,
        )
    known = carries(profile_of(invoice.specification_identifier), SUBTYPE)
    if to == "cii" and source is not Syntax.CII and not known and any(map(is_within, invoice.lines)):
        return terms.only(invoice, lambda _: True, without=is_within)
    return terms.Narrowed(invoice, {})


def _is_uncounted(line: Line) -> bool:
    return line.subtype in UNCOUNTED
