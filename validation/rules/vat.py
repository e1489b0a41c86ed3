"""VAT categories against countries, and VAT in another currency: what the category rules of the norm do not compare."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Final

from formats.invoice import Address, Invoice, Party
from formats.profiles import Profile, profile_of
from validation.findings import Severity
from validation.rules.own import OwnRule, Said, country_of, said
from validation.rules.territories import EU_COUNTRIES, EU_PREFIXES, in_vat_territory

EXTENDED: Final = frozenset({Profile.EXTENDED, Profile.EXTENDED_CTC_FR})


def supply_to_own_state(invoice: Invoice, _: date) -> Iterator[Said]:
    """An intra-Community supply (category K) goes to another member state than the one it is taxed from.

    Not to Monaco, which is France for VAT, nor out of the Union, but for goods to Northern Ireland.
    """
    rows = [row for row in invoice.vat_breakdown if row.category == "K"]
    seller = _state_of(invoice.seller)
    northern = (invoice.buyer.vat_identifier or "").startswith("XI")
    wrong = (
        place.country for place in _places(invoice, "K")
        if {"MC": "FR"}.get(place.country or "", place.country) == seller
        or (seller in EU_COUNTRIES and not in_vat_territory(place) and not (northern and place.country == "GB"))
    )
    destination = next(wrong, None)
    if rows and destination is not None:
        yield said(
            f"Livraison intracommunautaire (catégorie K) de {seller} vers {destination} : ce n'en est pas une.",
            f"Intra-Community supply (category K) from {seller} to {destination}: it is none.",
            "BT-118", "BT-80", "BT-55", value="K", declared=destination,
        )


def export_within_the_union(invoice: Invoice, _: date) -> Iterator[Said]:
    """An export (category G) leaves the European Union."""
    rows = [row for row in invoice.vat_breakdown if row.category == "G"]
    destination = next((place.country for place in _places(invoice, "G") if in_vat_territory(place)), None)
    if rows and country_of(invoice.seller) in EU_COUNTRIES and destination is not None:
        yield said(
            f"Exportation (catégorie G) livrée en {destination}, dans l'Union européenne.",
            f"Export (category G) delivered to {destination}, inside the European Union.",
            "BT-118", "BT-80", "BT-55", value="G", declared=destination,
        )


def category_twice(invoice: Invoice, _: date) -> Iterator[Said]:
    """A VAT category and rate has one row of the breakdown; EXTENDED profiles allow one per exemption reason."""
    extended = profile_of(invoice.specification_identifier) in EXTENDED
    keys = Counter(
        (row.category, row.rate or Decimal(0), (row.exemption_reason_code, row.exemption_reason) if extended else None)
        for row in invoice.vat_breakdown
    )
    for (category, rate, _reason), count in keys.items():
        if count > 1:
            yield said(
                f"{count} lignes de TVA en catégorie {category} à {rate} %.",
                f"{count} rows of VAT in category {category} at {rate} %.",
                "BT-118", "BT-119", value=category, count=str(count),
            )


def accounting_currency_at_par(invoice: Invoice, _: date) -> Iterator[Said]:
    """VAT in the accounting currency (BT-111) was converted, not copied."""
    vat, converted = invoice.totals.vat, invoice.totals.vat_in_accounting_currency
    if vat and converted == vat and invoice.vat_currency not in {None, invoice.currency}:
        yield said(
            f"TVA de {vat} {invoice.currency} reprise telle quelle en {invoice.vat_currency} : montant non converti.",
            f"VAT of {vat} {invoice.currency} stated as the same figure in {invoice.vat_currency}: not converted.",
            "BT-111", "BT-110", "BT-6", value=str(converted), declared=converted, vat=vat,
        )


def paid_too_much(invoice: Invoice, _: date) -> Iterator[Said]:
    """No more was paid before than the invoice is for."""
    paid, whole = invoice.totals.paid, invoice.totals.with_vat
    if paid is not None and whole is not None and whole >= 0 and paid > whole:
        yield said(
            f"Déjà payé {paid} pour un total de {whole} : le trop-perçu est à rendre par un avoir.",
            f"Paid {paid} of a total of {whole}: what is too much is given back by a credit note.",
            "BT-113", "BT-112", value=str(paid), declared=paid, whole=whole,
        )


def sepa_in_another_currency(invoice: Invoice, _: date) -> Iterator[Said]:
    """SEPA transfers and debits (BT-81 58 and 59) are in euro."""
    code = invoice.payment.means_code if invoice.payment is not None else None
    if code in {"58", "59"} and invoice.currency not in {None, "EUR"}:
        yield said(
            f"Moyen de paiement SEPA ({code}) pour une facture en {invoice.currency} : SEPA ne transporte que l'euro.",
            f"SEPA means of payment ({code}) for an invoice in {invoice.currency}: SEPA carries the euro only.",
            "BT-81", "BT-5", value=code, declared=invoice.currency,
        )


def debit_without_mandate(invoice: Invoice, _: date) -> Iterator[Said]:
    """A direct debit (BT-81 49 and 59) names its mandate."""
    payment = invoice.payment
    if payment is None or payment.means_code not in {"49", "59"}:
        return
    if payment.direct_debit is None or payment.direct_debit.mandate is None:
        yield said(
            f"Prélèvement ({payment.means_code}) sans référence de mandat (BT-89).",
            f"Direct debit ({payment.means_code}) without a mandate reference (BT-89).",
            "BT-81", "BT-89", value=payment.means_code,
        )


def _places(invoice: Invoice, category: str) -> Iterator[Address]:
    """Where the goods of a category go: each place of their lines, else BG-15, else the buyer's address BG-8.

    Only places whose country is told.
    """
    lines = [line.delivery.address for line in invoice.lines if line.vat_category == category and line.delivery]
    whole = [invoice.delivery.address] if invoice.delivery is not None else []
    for places in (lines, whole, [invoice.buyer.address]):
        told = [place for place in places if place is not None and place.country is not None]
        if told:
            yield from told
            return


def _state_of(seller: Party) -> str | None:
    """The member state whose VAT number the seller uses, else where it is: goods may lie in another state."""
    prefix = (seller.vat_identifier or "")[:2]
    return {"EL": "GR"}.get(prefix, prefix) if prefix in EU_PREFIXES | {"FR"} else country_of(seller)


RULES: Final = (
    OwnRule("PAS-VAT-04", Severity.WARNING, supply_to_own_state, "CGI art. 262 ter, I ; directive 2006/112, art. 138"),
    OwnRule("PAS-VAT-05", Severity.WARNING, export_within_the_union, "CGI art. 262, I ; directive 2006/112, art. 146"),
    OwnRule("PAS-VAT-06", Severity.WARNING, category_twice, "EN 16931-1, BG-23"),
    OwnRule("PAS-VAT-07", Severity.WARNING, accounting_currency_at_par, "CGI art. 266, 1 bis ; EN 16931-1, BT-111"),
    OwnRule("PAS-PAY-01", Severity.WARNING, paid_too_much, "EN 16931-1, BT-113"),
    OwnRule("PAS-PAY-02", Severity.WARNING, sepa_in_another_currency, "Règlement (UE) 260/2012, art. 2"),
    OwnRule("PAS-PAY-03", Severity.WARNING, debit_without_mandate, "EN 16931-1, BT-89 ; règlement (UE) 260/2012"),
)
