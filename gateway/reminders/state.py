"""From rows to facts: what the database says about invoices that may be reminded. Reads, changes nothing."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from formats.codes import CORRECTIVE_TYPES, CREDIT_TYPES, OTHER_CREDIT_TYPES
from gateway.deps import PARIS
from gateway.receivables.balance import balance_of
from gateway.reminders.decide import FINAL_STATUSES, Decision, decide
from gateway.reminders.facts import Facts, Sent, Status, Wait
from gateway.reminders.scenario import DEFAULT, Scenario, parse
from gateway.tables import Decision as DecisionRow
from gateway.tables import Event, Hold, LegalEntity, Payment, Submission
from gateway.tables import Scenario as ScenarioRow

CREDITS: Final = CREDIT_TYPES | OTHER_CREDIT_TYPES
PAID_FRAMES: Final = frozenset({"B2", "S2", "M2"})
"""Billing frames (BT-23) of invoices that were paid before they were issued."""

TAKEN: Final = frozenset({"sending", "unknown", "sent"})
"""Outcomes of a stage that must not go out again: it went, is going, or may have gone."""

T = TypeVar("T", DecisionRow, Event, Hold, Payment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One invoice, everything that its reminder depends on, and what follows from it on a day."""

    submission: Submission
    entity: LegalEntity | None
    scenario: Scenario
    facts: Facts
    rows: tuple[DecisionRow, ...]
    """Decisions kept so far, oldest first."""

    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """A credit note or corrected invoice that names earlier invoices."""

    number: str
    credit: bool
    amount: Decimal
    currency: str | None
    alone: bool
    """It names one invoice only."""

    received_at: datetime


def look(session: Session, tenant_id: str, submission_id: str, today: date) -> Seen | None:
    """One invoice as it stands now; None when there is no such submission."""
    submission = session.get(Submission, (tenant_id, submission_id))
    if submission is None:
        return None
    following = followers(session, submission.seller_siren)
    return next(look_at(session, [submission], scenario_of(session), following, today))


def look_at(
    session: Session,
    submissions: Sequence[Submission],
    scenario: Scenario,
    following: Mapping[tuple[str, str], Sequence[Follower]],
    today: date,
) -> Iterator[Seen]:
    """Many invoices of one tenant, with a handful of statements for all of them."""
    ids = [submission.id for submission in submissions]
    payments = _grouped(session, Payment, ids)
    events = _grouped(session, Event, ids, Event.kind == "lifecycle")
    holds = _grouped(session, Hold, ids, Hold.lifted_at.is_(None))
    kept = _grouped(session, DecisionRow, ids)
    entities = {entity.id: entity for entity in session.scalars(select(LegalEntity))}
    for submission in submissions:
        rows = tuple(sorted(kept[submission.id], key=lambda row: (row.facts.get("n", 0), row.at)))
        entity = entities.get(submission.legal_entity_id or "")
        facts = _credited(
            _facts(submission, entity, payments=payments[submission.id], events=events[submission.id],
                   holds=holds[submission.id], rows=rows),
            following.get((submission.seller_siren or "", submission.number or ""), ()),
            max((payment.recorded_at for payment in payments[submission.id]), default=None),
        )
        yield Seen(submission=submission, entity=entity, scenario=scenario, facts=facts, rows=rows,
                   decision=decide(facts, scenario, today))


def scenario_of(session: Session) -> Scenario:
    """The scenario in force for the session's tenant: its newest active version, else the built-in one."""
    row = session.scalar(
        select(ScenarioRow).where(ScenarioRow.active.is_(True)).order_by(ScenarioRow.version.desc()).limit(1)
    )
    return DEFAULT if row is None else replace(parse(row.definition), name=f"{row.name}, version {row.version}")


def followers(session: Session, seller_siren: str | None = None) -> Mapping[tuple[str, str], Sequence[Follower]]:
    """Credit notes and corrected invoices in force, by seller and number of each invoice they name (BT-25).

    The date of the earlier invoice (BT-26) is not kept, so a number that a seller used again in another year is
    matched as well: that stops a reminder rather than sending one too many.
    """
    found: dict[tuple[str, str], list[Follower]] = defaultdict(list)
    wanted = select(Submission).where(
        Submission.type_code.in_(CREDITS | CORRECTIVE_TYPES), Submission.active.is_(True),
        Submission.lifecycle.is_(None) | Submission.lifecycle.not_in(FINAL_STATUSES),
    )
    if seller_siren is not None:
        wanted = wanted.where(Submission.seller_siren == seller_siren)
    for row in session.scalars(wanted):
        follower = Follower(
            number=row.number or "", credit=row.type_code in CREDITS, amount=abs(row.total or Decimal(0)),
            currency=row.currency, alone=len(row.preceding) == 1, received_at=row.received_at,
        )
        for number in row.preceding:
            found[row.seller_siren or "", number].append(follower)
    return found


def _facts(
    submission: Submission,
    entity: LegalEntity | None,
    *,
    payments: Sequence[Payment],
    events: Sequence[Event],
    holds: Sequence[Hold],
    rows: Sequence[DecisionRow],
) -> Facts:
    balance = balance_of(submission, payments)
    return Facts(
        number=submission.number or "",
        due_date=submission.due_date,
        received_on=_day(submission.received_at),
        currency=submission.currency or "EUR",
        due=balance.due,
        paid=balance.paid,
        paid_known_on=max((_day(payment.recorded_at) for payment in payments), default=None),
        credit_note=submission.type_code in CREDITS,
        already_paid=submission.business_process in PAID_FRAMES,
        active=submission.active is True,
        transmission=submission.transmission,
        entity_enabled=entity is not None and entity.enabled,
        email=submission.buyer_email,
        refused_addresses=tuple(row.recipient for row in rows if row.recipient and row.facts.get("refused")),
        statuses=_statuses(events),
        waits=tuple(Wait(kind=hold.kind, reason=hold.reason, until=hold.until) for hold in holds),
        sent=tuple(Sent(stage=row.stage, offset=row.facts.get("offset"), on=_day(row.at))
                   for row in rows if row.outcome in TAKEN),
    )


def _statuses(events: Sequence[Event]) -> tuple[Status, ...]:
    """Statuses in the order in which they were set. A time in the future counts as the time we learned of it."""
    timed = [(min(event.platform_at or event.at, event.at), event.position, event.code) for event in events]
    return tuple(Status(code, _day(at)) for at, _, code in sorted(timed))


def _credited(facts: Facts, following: Sequence[Follower], last_payment: datetime | None) -> Facts:
    """The facts with what credit notes and corrected invoices do to them.

    A credit note that cannot be shared out by us is a question until somebody records money after it.
    """
    credits_ = [f for f in following if f.credit]
    sure = [f for f in credits_ if f.alone and f.currency == facts.currency]
    unsure = [f for f in credits_ if f not in sure and (last_payment is None or last_payment < f.received_at)]
    corrected = [f.number for f in following if not f.credit]
    return replace(facts, credited=sum((f.amount for f in sure), Decimal(0)),
                   shared_credit=unsure[0].number if unsure else None, corrected_by=corrected[0] if corrected else None)


def _grouped(session: Session, table: type[T], ids: Sequence[str], *where: Any) -> Mapping[str, list[T]]:
    found: dict[str, list[T]] = defaultdict(list)
    for row in session.scalars(select(table).where(table.submission_id.in_(ids), *where)):
        found[row.submission_id or ""].append(row)
    return found


def _day(moment: datetime) -> date:
    return moment.astimezone(PARIS).date()
