"""What goes over the wire about claims for lateness, terms and rates. Amounts and rates are decimals as text."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.receivables.claiming import ClaimState
from gateway.receivables.rates import Rate
from gateway.receivables.schemas import MoneyText, Out

PercentText = Annotated[str, Field(pattern=r"^[0-9]{1,2}(\.[0-9]{1,4})?$", examples=["12.15"])]
PlusText = Annotated[str, Field(pattern=r"^[0-9]{1,13}(\.[0-9]{1,2})?$", examples=["40.00"])]
ReasonText = Annotated[str, Field(min_length=3, max_length=500)]


class In(BaseModel):
    """Base of what is asked."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class ClaimIn(In):
    """A claim on an invoice. Amount and reason for a fee only: the others follow from the law and the terms."""

    kind: Literal["indemnity", "interest", "fee"]
    until: date | None = None
    """Last day of interest; today where it is left out."""

    amount: PlusText | None = None
    reason: ReasonText | None = None


class WaiverIn(In):
    """What is left of a claim is given up."""

    reason: ReasonText


class ClaimPaymentIn(In):
    """Money received for a claim, or taken back."""

    amount: MoneyText
    paid_on: date
    reference: Annotated[str, Field(max_length=140)] | None = None


class ClaimOut(Out):
    """A claim and what is left of it."""

    id: str
    invoice_id: str
    kind: str
    amount: str
    currency: str
    claimed_on: date
    first_day: date | None
    last_day: date | None
    basis: dict[str, Any]
    paid: str
    waived: str
    outstanding: str
    waived_reason: str | None
    actor: str
    created_at: datetime


class SegmentOut(Out):
    """Days in a row with one base and one rate: base x rate x days / year, half up to the cent."""

    first_day: date
    last_day: date
    days: int
    base: str
    rate: str
    origin: str
    year: int
    amount: str
    source: str


class InterestOut(Out):
    """The interest of an invoice up to a day."""

    invoice_id: str
    number: str
    currency: str
    law: str
    due_date: date
    until: date
    segments: list[SegmentOut]
    total: str
    claimed: str
    """What was claimed of it already."""

    to_claim: str


class ClaimListOut(Out):
    """The claims on an invoice, and the interest up to today where it can be computed."""

    items: list[ClaimOut]
    indemnity_due: bool
    """Whether the forty euro are owed and not claimed yet."""

    interest: InterestOut | None
    trouble: str | None
    """Why there is no interest: nothing is late, no rate is known, the law is another."""


class TermsModel(In):
    """What a seller agreed about lateness. No rate: the ECB's and ten points."""

    rate: PercentText | None = None
    day_count: Literal["365", "actual", "360"] = "365"
    clients: dict[Annotated[str, Field(pattern=r"^[0-9]{9}$")], PercentText] = Field(default_factory=dict)
    """Rates agreed with single clients, by SIREN: before those of their segment."""

    segments: dict[Annotated[str, Field(min_length=1, max_length=40)], PercentText] = Field(default_factory=dict)
    """Rates agreed with segments of clients (those of the reminders), by name."""


class RateIn(In):
    """The rates of a half-year, as a public source says them."""

    refinancing: PercentText
    legal: PercentText
    source: Annotated[str, Field(min_length=10, max_length=500)]


class RateOut(Out):
    """The rates of a half-year, percent a year."""

    half_year: str
    refinancing: str
    legal: str
    by_law: str
    """The ECB's and ten points."""

    least: str
    """The least that a contract may say."""

    source: str


class RateListOut(Out):
    """Every half-year that is known."""

    items: list[RateOut]


def claim_out(state: ClaimState) -> ClaimOut:
    """A claim as it is shown."""
    row = state.row
    return ClaimOut(
        id=row.id, invoice_id=row.submission_id, kind=row.kind, amount=format(row.amount, "f"), currency=row.currency,
        claimed_on=row.claimed_on, first_day=row.first_day, last_day=row.last_day, basis=row.basis,
        paid=format(state.paid, "f"), waived=format(state.waived, "f"), outstanding=format(state.outstanding, "f"),
        waived_reason=row.waived_reason, actor=row.actor, created_at=row.created_at,
    )


def rate_out(rate: Rate) -> RateOut:
    """Rates as they are shown."""
    return RateOut(half_year=rate.half_year, refinancing=_text(rate.refinancing), legal=_text(rate.legal),
                   by_law=_text(rate.by_law), least=_text(rate.least), source=rate.source)


def _text(number: Decimal) -> str:
    return format(number, "f")
