"""Lifecycles told in every order: sequences of status messages through the real reader, guard and database.

A sequence is about two or three invoices of one new tenant. What is said follows from the seed; then it is shuffled,
and part of it comes twice: the same bytes in another flow, or a copy that another platform issued later. A status of
the seller may have been set on the platform's own site. Whatever the order, the end is the one of the plain story.
"""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import select

from formats.codes import REASONS, STATUSES
from formats.invoice import Identifier
from formats.lifecycle import write_status
from formats.status import StatusAmount, StatusDetail, StatusMessage, StatusParty, message_id, phase_of
from gateway.deps import Deps
from gateway.lifecycle.derive import State, Status, derive
from gateway.lifecycle.guard import GUARD
from gateway.lifecycle.history import objections_of, state_of, total_of
from gateway.lifecycle.taking import frees_number, handle_status
from gateway.lifecycle.wording import actor_of, event_data
from gateway.outbox import Entry
from gateway.tables import Event, SeenFlow, Submission, Tenant
from validation.wire import StatusReading
from validation.workshop import Workshop

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
TOTAL = Decimal(120)
SELLER, BUYER = "000002006", "000001016"
CODES = (*GUARD, "299")
"""Every status, and one that is still to come."""

VARIED = frozenset({"211", "212", "213", "214"})
LIKELY = ("200", "201", "202", "203", "204", "205", "207", "208", "209", "211", "212", "212")


class Remembering:
    """The real workshop, asked once per document: sequences say the same things in other orders."""

    def __init__(self, workshop: Workshop) -> None:
        self._ask = cache(lambda document, as_of: workshop.read_status(document, as_of=as_of))

    def read_status(self, document: bytes, *, as_of: date) -> StatusReading:
        """As Workshop.read_status."""
        return self._ask(document, as_of)


@dataclass(frozen=True, slots=True)
class Seen:
    """How an invoice ended."""

    state: State
    active: bool | None
    told: tuple[tuple[str, datetime], ...]
    against: tuple[tuple[str, str], ...]


@cache
def written(number: str, code: str, minute: int, variant: int) -> tuple[StatusMessage, bytes]:
    """A status of an invoice at a minute; `variant` chooses reason, amount, and for 211 and 214 who says it."""
    at = START + timedelta(minutes=minute)
    set_by = STATUSES[code].set_by if code in STATUSES else "buyer"
    role = {"seller": "SE", "buyer": "BY"}.get(set_by, "WK")
    if code in {"211", "214"} and variant % 2:
        role = "SE"
    party = {"SE": StatusParty(role="SE", identifier=Identifier(value=SELLER, scheme="0002")),
             "BY": StatusParty(role="BY", identifier=Identifier(value=BUYER, scheme="0002")),
             "WK": StatusParty(role="WK")}
    reasons = REASONS.get(code, ())
    amounts: tuple[StatusAmount, ...] = ()
    if code == "212":
        amounts = (StatusAmount(type_code="MEN", amount=Decimal((40, 60, 120, -40)[variant % 4]), currency="EUR",
                                vat_rate=Decimal(20)),)
    details = (StatusDetail(reason_code=reasons[variant % len(reasons)] if reasons else None, comment="Dit.",
                            amounts=amounts),) if reasons or amounts else ()
    message = StatusMessage(
        id=message_id(invoice_number=number, code=code, set_at=at, invoice_type="380",
                      invoice_date=date(2026, 11, 20)) + f"/{variant}",
        issued_at=at, set_at=at, code=code, type_code=phase_of(code), business_process="REGULATED",
        sender=StatusParty(role="WK"), issuer=party[role],
        recipients=(StatusParty(role="SE", electronic_address=Identifier(value=SELLER, scheme="0225")),),
        invoice_number=number, invoice_date=date(2026, 11, 20), invoice_type="380",
        seller=Identifier(value=SELLER, scheme="0002"), details=details)
    return message, write_status(message)


@cache
def copy_of(number: str, code: str, minute: int, variant: int) -> bytes:
    """The same status, told by another platform a little later."""
    message, _ = written(number, code, minute, variant)
    return write_status(replace(message, issued_at=message.issued_at + timedelta(seconds=9), name="Copie"))


def plot(chance: random.Random) -> list[tuple[str, str, int, int]]:
    """What is said about two or three invoices: number, code, minute, variant. At most one rejection each."""
    told = set()
    for invoice in range(chance.choice((2, 3))):
        rejected = False
        for _ in range(chance.randrange(1, 9)):
            code = chance.choice(LIKELY if chance.random() < 0.7 else CODES)
            if code == "213" and rejected:
                continue
            rejected = rejected or code == "213"
            variant = chance.randrange(4) if code in VARIED else 0
            told.add((f"F-{invoice}", code, chance.randrange(5), variant))
    return sorted(told)


