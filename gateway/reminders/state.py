"""From rows to facts: what the database says about invoices that may be reminded. Reads, changes nothing."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, TypeVar

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, exists, func, select
from sqlalchemy.orm import Session, load_only

from gateway.channels.sending import client_channel
from gateway.clock import day_in_france
from gateway.db import plain, slices
from gateway.lifecycle.history import total_of
from gateway.receivables.account import NOTHING, Item, Received, client_of
from gateway.receivables.documents import Relations, document_of, netted, paid_before, relations_of
from gateway.reminders.decide import FINAL_STATUSES, OPENS, Decision, decide
from gateway.reminders.facts import Approval, Facts, Sent, Status, Wait
from gateway.reminders.pending import Awaited, awaited
from gateway.reminders.scenario import DEFAULT, Scenario, parse
from gateway.reminders.unheard import cashed_of, counted, is_unrecorded, without_refused
from gateway.tables import Event, LegalEntity, Payment, Submission
from gateway.tables_reminders import Case, Hold, ReminderClient
from gateway.tables_reminders import Decision as DecisionRow
from gateway.tables_reminders import Scenario as ScenarioRow

PAID_FRAMES: Final = frozenset({"B2", "S2", "M2"})
"""Billing frames (BT-23) of invoices that were paid before they were issued."""

TAKEN: Final = frozenset({"sending", "unknown", "sent"})
"""Outcomes of a stage that must not go out again: it went, is going, or may have gone."""

GIVEN: Final = ("granted", "declined")
"""What a person may say about a stage that wants an approval."""

WAITING: Final = ("missing", "contact")
"""Open cases during which nothing goes to the client."""

T = TypeVar("T", Case, DecisionRow, Event, Hold, Payment)

IDS: Final[BindParameter[Sequence[str]]] = bindparam("ids", expanding=True)
PAYMENTS: Final = select(Payment).where(Payment.submission_id.in_(IDS))
EVENTS: Final = select(Event).where(
    Event.submission_id.in_(IDS), func.coalesce(Event.kind, "") == "lifecycle",
).options(load_only(Event.submission_id, Event.position, Event.at, Event.platform_at, Event.code, Event.actor,
                    raiseload=True))
"""Lifecycle statuses. By a function, lest SQLite goes by the index of kinds, through all of the tenant."""

HOLDS: Final = select(Hold).where(Hold.submission_id.in_(IDS), Hold.lifted_at.is_(None))
CASES: Final = select(Case).where(
    Case.submission_id.in_(IDS), Case.outcome.in_(GIVEN) | (Case.active.is_(True) & Case.kind.in_(WAITING)))
DECISIONS: Final = select(DecisionRow).where(DecisionRow.submission_id.in_(IDS))
RETURNED: Final = select(Case.client, Case.submission_id, Case.opened_at, Case.closed_at, Case.outcome).where(
    Case.kind == "bounce")

REFUSING: Final = select(DecisionRow.submission_id, DecisionRow.recipient).where(
    DecisionRow.submission_id.in_(IDS), DecisionRow.recipient.is_not(None), DecisionRow.outcome == "sent",
    DecisionRow.facts["refused"].as_boolean().is_(True))
KEYS: Final[BindParameter[Sequence[str]]] = bindparam("keys", expanding=True)
CLIENTS: Final = select(ReminderClient)
FEW_CLIENTS: Final = CLIENTS.where(ReminderClient.key.in_(KEYS))
FEW_RETURNED: Final = RETURNED.where(Case.client.in_(KEYS))
ENTITIES: Final = select(LegalEntity)
SCENARIOS: Final = select(ScenarioRow).where(ScenarioRow.active.is_(True)).order_by(ScenarioRow.version)
HOUSE: Final = "reminders-house"
"""Key in a session's `info`: what all invoices of its tenant have in common, read once in a transaction."""

THERE: Final = select(*(
    exists().where(table.tenant_id == bindparam("tenant"), table.submission_id == bindparam("invoice"), *further)
    for table, *further in (
        (Payment,), (Event, func.coalesce(Event.kind, "") == "lifecycle"), (Hold,), (Case,), (DecisionRow,))))
"""Which of these five have any row about an invoice: of a new one none has, and one question spares five."""


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
class Ground:
    """What the decisions about many invoices have in common."""

    scenarios: Mapping[str, Scenario]
    """Those in force, by segment; see `scenario_for`."""

    relations: Relations
    """Credit notes and corrected invoices."""

    clients: Mapping[str, ReminderClient]
    entities: Mapping[str, LegalEntity]
    money: Awaited
    """What came in and waits for a person."""

    texting: bool
    """There is a channel for SMS to clients."""

    returned: Mapping[str, Sequence[str]]
    """By client the addresses from which a letter came back for good, about whichever of its invoices."""

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
    cashed: Mapping[int, Mapping[str, Any]]
    """What its 212 say, by the position of their event; others' may be among it."""


