"""Status messages as platforms and buyers write them about our invoices."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from formats.invoice import Identifier
from formats.lifecycle import write_status
from formats.status import (
    REFERENCE_STATUS,
    StatusDetail,
    StatusMessage,
    StatusParty,
    message_id,
    phase_of,
)
from gateway.lifecycle.guard import FIRST_PHASE
from gateway.lifecycle.wording import label_of
from gateway.tables import Submission

SELLER_SIREN = "000002006"
"""Its check digit is right; so low that the register never gave it."""

SETS = dict.fromkeys(FIRST_PHASE, "WK") | dict.fromkeys(("209", "212", "220"), "SE")
"""Who sets a status, by role; the buyer sets the others."""

REASONS = {"206": "QTE_ERR", "207": "QTE_ERR", "208": "JUSTIF_ABS", "210": "TRANSAC_INC", "213": "REJ_SEMAN",
           "221": "ROUTAGE_ERR"}


def status_about(invoice: Submission, code: str, set_at: datetime, **changes: Any) -> bytes:
    """CDAR bytes about an invoice, by whoever sets such a status; keywords change the message."""
    role = SETS.get(code, "BY")
    siren = {"SE": invoice.seller_siren, "BY": invoice.buyer_siren}.get(role)
    detail = StatusDetail(reason_code=REASONS.get(code), comment="Le bon de livraison manque.")
    message = StatusMessage(
        id=message_id(invoice_number=str(invoice.number), code=code, set_at=set_at, invoice_type="380",
                      invoice_date=invoice.issue_date or date.min),
        issued_at=set_at, set_at=set_at, code=code, label=label_of(code), type_code=phase_of(code),
        business_process="REGULATED", sender=StatusParty(role="WK"),
        issuer=StatusParty(role=role, identifier=Identifier(value=siren, scheme="0002") if siren else None),
        recipients=(StatusParty(role="SE", identifier=Identifier(value=SELLER_SIREN, scheme="0002"),
                                electronic_address=Identifier(value=SELLER_SIREN, scheme="0225")),),
        invoice_number=invoice.number, invoice_date=invoice.issue_date, invoice_type="380",
        reference_status=REFERENCE_STATUS.get(code), seller=Identifier(value=SELLER_SIREN, scheme="0002"),
        details=(detail,) if code in REASONS else (),
    )
    return write_status(replace(message, **changes))
