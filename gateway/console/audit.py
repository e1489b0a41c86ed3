"""Searching the journal: events with their journal entry, newest first, page by page, however many there are.

The journal holds ids and hashes only, so names, numbers and reasons are looked up beside it (gateway/searchable.py).
A page is found in one of two ways. Where the words of a search belong to few invoices or events, those are fetched and
sorted. Else the events are walked from the newest, along the index of the rarest of the other criteria, until the page
is full. Pages go on from the last line seen (its time and position), so that the thousandth costs what the first does.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from archive.journal import leaf_hash
from gateway.console import people
from gateway.deps import PARIS
from gateway.evidence import looks
from gateway.problems import not_found
from gateway.searchable import after, asked_words
from gateway.tables import Document, Event, JournalEntry, Seal, Submission
from gateway.tables_care import EventWord, InvoiceWord

PER_PAGE = 50
HASH = re.compile(r"[0-9a-f]{64}")
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SIREN = re.compile(r"\d{3}[ .]?\d{3}[ .]?\d{3}([ .]?\d{5})?")
FEW = 2000
"""Up to so many invoices or events are fetched and sorted; more are met soon enough on the walk."""

MOST_ACTORS = 10
LOOKS = (looks.VIEWED, looks.DOCUMENT_READ, looks.LIST_EXPORTED, looks.JOURNAL_SEARCHED)
"""What people merely looked at has a page of its own; here it is shown when its kind or its person is asked for."""

Condition = ColumnElement[bool]
Key = InstrumentedAttribute[Any]
Words = InvoiceWord | EventWord


@dataclass(frozen=True, slots=True)
class Cursor:
    """A line of the journal to go on from."""

    at: datetime
    position: int

    def __str__(self) -> str:
        """As the URL has it."""
        return f"{self.at.isoformat()}~{self.position}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What the reader asked for; lives in the URL."""

    q: str = ""
    """Words of a number, a name or a reason; a SIREN; a hash; an invoice's id."""

    actor: str = ""
    kind: str = ""
    status: str = ""
    since: date | None = None
    until: date | None = None
    before: Cursor | None = None
    """Only what is older than this line; or with `later`, what is newer than that one."""

    later: Cursor | None = None

    def values(self) -> dict[str, Any]:
        """As the parameters of the URL, without the page."""
        return {"q": self.q, "qui": self.actor, "type": self.kind, "statut": self.status, "du": self.since,
                "au": self.until}


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
    for query in _branches(session, asked, names):
        for event in session.scalars(_placed(query, asked).limit(per_page + 1)):
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
    wanted = {event.submission_id for event in events if event.submission_id}
    invoices = {row.id: row for row in session.scalars(select(Submission).where(Submission.id.in_(wanted)))}
    entries = entries_of(session, events)
    return [Line(event, invoices.get(event.submission_id or ""), entries.get(event.id)) for event in events]


def entries_of(session: Session, events: Sequence[Event]) -> dict[str, JournalEntry]:
    """The journal entry of each of these events, by the event's id, which the entry names as its cause."""
    wanted = {event.id for event in events}
    found = {}
    for entry in session.scalars(select(JournalEntry).where(JournalEntry.at.in_({event.at for event in events}))):
        cause = json.loads(entry.line).get("cause")
        if cause in wanted:
            found[cause] = entry
    return found


def _cursor(event: Event) -> Cursor:
    return Cursor(event.at, event.position)


def _placed(query: Select[Event], asked: Search) -> Select[Event]:
    """In the order of the pages, from where the reader is."""
    if asked.later is not None:
        at, position = asked.later.at, asked.later.position
        return query.where(Event.at >= at, or_(Event.at > at, Event.position > position)).order_by(
            Event.at, Event.position)
    if asked.before is not None:
        at, position = asked.before.at, asked.before.position
        query = query.where(Event.at <= at, or_(Event.at < at, Event.position < position))
    return query.order_by(Event.at.desc(), Event.position.desc())


def _branches(session: Session, asked: Search, names: people.Names) -> Iterator[Select[Event]]:
    """Queries whose results together are what is asked for; each follows one index."""
    facets = list(_facets(asked))
    actors = _actors(names, asked.actor)
    if asked.q:
        for condition, index in _about(session, asked.q):
            everybody = [Event.actor.in_(actors)] if asked.actor else []
            if index is not None:
                yield _along(select(Event).where(condition, *facets, *everybody), index)
            else:
                yield from _walks(session, [condition, *facets], asked, actors)
    else:
        yield from _walks(session, facets, asked, actors)


def _walks(session: Session, conditions: list[Condition], asked: Search, actors: list[str]) -> Iterator[Select[Event]]:
    """Along the index of the rarest criterion; one walk for each actor, since each has a stretch of its own."""
    known = {"ix_events_kind": Event.kind == asked.kind} if asked.kind else {}
    if asked.status:
        known["ix_events_code"] = Event.code == asked.status
    for actor in actors if asked.actor else [""]:
        chosen = {**known, "ix_events_actor": Event.actor == actor} if actor else known
        index = "ix_events_at"
        if len(chosen) == 1:
            index = next(iter(chosen))
        elif chosen:
            index = min(chosen, key=lambda name: _few(session, select(Event.position).where(chosen[name]), FEW * 5))
        yield _along(select(Event).where(*conditions, *chosen.values()), index)


