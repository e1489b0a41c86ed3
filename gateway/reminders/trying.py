"""A scenario tried on the past, and every decision decided again from its record. Decides nothing, sends nothing.

A trial walks through the days as the regular turn would have: on each day with what was known in the morning of that
day, and with the letters that the tried scenario itself would have sent. What is not versioned (the client's address,
whether the entity is switched on) is taken as it stands today; money on the bank account that still waits for a person
has waited since its file came, and what was settled since is as if it never had.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.clock import PARIS, day_in_france
from gateway.deps import Deps
from gateway.problems import Problem, not_found
from gateway.receivables.documents import Relations, document_of
from gateway.receivables.lines import catch_up
from gateway.reminders.decide import QUIET, Decision, Outcome, decide, offset_of
from gateway.reminders.facts import Sent, from_json
from gateway.reminders.keeping import label_of
from gateway.reminders.scenario import BUILT_IN, Scenario
from gateway.reminders.state import GIVEN, WAITING, Ground, Rows, Seen, ground_of, named, scenario_for, seen_of
from gateway.reminders.unheard import cashed_of, without_refused
from gateway.tables import Event, Payment, Submission
from gateway.tables_reminders import Case, Hold
from gateway.tables_reminders import Decision as DecisionRow
from gateway.tables_reminders import Scenario as ScenarioRow

LONGEST_DAYS: Final = 400
EARLIEST: Final = date(2000, 1, 1)
SHOWN: Final = 200
EXAMPLES: Final = 5
PART: Final = 500
WENT: Final = frozenset({"sending", "sent", "unknown", "failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a scenario would have done about an invoice on a day."""

    submission_id: str
    number: str
    buyer: str
    on: date
    stage: str
    label: str
    channel: str
    reason: str
    balance: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A scenario over some days of the past, beside what really went out."""

    scenario: str
    since: date
    until: date
    invoices: int
    would: Mapping[str, int]
    """How often each stage would have gone out, by its key, in the order of the scenario."""

    did: Mapping[str, int]
    """How often each stage really went out in these days."""

    against: Mapping[str, int]
    """How many invoices had this reason against a letter, by code, on any of the days; those without news last."""

    examples: Mapping[str, Sequence[tuple[str, str, str]]]
    """(id, number, buyer) of some invoices for each of these reasons."""

    steps: Sequence[Step]
    """The first ones by day, at most SHOWN."""

    total: int


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A decision that its record does not give again."""

    decision_id: str
    kept: str
    again: str


def try_out(deps: Deps, tenant_id: str, scenario: Scenario | None, since: date, until: date) -> Trial:
    """What a scenario would have done between two days, both included; None: each client's own in force.

    Problem: 422 bad-period.
    """
    if not EARLIEST <= since <= until or since > deps.today():
        raise Problem(422, "bad-period", "La période commence dans le passé, avant sa fin. / The period begins in the "
                      "past and before its end.")
    until = min(until, since + timedelta(days=LONGEST_DAYS))
    steps: list[Step] = []
    against: Counter[str] = Counter()
    examples: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    did: Counter[str] = Counter()
    invoices = 0
    catch_up(deps, tenant_id)
    with deps.db.reading(tenant_id) as session:
        ground = ground_of(session)
        if scenario is not None:
            segments = {*ground.scenarios, *(client.segment for client in ground.clients.values())}
            ground = replace(ground, scenarios=dict.fromkeys(segments, scenario))
        for submission, rows in history(session, until):
            invoices += 1
            found = list(walk(submission, rows, ground, since, until))
            codes = {decision.code for _, decision, _ in found if decision.outcome is not Outcome.SENT}
            against.update(codes)
            for code in codes:
                if len(examples[code]) < EXAMPLES:
                    examples[code].append((submission.id, submission.number or "", submission.buyer_name or ""))
            steps += [_step(seen, day, decision) for day, decision, seen in found if decision.outcome is Outcome.SENT]
            did.update(row.stage for row in rows.decisions if row.outcome in {"sent", "unknown"}
                       and since <= day_in_france(row.at) <= until)
    would = Counter(step.stage for step in steps)
    return Trial(
        scenario=scenario.name if scenario is not None else "en vigueur", since=since, until=until, invoices=invoices,
        would=dict(would), did=dict(did), total=len(steps),
        against=dict(sorted(against.most_common(), key=lambda one: one[0] in QUIET)),
        examples=dict(examples),
        steps=sorted(steps, key=lambda step: (step.on, step.number))[:SHOWN],
    )


def walk(
    submission: Submission, rows: Rows, ground: Ground, since: date, until: date
) -> Iterator[tuple[date, Decision, Seen]]:
    """The decisions about one invoice from day to day, each with what was known in the morning."""
    sent = [Sent(stage=row.stage, offset=row.facts.get("offset"), on=day_in_france(row.at)) for row in rows.decisions
            if row.outcome in {"sent", "unknown"} and day_in_france(row.at) < since]
    document = document_of(submission)
    changes = _change_days(rows, ground.relations.of(document), ground.money.since(submission))
    day: date | None = max(since, day_in_france(submission.received_at))
    while day is not None and day <= until:
        known = replace(ground, relations=ground.relations.of(document, _morning(day)),
                        money=ground.money.by(submission, _morning(day)))
        seen = seen_of(submission, _as_of(rows, day), known, day, sent)
        yield day, seen.decision, seen
        if seen.decision.outcome is Outcome.SENT:
            sent.append(Sent(stage=seen.decision.stage or "", on=day,
                             offset=offset_of(seen.scenario, seen.decision.stage)))
            day += timedelta(days=1)
        else:
            upcoming = [change for change in changes if change > day]
            day = min([*upcoming[:1], *([seen.decision.until] if seen.decision.until else [])], default=None)


