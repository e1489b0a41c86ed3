"""Who sells and who buys, as French law wants it on an invoice: SIREN, addresses, treatment, register and capital."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from formats.codes import CREDIT_TYPES
from formats.identifiers import FRENCH_ADDRESS_SCHEME
from formats.invoice import Address, Invoice, Party
from formats.profiles import Profile, profile_of
from validation.findings import Severity
from validation.rules.own import DECREE, SIRET, OwnRule, Said, country_of, said, treatment_of
from validation.rules.territories import OVERSEAS, has_post_codes

DOMESTIC: Final = "FR"
FOREIGN_COMPANIES: Final = frozenset({"0223", "0227"})
"""Schemes of taxable persons in and outside the Union."""

COMPANY: Final = re.compile(r"\b(SA|SAS|SASU|SARL|EURL|SNC|SCA|SCS|SELARL|SELAS)\b")
"""Forms of companies that have a capital and stand in the trade register."""

REGISTER: Final = re.compile(r"\bR\.?\s?C\.?\s?S\b|registre du commerce|greffe|trade register", re.IGNORECASE)
CAPITAL: Final = re.compile(r"capital", re.IGNORECASE)


def buyer_siren(invoice: Invoice, _: date) -> Iterator[Said]:
    """A domestic business buyer has a SIREN. BR-FR-11 is silent without a BAR note.

    A warning: a consumer has none, and without a BAR note nobody says which it is.
    """
    if _lacks_siren(invoice) and not _is_business(invoice.buyer):
        yield said(
            "Acheteur établi en France sans SIREN (schéma 0002) : obligatoire entre assujettis.",
            "Buyer in France without a SIREN (scheme 0002): mandatory between taxable persons.",
            "BT-47", "BT-21",
        )


def business_without_siren(invoice: Invoice, _: date) -> Iterator[Said]:
    """A buyer in France with a VAT number, a SIRET or a French address is a business, and its SIREN is absent.

    An error: the number is in the data that the public portal must get (BT-47), which refuses an invoice without.
    """
    if _lacks_siren(invoice) and (known := _is_business(invoice.buyer)):
        yield said(
            f"Acheteur assujetti en France ({known}) sans SIREN (BT-47, schéma 0002).",
            f"Taxable buyer in France ({known}) without a SIREN (BT-47, scheme 0002).",
            "BT-47", "BT-48", "BT-46", "BT-49", known=known, proposed=_siren_inside(known),
        )


def seller_address(invoice: Invoice, _: date) -> Iterator[Said]:
    """The seller's address is one that a letter reaches; EN 16931 asks only for the country."""
    if _is_whole(invoice) and (missing := _missing(invoice.seller.address, ("BT-35", "BT-37", "BT-38"))):
        yield _incomplete("du vendeur", "seller", missing)


def buyer_address(invoice: Invoice, _: date) -> Iterator[Said]:
    """The buyer's address is one that a letter reaches."""
    if _is_whole(invoice) and (missing := _missing(invoice.buyer.address, ("BT-50", "BT-52", "BT-53"))):
        yield _incomplete("de l'acheteur", "buyer", missing)


def representative_address(invoice: Invoice, _: date) -> Iterator[Said]:
    """The tax representative's address is one that a letter reaches."""
    party = invoice.tax_representative
    if party is not None and (missing := _missing(party.address, ("BT-64", "BT-66", "BT-67"))):
        yield _incomplete("du représentant fiscal", "tax representative", missing)


def due_date(invoice: Invoice, _: date) -> Iterator[Said]:
    """An invoice to be paid says until when. EN 16931 is content with terms in words."""
    to_pay = invoice.totals.due
    if not _is_whole(invoice):
        return
    if invoice.due_date is None and invoice.type_code not in CREDIT_TYPES and to_pay is not None and to_pay > 0:
        yield said(
            f"Aucune date d'échéance (BT-9) alors que {to_pay} restent à payer.",
            f"No due date (BT-9) although {to_pay} is to be paid.",
            "BT-9", "BT-115", declared=to_pay,
        )


def treatment_absent(invoice: Invoice, _: date) -> Iterator[Said]:
    """A BAR note says how the platform is to treat the invoice; without it the B2B rules of France stay silent."""
    if _is_whole(invoice) and treatment_of(invoice) is None and not _lacks_siren(invoice):
        expected = "B2B" if invoice.buyer.siren is not None else "B2BINT"
        yield said(
            "Aucune note BAR : la plateforme doit deviner le traitement de la facture.",
            "No BAR note: the platform has to guess how to treat the invoice.",
            "BT-21", expected=expected,
        )


def treatment_against_buyer(invoice: Invoice, _: date) -> Iterator[Said]:
    """The treatment goes with the buyer: a SIREN in France is not abroad, and abroad is not domestic.

    B2C may have a SIREN: an association that is no taxable person is treated as a consumer (CGI art. 290).
    """
    treatment, buyer = treatment_of(invoice), invoice.buyer
    domestic = buyer.siren is not None and country_of(buyer) in {DOMESTIC, None}
    abroad = buyer.siren is None and country_of(buyer) not in {DOMESTIC, "MC", None} | OVERSEAS
    if (treatment in {"B2BINT", "B2CINT"} and domestic) or (treatment == "B2C" and abroad):
        expected = "B2B" if domestic else "B2BINT" if _has_number(buyer) else "B2CINT"
        yield said(
            f"Note BAR = {treatment}, mais l'acheteur est "
            + (f"une entreprise française (SIREN {buyer.siren})." if domestic else f"établi en {country_of(buyer)}."),
            f"BAR note = {treatment}, but the buyer is "
            + (f"a French company (SIREN {buyer.siren})." if domestic else f"established in {country_of(buyer)}."),
            "BT-22", "BT-47", "BT-55", value=treatment, declared=treatment, expected=expected,
        )


