"""The wording that a VAT regime or a kind of invoice imposes: exemption, reverse charge, margin, self-billing ...

Words are looked for in the notes, the payment terms, the exemption reasons and under the seller (BT-33). A code that
the norm has for the same thing is asked for by the published rules; the law asks for the words.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from formats.codes import CORRECTED_AS, CORRECTIVE_TYPES, CREDIT_TYPES, FACTORED_TYPES, SELF_BILLED_TYPES
from formats.invoice import Invoice
from validation.findings import Severity
from validation.rules.own import OwnRule, Said, said

FRANCHISE: Final = "VATEX-FR-FRANCHISE"
ARTICLE_293B: Final = re.compile(r"293\s?-?\s?B", re.IGNORECASE)
REVERSE_CHARGE: Final = re.compile(
    r"auto-?\s?liquid|reverse[ -]charge|umkehrung der steuerschuld|inversi[oó]n del sujeto|verlegd", re.IGNORECASE
)
SELF_BILLING: Final = re.compile(r"auto-?\s?factur|self-?\s?bill", re.IGNORECASE)
REPLACES: Final = re.compile(
    r"annule et remplace(?! (?:\w+ ){0,2}(?:devis|offre|pro ?-?forma|proforma|bon|commande|contrat))"
    r"|facture rectificative|corrected invoice", re.IGNORECASE,
)
"""Not where an offer, an order or a contract is replaced."""

ECO_CONTRIBUTION: Final = re.compile(r"[ée]co-?\s?(?:contribution|participation)|\bDEEE\b", re.IGNORECASE)
SUBROGATION: Final = re.compile(r"subrog|affactur|factor|cession", re.IGNORECASE)

MARGIN: Final[Mapping[str, re.Pattern[str]]] = {
    "VATEX-EU-D": re.compile(r"agences? de voyages?|travel agents?", re.IGNORECASE),
    "VATEX-EU-F": re.compile(r"biens? d['’]occasion|second-?hand", re.IGNORECASE),
    "VATEX-EU-I": re.compile(r"objets? d['’]art|works? of art", re.IGNORECASE),
    "VATEX-EU-J": re.compile(r"collection|antiquit|collectors", re.IGNORECASE),
}
"""Exemption codes of the margin schemes, with the words that directive 2006/112, art. 226 (13) and (14), asks for."""


def exemption_text(invoice: Invoice, _: date) -> Iterator[Said]:
    """An exemption is given by code and in words; the data for the tax office need both."""
    for breakdown in invoice.vat_breakdown:
        absent = [
            term
            for term, value in (("BT-121", breakdown.exemption_reason_code), ("BT-120", breakdown.exemption_reason))
            if not value
        ]
        if breakdown.category == "E" and absent:
            yield said(
                f"Exonération (catégorie E) sans {' ni '.join(absent)} : code et libellé sont attendus.",
                f"Exemption (category E) without {' and '.join(absent)}: code and text are expected.",
                *absent, missing=", ".join(absent),
            )


def franchise_words(invoice: Invoice, _: date) -> Iterator[Said]:
    """A seller in the small-business scheme writes that VAT does not apply, with the article."""
    coded = any(row.exemption_reason_code == FRANCHISE for row in invoice.vat_breakdown)
    if coded and not ARTICLE_293B.search(_words(invoice)):
        yield said(
            "Franchise en base codée, mais le texte « TVA non applicable, art. 293 B du CGI » est absent.",
            "Small-business scheme coded, but the words that VAT does not apply, article 293 B, are absent.",
            "BT-120", "BT-121", expected="TVA non applicable, art. 293 B du CGI",
        )


def franchise_with_vat(invoice: Invoice, _: date) -> Iterator[Said]:
    """Whoever writes that VAT does not apply charges none."""
    vat = invoice.totals.vat
    if vat and ARTICLE_293B.search(_words(invoice)):
        yield said(
            f"La facture dit « 293 B » (TVA non applicable) et compte {vat} de TVA.",
            f"The invoice says 293 B (VAT does not apply) and charges VAT of {vat}.",
            "BT-110", "BT-22", value=str(vat), declared=vat,
        )


def reverse_charge_words(invoice: Invoice, _: date) -> Iterator[Said]:
    """A reverse charge is named in words."""
    coded = any(row.category == "AE" for row in invoice.vat_breakdown)
    if coded and not REVERSE_CHARGE.search(_words(invoice)):
        yield said(
            "Catégorie AE sans la mention « Autoliquidation ».",
            "Category AE without the mention of the reverse charge.",
            "BT-120", "BT-118", expected="Autoliquidation",
        )


def reverse_charge_with_vat(invoice: Invoice, _: date) -> Iterator[Said]:
    """An invoice that says reverse charge has an amount under it. Lines with VAT may stand beside it."""
    coded = any(row.category in {"AE", "K", "G", "O"} for row in invoice.vat_breakdown)
    vat = invoice.totals.vat
    if vat and not coded and REVERSE_CHARGE.search(_words(invoice)):
        yield said(
            f"La facture dit « autoliquidation », mais {vat} de TVA sont facturés et rien n'est en catégorie AE.",
            f"The invoice says reverse charge, but VAT of {vat} is charged and nothing is in category AE.",
            "BT-118", "BT-22", "BT-110", declared=vat, expected="AE",
        )


def self_billing_words(invoice: Invoice, _: date) -> Iterator[Said]:
    """An invoice made by the buyer says so in words."""
    if invoice.type_code in SELF_BILLED_TYPES and not SELF_BILLING.search(_words(invoice)):
        yield said(
            f"Type {invoice.type_code} sans la mention « Autofacturation ».",
            f"Type {invoice.type_code} without the mention of self-billing.",
            "BT-3", "BT-22", value=invoice.type_code, expected="Autofacturation",
        )


def margin_words(invoice: Invoice, _: date) -> Iterator[Said]:
    """A margin scheme is named in the words of its kind."""
    for row in invoice.vat_breakdown:
        code = (row.exemption_reason_code or "").upper()
        if code in MARGIN and not MARGIN[code].search(_words(invoice)):
            yield said(
                f"Régime de la marge {code} sans la mention « Régime particulier » de ce cas.",
                f"Margin scheme {code} without the words of its case.",
                "BT-120", "BT-121", code=code,
            )


def subrogation_words(invoice: Invoice, _: date) -> Iterator[Said]:
    """A factored invoice tells the buyer in a note whom to pay."""
    told = any(note.subject_code == "ACC" for note in invoice.notes) or SUBROGATION.search(_words(invoice))
    if invoice.type_code in FACTORED_TYPES and not told:
        yield said(
            f"Facture affacturée (type {invoice.type_code}) sans clause de subrogation (note ACC).",
            f"Factored invoice (type {invoice.type_code}) without a subrogation clause (note ACC).",
            "BT-3", "BT-21", "BG-10", value=invoice.type_code, expected="ACC",
        )


def eco_contribution_note(invoice: Invoice, _: date) -> Iterator[Said]:
    """An eco-contribution that stands on the invoice comes with its note. Information: only some kinds need it."""
    charges = [charge.reason or "" for charge in invoice.charges]
    charges += [charge.reason or "" for line in invoice.lines for charge in line.charges]
    charges += [line.item.name or "" for line in invoice.lines if line.item is not None]
    named = next((text for text in charges if ECO_CONTRIBUTION.search(text)), None)
    if named is not None and not any(note.subject_code == "BLU" for note in invoice.notes):
        yield said(
            f"Éco-contribution facturée (« {named} ») sans note BLU.",
            f"Eco-contribution charged ({named!r}) without a BLU note.",
            "BT-21", "BT-104", "BT-144", declared=named, expected="BLU",
        )


def final_without_prepayment(invoice: Invoice, _: date) -> Iterator[Said]:
    """A final invoice after a prepayment (frames B4, S4, M4) refers to it or deducts it."""
    frame = invoice.business_process or ""
    if frame in {"B4", "S4", "M4"} and not invoice.preceding_invoices and not invoice.totals.paid:
        yield said(
            f"Cadre {frame} (définitive après acompte) sans facture d'acompte (BG-3) ni montant déduit (BT-113).",
            f"Frame {frame} (final after prepayment) without a prepayment invoice (BG-3) or amount (BT-113).",
            "BT-23", "BG-3", "BT-113", value=frame, declared=frame,
        )


def correction_without_type(invoice: Invoice, _: date) -> Iterator[Said]:
    """What cancels and replaces an invoice has the type for it and names it."""
    found = REPLACES.search(_words(invoice))
    if found is not None and invoice.type_code not in CORRECTIVE_TYPES | CREDIT_TYPES:
        expected = CORRECTED_AS.get(invoice.type_code or "", "384")
        yield said(
            f"La facture dit « {found[0]} », mais son type est {invoice.type_code} et non {expected}.",
            f"The invoice says {found[0]!r}, but its type is {invoice.type_code} and not {expected}.",
            "BT-3", "BG-3", "BT-22", value=invoice.type_code, declared=invoice.type_code, expected=expected,
        )


def _words(invoice: Invoice) -> str:
    """Everything that is written in words about the whole invoice."""
    notes = [note.text for note in invoice.notes]
    reasons = [row.exemption_reason for row in invoice.vat_breakdown]
    legal = invoice.seller.additional_legal_information
    return "\n".join(filter(None, (*notes, invoice.payment_terms, *reasons, legal)))


RULES: Final = (
    OwnRule("PAS-FR-07", Severity.WARNING, exemption_text, "CGI ann. II art. 242 nonies A, I-12° ; DGFiP, G1.41"),
    OwnRule("PAS-FR-30", Severity.WARNING, franchise_words, "CGI art. 293 E"),
    OwnRule("PAS-FR-31", Severity.WARNING, franchise_with_vat, "CGI art. 293 E et 283, 3"),
    OwnRule("PAS-FR-32", Severity.WARNING, reverse_charge_words, "CGI ann. II art. 242 nonies A, I-13°"),
    OwnRule("PAS-FR-33", Severity.WARNING, reverse_charge_with_vat, "CGI art. 283, 3"),
    OwnRule("PAS-FR-34", Severity.WARNING, self_billing_words, "CGI ann. II art. 242 nonies A, I-14° ; art. 289, I-2"),
    OwnRule("PAS-FR-35", Severity.WARNING, margin_words, "Directive 2006/112/CE, art. 226 ; CGI art. 297 A et 266"),
    OwnRule("PAS-FR-36", Severity.WARNING, subrogation_words, "C. mon. fin. art. L313-28 ; C. civ. art. 1346-1"),
    OwnRule("PAS-FR-37", Severity.INFO, eco_contribution_note, "C. env. art. L541-10-20"),
    OwnRule("PAS-FR-38", Severity.WARNING, final_without_prepayment, "FNFE, BR-FR-08 (cadres 4) ; CGI art. 289, I-1-c"),
    OwnRule("PAS-FR-39", Severity.WARNING, correction_without_type, "CGI art. 289, I-5 ; BR-FR-CO-04"),
)
