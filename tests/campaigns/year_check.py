"""Holds letters and decisions of a year against what really happened. Imports nothing of the product.

It has its own calendar (Easter by the Gregorian rule, holidays of Alsace), its own account of each invoice and its own
reading of the scenario: a list of (stage, days from the due date).
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from year_plan import Life, Year

PARIS = ZoneInfo("Europe/Paris")
THANKS = "thanks"
COURTESY = ("before", "due")
ANSWERS = {"205": {"206", "207", "208"}, "209": {"208"}}


APART = """
SELECT client, word, at, count(DISTINCT paper) FROM (
  SELECT s.buyer_siren AS client, d.at AS at, d.message_id AS paper,
         CASE WHEN d.stage IN ('before', 'thanks') THEN d.stage ELSE 'reminder' END AS word
  FROM decisions d JOIN submissions s ON s.id = d.submission_id
  WHERE d.outcome = 'sent' AND d.channel IN ('spool', 'smtp')
  UNION ALL
  SELECT client, opened_at, id, kind FROM cases WHERE kind IN ('call', 'letter', 'notice', 'handover'))
GROUP BY client, word, at HAVING count(DISTINCT paper) > 1"""
"""A client that got two mails, or is in two tasks of a kind, of one moment."""


@dataclass(frozen=True, slots=True)
class Went:
    """A stage that went out, as the product tells it (or as a mail shows it)."""

    number: str
    stage: str
    at: datetime
    passed_over: tuple[str, ...] = ()
    balance: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A decision as it was kept."""

    number: str
    at: datetime
    outcome: str
    code: str
    reason: str
    scenario: str


@dataclass(slots=True)
class Verdict:
    """What is wrong, in words; empty is what must be."""

    faults: list[str] = field(default_factory=list)
    letters: int = 0


@dataclass(frozen=True, slots=True)
class Books:
    """What a database and a spool of mails say about a year."""

    went: tuple[Went, ...]
    told: tuple[Told, ...]
    declined: frozenset[tuple[str, str]]
    faults: tuple[str, ...]
    """Mails without a decision, decisions without a mail."""

    mails: int


def read_books(database: Path, spool: Path) -> Books:
    """The decisions from the SQLite file, held against the mails of a spool or of a mail server."""
    went, told, ids = [], [], set()
    with closing(sqlite3.connect(database)) as books:
        rows = books.execute("SELECT s.number, d.stage, d.at, d.outcome, d.reason, d.facts, d.scenario, d.channel, "
                             "d.message_id FROM decisions d JOIN submissions s ON s.id = d.submission_id")
        for number, stage, at, outcome, reason, facts, scenario, channel, message_id in rows:
            said = json.loads(facts)
            moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
            told.append(Told(number, moment, outcome, said.get("code", ""), reason, scenario))
            if outcome == "sent":
                went.append(Went(number, stage, moment, tuple(said["passed_over"]), said["balance"]))
            if outcome == "sent" and channel in {"spool", "smtp"}:
                ids.add(message_id.strip("<>"))
        declined = frozenset(books.execute(
            "SELECT s.number, c.stage FROM cases c JOIN submissions s ON s.id = c.submission_id "
            "WHERE c.outcome = 'declined'").fetchall())
        apart = [f"at {at} {stage} went to {client} as {count}" for client, stage, at, count in books.execute(APART)]
    files = {file.name.removesuffix(".eml") for file in spool.glob("*.eml")}
    faults = (*apart,
              *(f"a mail without a decision: {one}" for one in sorted(files - ids)),
              *(f"a decision without a mail: {one}" for one in sorted(ids - files)))
    return Books(tuple(went), tuple(told), declined, faults, len(files))


def check(
    year: Year, ladder: Sequence[tuple[str, int]], went: Sequence[Went], told: Sequence[Told], until: datetime, *,
    declined: frozenset[tuple[str, str]] = frozenset(),
) -> Verdict:
    """Everything that must hold of a year. `declined`: (number, stage) that a person refused."""
    verdict = Verdict(letters=len(went))
    lives = {life.number: life for life in year.lives}
    by_number: Mapping[str, list[Went]] = defaultdict(list)
    for one in sorted(went, key=lambda one: one.at):
        by_number[one.number].append(one)
    decisions: Mapping[str, list[Told]] = defaultdict(list)
    for decision in told:
        decisions[decision.number].append(decision)
    for life in lives.values():
        for fault in (*_letters(life, ladder, by_number[life.number], declined), *_silence(
                life, by_number[life.number], until), *_records(by_number[life.number], decisions[life.number])):
            verdict.faults.append(f"{life.number} ({life.temper}, due {life.due}): {fault}")
    return verdict


