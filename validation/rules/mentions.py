"""What French law wants on an invoice and the published rules cannot see, or only see the marker of.

Sources: CGI annexe II art. 242 nonies A; Code de commerce art. L441-9, D441-5. Run only where the seller is French.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from formats.codes import CREDIT_TYPES, NOTE_SUBJECTS, REQUIRED_NOTES
from formats.invoice import Address, Invoice, Note
from formats.profiles import Profile, profile_of
from validation.findings import Severity, Text
from validation.rules.own import OwnRule, Said

PLACEHOLDER: Final = re.compile(
    r"[\W_]*|n\W?[ac]\W?|nr|tbd|todo|x+|test|null|none|vide|empty|string|lorem.*", re.IGNORECASE | re.DOTALL
)
"""A text that says nothing."""

ABSENCE: Final = re.compile(r"(néant|neant|aucune?|sans|sans objet|non)\W*", re.IGNORECASE)
"""Says that there is none: an answer for a discount (AAB), not for penalties and indemnity, which the law imposes."""

DOMESTIC: Final = "FR"


def empty_mention(invoice: Invoice, _: date) -> Iterator[Said]:
    """PMT, PMD and AAB say something. BR-FR-05 only tests that the marker is there.

    Source: Code de commerce L441-9 I (indemnity, penalties, discount).
    """
    for note in invoice.notes:
        if note.subject_code in REQUIRED_NOTES and _says_nothing(note):
            label = NOTE_SUBJECTS[note.subject_code]
            yield Said(
                Text(
                    fr=f"La mention {note.subject_code} ({label.fr}) est vide ou ne dit rien : « {note.text or ''} ».",
                    en=f"Mention {note.subject_code} ({label.en}) is empty or says nothing: {note.text or ''!r}.",
                ),
                ("BT-22", "BT-21"),
                note.text,
            )


def indemnity_amount(invoice: Invoice, _: date) -> Iterator[Said]:
    """PMT names the 40 euros of D441-5. A warning: the words are free."""
    for note in invoice.notes:
        text = note.text or ""
        if note.subject_code == "PMT" and not _says_nothing(note) and not re.search(r"40|quarante", text):
            yield Said(
                Text(
                    fr="La mention PMT ne cite pas l'indemnité forfaitaire de 40 €.",
                    en="Mention PMT does not name the fixed indemnity of 40 EUR.",
                ),
                ("BT-22",),
                note.text,
            )


def penalty_rate(invoice: Invoice, _: date) -> Iterator[Said]:
    """PMD names a rate, in figures or by reference (legal rate, ECB). A warning: the words are free."""
    for note in invoice.notes:
        text = note.text or ""
        if note.subject_code != "PMD" or _says_nothing(note):
            continue
        if not re.search(r"\d|taux|rate|BCE|ECB|légal|legal", text, re.IGNORECASE):
            yield Said(
                Text(
                    fr="La mention PMD ne cite aucun taux de pénalité.",
                    en="Mention PMD names no penalty rate.",
                ),
                ("BT-22",),
                note.text,
            )


def buyer_siren(invoice: Invoice, _: date) -> Iterator[Said]:
    """A domestic business buyer has a SIREN, mandatory on invoices since 2026. BR-FR-11 is silent without a BAR note.

    A warning: a consumer has none, and without a BAR note nobody says which it is.
    """
    treatments = {note.text for note in invoice.notes if note.subject_code == "BAR"}
    country = invoice.buyer.address.country if invoice.buyer.address is not None else None
    if not treatments and country == DOMESTIC and invoice.buyer.siren is None:
        yield Said(
            Text(
                fr="Acheteur établi en France sans SIREN (schéma 0002) : obligatoire entre assujettis.",
                en="Buyer in France without a SIREN (scheme 0002): mandatory between taxable persons.",
            ),
            ("BT-47",),
        )


def seller_address(invoice: Invoice, _: date) -> Iterator[Said]:
    """The seller's address is one that a letter reaches; EN 16931 asks only for the country."""
    if _is_whole(invoice) and (missing := _missing(invoice.seller.address, ("BT-35", "BT-37", "BT-38"))):
        yield _incomplete("du vendeur", "seller", missing)


