"""Which events of the journal a search means, and in which order they are found.

Names, numbers and reasons are looked up by their words (gateway/searchable.py). A page is found in one of three ways.
Where the words of a search belong to few invoices or events, those are fetched and sorted. Where very many events have
them, the list of the rarest word is read along, since an event's position grows as its time does. Else the events are
walked from the newest, along the index of the rarest of the other criteria, until the page is full; where that would be
far, the invoices that have the words are asked for their nearest event.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, UnaryExpression, and_, desc, false, func, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased
from sqlalchemy.sql.operators import custom_op

from gateway.console import people
from gateway.deps import PARIS
from gateway.evidence import looks
from gateway.searchable import after, asked_words
from gateway.tables import Document, Event, JournalEntry, Submission
from gateway.tables_care import EventWord, InvoiceWord

HASH = re.compile(r"[0-9a-f]{64}")
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SIREN = re.compile(r"\d{3}[ .]?\d{3}[ .]?\d{3}([ .]?\d{5})?")
FEW = 500
"""Up to so many invoices or events are fetched and sorted; more are met soon enough on the walk."""

NEAR, FAR = 2000, 16000
"""So many events are looked at for words that many have, and at most so many more where that is likely to fill the
page, before they are sought from the words."""

COUNTED, FREQUENT = 5000, 20000
"""So far is counted how many have a word or a code, to begin with the rarest; further where all of a list is read."""

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


def branches(session: Session, asked: Search, names: people.Names, want: int) -> Iterator[Select[Event]]:
    """Queries whose first `want` results together have the page; each follows one index."""
    actors = _actors(names, asked.actor)
    if asked.since and asked.before is not None and asked.before.at < _midnight(asked.since):
        return  # a page before the period
    if not asked.q:
        for actor in actors or [""]:  # each has a stretch of the index of its own
            yield _placed(_walk(session, asked, actor, select(Event)), asked)
        return
    for found in _about(session, asked.q):
        if not isinstance(found, Many):
            few = select(Event).where(found, *_beside(session, asked, actors))
            yield _placed(few, asked, session, few=True)
        elif found.table is EventWord and not found.words[0][1]:
            yield _said(session, asked, actors, found)
        else:
            for actor in actors or [""]:
                of_many = select(Event).where(_of_many(session, asked, actor, found, want))
                yield _placed(of_many.where(*_beside(session, asked, [actor] if actor else [])), asked, session)


def _said(session: Session, asked: Search, actors: list[str], many: Many) -> Select[Event]:
    """The events in which words were said, along the rarest of them: an event's position grows as its time does."""
    (rarest, _), *others = many.words
    query = select(Event).join(EventWord, and_(
        EventWord.tenant_id == Event.tenant_id, EventWord.position == Event.position)).where(
        EventWord.word == rarest, *_beside(session, asked, actors), *_between(session, asked),
        *(_has(EventWord, EventWord.position, EventWord, EventWord.position, word, last=last) for word, last in others))
    return query.order_by(EventWord.position if asked.later is not None else desc(EventWord.position))


def _between(session: Session, asked: Search) -> Iterator[Condition]:
    """The period and the place of the page, as positions."""
    def first(day: date) -> int | None:
        return session.scalar(select(Event.position).where(Event.at >= _midnight(day)).order_by(
            Event.at, Event.position).limit(1))

    if asked.since:
        start = first(asked.since)
        yield EventWord.position >= start if start is not None else false()
    if asked.until and (end := first(asked.until + timedelta(days=1))) is not None:
        yield EventWord.position < end
    if asked.later is not None:
        yield EventWord.position > asked.later.position
    elif asked.before is not None:
        yield EventWord.position < asked.before.position


def _walk(session: Session, asked: Search, actor: str, query: Select[Any]) -> Select[Any]:
    """Along the index of the rarest criterion."""
    facets = [*_facets(asked), *([(Event.actor, actor)] if actor else [])]
    if len(facets) > 1:
        facets.sort(key=lambda one: _few(session, select(Event.position).where(one[0] == one[1]), COUNTED))
    return query.where(*(_aside(session, column) == value if number else column == value
                         for number, (column, value) in enumerate(facets)))


