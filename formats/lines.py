"""BG-25 Invoice line and the groups in it, as dataclasses of the model (see invoice.py)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from formats.extensions import DeliveryTerms, LinePrecedingInvoice, PriceDiscount
from formats.groups import AllowanceCharge, Delivery, Note, Period
from formats.parties import Identifier, Party


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

    further_discounts: tuple[PriceDiscount, ...] = ()
    """EXT-BG-29 further_discounts. Each is deducted too."""

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

    name: str | None = None
    """EXT-BT-158 name. What the code means."""


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