def buyer_address(invoice: Invoice, _: date) -> Iterator[Said]:
    """The buyer's address is one that a letter reaches."""
    if _is_whole(invoice) and (missing := _missing(invoice.buyer.address, ("BT-50", "BT-52", "BT-53"))):
        yield _incomplete("de l'acheteur", "buyer", missing)


def exemption_text(invoice: Invoice, _: date) -> Iterator[Said]:
    """An exemption is given by code and in words. Source: DGFiP rule G1.41 for the data sent to the tax office."""
    for breakdown in invoice.vat_breakdown:
        absent = [
            term
            for term, value in (("BT-121", breakdown.exemption_reason_code), ("BT-120", breakdown.exemption_reason))
            if not value
        ]
        if breakdown.category == "E" and absent:
            yield Said(
                Text(
                    fr=f"Exonération (catégorie E) sans {' ni '.join(absent)} : code et libellé sont attendus.",
                    en=f"Exemption (category E) without {' and '.join(absent)}: code and text are expected.",
                ),
                tuple(absent),
            )


def due_date(invoice: Invoice, _: date) -> Iterator[Said]:
    """An invoice to be paid says until when.

    Source: Code de commerce L441-9 I. EN 16931 is content with terms in words.
    """
    to_pay = invoice.totals.due
    if not _is_whole(invoice):
        return
    if invoice.due_date is None and invoice.type_code not in CREDIT_TYPES and to_pay is not None and to_pay > 0:
        yield Said(
            Text(
                fr="Aucune date d'échéance (BT-9) alors qu'un montant reste à payer.",
                en="No due date (BT-9) although an amount is to be paid.",
            ),
            ("BT-9",),
        )


def supply_date(invoice: Invoice, _: date) -> Iterator[Said]:
    """The date or period of supply is given where it is known and differs. Information: nobody else can know."""
    said = invoice.delivery is not None and invoice.delivery.actual_date is not None
    said = said or invoice.invoicing_period is not None or any(line.period for line in invoice.lines)
    if _is_whole(invoice) and not said:
        yield Said(
            Text(
                fr="Ni date de livraison ni période : obligatoires si elles diffèrent de l'émission.",
                en="Neither a delivery date nor a period: mandatory where they differ from the issue date.",
            ),
            ("BT-72", "BG-14"),
        )


def _is_whole(invoice: Invoice) -> bool:
    """Profile MINIMUM has no place for addresses and dates; it is no invoice by law, and other rules say so."""
    return profile_of(invoice.specification_identifier) is not Profile.MINIMUM


def _says_nothing(note: Note) -> bool:
    text = (note.text or "").strip()
    return bool(PLACEHOLDER.fullmatch(text) or (note.subject_code != "AAB" and ABSENCE.fullmatch(text)))


def _missing(address: Address | None, terms: tuple[str, str, str]) -> tuple[str, ...]:
    values = (address.line_1, address.city, address.post_code) if address is not None else (None, None, None)
    return tuple(term for term, value in zip(terms, values, strict=True) if not value)


def _incomplete(fr: str, en: str, missing: tuple[str, ...]) -> Said:
    return Said(
        Text(
            fr=f"Adresse {fr} incomplète : {', '.join(missing)} absent(s).",
            en=f"Incomplete {en} address: {', '.join(missing)} absent.",
        ),
        missing,
    )


RULES: Final = (
    OwnRule("PAS-FR-01", Severity.ERROR, empty_mention),
    OwnRule("PAS-FR-02", Severity.WARNING, indemnity_amount),
    OwnRule("PAS-FR-03", Severity.WARNING, penalty_rate),
    OwnRule("PAS-FR-04", Severity.WARNING, buyer_siren),
    OwnRule("PAS-FR-05", Severity.WARNING, seller_address),
    OwnRule("PAS-FR-06", Severity.WARNING, buyer_address),
    OwnRule("PAS-FR-07", Severity.WARNING, exemption_text),
    OwnRule("PAS-FR-08", Severity.WARNING, due_date),
    OwnRule("PAS-FR-09", Severity.INFO, supply_date),
)
