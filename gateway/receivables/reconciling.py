"""The ledger beside what the State was told: for each payment what became of its 212, and whether the sums meet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.lifecycle.derive import derive
from gateway.lifecycle.history import heard, total_of
from gateway.receivables.vat import stated_amount
from gateway.tables import Event, OutboxEntry, Payment, Submission

SENT, QUEUED, HELD, REFUSED, GIVEN_UP, NOT_DUE = "sent", "queued", "held", "refused", "given-up", "not-due"
WORK_STATES = {"pending": QUEUED, "parked": HELD, "closed": GIVEN_UP}


@dataclass(frozen=True, slots=True)
class Told:
    """What became of the 212 of one payment."""

    state: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The payments of an invoice against its statuses 212."""

    by_payment: Mapping[str, Told]
    to_tell: Decimal
    """What the 212 of the recorded payments state together, sent or not."""

    told: Decimal
    """What the 212 that count state together, also those that were set elsewhere."""

    @property
    def meets(self) -> bool:
        """Whether the State knows what the ledger knows."""
        return self.to_tell == self.told


def reconcile(session: Session, submission: Submission, payments: Sequence[Payment]) -> Reconciliation:
    """For one invoice, as of now."""
    events = session.scalars(select(Event).where(
        Event.submission_id == submission.id, Event.kind.in_(("lifecycle", "transmission", "payment"))
    ).order_by(Event.position)).all()
    asked = {event.data.get("payment") for event in events if event.kind == "payment" and "status_at" in event.data}
    statuses = heard(events)
    by_payment = _sent(events, {event.id for event, _ in statuses}) | {
        str(entry.payload.get("id")): Told(WORK_STATES[entry.state], entry.reason)
        for entry in session.scalars(select(OutboxEntry).where(
            OutboxEntry.topic == "send-status", OutboxEntry.subject_id == submission.id,
            OutboxEntry.state.in_(WORK_STATES)))
    }
    return Reconciliation(
        by_payment={payment.id: by_payment.get(payment.id, Told(QUEUED)) if payment.id in asked else Told(NOT_DUE)
                    for payment in payments},
        to_tell=sum((stated_amount(payment.amount, submission.type_code) for payment in payments
                     if payment.id in asked), Decimal(0)),
        told=derive([status for _, status in statuses], total_of(submission)).cashed,
    )


def _sent(events: Sequence[Event], standing: set[str]) -> dict[str, Told]:
    """By tracking id: our own 212, sent, or sent and refused in the acknowledgement."""
    return {str(event.data.get("tracking_id")): Told(SENT) if event.id in standing else
            Told(REFUSED, "La plateforme a refusé ce statut. / The platform refused this status.")
            for event in events if event.kind == "lifecycle" and event.code == "212" and event.data.get("own")}
