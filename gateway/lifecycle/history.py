"""The statuses of an invoice as its events tell them, and the state that follows. Reads, changes nothing.

The data of a lifecycle event: `message` (MDT-4), `by` {role, siren, name}, `details` (reasons with their amounts) and
what taking.py and sending.py add for people.
"""

from collections.abc import Iterable
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from formats.codes import CREDIT_TYPES
from gateway.lifecycle.derive import State, Status, derive
from gateway.tables import Event, Submission


def state_of(session: Session, submission: Submission) -> State:
    """The derived state of an invoice."""
    return derive(statuses_of(session, submission), total_of(submission))


def statuses_of(session: Session, submission: Submission) -> list[Status]:
    """Every status ever recorded for an invoice, in the order it became known."""
    events = session.scalars(
        select(Event).where(Event.submission_id == submission.id, Event.kind == "lifecycle").order_by(Event.position)
    )
    return list(read_events(events))


def read_events(events: Iterable[Event]) -> Iterable[Status]:
    """The statuses among these events."""
    for event in events:
        if event.kind == "lifecycle":
            yield Status(code=event.code, at=event.platform_at or event.at, by=event.actor,
                         id=str(event.data.get("message", "")), amount=cashed_of(event))


def cashed_of(event: Event) -> Decimal | None:
    """The sum of the MEN that a status names; None when it names none."""
    amounts = [amount for detail in event.data.get("details", ()) for amount in detail.get("amounts", ())]
    cashed = [Decimal(amount["amount"]) for amount in amounts if amount["type"] == "MEN" and amount.get("amount")]
    return sum(cashed, Decimal(0)) if cashed else None


def total_of(submission: Submission) -> Decimal | None:
    """BT-112 as money to receive: negative for a credit note, None when the invoice states none."""
    if submission.total is None:
        return None
    return -submission.total if submission.type_code in CREDIT_TYPES else submission.total
