"""What comes next: the plan of one invoice, and of all of them for the console. Decides nothing, sends nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import ColumnElement, literal, select, tuple_

from gateway.deps import Deps
from gateway.problems import Problem, not_found
from gateway.receivables.lines import catch_up
from gateway.reminders.decide import Outcome, plan, recipient_of
from gateway.reminders.keeping import label_of
from gateway.reminders.nightly import sweep
from gateway.reminders.pending import awaited
from gateway.reminders.schemas import ComingOut, PlannedOut, PreviewOut, RemindersOut, decision_out, hold_out
from gateway.reminders.state import Seen, look
from gateway.tables import Submission
from gateway.tables_reminders import Hold

DAYS_SHOWN = 60
PART, ENOUGH, MOST = 50, 40, 500
"""How many invoices are read at once, how many letters make a page, how many invoices one page may look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A letter to come, or one that waits and why."""

    submission_id: str
    number: str
    buyer: str | None
    recipient: str | None
    balance: Decimal
    currency: str
    due_date: date | None
    on: date | None
    """The day of the letter; None for one that waits for an event or a person."""

    stage: str | None
    label: str | None
    """The stage in French."""

    reason: str


@dataclass(frozen=True, slots=True)
class Place:
    """An invoice to go on from, in the order of due dates."""

    due_date: date
    id: str


@dataclass(frozen=True, slots=True)
class Preview:
    """The letters about some invoices, by day; then those that wait, and why."""

    letters: Sequence[Planned]
    after: Place | None
    """Where the next invoices begin; None at the end."""


def preview(deps: Deps, tenant_id: str, days: int = 30, after: Place | None = None) -> Preview:
    """The letters of the next `days` days if nothing happens meanwhile, about the next invoices by due date.

    Looks at invoices until ENOUGH letters are found, and at no more than MOST of them: the rest is for the next page.
    """
    letters: list[Planned] = []
    looked_at = 0
    catch_up(deps, tenant_id)
    with deps.db.reading(tenant_id) as session:
        money = awaited(session)
        while looked_at < MOST and len(letters) < ENOUGH:
            found = list(sweep(session, deps, *_beyond(after), days=days, most=PART, money=money))
            letters += [planned for seen in found for planned in planned_of(deps, seen, days)]
            looked_at += len(found)
            last = found[-1].submission if len(found) == PART else None
            after = Place(last.due_date, last.id) if last is not None and last.due_date is not None else None
            if after is None:
                break
    return Preview(sorted(letters, key=lambda one: (one.on is None, one.on or date.max, one.number)), after)


def preview_page(deps: Deps, tenant_id: str, days: int, after: str) -> PreviewOut:
    """`preview` as the API gives it; `after` is the `next` of the page before."""
    due, _, invoice_id = after.partition("~")
    try:
        place = Place(date.fromisoformat(due), invoice_id) if after else None
    except ValueError as error:
        raise Problem(422, "bad-cursor", "Cette suite n'existe pas. / No such place to go on from.") from error
    found = preview(deps, tenant_id, days, place)
    return PreviewOut(
        letters=[ComingOut(on=one.on, stage=one.stage, label=one.label, reason=one.reason, invoice=one.submission_id,
                           number=one.number, balance=format(one.balance, "f"), currency=one.currency)
                 for one in found.letters],
        next=f"{found.after.due_date}~{found.after.id}" if found.after else None,
    )


def _beyond(place: Place | None) -> Sequence[ColumnElement[bool]]:
    if place is None:
        return ()
    return (tuple_(Submission.due_date, Submission.id) > tuple_(literal(place.due_date), literal(place.id)),)


def planned_of(deps: Deps, seen: Seen, days: int) -> list[Planned]:
    """The plan of one invoice; a single entry without a day where something stands against letters."""
    letters = list(plan(seen.facts, seen.scenario, deps.today(), days))
    if letters:
        return [_planned(seen, day, decision.stage, decision.reason) for day, decision in letters]
    if seen.decision.outcome is Outcome.HELD and seen.decision.until is None:
        return [_planned(seen, None, seen.decision.stage, seen.decision.reason)]
    return []


def reminders_of(deps: Deps, tenant_id: str, submission_id: str) -> RemindersOut:
    """Decisions, holds and plan of one invoice. Raises the not-found problem."""
    catch_up(deps, tenant_id)
    with deps.db.reading(tenant_id) as session:
        seen = look(session, tenant_id, submission_id, deps.today())
        if seen is None:
            raise not_found()
        holds = session.scalars(
            select(Hold).where(Hold.submission_id == submission_id).order_by(Hold.created_at, Hold.id)
        ).all()
    planned = planned_of(deps, seen, DAYS_SHOWN)
    return RemindersOut(
        decisions=[decision_out(row) for row in seen.rows],
        holds=[hold_out(row) for row in holds],
        planned=[PlannedOut(on=item.on, stage=item.stage, label=item.label, reason=item.reason) for item in planned],
        scenario=seen.scenario.name,
    )


def _planned(seen: Seen, day: date | None, stage: str | None, reason: str) -> Planned:
    return Planned(
        submission_id=seen.submission.id, number=seen.facts.number, buyer=seen.submission.buyer_name,
        recipient=recipient_of(seen.facts), balance=seen.facts.balance, currency=seen.facts.currency,
        due_date=seen.facts.due_date, on=day, stage=stage, label=label_of(seen.scenario, stage) if stage else None,
        reason=reason,
    )
