"""What the pages about evidence read: who looked at what, and how the seals do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.console import audit, people, queries, searching
from gateway.deps import Deps
from gateway.evidence import looks
from gateway.evidence.watch import Standing, standings
from gateway.tables import Event, JournalEntry, LegalEntity, Seal, Submission

LOOKED = (*searching.LOOKS, looks.JOURNAL_EXPORTED, "exported", "period-export-started")


@dataclass(frozen=True, slots=True)
class Look:
    """One look of somebody at something."""

    event: Event
    invoice: Submission | None
    entry: JournalEntry | None

    @property
    def asked(self) -> str:
        """What was searched for, in short."""
        values = self.event.data.get("asked")
        return " · ".join(str(value) for value in values.values()) if isinstance(values, dict) else ""


@dataclass(frozen=True, slots=True)
class Looks:
    """One page of looks, newest first."""

    rows: Sequence[Look]
    older: int | None
    """Position before which the next page begins."""


def looks_of(
    session: Session, names: people.Names, *, invoice_id: str = "", person: str = "", before: int | None = None
) -> Looks:
    """Who looked at an invoice, what a person looked at, or everything; keyset pages."""
    query = select(Event).where(Event.kind == "access", Event.code.in_(LOOKED))
    if invoice_id:
        about = select(JournalEntry.at).where(JournalEntry.subject.in_((f"{looks.VIEW}{invoice_id}", invoice_id)))
        query = query.where(Event.at.in_(about))
    if person:
        query = query.where(Event.actor.in_([*people.matching(names, person), person]))
    if before is not None:
        query = query.where(Event.position < before)
    found = session.scalars(query.order_by(Event.position.desc()).limit(audit.PER_PAGE * 2 if invoice_id
                                                                        else audit.PER_PAGE + 1)).all()
    mine = [event for event in found if not invoice_id or invoice_of(event) == invoice_id]
    page = mine[:audit.PER_PAGE]
    invoices = queries.by_id(session, {invoice_of(event) for event in page})
    entries = audit.entries_of(session, page)
    return Looks([Look(event, invoices.get(invoice_of(event)), entries.get(event.id)) for event in page],
                 page[-1].position if len(mine) > len(page) else None)


def invoice_of(event: Event) -> str:
    """The invoice that was looked at; empty for a list or the journal."""
    subject = str(event.data.get("subject") or "")
    return event.submission_id or (subject.removeprefix(looks.VIEW) if subject.startswith(looks.VIEW) else "")


@dataclass(frozen=True, slots=True)
class LogHealth:
    """How one journal is sealed."""

    log: str
    entries: int
    sealed: int
    """Entries below the newest timestamped checkpoint."""

    oldest: datetime | None
    """When the oldest entry without a timestamp was written; None when there is none."""

    seal: Seal | None
    """The newest timestamped one."""

    trouble: str | None
    """Why the newest one has no timestamp."""

    unstamped: int

    @property
    def waiting(self) -> int:
        """Entries without a timestamp."""
        return self.entries - self.sealed


@dataclass(frozen=True, slots=True)
class SealHealth:
    """How all journals of a tenant are sealed."""

    logs: Sequence[LogHealth]
    standings: Sequence[Standing]
    recent: Sequence[Seal]

    @property
    def last(self) -> datetime | None:
        """The newest timestamp."""
        return max((log.seal.token_at for log in self.logs if log.seal is not None and log.seal.token_at), default=None)

    @property
    def oldest(self) -> datetime | None:
        """The oldest entry that waits."""
        return min((log.oldest for log in self.logs if log.oldest is not None), default=None)

    @property
    def trouble(self) -> str | None:
        """What the authority answered last, when it did not stamp."""
        return next((log.trouble for log in self.logs if log.trouble), None)


def seal_health(deps: Deps, session: Session, tenant_id: str) -> SealHealth:
    """Every log with its seals, until when they stand, and the newest seals."""
    logs = session.scalars(select(JournalEntry.log).distinct().order_by(JournalEntry.log.desc())).all()
    recent = session.scalars(select(Seal).order_by(Seal.at.desc(), Seal.size.desc()).limit(12)).all()
    return SealHealth([_log_health(session, name) for name in logs],
                      sorted(standings(deps, session, tenant_id), key=lambda one: one.ends), recent)


def _log_health(session: Session, name: str) -> LogHealth:
    entries = (session.scalar(select(func.max(JournalEntry.seq)).where(JournalEntry.log == name)) or 0) + 1
    seal = session.scalar(select(Seal).where(Seal.log == name, Seal.token.is_not(None))
                          .order_by(Seal.size.desc()).limit(1))
    newest = session.scalar(select(Seal).where(Seal.log == name).order_by(Seal.size.desc()).limit(1))
    sealed = seal.size if seal is not None else 0
    oldest = session.scalar(select(JournalEntry.at).where(
        JournalEntry.log == name, JournalEntry.seq >= sealed, JournalEntry.type != "evidence")
        .order_by(JournalEntry.seq).limit(1))
    unstamped = session.scalar(select(func.count()).select_from(Seal).where(
        Seal.log == name, Seal.token.is_(None), Seal.size > sealed)) or 0
    return LogHealth(name, entries, sealed, oldest, seal,
                     newest.trouble if newest is not None and newest.token is None else None, unstamped)


def entities(session: Session) -> list[tuple[str, str]]:
    """(SIREN, name) of each legal entity."""
    return [(siren, name) for siren, name in session.execute(
        select(LegalEntity.siren, LegalEntity.name).order_by(LegalEntity.name))]
