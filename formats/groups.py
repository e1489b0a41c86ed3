"""Groups that the header of an invoice and its lines have alike, as dataclasses of the model (see invoice.py)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from formats.parties import Address, Contact, Identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """BG-1 Invoice note, and a note of a line."""

    subject_code: str | None = None
    """BT-21, EXT-FR-FE-183 on a line. UNTDID 4451, e.g. "PMT", "PMD", "AAB", "BAR"."""

    text: str | None = None
    """BT-22, BT-127 on a line."""


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

    electronic_address: Identifier | None = None
    """EXT-BG-13 electronic_address, of a line EXT-FR-FE-BG-10 electronic_address."""

    address: Address | None = None
    """BG-15, of a line EXT-FR-FE-BG-10 address."""

    contact: Contact | None = None
    """EXT-BG-13 contact, of a line EXT-FR-FE-BG-10 contact."""


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
