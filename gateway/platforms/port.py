"""What the gateway asks of an approved platform (PA), whatever its dialect.

Shapes follow XP Z12-013 1.3.0 in its words; enumerations stay open text, because platforms in the field
answer with values of other versions. Times are aware UTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class PlatformError(Exception):
    """Anything a platform call may raise. `code` is the platform's own word, or ours."""

    def __init__(self, code: str, message: str, *, evidence: str | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.evidence = evidence
        """What came back, shortened, for the person who must decide. Never a secret."""


class Rejected(PlatformError):
    """The platform refused the document (4xx about its content). Sending it again changes nothing."""


class Precondition(PlatformError):
    """Something outside the document is missing: credentials, rights, configuration. Mend, then retry."""


class Unavailable(PlatformError):
    """Transport or server trouble *before* the request can have had an effect. Retry later."""

    def __init__(self, code: str, message: str, *, evidence: str | None = None,
                 retry_after_s: float | None = None) -> None:
        super().__init__(code, message, evidence=evidence)
        self.retry_after_s = retry_after_s


class Unknown(PlatformError):
    """The answer was lost: the platform may or may not have the document. Look it up before anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A document to deposit (the `flowInfo` of XP Z12-013)."""

    name: str
    """File name, at most 255 characters."""

    syntax: str
    """CII, UBL, Factur-X, CDAR or FRR."""

    profile: str | None
    """Basic, CIUS, Extended-CTC-FR; None for a status."""

    processing_rule: str
    """B2B, B2BInt, B2C ... or NotApplicable for a status."""

    media_type: str
    """application/xml or application/pdf."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the platform answered to a deposit."""

    flow_id: str
    submitted_at: datetime
    """The platform's clock."""

    raw: bytes
    """The answer as it came, for the archive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AckDetail:
    """Why an acknowledgement is not Ok."""

    level: str
    item: str
    reason_code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowState:
    """A flow as the platform lists it: transmission only, never a lifecycle status."""

    flow_id: str
    tracking_id: str | None
    submitted_at: datetime
    updated_at: datetime
    name: str
    syntax: str
    flow_type: str
    """CustomerInvoice, CustomerInvoiceLC, SupplierInvoice, SupplierInvoiceLC, StateCustomerInvoiceLC ..."""

    direction: str
    """In (platform to us) or Out (us to platform)."""

    processing_rule: str
    ack_status: str
    """Pending, Ok, Error; anything else is not Ok."""

    ack_details: tuple[AckDetail, ...]
    raw: bytes
    """The JSON of this flow, for the archive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableFlow:
    """A flow of a page that lacks what nothing works without."""

    flow_id: str | None
    problem: str
    gap_at: datetime | None = None
    """A time at which flows are missing that the platform does not show; nobody's mark may pass it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPage:
    """One page of a search."""

    flows: tuple[FlowState, ...]
    next_cursor: str | None
    """None at the end, or where the platform only walks by date."""

    unreadable: tuple[UnreadableFlow, ...] = ()
    """They keep no other flow of the page from being read."""

    in_order: bool = True
    """Whether the platform's own order was by time; `flows` is sorted in any case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryLine:
    """An addressing line of the directory."""

    addressing_identifier: str
    """The value of BT-49 with scheme 0225."""

    siren: str
    status: str | None
    """Enabled, Disabled, Upcoming, or None when the platform does not say."""

    platform_type: str | None
    """WK, DFH, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryReply:
    """What the directory says about one legal unit."""

    lines: tuple[DirectoryLine, ...]
    """Every line as it came; the same identifier may come twice, and lines of others may come too."""

    unit_known: bool | None
    """Whether the legal unit itself is listed; None when nobody asked because there are lines."""

    raw: bytes
    """Questions and answers, word for word (JSON), for the archive."""


class Platform(Protocol):
    """An approved platform (PA). Every method may raise a PlatformError."""

    def send(self, document: bytes, tracking_id: str, flow: Flow) -> Receipt:
        """Deposit once. Raises Unknown when the answer was lost: the caller looks up before it repeats."""

    def find_flow(self, tracking_id: str) -> FlowState | None:
        """The outgoing flow with this tracking id, or None if the platform certainly has none."""

    def flows_since(self, updated_after: datetime, cursor: str | None = None,
                    *, flow_types: Sequence[str] = (), direction: str | None = None) -> FlowPage:
        """Flows updated strictly after this time, oldest first as far as the platform sorts."""

    def get_flow(self, flow_id: str) -> FlowState:
        """One flow's metadata."""

    def fetch(self, flow_id: str, doc_type: str = "Original") -> bytes:
        """The document of a flow: Original, Converted or ReadableView."""

    def directory_lines(self, siren: str) -> tuple[DirectoryLine, ...]:
        """All addressing lines of a SIREN; empty when the directory knows none."""

    def ask_directory(self, siren: str) -> DirectoryReply:
        """The same with the answers as they came, and whether the legal unit is known where it has no line."""

    def register_webhook(self, callback_url: str) -> tuple[str, bytes]:
        """(webhook id, signing key) of a new webhook for every incoming flow."""

    def delete_webhook(self, webhook_id: str) -> None:
        """End a webhook. One that is not there any more is fine."""

    def healthcheck(self) -> None:
        """Return when the platform answers."""

    def close(self) -> None:
        """Give the connections back. The platform is of no use afterwards."""
