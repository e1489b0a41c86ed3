"""What an invoice says that it is (BT-24), against what it holds."""

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from formats.invoice import Invoice
from formats.mapping.invoice import INVOICE
from formats.profiles import EN16931, Profile, carries, profile_of
from formats.rows import Group
from validation.findings import Severity
from validation.rules.own import OwnRule, Said, is_french, said

BASIC_WL_ENDS: Final = date(2027, 9, 1)
"""Source: explanatory note of the FNFE rules 1.4.0: BASIC WL is accepted during the first year only."""


def more_than_the_profile(invoice: Invoice, _: date) -> Iterator[Said]:
    """A profile holds no term without a place in it: lines in BASIC WL, French extensions in EN 16931."""
    profile = profile_of(invoice.specification_identifier)
    terms = dict.fromkeys(_terms(INVOICE, invoice))
    more = [term for term in terms if term.startswith(("BT-", "EXT-FR-FE")) and not carries(profile, term)]
    if more:
        named = ", ".join(more[:6]) + (" ..." if len(more) > 6 else "")
        yield said(
            f"Profil {profile.value} annoncé, mais {len(more)} terme(s) n'y ont pas de place : {named}.",
            f"Profile {profile.value} claimed, but {len(more)} term(s) have no place in it: {named}.",
            "BT-24", *more[:6], value=invoice.specification_identifier, declared=profile.value, more=", ".join(more),
        )


def unknown_profile(invoice: Invoice, _: date) -> Iterator[Said]:
    """BT-24 is a specification that somebody knows. No published French rule reads it."""
    written = invoice.specification_identifier
    if written is not None and profile_of(written) is Profile.UNKNOWN:
        yield said(
            f"BT-24 « {written} » n'est aucun profil connu ; la facture est contrôlée comme EN 16931.",
            f"BT-24 {written!r} is no known profile; the invoice is judged as EN 16931.",
            "BT-24", value=written, expected=EN16931,
        )


def no_whole_invoice(invoice: Invoice, as_of: date) -> Iterator[Said]:
    """MINIMUM is no invoice in France, and BASIC WL, which has no lines, only in the first year."""
    profile = profile_of(invoice.specification_identifier)
    if not is_french(invoice.seller):
        return
    if profile is Profile.MINIMUM or (profile is Profile.BASIC_WL and as_of >= BASIC_WL_ENDS):
        yield said(
            f"Le profil {profile.value} n'a pas de lignes : en France ce n'est pas une facture électronique.",
            f"Profile {profile.value} has no lines: in France it is no e-invoice.",
            "BT-24", value=invoice.specification_identifier, declared=profile.value, expected=EN16931,
        )


def _terms(group: Group, model: Any) -> Iterator[str]:
    """The terms that are there, in the order of the table, repeated where the model repeats them."""
    for entry in group.rows:
        value = getattr(model, entry.field)
        if value is None or value == ():
            continue
        if isinstance(entry, Group):
            for each in value if isinstance(value, tuple) else (value,):
                yield from _terms(entry, each)
        else:
            yield entry.term


RULES: Final = (
    OwnRule("PAS-PROF-01", Severity.WARNING, more_than_the_profile, "Factur-X 1.09, profils"),
    OwnRule("PAS-PROF-02", Severity.WARNING, unknown_profile, "EN 16931-1, BT-24 ; CEN/TR 16931-5"),
    OwnRule("PAS-PROF-03", Severity.WARNING, no_whole_invoice, "Factur-X 1.09 ; FNFE, note explicative 1.4.0"),
)
