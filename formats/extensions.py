"""Groups that EXTENDED-CTC-FR and Factur-X EXTENDED add to EN 16931, as dataclasses of the model (see invoice.py)."""

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
    """What may be deducted by who pays early."""

    percentage: Decimal
    """EXT-BT-20 percentage. 2 means two percent."""

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
class DeliveryNote:
    """The paper that came with the goods; the despatch advice (BT-16) came before them."""

    number: str
    """EXT-BG-13 number."""

    issue_date: date | None = None
    """EXT-BG-13 issue_date."""
