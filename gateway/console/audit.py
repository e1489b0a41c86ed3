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

from sqlalchemy import ColumnElement, Select, UnaryExpression, and_, desc, func, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased
from sqlalchemy.sql.operators import custom_op

from archive.journal import leaf_hash
from gateway.console import people, queries
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

NEAR = 2000
"""So many events are looked at for words that many have, before they are sought from the words."""

MOST_ACTORS = 10
PLUS: custom_op[Any] = custom_op("+")
LOOKS = (looks.VIEWED, looks.DOCUMENT_READ, looks.LIST_EXPORTED, looks.JOURNAL_SEARCHED)
"""What people merely looked at has a page of its own; here it is shown for a kind, a person or a document."""

Condition = ColumnElement[bool]
Key = InstrumentedAttribute[Any]
Words = InvoiceWord | EventWord


@dataclass(frozen=True, slots=True)
class Many:
    """Words that very many invoices or events have."""

    table: type[Words]
    key: Key
    where: Any
    """The column of events that names what has the words."""

    words: list[tuple[str, bool]]
    """Each with whether its beginning is enough; the rarest first."""


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
    for query in _branches(session, asked, names, per_page + 1):
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
    wanted = {event.id for event in events}
    found = {}
    for entry in session.scalars(select(JournalEntry).where(JournalEntry.at.in_({event.at for event in events}))):
        cause = json.loads(entry.line).get("cause")
        if cause in wanted:
            found[cause] = entry
    return found


def _cursor(event: Event) -> Cursor:
    return Cursor(event.at, event.position)


def _branches(session: Session, asked: Search, names: people.Names, want: int) -> Iterator[Select[Event]]:
    """Queries whose results together are the page; each follows one index."""
    actors = _actors(names, asked.actor)
    if not asked.q:
        yield from (_placed(query, asked) for query in _walks(session, asked, actors, select(Event)))
        return
    for found in _about(session, asked.q):
        condition = _of_many(session, asked, actors, found, want) if isinstance(found, Many) else found
        yield _placed(select(Event).where(condition, *_beside(session, asked, actors)), asked, session,
                      few=not isinstance(found, Many))


def _walks(session: Session, asked: Search, actors: list[str], query: Select[Any]) -> Iterator[Select[Any]]:
    """Along the index of the rarest criterion; one walk for each actor, since each has a stretch of its own."""
    for actor in actors if asked.actor else [""]:
        facets = [*_facets(asked), *([(Event.actor, actor)] if actor else [])]
        if len(facets) > 1:
            facets.sort(key=lambda one: _few(session, select(Event.position).where(one[0] == one[1]), FEW * 5))
        yield query.where(*(_aside(session, column) == value if number else column == value
                            for number, (column, value) in enumerate(facets)))


def _beside(session: Session, asked: Search, actors: list[str]) -> list[Condition]:
    """The criteria as conditions that choose no index."""
    mine = [_aside(session, Event.actor).in_(actors)] if asked.actor else []
    return [*mine, *(_aside(session, column) == value for column, value in _facets(asked))]


def _of_many(session: Session, asked: Search, actors: list[str], many: Many, want: int) -> Condition:
    """Which events to show where the words belong to very many invoices or events.

    First a look at the nearest events: what is frequent and recent fills the page from there. What is frequent and far
    away is found from the words: of the invoices that have them, the ones whose next event is nearest.
    """
    key, where = many.key, many.where
    met: set[int] = set()
    for walk in _walks(session, asked, actors, select(Event.position, where.label("about"))):
        near = _placed(walk, asked).limit(NEAR).subquery()
        met |= set(session.scalars(select(near.c.position).where(*(
            _has(many.table, key, None, near.c.about, word, last=last) for word, last in many.words))))
    if len(met) >= want:
        return Event.position.in_(met)
    if many.table is EventWord or actors or _facets(asked):
        whole: Condition = where.in_(_all(many))
        return whole
    one = aliased(Event)
    ends = func.min(one.at) if asked.later is not None else func.max(one.at)
    near_end = (select(ends).where(one.tenant_id == many.table.tenant_id, one.submission_id == key,
                                   *_within(asked, one.at, one.position))
                .correlate(many.table).scalar_subquery().label("near"))
    chosen = _all(many).add_columns(near_end).distinct().order_by(
        near_end.asc().nulls_last() if asked.later is not None else near_end.desc().nulls_last())
    return Event.submission_id.in_([submission for submission, _ in session.execute(chosen.limit(want))])


def _all(many: Many) -> Select[Any]:
    """The keys that have all the words."""
    (rarest, ending), *others = many.words
    return select(many.key).where(_spells(many.table, rarest, last=ending), *(
        _has(many.table, many.key, many.table, many.key, word, last=last) for word, last in others))