def trade_register(invoice: Invoice, _: date) -> Iterator[Said]:
    """A commercial company names the register that it stands in. A warning: told from the seller's name alone."""
    form = COMPANY.search(invoice.seller.name or "")
    if form is not None and _is_whole(invoice) and not REGISTER.search(_legal_texts(invoice)):
        yield said(
            f"Vendeur {form[0]} sans mention RCS suivie de la ville du greffe.",
            f"Seller {form[0]} without RCS and the town of the register.",
            "BT-33", "BT-27", form=form[0],
        )


def share_capital(invoice: Invoice, _: date) -> Iterator[Said]:
    """A company with a capital names it. A warning: told from the seller's name alone."""
    form = COMPANY.search(invoice.seller.name or "")
    if form is not None and _is_whole(invoice) and not CAPITAL.search(_legal_texts(invoice)):
        yield said(
            f"Vendeur {form[0]} sans mention de son capital social.",
            f"Seller {form[0]} without its share capital.",
            "BT-33", "BT-27", form=form[0],
        )


def _lacks_siren(invoice: Invoice) -> bool:
    """No treatment, a buyer in France, and no SIREN."""
    domestic = country_of(invoice.buyer) == DOMESTIC
    return treatment_of(invoice) is None and domestic and invoice.buyer.siren is None


def _is_business(buyer: Party) -> str | None:
    """What shows that a buyer is a taxable person in France, or None."""
    address, number = buyer.electronic_address, buyer.vat_identifier
    siret = next((each.value for each in buyer.identifiers if each.scheme == SIRET), None)
    if number is not None and number.startswith("FR"):
        return number
    if siret is not None:
        return siret
    return address.value if address is not None and address.scheme == FRENCH_ADDRESS_SCHEME else None


def _has_number(buyer: Party) -> bool:
    """Whether a buyer abroad shows that it is a business: a VAT number, or one under a scheme for companies."""
    schemes = {each.scheme for each in buyer.identifiers}
    return buyer.vat_identifier is not None or not schemes.isdisjoint(FOREIGN_COMPANIES)


def _siren_inside(known: str) -> str | None:
    digits = known[4:13] if known.startswith("FR") else known[:9]
    return digits if len(digits) == 9 and digits.isdigit() else None


def _is_whole(invoice: Invoice) -> bool:
    """Profile MINIMUM has no place for addresses and dates; PAS-PROF-03 says that it is no invoice."""
    return profile_of(invoice.specification_identifier) is not Profile.MINIMUM


def _legal_texts(invoice: Invoice) -> str:
    notes = [note.text for note in invoice.notes if note.subject_code in {"REG", "ABL", "AAI", None}]
    return " ".join(filter(None, (invoice.seller.additional_legal_information, *notes)))


def _missing(address: Address | None, terms: tuple[str, str, str]) -> tuple[str, ...]:
    address = address or Address()
    no_code = None if has_post_codes(address.country) else "-"
    values = (address.line_1, address.city, address.post_code or no_code)
    return tuple(term for term, value in zip(terms, values, strict=True) if not value)


def _incomplete(fr: str, en: str, missing: tuple[str, ...]) -> Said:
    return said(
        f"Adresse {fr} incomplète : {', '.join(missing)} absent(s).",
        f"Incomplete {en} address: {', '.join(missing)} absent.",
        *missing, missing=", ".join(missing),
    )


RULES: Final = (
    OwnRule("PAS-FR-04", Severity.WARNING, buyer_siren, DECREE),
    OwnRule("PAS-FR-05", Severity.WARNING, seller_address, "CGI ann. II art. 242 nonies A, I-1°"),
    OwnRule("PAS-FR-06", Severity.WARNING, buyer_address, "CGI ann. II art. 242 nonies A, I-1°"),
    OwnRule("PAS-FR-08", Severity.WARNING, due_date, "C. com. art. L441-9, I"),
    OwnRule("PAS-FR-13", Severity.ERROR, business_without_siren, f"{DECREE} ; DGFiP, flux 1, BT-47"),
    OwnRule("PAS-FR-14", Severity.WARNING, treatment_absent, "FNFE, BR-FR-11, BR-FR-20 et BR-FR-21"),
    OwnRule("PAS-FR-15", Severity.WARNING, treatment_against_buyer, "FNFE, BR-FR-20 ; CGI art. 289 bis et 290"),
    OwnRule("PAS-FR-16", Severity.WARNING, trade_register, "C. com. art. R123-237"),
    OwnRule("PAS-FR-17", Severity.WARNING, share_capital, "C. com. art. R123-238"),
    OwnRule("PAS-FR-18", Severity.WARNING, representative_address, "CGI ann. II art. 242 nonies A, I-5°"),
)
