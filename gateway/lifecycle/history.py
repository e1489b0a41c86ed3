"""The statuses of an invoice as its events tell them, and the state that follows. Reads, changes nothing.

The data of a lifecycle event: `message` (MDT-4), `by` {role, siren, name}, `details` (reasons with their amounts) and
what taking.py and sending.py add for people.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from formats.codes import CREDIT_TYPES
from gateway.db import plain
from gateway.lifecycle.derive import State, Status, derive
from gateway.lifecycle.guard import OWN, Objection
from gateway.tables import Event, OutboxEntry, Submission


def state_of(session: Session, submission: Submission) -> State:
    """The derived state of an invoice."""
    return derive(statuses_of(session, submission), total_of(submission))


def statuses_of(session: Session, submission: Submission) -> list[Status]:
    """Every status of an invoice that stands, in the order it became known."""
    return read_events(session.scalars(
        select(Event)
        .where(Event.submission_id == submission.id, Event.kind.in_(("lifecycle", "transmission")))
        .order_by(Event.position)
    ))


ANSWERS: Final = ("status-refused", "status-acknowledged")
"""What a platform says of a status of ours; its last word on a flow counts."""


def read_events(events: Iterable[Event]) -> list[Status]:
    """The statuses among these events, without our own that the platform refused in its acknowledgement."""
    return [status for _, status in heard(events)]


def heard(events: Iterable[Event]) -> list[tuple[Event, Status]]:
    """As read_events, each status with the event that tells it."""
    told = list(events)
    answers = {event.data.get("flow_id"): event.code for event in sorted(told, key=lambda event: event.position)
               if event.kind == "transmission" and event.code in ANSWERS}
    refused = {flow_id for flow_id, code in answers.items() if code == "status-refused"} - {None}
    return [
        (event, status_of(event, event.data)) for event in told
        if event.kind == "lifecycle" and not (event.data.get("own") and event.data.get("flow_id") in refused)
    ]


def status_of(event: Event, data: Mapping[str, Any]) -> Status:
    """The status that an event tells; `data` is the event's, which readers of many may have apart from it."""
    return Status(code=event.code, at=event.platform_at or event.at, by=event.actor,
                  id=str(data.get("message", "")), amount=men_of(data))


def objections_of(events: Iterable[Event], total: Decimal | None) -> dict[str, Objection]:
    """Why an event's status does not count today, by event id. One that came before what it needs counts later."""
    told = heard(events)
    against = dict(derive([status for _, status in told], total).anomalies)
    return {event.id: against[status] for event, status in told if status in against}


def men_of(data: Mapping[str, Any]) -> Decimal | None:
    """The sum of the MEN that the data of a status names; None when it names none."""
    amounts = [amount for detail in data.get("details", ()) for amount in detail.get("amounts", ())]
    cashed = [Decimal(amount["amount"]) for amount in amounts if amount["type"] == "MEN" and "amount" in amount]
    return sum(cashed, Decimal(0)) if cashed else None


NO_LIFECYCLE = frozenset({"B2BInt", "B2C", "B2GInt", "OutOfScope", "B2GOutOfScope", "ArchiveOnly"})
"""Processing rules (XP Z12-013) under which a platform takes no status of an invoice."""

FILED_OTHERWISE = "filed-otherwise"
"""Code of the event that tells under which rule the platform files an invoice, where it is not ours."""


FILED: Final = select(Event.data).where(
    Event.tenant_id == bindparam("tenant"), Event.submission_id == bindparam("invoice"),
    Event.kind == "transmission", Event.code == FILED_OTHERWISE).order_by(Event.position.desc()).limit(1)


def filed_as(session: Session, submission: Submission) -> str:
    """The processing rule under which the platform files this invoice: its own word, else the one that was sent."""
    told = plain(session, submission.tenant_id, FILED, invoice=submission.id).scalar()
    return str(told["processing_rule"]) if told is not None else submission.processing_rule


def filed_away(session: Session, submission: Submission) -> str | None:
    """The rule of the platform's own choice under which it takes no status of this invoice; None where it takes them.

    Where the invoice itself asked for such a rule, that is not held against its statuses here.
    """
    rule = filed_as(session, submission)
    return rule if rule in NO_LIFECYCLE - {submission.processing_rule} else None


def has_left(submission: Submission) -> bool:
    """Whether a platform has the invoice, by its receipt or by a status: only then there is anything to say of it."""
    return submission.transmission == "deposited" or (
        submission.transmission not in {"refused", "failed"} and submission.lifecycle is not None)


def not_to_offer(session: Session, submission: Submission) -> frozenset[str]:
    """Our own statuses that nobody should ask for now: on their way already, or not taken by the platform."""
    return OWN if filed_away(session, submission) else codes_under_way(session, submission.id)


def codes_under_way(session: Session, submission_id: str) -> frozenset[str]:
    """Our own statuses of an invoice that were asked for and have not left."""
    waiting = session.scalars(select(OutboxEntry).where(
        OutboxEntry.topic == "send-status", OutboxEntry.subject_id == submission_id,
        OutboxEntry.state.in_(("pending", "parked"))))
    return frozenset(str(entry.payload.get("code")) for entry in waiting)


def total_of(submission: Submission) -> Decimal | None:
    """BT-112 as money to receive: negative for a credit note, None when the invoice states none."""
    if submission.total is None:
        return None
    return -submission.total if submission.type_code in CREDIT_TYPES else submission.total
