"""A lifecycle status message (CDAR D22B, "CDV"), as data.

Terms are the MDT numbers that French implementers use. Written and read by lifecycle.py. Times are aware
UTC: format 204 carries no zone and no public text names one, so Passerelle writes and reads UTC (see README,
Decisions). This module is pure so that the gateway may build and keep messages without an XML library.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from formats.codes import STATUSES
from formats.invoice import Identifier

INVOICE_PROFILE = "urn.cpro.gouv.fr:1p0:CDV:invoice"
"""MDT-3 between platforms, and between a platform and its users (BR-FR-CDV-02)."""

PPF_PROFILE = "urn.cpro.gouv.fr:1p0:CDV:einvoicingF2"
"""MDT-3 of a message whose one recipient is the PPF (BR-FR-CDV-02)."""

REFERENCE_STATUS = {code: row.reference_status for code, row in STATUSES.items() if row.reference_status is not None}
"""MDT-88 (UNTDID 1373) per status. A status that is absent here is sent without it, as its public example is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusParty:
    """Sender (MDG-9), issuer (MDG-16) or recipient (MDG-23) of a message."""

    role: str
    """MDT-21, MDT-40, MDT-59. UNTDID 3035: SE, BY, WK (platform), DFH (PPF) ..."""

    identifier: Identifier | None = None
    """MDT-18, MDT-38, MDT-57. SIREN has scheme 0002, a platform matricule 0238."""

    name: str | None = None
    """MDT-20, MDT-39, MDT-58."""

    electronic_address: Identifier | None = None
    """MDT-73. Recipient only; scheme 0225."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusAmount:
    """MDG-43: one characteristic of a status detail, here the ones that carry money."""

    type_code: str
    """MDT-207. MEN cashed with VAT, MPA paid, RAP still due, ESC discount, MAP/MAPTTC approved ..."""

    amount: Decimal | None = None
    """MDT-215. Signed: negative for a reversal."""

    currency: str | None = None
    """MDT-216. EUR for a 212."""

    vat_rate: Decimal | None = None
    """MDT-224. 20 means twenty percent."""

    on: date | None = None
    """MDT-219. The day of collection or payment, when the sender says it."""

    term: str | None = None
    """MDT-206. The business term concerned, e.g. "BT-152". On DIV (invalid) and DVA (expected) pairs."""

    name: str | None = None
    """MDT-211. What that term is called."""

    location: str | None = None
    """MDT-213. XPath of the term in the invoice, as the sender wrote it; never evaluated."""

    changed: bool | None = None
    """MDT-209. Whether the value is a change to what the invoice says."""

    value: str | None = None
    """A value that is neither amount nor percentage, e.g. the bank details of a CBB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusDetail:
    """MDG-37: one reason, with what is asked and the amounts it is about."""

    reason_code: str | None = None
    """MDT-113. One of the lists of BR-FR-CDV-CL-09."""

    reason: str | None = None
    """MDT-114."""

    action_code: str | None = None
    """MDT-121. NOA, PIN, NIN, CNF, CNP, CNA, OTH."""

    action: str | None = None
    """MDT-122."""

    comment: str | None = None
    """MDT-126. Asked for on 208 and 210 by the DGFiP (G7.25)."""

    amounts: tuple[StatusAmount, ...] = ()
    """MDG-43."""

    rule: str | None = None
    """MDT-125. The rule that was broken, on refusals by the PPF (G7.29)."""

    subject: str | None = None
    """MDT-127. The name of the offending data (G7.29)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusMessage:
    """One CDAR message about one invoice."""

    id: str
    """MDT-4."""

    issued_at: datetime
    """MDT-8. When the message was made."""

    set_at: datetime
    """MDT-78. When the status was set."""

    code: str
    """MDT-105. "200" to "228", "250" to "601"; unknown codes are kept as they come."""

    label: str | None = None
    """MDT-106."""

    type_code: str
    """MDT-77. "305" transmission phase (a platform speaks), "23" processing phase (a party speaks)."""

    business_process: str | None = None
    """MDT-2. REGULATED, NON_REGULATED, B2C ..."""

    sender: StatusParty
    """MDG-9. Between platforms: role WK, anonymous."""

    issuer: StatusParty
    """MDG-16. Who set the status."""

    recipients: tuple[StatusParty, ...]
    """MDG-23."""

    invoice_number: str | None
    """MDT-87 = BT-1."""

    invoice_date: date | None
    """MDT-100 = BT-2."""

    invoice_type: str | None = None
    """MDT-91 = BT-3."""

    received_at: datetime | None = None
    """MDT-95."""

    reference_status: str | None = None
    """MDT-88. UNTDID 1373."""

    seller: Identifier | None = None
    """MDT-129. The SIREN of the seller of the invoice."""

    details: tuple[StatusDetail, ...] = ()
    """MDG-37."""

    name: str | None = None
    """MDT-5. A name for people."""

    profile: str = INVOICE_PROFILE
    """MDT-3."""

    reference_type: str | None = None
    """MDT-97. The profile again, on messages to the PPF."""


def phase_of(code: str) -> str:
    """MDT-77 of a status: "305" when a platform sets it, "23" when a party does or the code is unknown."""
    return STATUSES[code].type_code if code in STATUSES else "23"


def stamp(moment: datetime) -> str:
    """A time in format 204, in UTC: `YYYYMMDDhhmmss`. Raises ValueError for a time without zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return f"{moment.astimezone(UTC):%Y%m%d%H%M%S}"


def message_id(*, invoice_number: str, code: str, set_at: datetime, invoice_type: str, invoice_date: date) -> str:
    """MDT-4 in the pattern that platforms use among themselves: `<BT-1>_<status>_<time>#<BT-3>_<BT-2>`.

    Two messages about the same invoice, status and second get the same id: the caller keeps them apart.
    """
    return f"{invoice_number}_{code}_{stamp(set_at)}#{invoice_type}_{invoice_date:%Y%m%d}"
