"""Searching the journal: events with their journal entry, newest first."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from archive.journal import leaf_hash
from gateway.console import people
from gateway.console.queries import PER_PAGE, Listing, escaped
from gateway.deps import PARIS
from gateway.problems import not_found
from gateway.tables import Document, Event, JournalEntry, Seal, Submission

HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What the reader asked for; lives in the URL."""

    q: str = ""
    """A number, a SIREN, part of a party's name, or a hash."""

    actor: str = ""
    kind: str = ""
    status: str = ""
    since: date | None = None
    until: date | None = None
    page: int = 1

    def values(self) -> dict[str, Any]:
        """As the parameters of the URL."""
        return {"q": self.q, "qui": self.actor, "type": self.kind, "statut": self.status, "du": self.since,
                "au": self.until, "page": self.page if self.page > 1 else ""}


@dataclass(frozen=True, slots=True)
class Line:
    """One event, the invoice it is about, and how the journal wrote it down."""

    event: Event
    invoice: Submission | None
    entry: JournalEntry | None

    @property
    def leaf(self) -> str:
        """The hash of the entry."""
        return self.entry.leaf.hex() if self.entry is not None else ""


@dataclass(frozen=True, slots=True)
class Found:
    """One entry of the journal: what it tells of, and how far it is provable."""

    entry: JournalEntry
    line: Line | None
    seal: Seal | None
    """The first timestamped checkpoint that covers it."""

    @property
    def intact(self) -> bool:
        """Whether the text still has the hash that the log was built with."""
        return leaf_hash(self.entry.line) == self.entry.leaf

    @property
    def written(self) -> str:
        """The hashed text, indented for reading."""
        return json.dumps(json.loads(self.entry.line), ensure_ascii=False, indent=2)


def get_entry(session: Session, tenant_id: str, log: str, seq: int) -> Found:
    """One entry by its place. Raises the not-found problem."""
    entry = session.get(JournalEntry, (tenant_id, log, seq))
    if entry is None:
        raise not_found()
    event = session.get(Event, (tenant_id, str(json.loads(entry.line).get("cause"))))
    invoice = session.get(Submission, (tenant_id, event.submission_id or "")) if event is not None else None
    seal = session.scalar(
        select(Seal).where(Seal.log == log, Seal.size > seq, Seal.token.is_not(None)).order_by(Seal.size).limit(1))
    return Found(entry, Line(event, invoice, entry) if event is not None else None, seal)


def search(session: Session, asked: Search, names: people.Names, *, per_page: int = PER_PAGE) -> Listing:
    """One page of what matches."""
    matching = _narrowed(select(Event, Submission).outerjoin(
        Submission, (Submission.tenant_id == Event.tenant_id) & (Submission.id == Event.submission_id)), asked, names)
    total = session.scalar(select(func.count()).select_from(matching.subquery())) or 0
    page = matching.order_by(Event.position.desc()).limit(per_page).offset((asked.page - 1) * per_page)
    found = [(event, invoice) for event, invoice in session.execute(page)]
    entries = entries_of(session, [event for event, _ in found])
    return Listing([Line(event, invoice, entries.get(event.id)) for event, invoice in found], total, asked.page)


def _narrowed(
    query: Select[Event, Submission], asked: Search, names: people.Names
) -> Select[Event, Submission]:
    if asked.q:
        query = query.where(_about(asked.q))
    if asked.actor:
        query = query.where(Event.actor.in_([*people.matching(names, asked.actor), asked.actor]))
    if asked.kind:
        query = query.where(Event.kind == asked.kind)
    if asked.status:
        query = query.where(Event.kind == "lifecycle", Event.code == asked.status)
    if asked.since:
        query = query.where(Event.at >= _midnight(asked.since))
    if asked.until:
        query = query.where(Event.at < _midnight(asked.until + timedelta(days=1)))
    return query


def _about(text: str) -> ColumnElement[bool]:
    digest = text.lower().removeprefix("sha256:")
    if HASH.fullmatch(digest):
        leaf = select(JournalEntry.subject).where(JournalEntry.leaf == bytes.fromhex(digest))
        return or_(
            Event.sha256 == digest, Submission.sha256 == digest, Submission.sent_sha256 == digest,
            Event.submission_id.in_(select(Document.submission_id).where(Document.sha256 == digest)),
            Event.submission_id.in_(leaf),
        )
    like = f"%{escaped(text)}%"
    siren = text.replace(" ", "")
    return or_(
        Submission.number.ilike(like, escape="\\"), Submission.buyer_name.ilike(like, escape="\\"),
        Submission.seller_name.ilike(like, escape="\\"), Submission.buyer_siren == siren,
        Submission.seller_siren == siren, Submission.id == text,
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), PARIS)


def entries_of(session: Session, events: Sequence[Event]) -> dict[str, JournalEntry]:
    """The journal entry of each of these events, by the event's id, which the entry names as its cause."""
    if not events:
        return {}
    first, last = min(event.at for event in events), max(event.at for event in events)
    subjects = {event.submission_id or event.data.get("subject") for event in events}
    wanted = {event.id for event in events}
    found = {}
    query = select(JournalEntry).where(JournalEntry.at.between(first, last))
    if None not in subjects:
        query = query.where(JournalEntry.subject.in_(subjects))
    for entry in session.scalars(query):
        cause = json.loads(entry.line).get("cause")
        if cause in wanted:
            found[cause] = entry
    return found
