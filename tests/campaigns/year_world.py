"""Plays a year to the product: every happening at its moment, the worker in between, days on which no worker runs.

Two ways: `lived` is the whole service day by day (outbox, mails, database); `walked` writes a whole year into the
database and lets the product decide every day of it again, as a trial of a scenario does.
"""

import uuid
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import select
from year_check import Went
from year_plan import FIRST, LAST, Happening, Life, Year

from gateway.auth import Permission, Principal
from gateway.clock import PARIS
from gateway.deps import Deps
from gateway.record import Change, Work, record
from gateway.reminders import nightly, service, trying
from gateway.reminders.cases import cases, close_case
from gateway.reminders.decide import Outcome, passed_over
from gateway.reminders.people import add_hold
from gateway.reminders.schemas import HoldIn
from gateway.reminders.state import ground_of
from gateway.tables import Document, Event, Payment, Submission
from gateway.tables_reminders import Hold, ReminderClient
from gateway.worker import relay

SELLER = "000002006"
RUNS = (time(9, 15), time(15, 10))
"""When the worker runs, in France."""

FULL_DAY = 4
"""On Fridays every turn looks at all invoices; on other days the later ones do the work that came up since."""

PERSONS = time(16, 30)
"""When people look at what waits for their word."""

PDF = b"%PDF-1.7 the invoice as it was sent"


@dataclass(kw_only=True)
class World:
    """Where the year is played."""

    deps: Deps
    clock: Any
    tenant_id: str
    entity_id: str
    document: bytes
    """The bytes that stand for every invoice."""

    runs: tuple[time, ...] = RUNS

    def principal(self) -> Principal:
        """Somebody who decides."""
        return Principal(tenant_id=self.tenant_id, actor="user:world", name="Claire", permissions=frozenset(Permission))


def lived(world: World, year: Year, tell: Callable[[date], None] = lambda _: None, start: date = FIRST) -> None:
    """The whole year through the service, from a day on; `tell` hears of every day that is done."""
    if start == FIRST:
        meet(world, year)
    played = _played(world)
    moments = sorted(((one.at, number, life) for life in year.lives for number, one in enumerate(life.happenings)),
                     key=lambda found: (found[0], found[2].number, found[1]))
    queue = deque(found for found in moments if (found[2].number, found[1]) not in played)
    day = start
    while day <= LAST:
        for moment, act in _agenda(world, day, day in year.outages):
            while queue and queue[0][0] <= moment:
                at, number, life = queue.popleft()
                world.clock.now = max(at, world.clock.now)
                happen(world, life, number)
            world.clock.now = moment
            act()
        tell(day)
        day += timedelta(days=1)


def walked(world: World, year: Year) -> list[Went]:
    """The letters that the product would have sent, day by day, had it been there all year."""
    meet(world, year)
    write(world, year)
    found = []
    with world.deps.db.reading(world.tenant_id) as session:
        ground = ground_of(session)
        for submission, rows in trying.history(session, LAST):
            for day, decision, seen in trying.walk(submission, rows, ground, FIRST, LAST):
                if decision.outcome is Outcome.SENT:
                    over = passed_over(seen.facts, seen.scenario, decision.stage or "")
                    found.append(Went(seen.facts.number, decision.stage or "", datetime.combine(day, time(8), PARIS),
                                      tuple(over), format(seen.facts.balance, "f")))
    return found


def meet(world: World, year: Year) -> None:
    """The clients with holidays of their own."""
    with world.deps.db.transaction(world.tenant_id) as session:
        for client in {life.client.siren: life.client for life in year.lives if life.client.region}.values():
            session.add(ReminderClient(
                tenant_id=world.tenant_id, key=client.siren, name=client.name, segment="", email=None, contact=None,
                lang=None, region=client.region, watched=False, hold=None, hold_reason=None, hold_until=None,
                owner=None, changed_at=world.clock.now, actor="user:world"))


def write(world: World, year: Year, position: int = 0) -> None:
    """Everything that happens in a year, as rows, at once; the events are numbered from `position` on."""
    with world.deps.db.transaction(world.tenant_id) as session:
        for life in year.lives:
            for number, one in enumerate(life.happenings):
                position += 1
                session.add(_row(world, life, number, one, position))


def happen(world: World, life: Life, number: int) -> None:
    """One happening, as the service would keep it, at the moment that the clock shows."""
    one = life.happenings[number]
    if one.kind == "hold":
        add_hold(world.deps, world.principal(), invoice_id(life), HoldIn.model_validate(
            {"kind": one.value, "reason": f"{life.number}:{number}", "until": one.until}))
        return
    with world.deps.db.transaction(world.tenant_id) as session:
        if one.kind != "status":
            session.add(_row(world, life, number, one, 0))
        else:
            row = session.get_one(Submission, (world.tenant_id, invoice_id(life)))
            row.lifecycle = one.value
        if one.kind == "issue":
            sha256 = world.deps.store.put(PDF).hex
            session.add(Document(
                tenant_id=world.tenant_id, id=str(uuid.uuid4()), submission_id=invoice_id(life), role="sent",
                syntax=None, media_type="application/pdf", name="f.pdf", sha256=sha256, size=len(PDF), at=one.at))
        kinds = {"issue": "submission", "pay": "payment", "credit": "submission", "status": "lifecycle"}
        record(session, world.tenant_id, Change(
            kind=kinds[one.kind], code=one.value if one.kind == "status" else one.kind, actor=_actor(one),
            submission_id=invoice_id(life), data={"happening": f"{life.number}:{number}"},
            then=(Work(topic="remind", subject_id=invoice_id(life)),),
        ), now=world.clock.now)


