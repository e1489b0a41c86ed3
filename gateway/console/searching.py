"""What a search of the journal asks for, and the order in which events are read.

An event's position grows as its time does. What matches is found for words by finding.py; here are the walk along the
index of the rarest criterion, the period, and the place of a page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, UnaryExpression, desc, func, literal, select, tuple_
from sqlalchemy.orm import Session
from sqlalchemy.sql.operators import custom_op

from gateway.clock import midnight
from gateway.console import people
from gateway.evidence import looks
from gateway.tables import Event

COUNTED = 5000
"""So far is counted how many have a criterion, to begin with the rarest."""

MOST_ACTORS = 10
PLUS: custom_op[Any] = custom_op("+")
LOOKS = (looks.VIEWED, looks.DOCUMENT_READ, looks.LIST_EXPORTED, looks.JOURNAL_SEARCHED)
"""What people merely looked at has a page of its own; here it is shown for a kind, a person or a document."""

Condition = ColumnElement[bool]


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
class Page:
    """One page of a search in the making."""

    session: Session
    asked: Search
    actors: list[str]
    """Whose events are wanted; everybody's if there is none."""

    want: int
    """How many lines, and one more."""

    @property
    def upwards(self) -> bool:
        """Whether the page is read from the older line to the newer."""
        return self.asked.later is not None

    @property
    def facets(self) -> list[tuple[Any, str]]:
        """(column, value) of what has an index of its own, but for the actors."""
        if self.asked.status:
            return [(Event.code, self.asked.status),
                    (Event.kind, "lifecycle" if self.asked.kind in {"", "lifecycle"} else "")]
        return [(Event.kind, self.asked.kind)] if self.asked.kind else []


def page_of(session: Session, asked: Search, names: people.Names, want: int) -> Page:
    """The page; its actors are those whose name contains what was asked, or the actor itself, if it is one."""
    who = {*people.matching(names, asked.actor), asked.actor} if asked.actor else ()
    return Page(session, asked, sorted(who)[:MOST_ACTORS], want)


def is_empty(asked: Search) -> bool:
    """Whether the page lies before the period."""
    return bool(asked.since and asked.before is not None and asked.before.at < midnight(asked.since))


def walks(page: Page, *also: Condition) -> Iterator[Select[Event]]:
    """Along the index of the rarest criterion; each actor has a stretch of it."""
    for actor in page.actors or [""]:
        yield placed(page, walk(page, actor, select(Event)).where(*also))


def walk(page: Page, actor: str, query: Select[Any]) -> Select[Any]:
    """Along the index of the rarest criterion, for one actor or everybody; not yet in order."""
    facets = [*page.facets, *([(Event.actor, actor)] if actor else [])]
    if len(facets) > 1:
        counts = dict(zip(facets, how_many(page, facets), strict=True))
        facets.sort(key=counts.__getitem__)
    return query.where(*(aside(page.session, column) == value if number else column == value
                         for number, (column, value) in enumerate(facets)))


def how_many(page: Page, facets: Sequence[tuple[Any, str]]) -> list[int]:
    """How many events have each criterion from where the page begins, within the period; counted so far."""
    return counted(page.session, [select(Event.position).where(
        column == value, *within(page.asked, Event.at, Event.position)) for column, value in facets])


def is_rare(page: Page) -> bool:
    """Whether the walk along the criteria ends soon."""
    sums = how_many(page, page.facets)
    if page.actors:
        sums.append(sum(how_many(page, [(Event.actor, actor) for actor in page.actors])))
    return min(sums, default=COUNTED) < COUNTED


def beside(page: Page) -> list[Condition]:
    """The criteria as conditions that choose no index."""
    mine = [aside(page.session, Event.actor).in_(page.actors)] if page.actors else []
    return [*mine, *(aside(page.session, column) == value for column, value in page.facets)]


def placed(page: Page, query: Select[Any], *, sort: bool = False) -> Select[Any]:
    """In the order of the pages, from where the reader is, within the period.

    `sort`: what was found is so little that sorting is always the best; else the index that the query follows has the
    order. PostgreSQL would rather walk all events in their order, as if what was found were spread evenly among them;
    an order by GREATEST of one value is the same one, but no index has it.
    """
    asked, session = page.asked, page.session
    at: Any = aside(session, Event.at) if sort else Event.at
    position: Any = aside(session, Event.position) if sort else Event.position
    if not (asked.q or asked.kind or asked.actor):
        query = query.where(Event.code.not_in(LOOKS))
    query = query.where(*within(asked, at, position))
    if sort and session.get_bind().dialect.name == "postgresql":
        at = func.greatest(at)
    return query.order_by(at, position) if page.upwards else query.order_by(desc(at), desc(position))


def within(asked: Search, at: Any, position: Any) -> Iterator[Condition]:
    """The period and the place of the page."""
    if asked.since:
        yield at >= midnight(asked.since)
    if asked.until:
        yield at < midnight(asked.until + timedelta(days=1))
    here = asked.later or asked.before
    if here is not None:
        line, there = tuple_(at, position), tuple_(literal(here.at, Event.at.type), literal(here.position))
        yield line > there if asked.later is not None else line < there


def span(page: Page) -> tuple[int, int]:
    """The period and the place of the page as the first and the last position; an event's grows as its time does."""
    def first(day: date) -> int | None:
        return page.session.scalar(select(Event.position).where(Event.at >= midnight(day)).order_by(
            Event.at, Event.position).limit(1))

    asked, low = page.asked, 1
    high = page.session.scalar(select(func.max(Event.position))) or 0
    if asked.since:
        low = first(asked.since) or high + 1
    if asked.until and (end := first(asked.until + timedelta(days=1))) is not None:
        high = end - 1
    if asked.later is not None:
        low = max(low, asked.later.position + 1)
    elif asked.before is not None:
        high = min(high, asked.before.position - 1)
    return low, high


def aside(session: Session, column: Any) -> Any:
    """A column as a condition that chooses no index.

    SQLite keeps no figures about values and has to be told, by its unary plus; PostgreSQL knows better itself.
    """
    if session.get_bind().dialect.name != "sqlite":
        return column
    return UnaryExpression(column, operator=PLUS, type_=column.type)


def counted(session: Session, queries: Sequence[Select[Any]], most: int = COUNTED) -> list[int]:
    """How many rows each query has, counted up to `most`; asked in one statement."""
    limited = [select(func.count()).select_from(query.limit(most).subquery()).scalar_subquery() for query in queries]
    return [int(count) for count in session.execute(select(*limited)).one()] if limited else []
