"""Searching the journal: events with their journal entry, newest first, page by page, however many there are.

The journal holds ids and hashes only; what a search means is found beside it (searching.py). Pages go on from the last
line seen (its time and position), so that the thousandth costs what the first does.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.journal import leaf_hash
from gateway.console import people, queries
from gateway.console.finding import branches
from gateway.console.searching import Cursor, Search
from gateway.problems import not_found
from gateway.tables import Event, JournalEntry, Seal, Submission

PER_PAGE = 50


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
class Lines:
    """One page of the journal, newest first, and from where the pages beside it go on."""

    rows: Sequence[Line]
    older: Cursor | None
    newer: Cursor | None


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


def search(session: Session, asked: Search, names: people.Names, *, per_page: int = PER_PAGE) -> Lines:
    """One page of what matches."""
    found: dict[int, Event] = {}
    for query in branches(session, asked, names, per_page + 1):
        for event in session.scalars(query.limit(per_page + 1)):
            found[event.position] = event
    upwards = asked.later is not None
    ordered = sorted(found.values(), key=lambda event: (event.at, event.position), reverse=not upwards)
    events = ordered[:per_page]
    more = len(ordered) > per_page
    if upwards:
        events.reverse()
    lines = lines_of(session, events)
    first, last = (_cursor(events[0]), _cursor(events[-1])) if events else (None, None)
    return Lines(lines, last if more or upwards else None, first if asked.before or (upwards and more) else None)


def everything(session: Session, asked: Search, names: people.Names, most: int) -> Iterator[Line]:
    """All lines that match, newest first, at most so many."""
    asked = replace(asked, before=None, later=None)
    while most > 0:
        page = search(session, asked, names, per_page=min(most, 500))
        yield from page.rows
        if page.older is None:
            return
        most -= len(page.rows)
        asked = replace(asked, before=page.older)


def lines_of(session: Session, events: Sequence[Event]) -> list[Line]:
    """These events with invoice and entry."""
    invoices = queries.by_id(session, {event.submission_id for event in events if event.submission_id})
    entries = entries_of(session, events)
    return [Line(event, invoices.get(event.submission_id or ""), entries.get(event.id)) for event in events]


def entries_of(session: Session, events: Sequence[Event]) -> dict[str, JournalEntry]:
    """The journal entry of each of these events, by the event's id, which the entry names as its cause."""
    if not events:
        return {}
    wanted = {event.id for event in events}
    found = {}
    for entry in session.scalars(select(JournalEntry).where(JournalEntry.at.in_({event.at for event in events}))):
        cause = json.loads(entry.line).get("cause")
        if cause in wanted:
            found[cause] = entry
    return found


def _cursor(event: Event) -> Cursor:
    return Cursor(event.at, event.position)