def invoice_id(life: Life) -> str:
    """The id of an invoice follows from its number."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, life.number))


def _agenda(world: World, day: date, outage: bool) -> Iterator[tuple[datetime, Callable[[], None]]]:  # noqa: FBT001 - read once
    def turn(*, regular: bool) -> None:
        if regular:
            nightly.tick(world.deps)
        relay(world.deps, {"remind": service.handle_remind}, most=1_000_000)

    for number, at in enumerate(() if outage else world.runs):
        yield datetime.combine(day, at, PARIS), partial(turn, regular=number == 0 or day.weekday() == FULL_DAY)
    yield datetime.combine(day, PERSONS, PARIS), lambda: _persons(world)
    yield datetime.combine(day, time(23, 59, 59), PARIS), lambda: None


def _persons(world: World) -> None:
    """Every approval is granted or, one in four, declined: the same in each year of a seed."""
    with world.deps.db.reading(world.tenant_id) as session:
        waiting = cases(session, kinds=("approval",), most=10_000)
    for case, submission in waiting:
        refused = uuid.uuid5(uuid.NAMESPACE_URL, f"{submission.number}/{case.stage}").int % 4 == 0
        close_case(world.deps, world.principal(), case.id, "declined" if refused else "granted", "Vu avec le client")


def _played(world: World) -> set[tuple[str, int]]:
    """What was played before an interruption, from the database."""
    with world.deps.db.reading(world.tenant_id) as session:
        told = [data["happening"] for data in session.scalars(select(Event.data)) if "happening" in data]
        told += list(session.scalars(select(Hold.reason)))
    return {(number, int(count)) for number, _, count in (text.partition(":") for text in told)}


def _row(world: World, life: Life, number: int, one: Happening, position: int) -> Any:
    tenant_id, invoice = world.tenant_id, invoice_id(life)
    match one.kind:
        case "issue":
            return _submission(world, life, one, id=invoice, number=life.number)
        case "credit":
            return _submission(world, life, one, id=str(uuid.uuid4()), number=f"{life.number}-A", type_code="381",
                               total=Decimal(one.value), due=Decimal(one.value), due_date=None,
                               preceding=[life.number])
        case "pay":
            return Payment(tenant_id=tenant_id, id=f"{life.number}:{number}", submission_id=invoice,
                           amount=Decimal(one.value), currency="EUR", paid_on=one.at.date(), method=None,
                           reference=None, recorded_at=one.at, actor="world")
        case "hold":
            return Hold(tenant_id=tenant_id, id=f"{life.number}:{number}", submission_id=invoice, kind=one.value,
                        reason="le client l'a dit", until=one.until, created_at=one.at, actor="world", lifted_at=None)
    return Event(tenant_id=tenant_id, id=f"{life.number}:{number}", position=position, submission_id=invoice, at=one.at,
                 platform_at=None, kind="lifecycle", code=one.value, actor=_actor(one), reason=None, data={},
                 sha256=None)


def _actor(one: Happening) -> str:
    """A status counts only from whom it may come."""
    return {"209": "seller", "213": "platform"}.get(one.value, "buyer") if one.kind == "status" else "world"


def _submission(world: World, life: Life, one: Happening, **changes: Any) -> Submission:
    sha256 = world.deps.store.put(world.document).hex
    usual: dict[str, Any] = {
        "tenant_id": world.tenant_id, "received_at": one.at, "actor": "world", "legal_entity_id": world.entity_id,
        "connection_id": None, "issue_date": life.issued, "issue_year": life.issued.year, "type_code": "380",
        "business_process": "S1", "processing_rule": "B2B", "seller_siren": SELLER, "seller_name": "Atelier",
        "seller_address": SELLER, "buyer_siren": life.client.siren, "buyer_name": life.client.name,
        "buyer_address": life.client.siren, "buyer_email": life.client.email, "currency": "EUR",
        "total": life.amount, "due": life.amount, "due_date": life.due, "vat": [], "vat_due_code": None,
        "preceding": [], "linked": {}, "syntax": "ubl-invoice", "profile": "en16931", "verdict": "valid",
        "sha256": sha256, "sent_sha256": sha256, "active": True, "replaces": None, "transmission": "deposited",
        "transmission_reason": None, "flow_id": None, "lifecycle": None,
    }
    return Submission(**{**usual, **changes})
