"""EN 16931 semantic model, with the terms of EXTENDED-CTC-FR.

One class per business group (BG), one field per business term (BT). The number at the start of each
field docstring is the term's name everywhere: table rows, findings, API errors. Where one class serves
several groups (`Party`, `Address`, `AllowanceCharge`) the docstring lists the terms in the order seller,
buyer, payee, tax representative, or document allowance, document charge, line allowance, line charge.

Amounts are Decimal in the invoice currency (BT-5) unless said otherwise, never rounded and never computed
here; see amounts.py. Every term is optional: a document that lacks one must still be readable, so that the
rules can say so. Groups that may repeat are tuples in document order.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from formats.extensions import DeliveryTerms, LinePrecedingInvoice
from formats.parties import Address, Contact, Identifier, Party

__all__ = [
    "Address", "AllowanceCharge", "Attachment", "Contact", "CreditTransfer", "Delivery", "DeliveryTerms",
    "DirectDebit", "Identifier", "Invoice", "Item", "ItemAttribute", "ItemIdentifier", "Line",
    "LinePrecedingInvoice", "Note", "Party", "PaymentCard", "PaymentInstructions", "Period", "PrecedingInvoice",
    "Price", "SupportingDocument", "Totals", "VatBreakdown",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """BG-1 Invoice note, and a note of a line."""

    subject_code: str | None = None
    """BT-21, EXT-FR-FE-183 on a line. UNTDID 4451, e.g. "PMT", "PMD", "AAB", "BAR"."""

    text: str | None = None
    """BT-22, BT-127 on a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecedingInvoice:
    """BG-3 Preceding invoice reference."""

    number: str | None = None
    """BT-25."""

    issue_date: date | None = None
    """BT-26."""

    type_code: str | None = None
    """EXT-FR-FE-02. UNTDID 1001, as BT-3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """BG-14 Invoicing period, BG-26 Invoice line period. Both ends belong to the period."""

    start: date | None = None
    """BT-73, BT-134."""

    end: date | None = None
    """BT-74, BT-135."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """BG-13 Delivery information with BG-15 Deliver to address; EXT-FR-FE-BG-10 the same for one line."""

    party_name: str | None = None
    """BT-70, of a line EXT-FR-FE-BG-10 party_name."""

    location: Identifier | None = None
    """BT-71, EXT-FR-FE-146."""

    actual_date: date | None = None
    """BT-72, EXT-FR-FE-158."""

    address: Address | None = None
    """BG-15, of a line EXT-FR-FE-BG-10 address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditTransfer:
    """BG-17 Credit transfer."""

    account: str | None = None
    """BT-84. IBAN or a national account number."""

    account_name: str | None = None
    """BT-85."""

    service_provider: str | None = None
    """BT-86. BIC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentCard:
    """BG-18 Payment card information."""

    account_number: str | None = None
    """BT-87. Truncated by the seller, as card rules demand."""

    holder_name: str | None = None
    """BT-88."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectDebit:
    """BG-19 Direct debit."""

    mandate: str | None = None
    """BT-89."""

    creditor: str | None = None
    """BT-90."""

    debited_account: str | None = None
    """BT-91."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentInstructions:
    """BG-16 Payment instructions."""

    means_code: str | None = None
    """BT-81. UNTDID 4461, e.g. "30" or "58" (SEPA credit transfer)."""

    means_text: str | None = None
    """BT-82."""

    remittance_information: str | None = None
    """BT-83."""

    credit_transfers: tuple[CreditTransfer, ...] = ()
    """BG-17."""

    card: PaymentCard | None = None
    """BG-18."""

    direct_debit: DirectDebit | None = None
    """BG-19."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowanceCharge:
    """BG-20 and BG-27 allowances, BG-21 and BG-28 charges. The amount is positive in both."""

    amount: Decimal | None = None
    """BT-92, BT-99, BT-136, BT-141. Without VAT."""

    base_amount: Decimal | None = None
    """BT-93, BT-100, BT-137, BT-142."""

    percentage: Decimal | None = None
    """BT-94, BT-101, BT-138, BT-143. 10 means ten percent."""

    vat_category: str | None = None
    """BT-95, BT-102. Document level only. UNTDID 5305."""

    vat_rate: Decimal | None = None
    """BT-96, BT-103. Document level only. 20 means twenty percent."""

    reason: str | None = None
    """BT-97, BT-104, BT-139, BT-144."""

    reason_code: str | None = None
    """BT-98, BT-105, BT-140, BT-145. UNTDID 5189 for allowances, 7161 for charges."""

    tax_code: str | None = None
    """EXT-BG-21 tax_code, EXT-BG-28 tax_code. Charges only, in place of the reason code: UNTDID 5153, a tax not VAT."""

    exemption_reason: str | None = None
    """EXT-BG-20 exemption_reason, EXT-BG-21 exemption_reason. Document level only: why no VAT, as BT-120."""

    exemption_reason_code: str | None = None
    """EXT-BG-20 exemption_reason_code, EXT-BG-21 exemption_reason_code. Document level only. VATEX, as BT-121."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """BG-22 Document totals, as the seller states them."""

    lines_net: Decimal | None = None
    """BT-106."""

    allowances: Decimal | None = None
    """BT-107."""

    charges: Decimal | None = None
    """BT-108."""

    without_vat: Decimal | None = None
    """BT-109."""

    vat: Decimal | None = None
    """BT-110."""

    vat_in_accounting_currency: Decimal | None = None
    """BT-111. In the VAT accounting currency (BT-6)."""

    with_vat: Decimal | None = None
    """BT-112."""

    paid: Decimal | None = None
    """BT-113."""

    rounding: Decimal | None = None
    """BT-114. Signed."""

    due: Decimal | None = None
    """BT-115."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VatBreakdown:
    """BG-23 VAT breakdown."""

    taxable_amount: Decimal | None = None
    """BT-116."""

    tax_amount: Decimal | None = None
    """BT-117."""

    category: str | None = None
    """BT-118. UNTDID 5305."""

    rate: Decimal | None = None
    """BT-119. 20 means twenty percent."""

    exemption_reason: str | None = None
    """BT-120."""

    exemption_reason_code: str | None = None
    """BT-121. VATEX code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """BT-125 Attached document, with its MIME code and file name."""

    content: bytes
    """BT-125. Decoded from base64."""

    mime_code: str | None = None
    """BT-125-1."""

    filename: str | None = None
    """BT-125-2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportingDocument:
    """BG-24 Additional supporting documents."""

    reference: str | None = None
    """BT-122."""

    description: str | None = None
    """BT-123. In France a code such as "LISIBLE" or "BON_LIVRAISON" (BR-FR-17)."""

    location: str | None = None
    """BT-124. A URL; never fetched."""

    attachment: Attachment | None = None
    """BT-125."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """BG-29 Price details. All without VAT, per `base_quantity` units, never negative (BR-27, BR-28)."""

    net: Decimal | None = None
    """BT-146. Discount BT-147 deducted."""

    discount: Decimal | None = None
    """BT-147."""

    discount_reason: str | None = None
    """EXT-FR-FE-195."""

    discount_reason_code: str | None = None
    """EXT-FR-FE-196. UNTDID 5189."""

    gross: Decimal | None = None
    """BT-148."""

    base_quantity: Decimal | None = None
    """BT-149. None means 1, as in the norm; no default is written."""

    base_quantity_unit: str | None = None
    """BT-150."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemIdentifier:
    """BT-158 Item classification identifier."""

    value: str
    """BT-158."""

    scheme: str | None = None
    """BT-158-1. UNTDID 7143."""

    scheme_version: str | None = None
    """BT-158-2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemAttribute:
    """BG-32 Item attributes."""

    name: str | None = None
    """BT-160."""

    code: str | None = None
    """EXT-FR-FE-159. UNTDID 6313, beside the name or in its place."""

    value: str | None = None
    """BT-161."""

    measure: Decimal | None = None
    """EXT-FR-FE-160, in `measure_unit`. In place of the value."""

    measure_unit: str | None = None
    """EXT-FR-FE-161. UN/ECE Recommendation 20 code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """BG-31 Item information."""

    name: str | None = None
    """BT-153."""

    description: str | None = None
    """BT-154."""

    seller_identifier: str | None = None
    """BT-155."""

    buyer_identifier: str | None = None
    """BT-156."""

    standard_identifier: Identifier | None = None
    """BT-157. GTIN has scheme 0160."""

    classifications: tuple[ItemIdentifier, ...] = ()
    """BT-158."""

    origin_country: str | None = None
    """BT-159. ISO 3166-1 alpha-2."""

    attributes: tuple[ItemAttribute, ...] = ()
    """BG-32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """BG-25 Invoice line."""

    id: str | None = None
    """BT-126. Unique in the invoice, not always a number."""

    parent: str | None = None
    """EXT-FR-FE-162. The line (BT-126) of which this one is a sub-line."""

    subtype: str | None = None
    """EXT-FR-FE-163. "DETAIL", "GROUP" or "INFORMATION"; absent is DETAIL. Only DETAIL counts in the totals."""

    notes: tuple[Note, ...] = ()
    """BT-127. EN 16931 has one without a subject; the French extension more, with subjects."""

    object_identifiers: tuple[Identifier, ...] = ()
    """BT-128. EN 16931 has one, the French extension more. Scheme: UNTDID 1153."""

    quantity: Decimal | None = None
    """BT-129, in `unit`. Negative on a returned item; the price never is (BR-27)."""

    unit: str | None = None
    """BT-130. UN/ECE Recommendation 20 or 21 code, e.g. "C62" (one), "HUR" (hour)."""

    net_amount: Decimal | None = None
    """BT-131. As stated by the seller. BR-CO-10 sums it; we check it and never recompute it."""

    vat_amount: Decimal | None = None
    """EXT-FR-FE-181."""

    vat_in_accounting_currency: Decimal | None = None
    """EXT-FR-FE-182. In the VAT accounting currency (BT-6)."""

    amount_with_vat: Decimal | None = None
    """EXT-FR-FE-184."""

    purchase_order_line: str | None = None
    """BT-132."""

    purchase_order_reference: str | None = None
    """EXT-FR-FE-135."""

    purchase_order_date: date | None = None
    """EXT-FR-FE-200."""

    sales_order_line: str | None = None
    """EXT-FR-FE-145."""

    sales_order_reference: str | None = None
    """EXT-FR-FE-144."""

    despatch_advice_line: str | None = None
    """EXT-FR-FE-141."""

    despatch_advice_reference: str | None = None
    """EXT-FR-FE-140."""

    preceding_invoices: tuple[LinePrecedingInvoice, ...] = ()
    """EXT-FR-FE-136 preceding_invoices."""

    buyer_accounting_reference: str | None = None
    """BT-133."""

    delivery: Delivery | None = None
    """EXT-FR-FE-BG-10."""

    delivery_terms: DeliveryTerms | None = None
    """EXT-FR-FE-193 delivery_terms."""

    seller: Party | None = None
    """EXT-FR-FE-BG-12. Whose sale the line is, on an invoice for several sellers."""

    period: Period | None = None
    """BG-26."""

    allowances: tuple[AllowanceCharge, ...] = ()
    """BG-27."""

    charges: tuple[AllowanceCharge, ...] = ()
    """BG-28."""

    price: Price | None = None
    """BG-29."""

    vat_category: str | None = None
    """BT-151. UNTDID 5305."""

    vat_rate: Decimal | None = None
    """BT-152. 20 means twenty percent."""

    exemption_reason: str | None = None
    """EXT-FR-FE-178."""

    exemption_reason_code: str | None = None
    """EXT-FR-FE-179. VATEX code."""

    item: Item | None = None
    """BG-31."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """The root of EN 16931: an invoice or a credit note."""

    number: str | None = None
    """BT-1."""

    issue_date: date | None = None
    """BT-2. A local date without time zone, as in both syntaxes."""

    type_code: str | None = None
    """BT-3. UNTDID 1001: 380 invoice, 381 credit note, 384 corrected invoice, 386 prepayment ..."""

    currency: str | None = None
    """BT-5. ISO 4217."""

    vat_currency: str | None = None
    """BT-6. ISO 4217. Present only where VAT is accounted in another currency."""

    tax_point_date: date | None = None
    """BT-7."""

    tax_point_date_code: str | None = None
    """BT-8. In UNTDID 2005 words, as UBL writes it: 3 (issue), 35 (delivery), 432 (payment)."""

    due_date: date | None = None
    """BT-9."""

    buyer_reference: str | None = None
    """BT-10."""

    project_reference: str | None = None
    """BT-11."""

    contract_reference: str | None = None
    """BT-12."""

    contract_type: str | None = None
    """EXT-FR-FE-01. UNTDID 1153."""

    contract_date: date | None = None
    """EXT-FR-FE-199."""

    purchase_order_reference: str | None = None
    """BT-13."""

    purchase_order_date: date | None = None
    """EXT-FR-FE-197."""

    sales_order_reference: str | None = None
    """BT-14."""

    receiving_advice_reference: str | None = None
    """BT-15."""

    despatch_advice_reference: str | None = None
    """BT-16."""

    despatch_advice_date: date | None = None
    """EXT-FR-FE-198."""

    tender_or_lot_reference: str | None = None
    """BT-17."""

    invoiced_objects: tuple[Identifier, ...] = ()
    """BT-18. EN 16931 has one, the French extension more. Scheme: UNTDID 1153."""

    buyer_accounting_reference: str | None = None
    """BT-19."""

    payment_terms: str | None = None
    """BT-20."""

    notes: tuple[Note, ...] = ()
    """BG-1."""

    business_process: str | None = None
    """BT-23. In France the billing frame: B1, S1, M1 ..."""

    specification_identifier: str | None = None
    """BT-24."""

    preceding_invoices: tuple[PrecedingInvoice, ...] = ()
    """BG-3."""

    seller: Party = field(default_factory=Party)
    """BG-4."""

    buyer: Party = field(default_factory=Party)
    """BG-7."""

    payee: Party | None = None
    """BG-10."""

    tax_representative: Party | None = None
    """BG-11."""

    sales_agent: Party | None = None
    """EXT-FR-FE-BG-03."""

    buyer_agent: Party | None = None
    """EXT-FR-FE-BG-01."""

    payer: Party | None = None
    """EXT-FR-FE-BG-02. Who pays, where it is not the buyer."""

    invoicer: Party | None = None
    """EXT-FR-FE-BG-05. Who made the invoice ("facturant"), where it is not the seller."""

    invoicee: Party | None = None
    """EXT-FR-FE-BG-04. To whom the invoice is addressed ("adressé à"), where it is not the buyer."""

    delivery: Delivery | None = None
    """BG-13."""

    delivery_terms: DeliveryTerms | None = None
    """EXT-FR-FE-BG-14."""

    invoicing_period: Period | None = None
    """BG-14."""

    payment: PaymentInstructions | None = None
    """BG-16."""

    allowances: tuple[AllowanceCharge, ...] = ()
    """BG-20."""

    charges: tuple[AllowanceCharge, ...] = ()
    """BG-21."""

    totals: Totals = field(default_factory=Totals)
    """BG-22."""

    vat_breakdown: tuple[VatBreakdown, ...] = ()
    """BG-23."""

    supporting_documents: tuple[SupportingDocument, ...] = ()
    """BG-24."""

    lines: tuple[Line, ...] = ()
    """BG-25."""
