"""Where an invoice stands, for whoever asks: who said what, what comes next, and what the State waits for."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.deps import Deps
from gateway.lifecycle.derive import State, Status, derive, objection_to
from gateway.lifecycle.duties import Duty, open_duties
from gateway.lifecycle.expecting import Expected, expected
from gateway.lifecycle.guard import OWN, SELLER
from gateway.lifecycle.history import has_left, not_to_offer, objections_of, read_events, total_of
from gateway.lifecycle.origin import platform_of
from gateway.lifecycle.schemas import DutiesOut, DutyOut, ExpectedOut, LifecycleStateOut, SaidOut
from gateway.lifecycle.wording import label_of
from gateway.problems import not_found
from gateway.tables import Event, Submission

NOT_PASSED_ON = "NON_TRANSMISE"
FOLLOWS_PAYMENTS = "212"


def lifecycle_of(deps: Deps, tenant_id: str, submission_id: str) -> LifecycleStateOut:
    """The lifecycle of one invoice. Raises the not-found problem."""
    with deps.db.reading(tenant_id) as session:
        submission = session.get(Submission, (tenant_id, submission_id))
        if submission is None:
            raise not_found()
        events = events_of(session, submission_id)
        duties = open_duties(session, submission_id)
        hidden = not_to_offer(session, submission)
    statuses, now = read_events(events), deps.now()
    state = derive(statuses, total_of(submission))
    coming = next_of(submission, state, events)
    return LifecycleStateOut(
        invoice=submission.id, code=state.code, label=state.label.fr if state.label else None, ended=state.ended,
        open=list(state.open), payment=state.payment, cashed=format(state.cashed, "f"),
        expected=ExpectedOut(by=coming.by, fr=coming.words.fr, en=coming.words.en) if coming else None,
        may_set=may_set(submission, statuses, now, hidden), statuses=said(submission, events),
        duties=[duty_out(duty, now) for duty in duties],
    )


def duties_of(deps: Deps, tenant_id: str) -> DutiesOut:
    """Every compulsory status that has not left."""
    with deps.db.reading(tenant_id) as session:
        return DutiesOut(items=[duty_out(duty, deps.now()) for duty in open_duties(session)])


def events_of(session: Session, submission_id: str) -> Sequence[Event]:
    """What the lifecycle of an invoice follows from, oldest first."""
    return session.scalars(
        select(Event).where(Event.submission_id == submission_id, Event.kind.in_(("lifecycle", "transmission")))
        .order_by(Event.position)
    ).all()


def next_of(submission: Submission, state: State, events: Sequence[Event]) -> Expected | None:
    """What is expected next; None while the invoice has not reached its platform, for then the sending says it."""
    if submission.transmission != "deposited" and state.code is None:
        return None
    reasons = {detail.get("reason_code") for event in events if event.kind == "lifecycle" and event.code == "200"
               for detail in event.data.get("details", ())}
    return expected(state, not_passed_on=NOT_PASSED_ON in reasons)


def may_set(
    submission: Submission, statuses: Sequence[Status], now: datetime, hidden: Collection[str] = ()
) -> list[str]:
    """The statuses that the seller may set by hand now; without the hidden ones (history.not_to_offer)."""
    if not has_left(submission):
        return []
    public = {"227"} if submission.processing_rule == "B2G" else set()
    return [code for code in sorted(OWN - {FOLLOWS_PAYMENTS} - public - set(hidden))
            if objection_to(Status(code=code, at=now, by=SELLER), statuses, total_of(submission)) is None]


def said(submission: Submission, events: Sequence[Event]) -> list[SaidOut]:
    """Every status in the order of what was said, not of arrival."""
    against = objections_of(events, total_of(submission))
    told = sorted((event for event in events if event.kind == "lifecycle"),
                  key=lambda event: (event.platform_at or event.at, event.position))
    return [
        SaidOut(event=event.id, code=event.code, label=label_of(event.code), at=event.platform_at or event.at,
                by=event.actor, platform=platform_of(event, events), name=(event.data.get("by") or {}).get("name"),
                reason=event.reason, own=bool(event.data.get("own")),
                objection=str(against[event.id]) if event.id in against else None)
        for event in told
    ]


def duty_out(duty: Duty, now: datetime) -> DutyOut:
    """A duty as it is shown at this moment."""
    return DutyOut.model_validate({
        "invoice": duty.submission.id, "number": duty.submission.number, "code": duty.code, "since": duty.since,
        "until": duty.until, "state": duty.state, "alarm": duty.is_alarming(now), "late": duty.is_late(now),
        "reason": duty.reason,
    })