def _placed(
    query: Select[Any], asked: Search, sorted_on: Session | None = None, *, few: bool = False
) -> Select[Any]:
    """In the order of the pages, from where the reader is, within the period.

    With `sorted_on` what was found is sorted; without, the index that the query follows has the order. `few`: it is so
    little that sorting is always the best. PostgreSQL would rather walk all events in their order, as if what was found
    were spread evenly among them; an order by GREATEST of one value is the same one, but no index has it.
    """
    at: Any = Event.at if sorted_on is None else _aside(sorted_on, Event.at)
    position: Any = Event.position if sorted_on is None else _aside(sorted_on, Event.position)
    if not (asked.q or asked.kind or asked.actor):
        query = query.where(Event.code.not_in(LOOKS))
    query = query.where(*_within(asked, at, position))
    if few and sorted_on is not None and sorted_on.get_bind().dialect.name == "postgresql":
        at = func.greatest(at)
    return query.order_by(at, position) if asked.later is not None else query.order_by(desc(at), desc(position))


def _within(asked: Search, at: Any, position: Any) -> Iterator[Condition]:
    """The period and the place of the page."""
    if asked.since:
        yield at >= _midnight(asked.since)
    if asked.until:
        yield at < _midnight(asked.until + timedelta(days=1))
    here = asked.later or asked.before
    if here is not None:
        line, there = tuple_(at, position), tuple_(literal(here.at, Event.at.type), literal(here.position))
        yield line > there if asked.later is not None else line < there


def _aside(session: Session, column: Any) -> Any:
    """A column as a condition that chooses no index.

    SQLite keeps no figures about values and has to be told, by its unary plus; PostgreSQL knows better itself.
    """
    if session.get_bind().dialect.name != "sqlite":
        return column
    return UnaryExpression(column, operator=PLUS, type_=column.type)


def _facets(asked: Search) -> list[tuple[Any, str]]:
    """(column, value) of what has an index of its own."""
    if asked.status:
        return [(Event.code, asked.status), (Event.kind, "lifecycle" if asked.kind in {"", "lifecycle"} else "")]
    return [(Event.kind, asked.kind)] if asked.kind else []


def _actors(names: people.Names, text: str) -> list[str]:
    """The actors whose name contains the text; itself, if it is one."""
    return sorted({*people.matching(names, text), text})[:MOST_ACTORS] if text else []


def _about(session: Session, text: str) -> Iterator[Condition | Many]:
    """Conditions, any of which makes an event match and holds for few events; or the words that many have."""
    digest = text.lower().removeprefix("sha256:")
    if HASH.fullmatch(digest):
        yield Event.sha256 == digest
        if owners := _owners(session, digest):
            yield Event.submission_id.in_(owners)
    elif ID.fullmatch(digest):
        yield Event.submission_id == digest
    elif words := asked_words(_compact(text)):
        ranked = [(word, number == len(words)) for number, word in enumerate(words, 1)]
        for many in (Many(InvoiceWord, InvoiceWord.submission_id, Event.submission_id, ranked),
                     Many(EventWord, EventWord.position, Event.position, ranked)):
            ordered = _rarest_first(session, many)
            found = session.scalars(_all(ordered).limit(FEW)).all()
            if len(found) == FEW:
                yield ordered
            elif found:
                yield many.where.in_(sorted(set(found)))


def _rarest_first(session: Session, many: Many) -> Many:
    def rows(asked: tuple[str, bool]) -> int:
        word, last = asked
        return _few(session, select(many.key).where(_spells(many.table, word, last=last)), FEW)

    return replace(many, words=sorted(many.words, key=rows))


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
        *(str(subject).removeprefix(looks.VIEW) for subject in session.scalars(leaf)),
    ]
    return sorted(set(found))


def _spells(table: Any, word: str, *, last: bool) -> Condition:
    spelled: Condition = table.word == word
    if last:
        end = after(word)
        spelled = table.word >= word if end is None else and_(table.word >= word, table.word < end)
    return spelled


def _has(table: type[Words], key: Key, outer: Any, outer_key: Any, word: str, *, last: bool) -> Condition:
    """Whether the invoice or event of the outer row has a word; `outer` is its table where it is one.

    Else it is one of a few events: the OFFSET keeps PostgreSQL from reading everything that has the word instead.
    """
    one = aliased(table)
    same = [one.tenant_id == outer.tenant_id] if outer is not None else []
    has = select(one.word).where(*same, getattr(one, key.key) == outer_key, _spells(one, word, last=last))
    return (has if outer is not None else has.offset(0)).exists()


def _few(session: Session, query: Select[Any], most: int) -> int:
    """How many rows there are, counted up to `most`."""
    return session.scalar(select(func.count()).select_from(query.limit(most).subquery())) or 0


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), PARIS)
