"""What the sandbox keeps of an invoice, and the lifecycle messages (CDAR) it writes about it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from formats.codes import ACTIONS, REASON_LABELS, STATUSES, Label
from formats.invoice import Identifier, Invoice, Party
from formats.status import (
    REFERENCE_STATUS,
    StatusAmount,
    StatusDetail,
    StatusMessage,
    StatusParty,
    message_id,
    phase_of,
)
from gateway.sandbox.script import Step

SIREN = "0002"
ADDRESS = "0225"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFacts:
    """The part of an invoice that a platform needs to route it and to speak about it."""

    number: str
    issue_date: date
    type_code: str
    seller_siren: str
    seller_name: str
    seller_address: str
    """BT-34; the SIREN where the invoice has none."""

    buyer_siren: str
    buyer_name: str
    buyer_address: str
    """BT-49; the SIREN where the invoice has none."""

    currency: str
    due: Decimal
    """BT-115, else BT-112."""

    @property
    def key(self) -> tuple[str, str, int]:
        """What makes an invoice unique: seller, number, year."""
        return self.seller_siren, self.number, self.issue_date.year


def facts_of(invoice: Invoice) -> InvoiceFacts | None:
    """The facts, or None where the invoice has no number or no date: nothing can be said about it then."""
    if not invoice.number or invoice.issue_date is None:
        return None
    totals = invoice.totals
    return InvoiceFacts(
        number=invoice.number,
        issue_date=invoice.issue_date,
        type_code=invoice.type_code or "380",
        seller_siren=_siren(invoice.seller),
        seller_name=invoice.seller.name or "",
        seller_address=_address(invoice.seller),
        buyer_siren=_siren(invoice.buyer),
        buyer_name=invoice.buyer.name or "",
        buyer_address=_address(invoice.buyer),
        currency=invoice.currency or "EUR",
        due=next((amount for amount in (totals.due, totals.with_vat) if amount is not None), Decimal(0)),
    )


def facts_to_json(facts: InvoiceFacts) -> str:
    """The facts as text for the ledger."""
    return json.dumps(asdict(facts), default=str, ensure_ascii=False)


def facts_from_json(text: str) -> InvoiceFacts:
    """The facts back from the ledger."""
    fields = json.loads(text)
    return InvoiceFacts(**{**fields, "issue_date": date.fromisoformat(fields["issue_date"]),
                           "due": Decimal(fields["due"])})


def status_message(facts: InvoiceFacts, step: Step, at: datetime, received_at: datetime) -> StatusMessage:
    """The message that sets `step.code` at `at`: by a platform (MDT-77 = 305) or by the buyer (23).

    Between platforms the sender is anonymous; a platform as issuer has no identifier either (BR-FR-CDV-07).
    """
    phase = phase_of(step.code)
    platform = StatusParty(role="WK")
    buyer = StatusParty(role="BY", identifier=Identifier(value=facts.buyer_siren, scheme=SIREN),
                        name=facts.buyer_name or None)
    seller = StatusParty(role="SE", identifier=Identifier(value=facts.seller_siren, scheme=SIREN),
                         name=facts.seller_name or None,
                         electronic_address=Identifier(value=facts.seller_address, scheme=ADDRESS))
    return StatusMessage(
        id=message_id(invoice_number=facts.number, code=step.code, set_at=at, invoice_type=facts.type_code,
                      invoice_date=facts.issue_date),
        issued_at=at,
        set_at=at,
        code=step.code,
        label=STATUSES[step.code].label.fr if step.code in STATUSES else None,
        type_code=phase,
        business_process="REGULATED",
        sender=platform,
        issuer=platform if phase == "305" else buyer,
        recipients=(seller,),
        invoice_number=facts.number,
        invoice_date=facts.issue_date,
        invoice_type=facts.type_code,
        received_at=received_at,
        reference_status=REFERENCE_STATUS.get(step.code),
        seller=Identifier(value=facts.seller_siren, scheme=SIREN),
        details=_details(facts, step),
    )


def _details(facts: InvoiceFacts, step: Step) -> tuple[StatusDetail, ...]:
    if step.reason_code is None and step.pays is None and step.comment is None:
        return ()
    detail = StatusDetail(reason_code=step.reason_code, reason=_french(REASON_LABELS, step.reason_code),
                          action_code=step.action_code, action=_french(ACTIONS, step.action_code),
                          comment=step.comment)
    if step.pays is None:
        return (detail,)
    return (replace(detail, amounts=(StatusAmount(type_code="MPA", amount=_paid(facts.due, step.pays),
                                                  currency=facts.currency),)),)


def _french(labels: Mapping[str, Label], code: str | None) -> str | None:
    return labels[code].fr if code is not None and code in labels else None


def _paid(due: Decimal, share: str) -> Decimal:
    """The announced part of the amount due; `half` and `rest` add up to all of it."""
    half = (due / 2).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return {"all": due, "half": half, "rest": due - half}[share]


def _siren(party: Party) -> str:
    """BT-30 or BT-47 with scheme 0002, else the SIREN inside the electronic address, else nothing."""
    address = party.electronic_address
    if party.siren is None and address is not None and address.scheme == ADDRESS:
        return address.value.partition("_")[0]
    return party.siren or ""


def _address(party: Party) -> str:
    address = party.electronic_address
    return address.value if address is not None and address.scheme == ADDRESS else _siren(party)
