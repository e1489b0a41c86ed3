"""Groups that extensions add to EN 16931, as dataclasses of the model (see invoice.py).

Of EXTENDED-CTC-FR, Factur-X EXTENDED, and the XRechnung extension.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryTerms:
    """EXT-FR-FE-BG-14, and the same for one line: who bears cost and risk of the transport, and up to where."""

    code: str | None = None
    """EXT-FR-FE-185, EXT-FR-FE-193. Incoterms, e.g. "DAP"."""

    location: str | None = None
    """EXT-FR-FE-186, EXT-FR-FE-194. The place that belongs to the code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePrecedingInvoice:
    """An earlier invoice to which one line refers."""

    number: str | None = None
    """EXT-FR-FE-136."""

    type_code: str | None = None
    """EXT-FR-FE-137. UNTDID 1001."""

    issue_date: date | None = None
    """EXT-FR-FE-138."""

    line: str | None = None
    """EXT-FR-FE-139. The line of that invoice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyExchange:
    """How VAT was brought into the accounting currency."""

    source: str
    """EXT-BT-111 source. ISO 4217."""

    target: str
    """EXT-BT-111 target. ISO 4217."""

    rate: Decimal
    """EXT-BT-111 rate. One unit of the source is so many of the target."""

    day: date | None = None
    """EXT-BT-111 day. Of the rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CashDiscount:
    """What may be deducted by who pays early; without a percentage, another day of payment than BT-9."""

    percentage: Decimal | None = None
    """EXT-BT-20 percentage. 2 means two percent."""

    due_date: date | None = None
    """EXT-BT-20 due_date. Where it is not BT-9."""

    basis_amount: Decimal | None = None
    """EXT-BT-20 basis_amount. Of what; absent means of all that is due."""

    amount: Decimal | None = None
    """EXT-BT-20 amount."""

    start: date | None = None
    """EXT-BT-20 start. The day from which the period counts."""

    period: Decimal | None = None
    """EXT-BT-20 period, in `period_unit`."""

    period_unit: str | None = None
    """EXT-BT-20 period_unit. UN/ECE Recommendation 20 code, e.g. "DAY"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThirdPartyPayment:
    """BG-DEX-09 of the XRechnung extension: what is paid for somebody else; it is added to what is due (BR-DEX-09)."""

    type: str | None = None
    """EXT-BG-DEX-09 type. BT-DEX-001."""

    amount: Decimal | None = None
    """EXT-BG-DEX-09 amount. BT-DEX-002, with VAT."""

    description: str | None = None
    """EXT-BG-DEX-09 description. BT-DEX-003."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceDiscount:
    """A discount on the price after the first (BT-147)."""

    amount: Decimal
    """EXT-BG-29 amount. Per `base_quantity` units, as BT-147."""

    reason: str | None = None
    """EXT-BG-29 reason."""

    reason_code: str | None = None
    """EXT-BG-29 reason_code. UNTDID 5189."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryNote:
    """The paper that came with the goods; the despatch advice (BT-16) came before them."""

    number: str
    """EXT-BG-13 number."""

    issue_date: date | None = None
    """EXT-BG-13 issue_date."""