def play(deps: Deps, seed: int) -> tuple[dict[str, Seen], dict[str, Seen], int]:
    """One sequence: how the invoices ended, how they had to, and how many messages came."""
    chance = random.Random(seed)
    told = plot(chance)
    arriving = [written(*one)[1] for one in told]
    again = chance.sample(told, min(len(told), chance.randrange(5)))
    arriving += [chance.choice((written(*one)[1], copy_of(*one))) for one in again]
    chance.shuffle(arriving)
    tenant_id = str(uuid.uuid4())
    numbers = sorted({one[0] for one in told})
    with deps.db.transaction(tenant_id) as session:
        session.add(Tenant(id=tenant_id, name="Atelier des ordres", created_at=deps.now()))
        session.flush()
        session.add_all(invoice_row(tenant_id, number, deps.now()) for number in numbers)
    for document in arriving:
        arrive(deps, tenant_id, document)
    with deps.db.reading(tenant_id) as session:
        ended = {row.number or "": seen(session, row) for row in session.scalars(select(Submission))}
    wanted = {number: plain([written(*one)[0] for one in told if one[0] == number]) for number in numbers}
    return ended, wanted, len(arriving)


def arrive(deps: Deps, tenant_id: str, document: bytes) -> None:
    """A flow with this message is fetched and handled."""
    flow_id, sha256 = str(uuid.uuid4()), deps.store.put(document).hex
    with deps.db.transaction(tenant_id) as session:
        session.add(SeenFlow(
            tenant_id=tenant_id, id=flow_id, connection_id="c", flow_type="CustomerInvoiceLC", updated_at=deps.now(),
            first_seen_at=deps.now(), state="new", cause=None, submission_id=None, sha256=sha256))
    handle_status(deps, Entry(tenant_id=tenant_id, id="e", topic="status", subject_id=flow_id, attempts=1, claims=1,
                              payload={"connection_id": "c", "flow_id": flow_id, "sha256": sha256,
                                       "tracking_id": None}))


def seen(session: Any, row: Submission) -> Seen:
    """How the database has an invoice; the column that lists filter by must say the same as the events."""
    state = state_of(session, row)
    assert row.lifecycle == state.code, (row.lifecycle, state.code)
    events: Sequence[Event] = session.scalars(
        select(Event).where(Event.submission_id == row.id, Event.kind == "lifecycle")).all()
    against = objections_of(events, total_of(row))
    return Seen(state, row.active, tuple(sorted((event.code, event.platform_at or event.at) for event in events)),
                tuple(sorted((event.data["message"], str(against[event.id])) for event in events
                             if event.id in against)))


def plain(messages: Sequence[StatusMessage]) -> Seen:
    """How an invoice must end: the messages as they stand, without a database, in the order of their times."""
    statuses = [status_of(message) for message in sorted(messages, key=lambda message: (message.set_at, message.id))]
    state = derive(statuses, TOTAL)
    freed = any(frees_number(message) for message in messages)
    return Seen(state, None if freed else True, tuple(sorted((one.code, one.set_at) for one in messages)),
                tuple(sorted((status.id, str(objection)) for status, objection in state.anomalies)))


def status_of(message: StatusMessage) -> Status:
    """A message as the guard sees it; money summed by hand."""
    money = [amount.amount for detail in message.details for amount in detail.amounts if amount.amount is not None]
    return Status(code=message.code, at=message.set_at, by=actor_of(message), id=event_data(message)["message"],
                  amount=sum(money, Decimal(0)) if money else None)


def invoice_row(tenant_id: str, number: str, now: datetime) -> Submission:
    """A deposited invoice of 120 EUR."""
    mark = uuid.uuid4()
    return Submission(
        tenant_id=tenant_id, id=str(mark), received_at=now, actor="key:test", legal_entity_id=None, connection_id="c",
        number=number, issue_date=date(2026, 11, 20), issue_year=2026, type_code="380", business_process="S1",
        processing_rule="B2B", seller_siren=SELLER, seller_name="Atelier", seller_address=SELLER, buyer_siren=BUYER,
        buyer_name="Aubrac", buyer_address=BUYER, buyer_email=None, currency="EUR", total=TOTAL, due=TOTAL,
        due_date=date(2026, 12, 20), vat=[], vat_due_code=None, preceding=[], syntax="cii", profile="en16931",
        verdict="valid", sha256=mark.hex * 2, sent_sha256=None, active=True, replaces=None, transmission="deposited",
        transmission_reason=None, flow_id=None, lifecycle=None)
