"""The work queue as a person sees it: what waits, what is stuck and what can be done about it, how platforms do."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.circuits import DIRECTORY, FLOWS
from gateway.console.words import Word
from gateway.outgoing.decisions import cause_of, path_now
from gateway.outgoing.paths import Path
from gateway.tables import OutboxEntry, PlatformConnection, SeenFlow, Submission
from gateway.tables_platforms import ConnectionHealth

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
    path: Path | None
    """What is possible with the invoice, where its sending is what waits."""

    alike: int
    """How many parked entries have the same cause, this one included."""


@dataclass(frozen=True, slots=True)
class Health:
    """One platform connection and how it does."""

    connection: PlatformConnection
    word: Word
    services: Mapping[str, ConnectionHealth]
    """By FLOWS and DIRECTORY; a service that was never used is missing."""


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
    rows = [(entry, invoice) for entry, invoice in session.execute(query)]
    alike = Counter((entry.topic, cause_of(entry)) for entry, _ in rows)
    return [Stuck(entry, invoice, path_now(session, invoice) if invoice and entry.topic == "deliver" else None,
                  alike[entry.topic, cause_of(entry)]) for entry, invoice in rows]


def flows(session: Session, most: int = 200) -> Sequence[SeenFlow]:
    """Flows of a platform that nobody could attach to an invoice, newest first."""
    return session.scalars(
        select(SeenFlow).where(SeenFlow.state == "parked").order_by(SeenFlow.updated_at.desc()).limit(most)).all()


def health(session: Session, now: datetime, poll_seconds: float) -> list[Health]:
    """Every connection, with one word on it."""
    silent = now - timedelta(seconds=SILENT_AFTER * max(poll_seconds, 60))
    services: dict[str, dict[str, ConnectionHealth]] = {}
    for one in session.scalars(select(ConnectionHealth)):
        services.setdefault(one.id, {})[one.service] = one
    rows = session.scalars(select(PlatformConnection).order_by(PlatformConnection.name))
    return [Health(row, _word(row, services.get(row.id, {}), silent, now), services.get(row.id, {})) for row in rows]


def _word(
    row: PlatformConnection, services: Mapping[str, ConnectionHealth], silent: datetime, now: datetime
) -> Word:
    if not row.enabled:
        return Word("Désactivée", "quiet")
    resting = [one for one in services.values() if one.open_until is not None and one.open_until > now]
    if any(one.service == FLOWS for one in resting):
        return Word("Au repos après des échecs", "bad")
    if row.trouble:
        return Word("En difficulté", "bad")
    if row.polled_at is None:
        return Word("Pas encore interrogée", "quiet")
    if any(one.service == DIRECTORY for one in resting):
        return Word("Annuaire au repos", "warn")
    return Word("Silencieuse", "warn") if row.polled_at < silent else Word("En service", "good")
