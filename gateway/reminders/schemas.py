"""What goes over the wire about reminders."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.tables import Submission
from gateway.tables_reminders import Case, Decision, Hold


class In(BaseModel):
    """Base of all requests."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Out(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(extra="forbid")


class HoldIn(In):
    """Reminders of an invoice wait: why, and until when (last day included; without: until it is lifted)."""

    kind: Literal["promise", "plan", "dispute", "insolvency", "manual"]
    reason: Annotated[str, Field(min_length=3, max_length=2000)]
    until: date | None = None


class SettlementIn(In):
    """What a person found out about a letter whose delivery is in doubt."""

    delivered: bool
    reason: Annotated[str, Field(min_length=3, max_length=2000)]


class HoldOut(Out):
    """A hold."""

    id: str
    kind: str
    reason: str
    until: date | None
    created_at: datetime
    actor: str
    lifted_at: datetime | None


class DecisionOut(Out):
    """One decision. `outcome`: sending, sent, held, skipped, failed, unknown; `code` is stable, `reason` for people."""

    id: str
    at: datetime
    outcome: str
    code: str
    reason: str
    stage: str | None
    scenario: str
    channel: str | None
    recipient: str | None
    sha256: str | None
    """Of the mail."""

    facts: dict[str, Any]


class PlannedOut(Out):
    """What comes next if nothing happens; `on` is null where only an event can change something."""

    on: date | None
    stage: str | None
    label: str | None
    reason: str


class RemindersOut(Out):
    """Everything about the reminders of one invoice; decisions oldest first."""

    decisions: list[DecisionOut]
    holds: list[HoldOut]
    planned: list[PlannedOut]
    scenario: str


class BounceIn(In):
    """What came back, in the words of the server or of a person."""

    reason: Annotated[str, Field(min_length=3, max_length=2000)]


class ResolutionIn(In):
    """What a person did about a case; an approval is granted or declined."""

    outcome: Literal["done", "granted", "declined"] = "done"
    reason: Annotated[str, Field(min_length=3, max_length=1000)]


class CaseOut(Out):
    """Something that waits, or waited, for a person."""

    id: str
    invoice: str
    number: str | None
    beside: list[str]
    """Ids of the further invoices of a task about several."""

    kind: str
    stage: str
    reason: str
    balance: str
    opened_at: datetime
    due_on: date
    owner: str | None
    open: bool
    outcome: str | None
    resolution: str | None
    proposal: str | None


class StepOut(Out):
    """What would have gone out on a day."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    submission_id: str
    number: str
    on: date
    stage: str
    channel: str
    reason: str
    balance: Decimal
    currency: str


class TrialOut(Out):
    """A scenario tried on the past; see trying.Trial."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    scenario: str
    since: date
    until: date
    invoices: int
    would: dict[str, int]
    did: dict[str, int]
    against: dict[str, int]
    total: int
    steps: list[StepOut]


class ComingOut(PlannedOut):
    """A letter to come."""

    invoice: str
    number: str
    balance: str
    currency: str


class PreviewOut(Out):
    """The letters of the next days about some invoices; `next` is where the others begin."""

    letters: list[ComingOut]
    next: str | None


def case_out(case: Case, submission: Submission) -> CaseOut:
    """A case as it is shown."""
    return CaseOut(
        id=case.id, invoice=case.submission_id, number=submission.number, beside=case.beside, kind=case.kind,
        stage=case.stage, reason=case.reason, balance=format(case.balance, "f"), opened_at=case.opened_at,
        due_on=case.due_on,
        owner=case.owner, open=case.active is True, outcome=case.outcome, resolution=case.resolution,
        proposal=case.proposal)


def hold_out(row: Hold) -> HoldOut:
    """A stored hold as it is shown."""
    return HoldOut(id=row.id, kind=row.kind, reason=row.reason, until=row.until, created_at=row.created_at,
                   actor=row.actor, lifted_at=row.lifted_at)


def decision_out(row: Decision) -> DecisionOut:
    """A stored decision as it is shown."""
    return DecisionOut(
        id=row.id, at=row.at, outcome=row.outcome, code=row.facts.get("code", ""), reason=row.reason,
        stage=row.stage or None, scenario=row.scenario, channel=row.channel, recipient=row.recipient,
        sha256=row.sha256 if row.outcome == "sent" else None, facts=row.facts,
    )