def _letters(
    life: Life, ladder: Sequence[tuple[str, int]], went: Sequence[Went], declined: frozenset[tuple[str, str]]
) -> Iterator[str]:
    days = dict(ladder)
    order = [stage for stage, _ in ladder]
    before: list[Went] = []
    for one in went:
        here = one.at.astimezone(PARIS)
        if one.stage in {earlier.stage for earlier in before}:
            yield f"stage {one.stage} twice"
        if not working(here.date(), life.client.region) or not 8 <= here.hour < 19:
            yield f"{one.stage} on {here:%a %Y-%m-%d %H:%M}"
        yield from (f"{one.stage} at {here:%Y-%m-%d %H:%M}: {why}" for why in against(life, one))
        if one.stage != THANKS:
            asked = [earlier for earlier in before if earlier.stage != THANKS]
            if here.date() < life.due + timedelta(days=days[one.stage]):
                yield f"{one.stage} too soon, on {here.date()}"
            if asked and order.index(one.stage) < order.index(asked[-1].stage):
                yield f"{one.stage} after {asked[-1].stage}"
            if before and (here.date() - before[-1].at.astimezone(PARIS).date()).days < 3:
                yield f"{one.stage} less than three days after {before[-1].stage}"
            sent = {earlier.stage for earlier in before}
            for stage in order[:order.index(one.stage)]:
                if stage not in sent and stage not in one.passed_over:
                    yield f"{stage} skipped before {one.stage} without a word"
                if stage in one.passed_over and stage not in COURTESY and (life.number, stage) not in declined:
                    yield f"{stage} passed over, though nobody refused it"
        before.append(one)


def against(life: Life, one: Went) -> Iterator[str]:
    """Why this should not have gone out at its moment."""
    paid, credited, open_, ended, said = account(life, one.at)
    balance = life.amount - paid - credited
    today = one.at.astimezone(PARIS).date()
    if one.balance and Decimal(one.balance) != balance:
        yield f"says {one.balance}, owed {balance}"
    if (one.stage == THANKS) != (balance <= 0):
        yield f"balance {balance}"
    if open_:
        yield f"open {sorted(open_)}"
    if ended:
        yield f"ended {ended}"
    for kind, until in _holds(life, one.at):
        if (until is None or today <= until) and not (one.stage == THANKS and kind in {"promise", "plan"}):
            yield f"hold {kind} until {until}"
    if said is not None and one.stage != THANKS and today <= after_working(said, 3, life.client.region):
        yield f"payment announced on {said}"


def account(life: Life, at: datetime) -> tuple[Decimal, Decimal, set[str], str | None, date | None]:
    """(paid, credited, open questions, end, day of the last 211) as known at a moment."""
    paid = credited = Decimal(0)
    open_: set[str] = set()
    ended: str | None = None
    said: date | None = None
    for one in life.happenings:
        if one.at > at:
            break
        match one.kind, one.value:
            case "pay", amount:
                paid += Decimal(amount)
            case "credit", amount:
                credited += Decimal(amount)
            case "status", ("206" | "207" | "208") as code:
                open_.add(code)
            case "status", "205":
                open_.clear()
            case "status", "209":
                open_.discard("208")  # completes nothing else
            case "status", ("210" | "213") as code:
                ended = code
            case "status", "211":
                said = one.at.astimezone(PARIS).date()
    return paid, credited, open_, ended, said


def _holds(life: Life, at: datetime) -> Iterator[tuple[str, date | None]]:
    for one in life.happenings:
        if one.kind == "hold" and one.at <= at:
            yield one.value, one.until


def _silence(life: Life, went: Sequence[Went], until: datetime) -> Iterator[str]:
    """Whoever owed for forty days with nothing ever against it was asked by then."""
    end = min(until, datetime.combine(life.due + timedelta(days=40), datetime.min.time(), UTC))
    if end < until and life.temper in {"never", "slow"} and account(life, end)[0] == 0:
        stages = {one.stage for one in went if one.at <= end}
        for stage in ("friendly", "formal"):
            if stage not in stages:
                yield f"{stage} never went out"


def _records(went: Sequence[Went], told: Sequence[Told]) -> Iterator[str]:
    for decision in told:
        if not decision.reason or not decision.code or not decision.scenario:
            yield f"a decision of {decision.at} does not say why"
    kept = {decision.at for decision in told if decision.outcome == "sent"}
    for one in went:
        if told and one.at not in kept:
            yield f"{one.stage} of {one.at} has no record"


def working(day: date, region: str | None) -> bool:
    """Monday to Friday, no public holiday."""
    return day.weekday() < 5 and day not in _holidays(day.year, region)


def after_working(day: date, count: int, region: str | None) -> date:
    """The count-th working day after a day."""
    while count:
        day += timedelta(days=1)
        count -= working(day, region)
    return day


@cache
def _holidays(year: int, region: str | None) -> frozenset[date]:
    easter = _easter(year)
    found = {date(year, month, day) for month, day in (
        (1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))}
    found |= {easter + timedelta(days=days) for days in (1, 39, 50)}
    if region == "6AE":
        found |= {easter - timedelta(days=2), date(year, 12, 26)}
    return frozenset(found)


def _easter(year: int) -> date:
    """The anonymous Gregorian rule."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    last = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 19 * last) // 433
    n = (h + last - 7 * m + 90) // 25
    return date(year, n, (h + last - 7 * m + 33 * n + 19) % 32)
