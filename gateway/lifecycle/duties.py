"""The 24 hours of a compulsory status, watched: which of ours have not reached the platform, and until when they must.

A status that the portal must have goes there within 24 hours of its own time (DGFiP specifications 3.2, 3.6.5 and
3.6.6). Of those (200, 210, 212, 213) a seller says only the 212, for VAT that is due on receipt; 200 and 213 are the
platforms', as are the invoice data that follow a 200 (flux 1). The clock starts with MDT-78 and ends when the platform
has the status: passing it on is the platform's duty. A status that a person gave up (closed with a reason) is no
longer watched. Reads, changes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from formats.codes import STATUSES
from gateway.lifecycle.guard import OWN
from gateway.tables import Event, OutboxEntry, SeenFlow, Submission

WITHIN = timedelta(hours=24)
BEFORE = timedelta(hours=6)
"""How long before the end the alarm goes off, whatever the cause."""

COMPULSORY = frozenset(code for code in OWN if STATUSES[code].mandatory_for_ppf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """One compulsory status of ours that has not reached the platform."""

    id: str
    """The tracking id of the status: one for each payment event."""

    submission: Submission
    code: str
    since: datetime
    """MDT-78."""

    state: str
    """pending (it will be tried again), parked (a person must decide) or refused (in the acknowledgement)."""

    reason: str | None

    @property
    def until(self) -> datetime:
        """When the 24 hours are over."""
        return self.since + WITHIN

    def is_late(self, now: datetime) -> bool:
        """Whether the time is over."""
        return now >= self.until

    def is_alarming(self, now: datetime) -> bool:
        """Whether somebody should look: nothing will go by itself, or little time is left."""
        return self.state != "pending" or now >= self.until - BEFORE


def open_duties(session: Session, submission_id: str | None = None) -> list[Duty]:
    """The duties of the session's tenant, or of one invoice, the oldest first."""
    return sorted([*_waiting(session, submission_id), *_refused(session, submission_id)],
                  key=lambda duty: (duty.since, duty.submission.id))


def _waiting(session: Session, submission_id: str | None) -> Iterator[Duty]:
    """Statuses whose work is not done."""
    query = (
        select(OutboxEntry, Submission)
        .join(Submission, (Submission.tenant_id == OutboxEntry.tenant_id) & (Submission.id == OutboxEntry.subject_id))
        .where(OutboxEntry.topic == "send-status", OutboxEntry.state.in_(("pending", "parked")))
    )
    if submission_id is not None:
        query = query.where(OutboxEntry.subject_id == submission_id)
    for entry, submission in session.execute(query):
        code = str(entry.payload.get("code"))
        if code in COMPULSORY:
            set_at = entry.payload.get("set_at")
            since = datetime.fromisoformat(set_at) if set_at else entry.created_at
            yield Duty(id=str(entry.payload.get("id") or entry.id), submission=submission, code=code, since=since,
                       state=entry.state, reason=entry.reason)


def _refused(session: Session, submission_id: str | None) -> Iterator[Duty]:
    """Statuses that the platform took and refused in its acknowledgement; their flow waits for a person."""
    query = (
        select(Event, Submission)
        .join(Submission, (Submission.tenant_id == Event.tenant_id) & (Submission.id == Event.submission_id))
        .join(SeenFlow, (SeenFlow.tenant_id == Event.tenant_id) & (SeenFlow.submission_id == Event.submission_id))
        .where(SeenFlow.state == "parked", SeenFlow.sha256 == Event.sha256, Event.kind == "lifecycle",
               Event.code.in_(COMPULSORY))
    )
    if submission_id is not None:
        query = query.where(Event.submission_id == submission_id)
    for event, submission in session.execute(query):
        if event.data.get("own"):
            yield Duty(id=str(event.data.get("tracking_id") or event.id), submission=submission, code=event.code,
                       since=event.platform_at or event.at, state="refused",
                       reason="La plateforme a refusé ce statut.")