def _beside(session: Session, asked: Search, actors: list[str]) -> list[Condition]:
    """The criteria as conditions that choose no index."""
    mine = [_aside(session, Event.actor).in_(actors)] if actors else []
    return [*mine, *(_aside(session, column) == value for column, value in _facets(asked))]


def _of_many(session: Session, asked: Search, actor: str, many: Many, want: int) -> Condition:
    """Which events to show where the words belong to very many invoices or events.

    First a look at the nearest events: what is frequent and recent fills the page from there. What is frequent and far
    away is found from the words: of the invoices that have them, the ones whose next event is nearest.
    """
    met = _met(session, asked, actor, many, want, near=NEAR)
    if 0 < len(met) < want and (needed := NEAR * want * 2 // len(met)) <= FAR:
        met = _met(session, asked, actor, many, want, near=needed)
    if len(met) >= want:
        return Event.position.in_(met)
    if many.table is EventWord or actor or _facets(asked):
        whole: Condition = many.where.in_(_all(many))
        return whole
    return Event.submission_id.in_(_next_invoices(session, asked, many, want))


def _next_invoices(session: Session, asked: Search, many: Many, want: int) -> list[str]:
    """Of the invoices that have all the words those whose next event is nearest.

    Those that have the rarest word are ordered by it, and asked for the other words in that order, some at a time.
    """
    word, last = many.words[0]
    if _few(session, select(many.key).where(_spells(many.table, word, last=last)), FREQUENT) == FREQUENT:
        many, _ = _rarest_first(session, many, FREQUENT)
    one, (rarest, ending), *others = aliased(Event), *many.words
    ends = func.min(one.at) if asked.later is not None else func.max(one.at)
    near_end = (select(ends).where(one.tenant_id == InvoiceWord.tenant_id,
                                   one.submission_id == InvoiceWord.submission_id,
                                   *_within(asked, one.at, one.position)).scalar_subquery())
    ordered = select(InvoiceWord.submission_id).where(_spells(InvoiceWord, rarest, last=ending)).order_by(
        near_end.asc().nulls_last() if asked.later is not None else near_end.desc().nulls_last())
    chosen: dict[str, None] = {}
    key = InvoiceWord.submission_id
    with session.scalars(ordered.execution_options(yield_per=4 * want)) as rows:  # read only as far as is needed
        for some in rows.partitions():
            fit = set(session.scalars(select(key).where(
                key.in_(some), _spells(InvoiceWord, rarest, last=ending),
                *(_has(InvoiceWord, key, InvoiceWord, key, word, last=last) for word, last in others))))
            chosen |= dict.fromkeys(one for one in some if one in fit)
            if len(chosen) >= want:
                break
    return list(chosen)[:want]


def _met(session: Session, asked: Search, actor: str, many: Many, want: int, *, near: int) -> Sequence[int]:
    """Positions of the next events about what has the words, looked for among the `near` next ones of the walk."""
    walk = _walk(session, asked, actor, select(Event.position, Event.at, many.where.label("about")))
    there = _placed(walk, asked).limit(near).subquery()
    ends = (there.c.at, there.c.position)
    return session.scalars(
        select(there.c.position)
        .where(*(_has(many.table, many.key, None, there.c.about, word, last=last) for word, last in many.words))
        .order_by(*(ends if asked.later is not None else map(desc, ends))).limit(want)).all()


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
            ordered, rarest = _rarest_first(session, many, COUNTED)
            if many.table is EventWord and rarest >= FEW:
                yield ordered
                continue
            found = session.scalars(_all(ordered).limit(FEW)).all()
            if len(found) == FEW:
                yield ordered
            elif found:
                yield many.where.in_(sorted(set(found)))


def _rarest_first(session: Session, many: Many, most: int) -> tuple[Many, int]:
    """The words in the order of how many have them, counted up to `most`, whole words before a beginning of many.

    Also how many have the first.
    """
    counts = {(word, last): _few(session, select(many.key).where(_spells(many.table, word, last=last)), most)
              for word, last in many.words}
    words = sorted(counts, key=lambda one: (counts[one] >= FEW and one[1], counts[one]))
    return replace(many, words=words), counts[words[0]]


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
