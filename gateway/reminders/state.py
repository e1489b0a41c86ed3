"""From rows to facts: what the database says about invoices that may be reminded. Reads, changes nothing."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

from sqlalchemy import Text, and_, cast, false, or_, select
from sqlalchemy.orm import Session

from formats.codes import CORRECTIVE_TYPES, CREDIT_TYPES, OTHER_CREDIT_TYPES
from gateway.deps import PARIS
from gateway.receivables.account import client_of
from gateway.receivables.balance import balance_of
from gateway.reminders.decide import FINAL_STATUSES, Decision, decide
from gateway.reminders.facts import Approval, Facts, Sent, Status, Wait
from gateway.reminders.scenario import DEFAULT, Scenario, parse
from gateway.tables import Event, LegalEntity, Payment, Submission
from gateway.tables_reminders import Case, Hold, ReminderClient
from gateway.tables_reminders import Decision as DecisionRow
from gateway.tables_reminders import Scenario as ScenarioRow

CREDITS: Final = CREDIT_TYPES | OTHER_CREDIT_TYPES
PAID_FRAMES: Final = frozenset({"B2", "S2", "M2"})
"""Billing frames (BT-23) of invoices that were paid before they were issued."""

TAKEN: Final = frozenset({"sending", "unknown", "sent"})
"""Outcomes of a stage that must not go out again: it went, is going, or may have gone."""

GIVEN: Final = ("granted", "declined")
"""What a person may say about a stage that wants an approval."""

WAITING: Final = ("missing", "contact")
"""Open cases during which nothing goes to the client."""

T = TypeVar("T", Case, DecisionRow, Event, Hold, Payment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One invoice, everything that its reminder depends on, and what follows from it on a day."""

    submission: Submission
    entity: LegalEntity | None
    client: ReminderClient | None
    """What a person settled about the buyer."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the decisions about many invoices have in common."""

    scenarios: Mapping[str, Scenario]
    """Those in force, by segment; see `scenario_for`."""

    following: Mapping[tuple[str, str], Sequence[Follower]]
    clients: Mapping[str, ReminderClient]
    entities: Mapping[str, LegalEntity]

    def scenario_of(self, client: ReminderClient | None) -> Scenario:
        """The one that a client gets."""
        return scenario_for(self.scenarios, client.segment if client is not None else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What is kept about one invoice."""

    payments: Sequence[Payment]
    events: Sequence[Event]
    """Its lifecycle statuses."""

    holds: Sequence[Hold]
    """In force."""

    cases: Sequence[Case]
    decisions: Sequence[DecisionRow]


def look(session: Session, tenant_id: str, submission_id: str, today: date) -> Seen | None:
    """One invoice as it stands now; None when there is no such submission."""
    submission = session.get(Submission, (tenant_id, submission_id))
    if submission is None:
        return None
    return next(look_at(session, [submission], ground_of(session, [submission]), today))


def look_at(session: Session, submissions: Sequence[Submission], ground: Ground, today: date) -> Iterator[Seen]:
    """Many invoices of one tenant, with a handful of statements for all of them."""
    ids = [submission.id for submission in submissions]
    payments = _grouped(session, Payment, ids)
    events = _grouped(session, Event, ids, Event.kind == "lifecycle")
    holds = _grouped(session, Hold, ids, Hold.lifted_at.is_(None))
    cases = _grouped(session, Case, ids, Case.outcome.in_(GIVEN) | (Case.active.is_(True) & Case.kind.in_(WAITING)))
    kept = _grouped(session, DecisionRow, ids)
    for submission in submissions:
        rows = Rows(payments=payments[submission.id], events=events[submission.id], holds=holds[submission.id],
                    cases=cases[submission.id], decisions=in_order(kept[submission.id]))
        yield seen_of(submission, rows, ground, today)


def seen_of(
    submission: Submission, rows: Rows, ground: Ground, today: date, sent: Sequence[Sent] | None = None
) -> Seen:
    """One invoice from its rows; with `sent`, as on a day of the past, when just these letters were out.

    An invoice that ended since was in force until its final status.
    """
    client = ground.clients.get(key_of(submission))
    entity = ground.entities.get(submission.legal_entity_id or "")
    facts = _credited(
        _facts(submission, entity, client, rows),
        ground.following.get((submission.seller_siren or "", submission.number or ""), ()),
        max((payment.recorded_at for payment in rows.payments), default=None),
    )
    if sent is not None:
        facts = replace(facts, sent=tuple(sent), active=facts.active or submission.lifecycle in FINAL_STATUSES)
    scenario = ground.scenario_of(client)
    return Seen(submission=submission, entity=entity, client=client, scenario=scenario, facts=facts,
                rows=tuple(rows.decisions), decision=decide(facts, scenario, today))


def in_order(rows: Sequence[DecisionRow]) -> Sequence[DecisionRow]:
    """Decisions in the order in which they were made."""
    return sorted(rows, key=lambda row: (row.facts.get("n", 0), row.at))


def key_of(submission: Submission) -> str:
    """The client of an invoice, as receivables name it."""
    return client_of(submission.buyer_siren, submission.buyer_name).key


def ground_of(session: Session, ones: Sequence[Submission] | None = None) -> Ground:
    """What all decisions of the session's tenant rest on; with `ones` (a few), only what these invoices need."""
    clients = select(ReminderClient)
    if ones is not None:
        clients = clients.where(ReminderClient.key.in_({key_of(one) for one in ones}))
    return Ground(
        scenarios=scenarios_of(session), following=followers(session, ones),
        clients={client.key: client for client in session.scalars(clients)},
        entities={entity.id: entity for entity in session.scalars(select(LegalEntity))},
    )


def scenarios_of(session: Session) -> Mapping[str, Scenario]:
    """The scenarios in force by segment: of each the newest active version; the built-in one where there is none."""
    rows = session.scalars(select(ScenarioRow).where(ScenarioRow.active.is_(True)).order_by(ScenarioRow.version))
    return {"": DEFAULT, **{row.segment: named(row) for row in rows}}


def named(row: ScenarioRow) -> Scenario:
    """A kept version as decisions name it."""
    segment = f" [{row.segment}]" if row.segment else ""
    return replace(parse(row.definition), name=f"{row.name}{segment}, version {row.version}")


def scenario_for(scenarios: Mapping[str, Scenario], segment: str) -> Scenario:
    """That of a segment, or of everybody where the segment has none."""
    return scenarios.get(segment, scenarios[""])


def followers(
    session: Session, ones: Sequence[Submission] | None = None
) -> Mapping[tuple[str, str], Sequence[Follower]]:
    """Credit notes and corrected invoices in force, by seller and number of each invoice they name (BT-25).

    With `ones` (a few), only what may name one of these.

    The date of the earlier invoice (BT-26) is not kept, so a number that a seller used again in another year is
    matched as well: that stops a reminder rather than sending one too many.
    """
    found: dict[tuple[str, str], list[Follower]] = defaultdict(list)
    wanted = select(Submission).where(
        Submission.type_code.in_(CREDITS | CORRECTIVE_TYPES), Submission.active.is_(True),
        Submission.lifecycle.is_(None) | Submission.lifecycle.not_in(FINAL_STATUSES),
    )
    if ones is not None:
        wanted = wanted.where(or_(false(), *(and_(
            Submission.seller_siren == one.seller_siren,
            cast(Submission.preceding, Text).contains(json.dumps(one.number or ""), autoescape=True),
        ) for one in ones)))
    for row in session.scalars(wanted):
        follower = Follower(
            number=row.number or "", credit=row.type_code in CREDITS, amount=abs(row.total or Decimal(0)),
            currency=row.currency, alone=len(row.preceding) == 1, received_at=row.received_at,
        )
        for number in row.preceding:
            found[row.seller_siren or "", number].append(follower)
    return found


def _facts(submission: Submission, entity: LegalEntity | None, client: ReminderClient | None, rows: Rows) -> Facts:
    balance = balance_of(submission, rows.payments)
    return Facts(
        number=submission.number or "",
        due_date=submission.due_date,
        received_on=_day(submission.received_at),
        currency=submission.currency or "EUR",
        due=balance.due,
        paid=balance.paid,
        paid_known_on=max((_day(payment.recorded_at) for payment in rows.payments), default=None),
        credit_note=submission.type_code in CREDITS,
        already_paid=submission.business_process in PAID_FRAMES,
        active=submission.active is True,
        transmission=submission.transmission,
        entity_enabled=entity is not None and entity.enabled,
        email=(client.email if client is not None else None) or submission.buyer_email,
        refused_addresses=tuple(row.recipient for row in rows.decisions if row.recipient and row.facts.get("refused")),
        statuses=_statuses(rows.events),
        waits=_waits(rows, client),
        sent=tuple(Sent(stage=row.stage, offset=row.facts.get("offset"), on=_day(row.at))
                   for row in rows.decisions if row.outcome in TAKEN),
        approvals=tuple(Approval(stage=case.stage, granted=case.outcome == "granted", balance=case.balance)
                        for case in rows.cases if case.outcome in GIVEN),
        watched=client is not None and client.watched,
        region=client.region if client is not None else None,
    )


def _waits(rows: Rows, client: ReminderClient | None) -> tuple[Wait, ...]:
    """What a person said about the invoice or about its client, and what the client waits for."""
    found = [Wait(kind=hold.kind, reason=hold.reason, until=hold.until) for hold in rows.holds]
    if client is not None and client.hold is not None:
        found.append(Wait(kind=client.hold, reason=client.hold_reason or "", until=client.hold_until))
    found += [Wait(kind=case.kind, reason=case.reason) for case in rows.cases if case.active]
    return tuple(found)


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
