"""The work queue as a person sees it: what waits, what is stuck, and the two decisions, retry and close."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway import outbox
from gateway.console.words import Word
from gateway.deps import Deps
from gateway.problems import Problem, not_found
from gateway.record import Change, record
from gateway.tables import Event, OutboxEntry, PlatformConnection, SeenFlow, Submission

SILENT_AFTER = 5
"""A platform that was not polled for so many intervals is silent: something between us is wrong."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The pending work of one topic."""

    topic: str
    number: int
    oldest: datetime
    retried: int
    """How many of them failed at least once."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """A parked entry, with the invoice that it is about."""

    entry: OutboxEntry
    invoice: Submission | None


@dataclass(frozen=True, slots=True)
class Health:
    """One platform connection and how it does."""

    connection: PlatformConnection
    word: Word


def waiting(session: Session) -> list[Waiting]:
    """Pending work by topic."""
    failed = func.count().filter(OutboxEntry.reason.is_not(None))
    query = (
        select(OutboxEntry.topic, func.count(), func.min(OutboxEntry.created_at), failed)
        .where(OutboxEntry.state == "pending").group_by(OutboxEntry.topic).order_by(OutboxEntry.topic)
    )
    return [Waiting(topic, number, oldest, retried) for topic, number, oldest, retried in session.execute(query)]


def stuck(session: Session, most: int = 200) -> list[Stuck]:
    """Parked entries, oldest first."""
    query = (
        select(OutboxEntry, Submission)
        .outerjoin(Submission, (Submission.tenant_id == OutboxEntry.tenant_id)
                   & (Submission.id == OutboxEntry.subject_id))
        .where(OutboxEntry.state == "parked").order_by(OutboxEntry.created_at).limit(most)
    )
    return [Stuck(entry, invoice) for entry, invoice in session.execute(query)]


def flows(session: Session, most: int = 200) -> Sequence[SeenFlow]:
    """Flows of a platform that nobody could attach to an invoice, newest first."""
    return session.scalars(
        select(SeenFlow).where(SeenFlow.state == "parked").order_by(SeenFlow.updated_at.desc()).limit(most)).all()


def health(session: Session, now: datetime, poll_seconds: float) -> list[Health]:
    """Every connection, with one word on it."""
    silent = now - timedelta(seconds=SILENT_AFTER * max(poll_seconds, 60))
    rows = session.scalars(select(PlatformConnection).order_by(PlatformConnection.name))
    return [Health(row, _word(row, silent)) for row in rows]


def _word(row: PlatformConnection, silent: datetime) -> Word:
    if not row.enabled:
        return Word("Désactivée", "quiet")
    if row.trouble:
        return Word("En difficulté", "bad")
    if row.polled_at is None:
        return Word("Pas encore interrogée", "quiet")
    return Word("Silencieuse", "warn") if row.polled_at < silent else Word("En service", "good")


def retry(deps: Deps, tenant_id: str, entry_id: str, actor: str) -> None:
    """Put a parked entry back to work. Raises Problem: 404, or 409 when it is not parked any more."""
    with deps.db.transaction(tenant_id) as session:
        entry = _get(session, tenant_id, entry_id)
        if not outbox.revive(session, entry_id, deps.now()):
            raise _decided()
        record(session, tenant_id, _decision(session, entry, "retried", actor, entry.reason), now=deps.now())


def close(deps: Deps, tenant_id: str, entry_id: str, reason: str, actor: str) -> None:
    """Give a parked entry up. An invoice whose sending is given up becomes `failed`.

    Its number is free again only if no attempt to send it was ever made.

    Raises:
        Problem: 404, 409 when it is not parked any more, 422 without a reason.
    """
    if not reason:
        raise Problem(422, "reason-missing", "Indiquez pourquoi vous classez ce travail. / A reason is needed.")
    with deps.db.transaction(tenant_id) as session:
        entry = _get(session, tenant_id, entry_id)
        if not outbox.close(session, entry_id, reason):
            raise _decided()
        if entry.topic == "deliver":
            _give_up(session, tenant_id, entry.subject_id, reason)
        record(session, tenant_id, _decision(session, entry, "closed", actor, reason), now=deps.now())


def _give_up(session: Session, tenant_id: str, submission_id: str, reason: str) -> None:
    invoice = session.get(Submission, (tenant_id, submission_id))
    if invoice is None or invoice.transmission == "deposited":
        return
    tried = session.scalar(select(func.count()).select_from(Event).where(
        Event.submission_id == submission_id, Event.kind == "transmission", Event.code == "sending"))
    invoice.transmission, invoice.transmission_reason = "failed", f"Classée : {reason}"
    if not tried:
        invoice.active = None


def _decision(session: Session, entry: OutboxEntry, verb: str, actor: str, reason: str | None) -> Change:
    about_invoice = session.get(Submission, (entry.tenant_id, entry.subject_id)) is not None
    return Change(
        kind="transmission" if about_invoice else "setting", code=verb if about_invoice else f"work-{verb}",
        actor=actor, submission_id=entry.subject_id if about_invoice else None, subject=f"work:{entry.id}",
        reason=reason, data={"subject": f"work:{entry.id}", "topic": entry.topic},
    )


def _get(session: Session, tenant_id: str, entry_id: str) -> OutboxEntry:
    entry = session.get(OutboxEntry, (tenant_id, entry_id))
    if entry is None:
        raise not_found()
    return entry


def _decided() -> Problem:
    return Problem(409, "already-decided", "Quelqu'un a déjà décidé pour ce travail. / Somebody decided already.")