def look(session: Session, tenant_id: str, submission_id: str, today: date) -> Seen | None:
    """One invoice as it stands now; None when there is no such submission."""
    submission = session.get(Submission, (tenant_id, submission_id))
    if submission is None:
        return None
    return next(look_at(session, [submission], ground_of(session, [submission]), today))


def look_again(session: Session, ids: Sequence[str], today: date) -> tuple[Seen, ...]:
    """A few invoices of one tenant as they stand now, in this order; without those that are gone."""
    rows = {row.id: row for row in session.scalars(select(Submission).where(Submission.id.in_(ids)))}
    there = [rows[one] for one in ids if one in rows]
    return tuple(look_at(session, there, ground_of(session, there), today))


def look_at(session: Session, submissions: Sequence[Submission], ground: Ground, today: date) -> Iterator[Seen]:
    """Many invoices of one tenant, with a handful of statements for all of them."""
    ids = [submission.id for submission in submissions]
    there: Sequence[bool] = [True] * 5
    if len(ids) == 1:
        there = plain(session, submissions[0].tenant_id, THERE, invoice=ids[0]).one()
    wanted = [ids if any_ else [] for any_ in there]
    payments = _grouped(session, PAYMENTS, wanted[0])
    events = without_refused(session, _grouped(session, EVENTS, wanted[1]))
    cashed = cashed_of(session, events)
    holds = _grouped(session, HOLDS, wanted[2])
    cases = _grouped(session, CASES, wanted[3])
    kept = _grouped(session, DECISIONS, wanted[4])
    for submission in submissions:
        rows = Rows(payments=payments[submission.id], events=events.get(submission.id, ()), holds=holds[submission.id],
                    cases=cases[submission.id], decisions=in_order(kept[submission.id]), cashed=cashed)
        yield seen_of(submission, rows, ground, today)


def seen_of(
    submission: Submission, rows: Rows, ground: Ground, today: date, sent: Sequence[Sent] | None = None
) -> Seen:
    """One invoice from its rows; with `sent`, as on a day of the past, when just these letters were out.

    An invoice that ended since was in force until its final status.
    """
    key = key_of(submission)
    client, entity = ground.clients.get(key), ground.entities.get(submission.legal_entity_id or "")
    facts = _facts(submission, rows, ground, client, entity)
    if sent is not None:
        facts = replace(facts, sent=tuple(sent), active=facts.active or submission.lifecycle in FINAL_STATUSES)
    elif key in ground.returned:
        facts = replace(facts, refused_addresses=tuple(sorted({*facts.refused_addresses, *ground.returned[key]})))
    scenario = ground.scenario_of(client)
    return Seen(submission=submission, entity=entity, client=client, scenario=scenario, facts=facts,
                rows=tuple(rows.decisions), decision=decide(facts, scenario, today))


def in_order(rows: Sequence[DecisionRow]) -> Sequence[DecisionRow]:
    """Decisions in the order in which they were made."""
    return sorted(rows, key=lambda row: (row.facts.get("n", 0), row.at))


def key_of(submission: Submission) -> str:
    """The client of an invoice, as receivables name it."""
    return client_of(submission.buyer_siren, submission.buyer_name).key


def ground_of(session: Session, ones: Sequence[Submission] | None = None, money: Awaited | None = None) -> Ground:
    """What all decisions of the session's tenant rest on; with `ones` (a few), only what these invoices need.

    `money` is what waits for a person, where that was read already.
    """
    keys = None if ones is None else sorted({key_of(one) for one in ones})
    clients = session.scalars(CLIENTS) if keys is None else session.scalars(FEW_CLIENTS, {"keys": keys})
    house = session.info.get(HOUSE)
    if house is None:
        house = session.info[HOUSE] = {
            "scenarios": scenarios_of(session), "texting": client_channel(session) is not None,
            "entities": {entity.id: entity for entity in session.scalars(ENTITIES)}}
    return Ground(relations=relations_of(session, ones), clients={client.key: client for client in clients},
                  money=awaited(session, keys) if money is None else money, returned=_returned(session, keys), **house)


def _returned(session: Session, keys: Sequence[str] | None) -> Mapping[str, Sequence[str]]:
    """See `Ground.returned`. In two steps, lest SQLite looks through all decisions for a few.

    A case that closed with its cause, as when its invoice was paid, counts until a person has done a later one of the
    client: nobody has dealt with the address.
    """
    asked = (session.execute(RETURNED) if keys is None else session.execute(FEW_RETURNED, {"keys": keys})).all()
    dealt_with: dict[str, datetime] = {}
    for case in asked:
        if case.outcome == "done":
            dealt_with[case.client] = max(case.closed_at, dealt_with.get(case.client, case.closed_at))
    clients = {case.submission_id: case.client for case in asked if case.closed_at is None or (
        case.outcome != "done" and not (case.client in dealt_with and case.opened_at < dealt_with[case.client]))}
    found: dict[str, list[str]] = defaultdict(list)
    for part in slices(list(clients)):
        for submission_id, address in session.execute(REFUSING, {"ids": part}):
            found[clients[submission_id]].append(address or "")
    return found


