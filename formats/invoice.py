"""EN 16931 semantic model.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """A value with the scheme that issued it."""

    value: str
    """The identifier itself, as written."""

    scheme: str | None = None
    """ISO 6523 ICD or EAS code ("0002" SIREN, "0009" SIRET, "0225" French electronic address), or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """BG-5, BG-8, BG-12, BG-15: a postal address."""

    line_1: str | None = None
    """BT-35, BT-50, BT-64, BT-75."""

    line_2: str | None = None
    """BT-36, BT-51, BT-65, BT-76."""

    line_3: str | None = None
    """BT-162, BT-163, BT-164, BT-165."""

    city: str | None = None
    """BT-37, BT-52, BT-66, BT-77."""

    post_code: str | None = None
    """BT-38, BT-53, BT-67, BT-78."""

    country_subdivision: str | None = None
    """BT-39, BT-54, BT-68, BT-79."""

    country: str | None = None
    """BT-40, BT-55, BT-69, BT-80. ISO 3166-1 alpha-2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """BG-6, BG-9: who to ask."""

    name: str | None = None
    """BT-41, BT-56. Person or department."""

    telephone: str | None = None
    """BT-42, BT-57."""

    email: str | None = None
    """BT-43, BT-58."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """BG-4 Seller, BG-7 Buyer, BG-10 Payee, BG-11 Seller tax representative."""

    name: str | None = None
    """BT-27, BT-44, BT-59, BT-62."""

    trading_name: str | None = None
    """BT-28, BT-45."""

    identifiers: tuple[Identifier, ...] = ()
    """BT-29, BT-46, BT-60. SIRET has scheme 0009. The SEPA creditor identifier is BT-90, not here."""

    legal_registration: Identifier | None = None
    """BT-30, BT-47, BT-61. SIREN has scheme 0002."""

    vat_identifier: str | None = None
    """BT-31, BT-48, BT-63. With the country prefix."""

    tax_registration: str | None = None
    """BT-32. Seller only: a local tax number that is not a VAT identifier."""

    additional_legal_information: str | None = None
    """BT-33. Seller only: legal form, share capital, trade register."""

    electronic_address: Identifier | None = None
    """BT-34, BT-49. Scheme 0225 for a French addressing line."""

    address: Address | None = None
    """BG-5, BG-8, BG-12."""

    contact: Contact | None = None
    """BG-6, BG-9."""

    @property
    def siren(self) -> str | None:
        """The nine digits of the legal registration identifier, if its scheme is 0002."""
        registration = self.legal_registration
        return registration.value if registration is not None and registration.scheme == "0002" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """BG-1 Invoice note."""

    subject_code: str | None = None
    """BT-21. UNTDID 4451, e.g. "PMT", "PMD", "AAB", "BAR"."""

    text: str | None = None
    """BT-22."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecedingInvoice:
    """BG-3 Preceding invoice reference."""

    number: str | None = None
    """BT-25."""

    issue_date: date | None = None
    """BT-26."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """BG-14 Invoicing period, BG-26 Invoice line period. Both ends belong to the period."""

    start: date | None = None
    """BT-73, BT-134."""

    end: date | None = None
    """BT-74, BT-135."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """BG-13 Delivery information, with BG-15 Deliver to address."""

    party_name: str | None = None
    """BT-70."""

    location: Identifier | None = None
    """BT-71."""

    actual_date: date | None = None
    """BT-72."""

    address: Address | None = None
    """BG-15."""


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

    value: str | None = None
    """BT-161."""


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

    note: str | None = None
    """BT-127."""

    object_identifier: Identifier | None = None
    """BT-128."""

    quantity: Decimal | None = None
    """BT-129, in `unit`. Negative on a returned item; the price never is (BR-27)."""

    unit: str | None = None
    """BT-130. UN/ECE Recommendation 20 or 21 code, e.g. "C62" (one), "HUR" (hour)."""

    net_amount: Decimal | None = None
    """BT-131. As stated by the seller. BR-CO-10 sums it; we check it and never recompute it."""

    purchase_order_line: str | None = None
    """BT-132."""

    buyer_accounting_reference: str | None = None
    """BT-133."""

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

    purchase_order_reference: str | None = None
    """BT-13."""

    sales_order_reference: str | None = None
    """BT-14."""

    receiving_advice_reference: str | None = None
    """BT-15."""

    despatch_advice_reference: str | None = None
    """BT-16."""

    tender_or_lot_reference: str | None = None
    """BT-17."""

    invoiced_object: Identifier | None = None
    """BT-18."""

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

    delivery: Delivery | None = None
    """BG-13."""

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
