"""Which events the words of a search mean.

The words of an invoice are those of its number and those of its parties; many invoices are between the same parties,
which have words together (gateway/searchable.py). All words of a search are found in one invoice, or in what one event
says. Each of the following gives queries whose first results, put together, have the page:

- what belongs to few invoices or events is fetched and sorted;
- where few parties have the words, what happened between them is read in its order, further and further back;
- the same where events say words that many say, along the rarest of them;
- where very many parties or numbers have the words, the nearest events are looked at; where that is not enough, what
  happened between those parties is read as above, or the invoices are asked for their nearest event.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Select, String, and_, column, desc, func, or_, select, values
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from gateway.console import people
from gateway.console.searching import (
    Condition,
    Page,
    Search,
    beside,
    counted,
    is_empty,
    is_rare,
    page_of,
    placed,
    span,
    walk,
    walks,
    within,
)
from gateway.evidence import looks
from gateway.searchable import after, asked_words
from gateway.tables import Document, Event, JournalEntry, Submission
from gateway.tables_care import EventParties, EventWord, InvoiceParties, InvoiceWord, PartyWord

HASH = re.compile(r"[0-9a-f]{64}")
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SIREN = re.compile(r"\d{3}[ .]?\d{3}[ .]?\d{3}([ .]?\d{5})?")
FEW = 500
"""Up to so many invoices, parties or events are fetched; more are met soon enough on the walk."""

NEAR, FAR = 2000, 16000
"""So many events are looked at for words that many have, and at most so many more where that is likely to fill the
page, before they are sought from the words."""

WINDOW = 1024
"""So many positions are read first of what happened between some parties, then each time four times as many."""

Key = InstrumentedAttribute[Any]
Words = list[tuple[str, bool]]
"""Each with whether its beginning is enough."""


def branches(session: Session, asked: Search, names: people.Names, want: int) -> Iterator[Select[Event]]:
    """Queries whose first `want` results together have the page; each follows one index."""
    if is_empty(asked):
        return
    page, digest = page_of(session, asked, names, want), asked.q.lower().removeprefix("sha256:")
    if not asked.q:
        yield from walks(page)
    elif HASH.fullmatch(digest):
        yield _fetched(page, Event.sha256 == digest)
        if owners := _owners(session, digest):
            yield _fetched(page, Event.submission_id.in_(owners))
    elif ID.fullmatch(digest):
        yield _fetched(page, Event.submission_id == digest)
    elif found := asked_words(_compact(asked.q)):
        words = [(word, number == len(found)) for number, word in enumerate(found, 1)]
        yield from _said(page, words)
        yield from _of_invoices(page, words)


def _fetched(page: Page, which: Condition) -> Select[Event]:
    """Few events, to be sorted."""
    return placed(page, select(Event).where(which, *beside(page)), sort=True)


def _said(page: Page, words: Words) -> Iterator[Select[Event]]:
    """The events that say the words."""
    words, count = _rarest_first(page.session, EventWord.position, words)
    if not count:
        return
    if count < FEW:
        if found := page.session.scalars(_having(EventWord.position, words)).all():
            yield _fetched(page, Event.position.in_(sorted(set(found))))
        return
    (word, beginning), *others = words
    also = [_has(EventWord.position, one) for one in others]
    spelled = _spelled(page.session, word) if beginning else [word]
    if len(spelled) < FEW:
        yield from _read_along(page, EventWord.word, spelled, named=also)
    else:
        yield _read_back(page, EventWord, [_spells(EventWord, (word, beginning)), *also], span(page))


def _spelled(session: Session, beginning: str) -> Sequence[str]:
    """The words of events that begin so, `FEW` at most: each found from the one before, without reading all."""
    like = _spells(EventWord, (beginning, True))
    found = select(func.min(EventWord.word).label("word")).where(like).cte("spelled", recursive=True)
    following = select(func.min(EventWord.word)).where(like, EventWord.word > found.c.word).scalar_subquery()
    found = found.union_all(select(following).where(found.c.word.is_not(None)))
    return session.scalars(select(found.c.word).where(found.c.word.is_not(None)).limit(FEW)).all()


def _of_invoices(page: Page, words: Words) -> Iterator[Select[Event]]:
    """The events about invoices that have the words in their number and their parties."""
    parties = _parties(page.session, words)
    yield from _between(page, parties) if len(parties) < FEW else _between_very_many(page, words)
    counts = counted(page.session, [select(InvoiceWord.submission_id).where(_spells(InvoiceWord, one))
                                    for one in words], FEW)
    numbers = dict(zip(words, counts, strict=True))
    if found := {submission_id for one, count in numbers.items() if 0 < count < FEW
                 for submission_id in page.session.scalars(_numbered(one, words))}:
        yield _fetched(page, Event.submission_id.in_(sorted(found)))
    frequent = [one for one, count in numbers.items() if count == FEW]
    if frequent:
        yield from _numbered_alike(page, frequent, [one for one in words if one not in frequent], parties)


def _between(page: Page, parties: Sequence[str], *also: Condition) -> Iterator[Select[Event]]:
    """What happened between few parties."""
    if not parties:
        return
    if is_rare(page):
        yield from walks(page, _is_between(parties), *also)
        return
    yield from _read_along(page, EventParties.parties, parties, about=also)


def _between_very_many(page: Page, words: Words) -> Iterator[Select[Event]]:
    """What happened between parties that have the words, where very many have."""
    for actor in page.actors or [""]:
        met = _met(page, actor, lambda about: [_party_has(about, one) for one in words])
        if len(met) < page.want:
            break
        yield _fetched(page, Event.position.in_(met))
    else:
        return
    if is_rare(page):
        yield from walks(page, *(_party_has(Event.submission_id, one) for one in words))
    else:
        pairs = EventParties.parties.in_(_having(PartyWord.parties, words))
        yield _read_back(page, EventParties, [pairs], span(page))


def _read_along(
    page: Page, key: Key, keys: Sequence[str], *, named: Sequence[Condition] = (), about: Sequence[Condition] = ()
) -> Iterator[Select[Event]]:
    """The events of some parties or words, from the one that is nearest to where the page begins.

    `named` are further conditions on the table that names them, `about` such as are on the events.
    """
    low, high = span(page)
    one, end = aliased(key.class_), func.min if page.upwards else func.max
    given = values(column("key", String), name="given").data([(each,) for each in keys]).cte("given")
    nearest = page.session.scalar(select(end(
        select(end(one.position)).where(getattr(one, key.key) == given.c.key, one.position.between(low, high))
        .correlate(given).scalar_subquery())).select_from(given))
    if nearest is not None:
        reach = (nearest, high) if page.upwards else (low, nearest)
        yield _read_back(page, key.class_, [key.in_(keys), *named], reach, about)


def _read_back(
    page: Page, table: Any, named: Sequence[Condition], reach: tuple[int, int], about: Sequence[Condition] = ()
) -> Select[Event]:
    """The events that a table names, read in windows from one end of the reach until the page is full."""
    query = select(table.position).where(*named).distinct()
    if criteria := [*beside(page), *about]:
        query = query.join(Event, and_(Event.tenant_id == table.tenant_id, Event.position == table.position)).where(
            *criteria)
    query = query.order_by(table.position if page.upwards else desc(table.position))
    met: list[int] = []
    (low, high), size = reach, WINDOW
    while low <= high and len(met) < page.want:
        first, last = (low, min(high, low + size - 1)) if page.upwards else (max(low, high - size + 1), high)
        met += page.session.scalars(query.where(table.position.between(first, last)).limit(page.want - len(met)))
        low, high = (last + 1, high) if page.upwards else (low, first - 1)
        size *= 4
    return _fetched(page, Event.position.in_(met))


def _numbered_alike(
    page: Page, frequent: Words, elsewhere: Words, known: Sequence[str]
) -> Iterator[Select[Event]]:
    """Where very many numbers have some of the words: those that only few have must then be the parties'."""
    if elsewhere:
        parties = set(_parties(page.session, elsewhere))
        if len(parties) < FEW:
            yield from _between(page, sorted(parties - set(known)),
                                *(_fits(Event.submission_id, one) for one in frequent))
            return
    words = [*frequent, *elsewhere]
    for actor in page.actors or [""]:
        met = _met(page, actor, lambda about: [_fits(about, one) for one in words])
        if len(met) >= page.want:
            yield _fetched(page, Event.position.in_(met))
        elif actor or page.facets:
            fitting = [_fits(Event.submission_id, one) for one in words]
            yield placed(page, walk(page, actor, select(Event)).where(*fitting))
        else:
            yield _fetched(page, Event.submission_id.in_(_next_invoices(page, frequent, words)))


