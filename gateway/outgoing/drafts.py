"""From an inspected document to the row that remembers it. Pure: nothing is read, nothing is stored."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from formats.invoice import Invoice
from gateway.tables import LegalEntity, Submission
from validation.findings import Report

MEDIA_TYPES = {"factur-x": "application/pdf", "pdf": "application/pdf", "json": "application/json"}
PROCESSING_RULES = {"B2B": "B2B", "B2BINT": "B2BInt", "B2C": "B2C", "B2CINT": "B2C", "OUTOFSCOPE": "OutOfScope",
                    "ARCHIVEONLY": "ArchiveOnly"}
"""BAR note (BR-FR-20) to processingRule (XP Z12-013)."""

NOT_TRANSMITTED = "NON_TRANSMISE"
"""Reason of a 200, or of an acknowledgement: deposited, but the recipient has no platform that can be reached."""

ROUTING_FAILED = "221"
"""The platforms found no way to the recipient."""

EXTENSIONS = {"application/pdf": "pdf", "application/json": "json", "application/xml": "xml", "message/rfc822": "eml",
              "application/zip": "zip", "text/plain": "txt"}


def draft(
    *,
    submission_id: str,
    tenant_id: str,
    actor: str,
    sha256: str,
    report: Report,
    invoice: Invoice | None,
    entity: LegalEntity | None,
    now: datetime,
) -> Submission:
    """A submission with everything the lists and rules of the service need, not yet accepted or refused."""
    seen = invoice or Invoice()
    return Submission(
        tenant_id=tenant_id, id=submission_id, received_at=now, actor=actor, sha256=sha256, sent_sha256=None,
        legal_entity_id=entity.id if entity else None, connection_id=entity.connection_id if entity else None,
        number=(seen.number or "")[:255] or None,  # a longer one is refused, and the column has no place for it
        issue_date=seen.issue_date, issue_year=seen.issue_date.year if seen.issue_date else None,
        type_code=seen.type_code, business_process=seen.business_process, processing_rule=processing_rule_of(seen),
        seller_siren=(seen.seller.siren or "")[:9] or None, seller_name=seen.seller.name,
        seller_address=seen.seller.electronic_address.value if seen.seller.electronic_address else None,
        buyer_siren=seen.buyer.siren, buyer_name=seen.buyer.name,
        buyer_address=seen.buyer.electronic_address.value if seen.buyer.electronic_address else None,
        buyer_email=seen.buyer.contact.email if seen.buyer.contact else None,
        currency=seen.currency, total=seen.totals.with_vat, due=seen.totals.due, due_date=seen.due_date,
        vat=vat_rows(seen), vat_due_code=seen.tax_point_date_code,
        preceding=[earlier.number for earlier in seen.preceding_invoices if earlier.number],
        linked=links_of(seen), syntax=report.syntax, profile=report.profile, verdict=report.verdict.value,
        active=None, replaces=None, transmission="refused", transmission_reason=None, flow_id=None, lifecycle=None,
    )


def links_of(invoice: Invoice) -> dict[str, str]:
    """What the invoice says it follows from, by business term: contract, order, receipt, despatch, delivery."""
    delivery, period = invoice.delivery, invoice.invoicing_period
    found = {
        "BT-12": invoice.contract_reference, "BT-13": invoice.purchase_order_reference,
        "BT-15": invoice.receiving_advice_reference, "BT-16": invoice.despatch_advice_reference,
        "BT-72": delivery.actual_date if delivery else None,
        "BT-73": period.start if period else None, "BT-74": period.end if period else None,
    }
    return {term: str(value)[:200] for term, value in found.items() if value}


def processing_rule_of(invoice: Invoice) -> str:
    """What the invoice says of its treatment; B2B when it says nothing."""
    treatments = [(note.text or "").strip() for note in invoice.notes if note.subject_code == "BAR"]
    return next((PROCESSING_RULES[text] for text in treatments if text in PROCESSING_RULES), "B2B")


def vat_rows(invoice: Invoice) -> list[dict[str, str]]:
    """BG-23 as plain text, the form in which a 212 is split by it."""
    return [
        {
            "category": row.category or "",
            "rate": format(row.rate, "f") if row.rate is not None else "0",
            "taxable": format(row.taxable_amount, "f") if row.taxable_amount is not None else "0",
            "tax": format(row.tax_amount, "f") if row.tax_amount is not None else "0",
        }
        for row in invoice.vat_breakdown
    ]


def is_not_transmitted(code: str, reasons: Iterable[str | None]) -> bool:
    """Whether a status or an acknowledgement says that the buyer did not get the invoice from any platform."""
    return code == ROUTING_FAILED or NOT_TRANSMITTED in reasons


def media_type_of(syntax: str) -> str:
    """The media type of a document in this syntax."""
    return MEDIA_TYPES.get(syntax, "application/xml")


def file_name(number: str | None, role: str, media_type: str) -> str:
    """A harmless file name for a document of an invoice: ASCII letters, digits, dash and underscore."""
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in number or "document")[:60]
    return f"{safe}-{role}.{EXTENSIONS.get(media_type, 'bin')}"


def rule_sets_of(report: Report) -> tuple[str, ...]:
    """`id=hash` of the rule sets that decided, short enough for the journal."""
    return tuple(f"{layer.rule_set}={layer.sha256[:12]}" for layer in report.layers
                 if layer.rule_set and layer.sha256 and layer.outcome in {"passed", "failed"})


def summary(submission: Submission) -> dict[str, Any]:
    """The public facts of a submission, for events."""
    return {"number": submission.number, "sha256": submission.sha256, "verdict": submission.verdict}
