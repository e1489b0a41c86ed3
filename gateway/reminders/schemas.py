"""What goes over the wire about reminders."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.tables import Decision, Hold


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