def _next_invoices(page: Page, frequent: Words, words: Words) -> list[str]:
    """Of the invoices that have all the words those whose next event is nearest.

    Those whose number has the rarest are ordered by it, and asked for the other words in that order, some at a time.
    """
    (rarest, *_), _ = _rarest_first(page.session, InvoiceWord.submission_id, frequent)
    one = aliased(Event)
    ends = func.min(one.at) if page.upwards else func.max(one.at)
    near_end = select(ends).where(one.submission_id == InvoiceWord.submission_id,
                                  *within(page.asked, one.at, one.position)).scalar_subquery()
    ordered = select(InvoiceWord.submission_id).where(_spells(InvoiceWord, rarest)).order_by(
        near_end.asc().nulls_last() if page.upwards else near_end.desc().nulls_last())
    chosen: dict[str, None] = {}
    key = InvoiceWord.submission_id
    with page.session.scalars(ordered.execution_options(yield_per=4 * page.want)) as rows:  # only as far as is needed
        for some in rows.partitions():
            fit = set(page.session.scalars(_numbered(rarest, words).where(key.in_(some))))
            chosen |= dict.fromkeys(one for one in some if one in fit)
            if len(chosen) >= page.want:
                break
    return list(chosen)[:page.want]


def _met(page: Page, actor: str, having: Callable[[Any], list[Condition]]) -> Sequence[int]:
    """Positions of the next events about what has the words, looked for among the nearest ones of the walk."""
    def looked(near: int) -> Sequence[int]:
        events: Any = select(Event.position, Event.at, Event.submission_id)
        there = placed(page, walk(page, actor, events)).limit(near).subquery().c
        ends = (there.at, there.position)
        return page.session.scalars(
            select(there.position).where(*having(there.submission_id))
            .order_by(*(ends if page.upwards else map(desc, ends))).limit(page.want)).all()

    met = looked(NEAR)
    if 0 < len(met) < page.want and (needed := NEAR * page.want * 2 // len(met)) <= FAR:
        met = looked(needed)
    return met


def _numbered(one: tuple[str, bool], words: Words) -> Select[Any]:
    """The invoices whose number has a word, and that have all the others."""
    key = InvoiceWord.submission_id
    return select(key).where(_spells(InvoiceWord, one), *(_fits(key, other) for other in words if other != one))


def _parties(session: Session, words: Words) -> Sequence[str]:
    """Parties that have all the words, `FEW` at most."""
    words, count = _rarest_first(session, PartyWord.parties, words)
    return session.scalars(_having(PartyWord.parties, words).distinct().limit(FEW)).all() if count else []


def _rarest_first(session: Session, key: Key, words: Words) -> tuple[Words, int]:
    """The words in the order of how many have them, counted so far, whole words before a beginning of many.

    Also how many have the first.
    """
    queries = [select(key).where(_spells(key.class_, one)) for one in words]
    counts = dict(zip(words, counted(session, queries), strict=True))
    ordered = sorted(counts, key=lambda one: (counts[one] >= FEW and one[1], counts[one]))
    return ordered, counts[ordered[0]]


def _having(key: Key, words: Words) -> Select[Any]:
    """The keys that have all the words, the first of which leads."""
    return select(key).where(_spells(key.class_, words[0]), *(_has(key, one) for one in words[1:]))


def _has(key: Key, one: tuple[str, bool]) -> Condition:
    """Whether the outer row's invoice, parties or event have another word."""
    other = aliased(key.class_)
    return select(other.word).where(getattr(other, key.key) == key, _spells(other, one)).exists()


def _fits(about: Any, one: tuple[str, bool]) -> Condition:
    """Whether an invoice has a word."""
    number = aliased(InvoiceWord)
    return or_(select(number.word).where(number.submission_id == about, _spells(number, one)).offset(0).exists(),
               _party_has(about, one))


def _party_has(about: Any, one: tuple[str, bool]) -> Condition:
    """Whether the parties of an invoice have a word. The OFFSET keeps PostgreSQL from reading all that have it."""
    mine, theirs = aliased(InvoiceParties), aliased(PartyWord)
    return select(theirs.word).where(mine.submission_id == about, theirs.parties == mine.parties,
                                     _spells(theirs, one)).offset(0).exists()


def _is_between(parties: Sequence[str]) -> Condition:
    """Whether an event is about an invoice between some parties."""
    mine = aliased(InvoiceParties)
    return select(mine.parties).where(mine.submission_id == Event.submission_id,
                                      mine.parties.in_(parties)).offset(0).exists()


def _spells(table: Any, one: tuple[str, bool]) -> Condition:
    """Whether a row has a word, or one that begins so."""
    word, beginning = one
    if not beginning:
        spelled: Condition = table.word == word
        return spelled
    end = after(word)
    return and_(table.word >= word, table.word < end) if end is not None else and_(table.word >= word)


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
