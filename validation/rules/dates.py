"""Dates and numbers of the document: what comes before what, and what an invoice may be called.

A date that is not in the calendar keeps an invoice from being read: PAS-DATE-01, made by own_layers.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from formats.codes import (
    CORRECTIVE_TYPES,
    CREDIT_TYPES,
    CREDITED_AS,
    OTHER_CREDIT_TYPES,
    PREPAID_AS,
    PREPAYMENT_TYPES,
)
from formats.invoice import Invoice
from validation.findings import Severity
from validation.rules.own import OwnRule, Said, is_french, said

PORTAL_NUMBER_LENGTH: Final = 20
PORTAL_LIMIT_ENDS: Final = date(2027, 1, 1)
"""Source: limitation annexes of the public portal (2026-07): 20 characters "until Dec 2026"."""

ANY_CREDIT_TYPES: Final = CREDIT_TYPES | OTHER_CREDIT_TYPES
PROVISIONAL: Final = re.compile(
    r"\W*((prov|provisoire|draft|brouillon|test|tmp|temp)\W*\d{0,6}|todo|tbd|n/?a|null|none|undefined|x+)\W*",
    re.IGNORECASE,
)
"""What drafts are called: no number of a series."""


def issued_in_the_future(invoice: Invoice, as_of: date) -> Iterator[Said]:
    """The issue date is not after the day as of which the invoice is judged."""
    if invoice.issue_date is not None and invoice.issue_date > as_of:
        yield said(
            f"Date d'émission {invoice.issue_date} postérieure au {as_of}.",
            f"Issue date {invoice.issue_date} is after {as_of}.",
            "BT-2", declared=str(invoice.issue_date), as_of=str(as_of),
        )


def due_before_issue(invoice: Invoice, _: date) -> Iterator[Said]:
    """Payment is not due before the invoice exists. For French sellers BR-FR-CO-07 says so, more strictly."""
    issued, due = invoice.issue_date, invoice.due_date
    if issued is not None and due is not None and due < issued and not is_french(invoice.seller):
        yield said(
            f"Échéance {due} antérieure à l'émission {issued}.",
            f"Due date {due} is before the issue date {issued}.",
            "BT-9", "BT-2", declared=str(due), issued=str(issued),
        )


def line_outside_period(invoice: Invoice, _: date) -> Iterator[Said]:
    """The period of a line lies within the invoicing period. Their own order is BR-29 and BR-30 of the norm."""
    whole = invoice.invoicing_period
    if whole is None or whole.start is None or whole.end is None or whole.start > whole.end:
        return
    for position, line in enumerate(invoice.lines):
        period = line.period
        if period is None:
            continue
        early = period.start is not None and period.start < whole.start
        late = period.end is not None and period.end > whole.end
        if early or late:
            yield said(
                f"Ligne {line.id} : période {period.start} - {period.end} hors de la période de facturation "
                f"{whole.start} - {whole.end}.",
                f"Line {line.id}: period {period.start} to {period.end} is outside the invoicing period "
                f"{whole.start} to {whole.end}.",
                "BT-134" if early else "BT-135", "BG-14", line=position,
            )


def delivered_after_issue(invoice: Invoice, _: date) -> Iterator[Said]:
    """Goods are delivered before they are invoiced, unless it is a prepayment. Information only."""
    delivered = invoice.delivery.actual_date if invoice.delivery is not None else None
    issued = invoice.issue_date
    if delivered is None or issued is None or invoice.type_code in PREPAYMENT_TYPES | CREDIT_TYPES:
        return
    if delivered > issued:
        prepayment = PREPAID_AS.get(invoice.type_code or "", "386")
        yield said(
            f"Livraison {delivered} postérieure à l'émission {issued} : est-ce une facture d'acompte ({prepayment}) ?",
            f"Delivery {delivered} is after the issue date {issued}: is this a prepayment invoice ({prepayment})?",
            "BT-72", "BT-2", "BT-3", declared=str(delivered), issued=str(issued),
        )


def earlier_invoice_is_later(invoice: Invoice, _: date) -> Iterator[Said]:
    """An earlier invoice was not issued after this one."""
    issued = invoice.issue_date
    for earlier in invoice.preceding_invoices:
        if earlier.issue_date is not None and issued is not None and earlier.issue_date > issued:
            yield said(
                f"La facture antérieure {earlier.number} est datée du {earlier.issue_date}, après celle-ci.",
                f"Earlier invoice {earlier.number} is dated {earlier.issue_date}, after this one.",
                "BT-26", "BT-2", declared=str(earlier.issue_date), issued=str(issued),
            )


def number_for_the_portal(invoice: Invoice, as_of: date) -> Iterator[Said]:
    """Until the end of 2026 the public portal takes invoice numbers of at most 20 characters. Information."""
    number = invoice.number or ""
    if invoice.seller.siren is not None and len(number) > PORTAL_NUMBER_LENGTH and as_of < PORTAL_LIMIT_ENDS:
        yield said(
            f"Le numéro {number} a {len(number)} caractères ; le portail public en accepte 20 jusqu'à fin 2026.",
            f"Number {number} has {len(number)} characters; the public portal takes 20 until the end of 2026.",
            "BT-1", value=number, length=str(len(number)), limit=str(PORTAL_NUMBER_LENGTH),
        )


def refers_to_itself(invoice: Invoice, _: date) -> Iterator[Said]:
    """An invoice does not correct or credit itself."""
    for earlier in invoice.preceding_invoices:
        if earlier.number is not None and earlier.number == invoice.number:
            yield said(
                f"La facture antérieure {earlier.number} porte le numéro de celle-ci.",
                f"Earlier invoice {earlier.number} has the number of this one.",
                "BT-25", "BT-1", value=earlier.number,
            )


def provisional_number(invoice: Invoice, _: date) -> Iterator[Said]:
    """The number is one of a series, not the name of a draft."""
    if invoice.number is not None and (PROVISIONAL.fullmatch(invoice.number) or not invoice.number.strip("0")):
        yield said(
            f"« {invoice.number} » est le nom d'un brouillon, pas un numéro de série.",
            f"{invoice.number!r} is the name of a draft, not a number of a series.",
            "BT-1", value=invoice.number,
        )


def credit_note_is_negative(invoice: Invoice, _: date) -> Iterator[Said]:
    """The amounts of a credit note are positive: its type says that they are given back."""
    total = invoice.totals.with_vat
    if invoice.type_code in ANY_CREDIT_TYPES and total is not None and total < 0:
        yield said(
            f"Avoir (type {invoice.type_code}) d'un total négatif {total} : il ajouterait au lieu de retrancher.",
            f"Credit note (type {invoice.type_code}) of a negative total {total}: it would add to the debt.",
            "BT-112", "BT-3", value=str(total), declared=total, proposed=total.copy_negate(),
        )


def invoice_is_negative(invoice: Invoice, _: date) -> Iterator[Said]:
    """What gives money back is a credit note. A warning: the norm does not forbid a negative invoice."""
    total = invoice.totals.with_vat
    if invoice.type_code not in ANY_CREDIT_TYPES | CORRECTIVE_TYPES and total is not None and total < 0:
        credit = CREDITED_AS.get(invoice.type_code or "", "381")
        yield said(
            f"Facture (type {invoice.type_code}) d'un total négatif {total} : c'est un avoir (type {credit}).",
            f"Invoice (type {invoice.type_code}) with a negative total {total}: that is a credit note (type {credit}).",
            "BT-3", "BT-112", value=invoice.type_code, declared=total, expected=credit,
        )


RULES: Final = (
    OwnRule("PAS-DATE-02", Severity.WARNING, issued_in_the_future, "DGFiP, annexe 7, G1.07"),
    OwnRule("PAS-DATE-03", Severity.WARNING, due_before_issue, "EN 16931-1, BT-9"),
    OwnRule("PAS-DATE-04", Severity.WARNING, line_outside_period, "EN 16931-1, BG-26 et BG-14"),
    OwnRule("PAS-DATE-05", Severity.INFO, delivered_after_issue, "CGI art. 289, I-3 ; art. 269, 2-a"),
    OwnRule("PAS-DATE-06", Severity.WARNING, earlier_invoice_is_later, "EN 16931-1, BT-26 ; CGI art. 289, I-5"),
    OwnRule("PAS-NUM-01", Severity.INFO, number_for_the_portal, "DGFiP, limitations du portail public, 2026-07"),
    OwnRule("PAS-NUM-02", Severity.WARNING, refers_to_itself, "CGI art. 289, I-5"),
    OwnRule("PAS-NUM-03", Severity.WARNING, provisional_number, "CGI ann. II art. 242 nonies A, I-7°"),
    OwnRule("PAS-TYPE-01", Severity.WARNING, credit_note_is_negative, "EN 16931-1, BT-3"),
    OwnRule("PAS-TYPE-02", Severity.WARNING, invoice_is_negative, "EN 16931-1, BT-3 ; CGI art. 289, I-5"),
)
