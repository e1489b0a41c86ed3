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

from formats.extensions import (
    CashDiscount,
    CurrencyExchange,
    DeliveryNote,
    DeliveryTerms,
    LinePrecedingInvoice,
    PriceDiscount,
    ThirdPartyPayment,
)
from formats.groups import AllowanceCharge, Delivery, Note, Period
from formats.lines import Item, ItemAttribute, ItemIdentifier, Line, Price
from formats.parties import Address, Contact, Identifier, Party

__all__ = [
    "Address", "AllowanceCharge", "Attachment", "CashDiscount", "Contact", "CreditTransfer",
    "CurrencyExchange", "Delivery", "DeliveryNote", "DeliveryTerms", "DirectDebit", "Identifier", "Invoice", "Item",
    "ItemAttribute", "ItemIdentifier", "Line", "LinePrecedingInvoice", "Note", "Party", "PaymentCard",
    "PaymentInstructions", "Period", "PrecedingInvoice", "Price", "PriceDiscount", "SupportingDocument",
    "ThirdPartyPayment", "Totals", "VatBreakdown",
]


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
class Invoice:
    """The root of EN 16931: an invoice or a credit note."""

    number: str | None = None
    """BT-1."""

    issue_date: date | None = None
    """BT-2. A local date without time zone, as in both syntaxes."""

    type_code: str | None = None
    """BT-3. UNTDID 1001: 380 invoice, 381 credit note, 384 corrected invoice, 386 prepayment ..."""

    document_name: str | None = None
    """EXT-BT-3 document_name. What the seller calls it."""

    currency: str | None = None
    """BT-5. ISO 4217."""

    vat_currency: str | None = None
    """BT-6. ISO 4217. Present only where VAT is accounted in another currency."""

    currency_exchange: CurrencyExchange | None = None
    """EXT-BT-111 currency_exchange. The rate of BT-111."""

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

    cash_discounts: tuple[CashDiscount, ...] = ()
    """EXT-BT-20 cash_discounts. What BT-20 says in words, as figures; and further days of payment."""

    third_party_payments: tuple[ThirdPartyPayment, ...] = ()
    """EXT-BG-DEX-09 third_party_payments."""

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

    delivery_note: DeliveryNote | None = None
    """EXT-BG-13 delivery_note."""

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