def _along(query: Select[Event], index: str) -> Select[Event]:
    """SQLite keeps no figures about values and is told which index to take; PostgreSQL knows better itself."""
    return query.with_hint(Event, f"INDEXED BY {index}", "sqlite") if index else query


def _facets(asked: Search) -> Iterator[Condition]:
    if asked.kind:
        yield Event.kind == asked.kind
    elif not asked.actor:
        yield Event.code.not_in(LOOKS)
    if asked.status:
        yield and_(Event.kind == "lifecycle", Event.code == asked.status)
    if asked.since:
        yield Event.at >= _midnight(asked.since)
    if asked.until:
        yield Event.at < _midnight(asked.until + timedelta(days=1))


def _actors(names: people.Names, text: str) -> list[str]:
    """The actors whose name contains the text; itself, if it is one."""
    return sorted({*people.matching(names, text), text})[:MOST_ACTORS] if text else []


def _about(session: Session, text: str) -> Iterator[tuple[Condition, str | None]]:
    """Conditions, any of which makes an event match, each with its index; None where one has to walk."""
    digest = text.lower().removeprefix("sha256:")
    if HASH.fullmatch(digest):
        yield Event.sha256 == digest, "ix_events_sha256"
        yield Event.submission_id.in_(_owners(session, digest)), "ix_events_submission"
        return
    if ID.fullmatch(digest):
        yield Event.submission_id == digest, "ix_events_submission"
        return
    words = asked_words(_compact(text))
    if not words:
        yield false(), "ix_events_at"
        return
    yield _of_invoices(session, words)
    yield _of_events(session, words)


def _compact(text: str) -> str:
    """A SIREN or SIRET as one word, the SIREN."""
    return re.sub(r"[ .]", "", text)[:9] if SIREN.fullmatch(text) else text


def _owners(session: Session, digest: str) -> list[str]:
    """The invoices to which an object or an entry belongs."""
    leaf = select(JournalEntry.subject).where(JournalEntry.leaf == bytes.fromhex(digest))
    found = [
        *session.scalars(select(Document.submission_id).where(Document.sha256 == digest).limit(FEW)),
        *session.scalars(select(Submission.id).where(Submission.sha256 == digest).limit(FEW)),
        *session.scalars(select(Submission.id).where(Submission.sent_sha256 == digest).limit(FEW)),
        *(str(subject).removeprefix("view:") for subject in session.scalars(leaf)),
    ]
    return sorted(set(found))


def _of_invoices(session: Session, words: list[str]) -> tuple[Condition, str | None]:
    """Events of the invoices that have all these words."""
    found = _keys(session, InvoiceWord.submission_id, InvoiceWord, words)
    if found is not None:
        return Event.submission_id.in_(found), "ix_events_submission"
    return and_(*(_has(InvoiceWord, InvoiceWord.submission_id, Event, Event.submission_id, word, last=last)
                  for word, last in _ranked(words))), None


def _of_events(session: Session, words: list[str]) -> tuple[Condition, str | None]:
    """Events whose reason has all these words."""
    found = _keys(session, EventWord.position, EventWord, words)
    if found is not None:
        return Event.position.in_(found), ""
    return and_(*(_has(EventWord, EventWord.position, Event, Event.position, word, last=last)
                  for word, last in _ranked(words))), None


def _keys(session: Session, key: Key, table: type[Words], words: list[str]) -> list[Any] | None:
    """The invoices or positions that have all these words; None when they are too many to sort."""
    ranked = sorted(_ranked(words), key=lambda one: _few(session, select(key).where(_spells(table, *one)), FEW))
    rarest, others = ranked[0], ranked[1:]
    found = session.scalars(select(key).where(_spells(table, *rarest), *(
        _has(table, key, table, key, word, last=last) for word, last in others)).limit(FEW)).all()
    return None if len(found) == FEW else sorted(set(found))


def _ranked(words: list[str]) -> list[tuple[str, bool]]:
    """Each word, and whether it is the last, of which the beginning is enough."""
    return [(word, number == len(words)) for number, word in enumerate(words, 1)]


def _spells(table: Any, word: str, last: bool) -> Condition:  # noqa: FBT001 - a pair of `_ranked`
    spelled: Condition = table.word == word
    if last:
        end = after(word)
        spelled = table.word >= word if end is None else and_(table.word >= word, table.word < end)
    return spelled


def _has(
    table: type[Words], key: Key, outer: Any, outer_key: Key, word: str, *, last: bool
) -> Condition:
    """Whether the invoice or event of the outer row has a word."""
    one = aliased(table)
    return (select(one.word).where(one.tenant_id == outer.tenant_id, getattr(one, key.key) == outer_key,
                                   _spells(one, word, last)).exists())


def _few(session: Session, query: Select[Any], most: int) -> int:
    """How many rows there are, counted up to `most`."""
    return session.scalar(select(func.count()).select_from(query.limit(most).subquery())) or 0


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), PARIS)
