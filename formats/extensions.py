"""Groups that EXTENDED-CTC-FR adds to EN 16931 and that need nothing of it, as dataclasses (see invoice.py)."""

from dataclasses import dataclass
from datetime import date


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