def disputed(session: Session, ids: Sequence[str], today: date) -> set[str]:
    """Those of these invoices that are under review: by a status of the buyer, or by what he told a person."""
    told = set(session.scalars(select(Submission.id).where(Submission.id.in_(ids), Submission.lifecycle.in_(OPENS))))
    return told | set(session.scalars(select(Hold.submission_id).where(
        Hold.submission_id.in_(ids), Hold.kind == "dispute", *in_force(today))))


def in_force(today: date) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """What narrows holds to those that stop letters on a day: not lifted, their last day not past."""
    return Hold.lifted_at.is_(None), Hold.until.is_(None) | (Hold.until >= today)


def scenarios_of(session: Session) -> Mapping[str, Scenario]:
    """The scenarios in force by segment: of each the newest active version; the built-in one where there is none."""
    rows = session.scalars(SCENARIOS)
    return {"": DEFAULT, **{row.segment: named(row) for row in rows}}


def named(row: ScenarioRow) -> Scenario:
    """A kept version as decisions name it."""
    segment = f" [{row.segment}]" if row.segment else ""
    return replace(parse(row.definition), name=f"{row.name}{segment}, version {row.version}")


def scenario_for(scenarios: Mapping[str, Scenario], segment: str) -> Scenario:
    """That of a segment, or of everybody where the segment has none."""
    return scenarios.get(segment, scenarios[""])


def _facts(
    submission: Submission, rows: Rows, ground: Ground, client: ReminderClient | None, entity: LegalEntity | None
) -> Facts:
    document = replace(document_of(submission), ended_on=None)  # whether it ended, its statuses say
    stands = netted(document, [Received(document.id, one.amount, one.paid_on) for one in rows.payments],
                    ground.relations)
    last_payment = max((payment.recorded_at for payment in rows.payments), default=None)
    balance, item = stands.balance, stands.item
    return Facts(
        number=submission.number or "",
        due_date=submission.due_date,
        received_on=day_in_france(submission.received_at),
        currency=document.currency,
        due=document.due,
        paid=balance.paid,
        unrecorded=None if document.currency != "EUR" else is_unrecorded(
            rows.events, rows.cashed, total_of(submission), sum((max(NOTHING, one.amount) for one in rows.payments),
                                                                NOTHING)),
        credited=balance.credited,
        shared_credit=_question(item, last_payment) if item is not None else None,
        paid_before=paid_before(document, ground.relations),
        corrected_by=item.replaced_by if item is not None else None,
        paid_known_on=None if last_payment is None else day_in_france(last_payment),
        credit_note=document.is_credit,
        already_paid=submission.business_process in PAID_FRAMES,
        active=submission.active is True,
        transmission=submission.transmission,
        entity_enabled=entity is not None and entity.enabled,
        email=(client.email if client is not None else None) or submission.buyer_email,
        phone=client.phone if client is not None else None,
        by_sms=client is not None and client.by_sms,
        texting=ground.texting,
        refused_addresses=tuple(row.recipient for row in rows.decisions if row.recipient and row.facts.get("refused")),
        statuses=_statuses(counted(rows.events, rows.cashed, total_of(submission))),
        waits=_waits(rows, client),
        sent=tuple(Sent(stage=row.stage, offset=row.facts.get("offset"), on=day_in_france(row.at))
                   for row in rows.decisions if row.outcome in TAKEN),
        approvals=tuple(Approval(stage=case.stage, granted=case.outcome == "granted", balance=case.balance)
                        for case in rows.cases if case.outcome in GIVEN),
        pending=ground.money.about(submission),
        watched=client is not None and client.watched,
        region=client.region if client is not None else None,
    )


def _question(item: Item, last_payment: datetime | None) -> str | None:
    """What names the invoice without being netted against it (`Item.unsure`) stops its letters.

    The ledger has it on the client's account, where no money is missing; a letter that asks for what was perhaps
    credited would be one too many. It asks until somebody records money after it.
    """
    return next((one.number for one in item.unsure
                 if last_payment is None or one.known_at is None or last_payment < one.known_at), None)


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
    return tuple(Status(code, day_in_france(at)) for at, _, code in sorted(timed))


def _grouped(session: Session, wanted: Select[T], ids: Sequence[str]) -> Mapping[str, list[T]]:
    found: dict[str, list[T]] = defaultdict(list)
    for row in session.scalars(wanted, {"ids": ids}) if ids else ():
        found[row.submission_id or ""].append(row)
    return found