def decided_again(deps: Deps, tenant_id: str) -> tuple[int, list[Mismatch]]:
    """Every decision once more, from the facts and under the scenario version of its record: how many, which differ.

    Records of before all facts were kept are left out.
    """
    count, found = 0, []
    with deps.db.reading(tenant_id) as session:
        known = {**BUILT_IN, **{named(row).name: named(row) for row in session.scalars(select(ScenarioRow))}}
        for row in session.scalars(select(DecisionRow).order_by(DecisionRow.at)).yield_per(PART):
            scenario = known.get(row.scenario)
            if scenario is None or "received_on" not in row.facts:
                continue
            count += 1
            again = decide(from_json(row.facts), scenario, date.fromisoformat(row.facts["day"]))
            kept = f"{Outcome.SENT if row.outcome in WENT else row.outcome} {row.stage}"
            said = f"{again.outcome} {again.stage or ''}"
            if kept != said:
                found.append(Mismatch(row.id, kept, said))
    return count, found


def version_of(deps: Deps, tenant_id: str, segment: str, version: int | None) -> Scenario:
    """A version of a segment's scenario; that in force without a number. Raises the not-found problem."""
    with deps.db.reading(tenant_id) as session:
        if version is None:
            ground = ground_of(session, [])
            return scenario_for(ground.scenarios, segment)
        row = session.scalar(select(ScenarioRow).where(ScenarioRow.segment == segment, ScenarioRow.version == version))
        if row is None:
            raise not_found()
        return named(row)


def history(session: Session, until: date) -> Iterator[tuple[Submission, Rows]]:
    """Every invoice that had a due date and was there, with everything that ever happened to it."""
    wanted = select(Submission).where(
        Submission.due_date.is_not(None), Submission.transmission != "refused",
        Submission.received_at < datetime.combine(until, time.max, PARIS)).order_by(Submission.due_date, Submission.id)
    for part in session.scalars(wanted).partitions(PART):
        ids = [submission.id for submission in part]
        kept: dict[type[Any], dict[str, list[Any]]] = {}
        for table in (Payment, Hold, Case, DecisionRow):
            kept[table] = _by_invoice(session, select(table).where(table.submission_id.in_(ids)))
        told = without_refused(session, _by_invoice(
            session, select(Event).where(Event.submission_id.in_(ids), Event.kind == "lifecycle")))
        cashed = cashed_of(session, told)
        for submission in part:
            yield submission, Rows(
                payments=kept[Payment][submission.id], events=told.get(submission.id, ()),
                holds=kept[Hold][submission.id], cases=kept[Case][submission.id],
                decisions=kept[DecisionRow][submission.id], cashed=cashed)


def _by_invoice(session: Session, query: Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row in session.scalars(query):
        found[row.submission_id].append(row)
    return found


def _as_of(rows: Rows, day: date) -> Rows:
    """What was known when work began on that day. Letters are those of the trial, so no decision is among it."""
    moment = _morning(day)
    return Rows(
        payments=[row for row in rows.payments if row.recorded_at <= moment],
        events=[row for row in rows.events if row.at <= moment],
        holds=[row for row in rows.holds if row.created_at <= moment
               and (row.lifted_at is None or row.lifted_at > moment)],
        cases=[row for row in rows.cases if _is_said(row, moment) or _is_open(row, moment)],
        decisions=(), cashed=rows.cashed,
    )


def _is_said(case: Case, moment: datetime) -> bool:
    return case.outcome in GIVEN and case.closed_at is not None and case.closed_at <= moment


def _is_open(case: Case, moment: datetime) -> bool:
    return case.kind in WAITING and case.active is True and case.opened_at <= moment


def _change_days(rows: Rows, relations: Relations, money: Sequence[datetime]) -> list[date]:
    """The days in whose morning something is known that was not known the morning before."""
    moments = [row.recorded_at for row in rows.payments] + [row.at for row in rows.events]
    moments += [moment for row in rows.holds for moment in (row.created_at, row.lifted_at) if moment]
    moments += [moment for row in rows.cases for moment in (row.opened_at, row.closed_at) if moment]
    moments += money
    moments += [one.known_at for one in relations.documents() if one.known_at is not None]
    return sorted({day if moment <= _morning(day) else day + timedelta(days=1)
                   for moment, day in ((moment, day_in_france(moment)) for moment in moments)})


def _morning(day: date) -> datetime:
    return datetime.combine(day, time(8), PARIS)


def _step(seen: Seen, day: date, decision: Decision) -> Step:
    return Step(
        submission_id=seen.submission.id, number=seen.facts.number, buyer=seen.submission.buyer_name or "", on=day,
        stage=decision.stage or "", label=label_of(seen.scenario, decision.stage or ""), channel=decision.channel,
        reason=decision.reason, balance=seen.facts.balance, currency=seen.facts.currency)
