"""What the database adds up of a day is what the ledger says of that day: ageing, figures, the list of open items."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.console.open_list import open_items_sheet
from gateway.console.owing import ITEMS, Asked, items_of
from gateway.console.sheets import Line, Sheet, in_order
from gateway.deps import Deps
from gateway.receivables import lines
from gateway.receivables.account import Item
from gateway.receivables.ageing import CLASSES, age_class, ageing, piece_of, totals
from gateway.receivables.analysis import ageing_on, figures_of, figures_on
from gateway.receivables.documents import received_of
from gateway.receivables.open_items import all_items, open_items
from gateway.receivables.standing import open_on
from gateway.record import Change, record
from gateway.searchable import folded
from gateway.tables import Payment, Submission
from gateway.tables_receivables import LedgerSpell

MakeInvoice = Callable[..., Submission]
START, TODAY = date(2026, 1, 1), date(2026, 11, 23)
NAMES = ("Café de l'Été", "Zinc", "École_100%", "aubrac")
AMOUNTS = ("120.00", "60", "0.10", "7.125", "99999999999999.99")
DAYS = (0, 20, 45, 90, 160, 400)


@pytest.fixture
def history(deps: Deps, tenant: str, make_invoice: MakeInvoice) -> Callable[[int], None]:
    """Some weeks of a tenant: documents of every kind, payments and ends, the ledger brought up to date in between."""

    def live(seed: int) -> None:
        dice = random.Random(seed)
        ids: list[str] = []
        for number in range(36):
            on = START + timedelta(days=dice.randrange(120))
            is_new = number < 5 or dice.random() < 0.6
            if is_new:
                ids.append(make(number, dice, on))
            with deps.db.transaction(tenant) as session:
                if not is_new and dice.random() < 0.7:
                    session.add(Payment(
                        tenant_id=tenant, id=f"p{number}", submission_id=dice.choice(ids), currency="EUR", method=None,
                        reference=None, amount=Decimal(dice.choice(("60.00", "120.0", "-20", "0.125"))), paid_on=on,
                        recorded_at=deps.now(), actor="x"))
                elif not is_new:
                    one = session.get_one(Submission, (tenant, dice.choice(ids)))
                    one.lifecycle, one.active = dice.choice(("210", "220")), None
                for each in ids[-1:] if number % 3 else ids:
                    record(session, tenant, Change(kind="payment", code="x", actor="x", submission_id=each),
                           now=deps.now())
            if number % 12 == 11:
                lines.catch_up(deps, tenant)

    def make(number: int, dice: random.Random, on: date) -> str:
        amount = Decimal(dice.choice((*AMOUNTS[:2] * 4, *AMOUNTS)))
        siren = dice.choice(("000001016", "000001024", None, None))
        return make_invoice(
            number=f"F-{number}" if number % 2 else f"é{number}", issue_year=2000 + number, total=amount, due=amount,
            type_code=dice.choice(("380", "380", "380", "381", "384")), buyer_siren=siren,
            preceding=[f"F-{dice.randrange(number + 1)}"] if dice.random() < 0.6 else [],
            buyer_name=dice.choice(NAMES), currency=dice.choice(("EUR", "EUR", "USD")), issue_date=on,
            transmission=dice.choice(("deposited", "queued")), lifecycle=dice.choice((None, "205", "207")),
            due_date=dice.choice((None, on + timedelta(days=30), on + timedelta(days=30), on))).id

    return live


def asked_for(dice: random.Random, as_of: date) -> Asked:
    return Asked(
        as_of=as_of, today=as_of, q=dice.choice(("", "", "", "ete", "0%", "F-", "000001016")),
        currency=dice.choice(("", "", "USD")), late=dice.random() < 0.3, age=dice.choice(("", "", *CLASSES)),
        order=dice.choice(("", "-")) + dice.choice(["", *(column.key for column in ITEMS)]))


def by_hand(session: Session, asked: Asked) -> Sheet:
    """The list made of whole items, one by one."""
    def is_wanted(item: Item) -> bool:
        one, text = item.document, folded(asked.q)
        return ((not asked.currency or one.currency == asked.currency) and (not asked.late or item.days_late > 0)
                and (not asked.age or (item.balance > 0 and CLASSES[age_class(item.days_late)] == asked.age))
                and (not text or text in folded(one.client.name) or text in folded(one.number)
                     or text == one.client.siren))

    found = sorted(filter(is_wanted, open_items(session, asked.as_of)), key=lambda item: (
        item.document.due_date or item.document.issued_on, folded(item.document.number), item.document.id))
    sheet = items_of(session, found, "")
    return in_order(replace(sheet, columns=ITEMS, lines=[
        Line((line.cells[0], item.document.client.name, *line.cells[1:]), line.href)
        for line, item in zip(sheet.lines, found, strict=True)], sums=[
        Line((line.cells[0], None, *line.cells[1:])) for line in sheet.sums]), asked.order)


def shown(rows: Sequence[Line]) -> list[Any]:
    return [(line.cells, line.href) for line in rows]


def compare(session: Session, as_of: date, dice: random.Random) -> int:
    """Everything that is added up of a day, against the ledger; gives how many items there were."""
    items = all_items(session, as_of)
    pieces = [piece_of(item) for item in items if item.balance]
    known = [replace(row, name="") for row in ageing_on(session, as_of)]
    assert known == [replace(row, name="") for row in ageing(pieces, as_of)]
    together = totals(ageing(open_on(session, as_of), as_of))
    assert together == totals(known)
    expected = figures_of(items, received_of(session, None), as_of)
    for one, other in zip(figures_on(session, as_of), expected, strict=True):
        assert [late.client.key for late in one.late_clients] == [late.client.key for late in other.late_clients]
        assert replace(one, late_clients=()) == replace(other, late_clients=())
    for _ in range(6):
        asked = asked_for(dice, as_of)
        sheet, wanted = open_items_sheet(session, asked, whole=True), by_hand(session, asked)
        assert (shown(sheet.lines), sheet.total, sheet.order) == (shown(wanted.lines), wanted.total, wanted.order)
        assert shown(sheet.sums) == shown(wanted.sums)
        paged = [line for number in range(1, 1 + sheet.pages)
                 for line in open_items_sheet(session, replace(asked, page=number), whole=False).rows]
        assert shown(paged) == shown(sheet.lines)
    return len(items)


@pytest.mark.parametrize("seed", range(2))
def test_any_day_is_what_the_ledger_says(
    deps: Deps, tenant: str, history: Callable[[int], None], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("sheets", "open_list"):
        monkeypatch.setattr(f"gateway.console.{module}.PER_PAGE", 4)
    history(seed)
    with deps.db.reading(tenant) as session:
        assert sum(compare(session, START + timedelta(days=on), random.Random(on)) for on in DAYS) > 50
        assert session.scalars(select(Submission.id)).first()


def test_every_day_late_is_in_its_class(deps: Deps, tenant: str, make_invoice: MakeInvoice) -> None:
    for late in (-1, 0, 1, 30, 31, 60, 61, 90, 91):
        make_invoice(number=f"F{late}", issue_date=START, due_date=TODAY - timedelta(days=late))
    lines.catch_up(deps, tenant)
    with deps.db.reading(tenant) as session:
        told = {age: [line.cells[6] or 0 for line in open_items_sheet(
            session, Asked(as_of=TODAY, today=TODAY, age=age), whole=True).lines] for age in CLASSES}
        assert told == {"current": [0, 0], "1-30": [30, 1], "31-60": [60, 31], "61-90": [90, 61], "over-90": [91]}
        assert [row.parts for row in ageing_on(session, TODAY)] == [tuple(map(Decimal, (240, 240, 240, 240, 120)))]
        assert open_items_sheet(session, Asked(as_of=TODAY, today=TODAY, late=True), whole=True).total == 7


def test_a_spell_that_is_not_what_netting_says_is_named(
    deps: Deps, tenant: str, history: Callable[[int], None]
) -> None:
    history(3)
    assert [*lines.differences(deps, tenant)] == []
    with deps.db.transaction(tenant) as session:
        wrong, lost = session.scalars(select(LedgerSpell).order_by(LedgerSpell.submission_id)).all()[::12][:2]
        wrong.paid += 1
        session.delete(lost)
    assert [*lines.differences(deps, tenant)] == sorted((wrong.submission_id, lost.submission_id))


@pytest.mark.usefixtures("postgres")
def test_on_postgresql_too(deps: Deps, tenant: str, history: Callable[[int], None]) -> None:
    history(7)
    with deps.db.reading(tenant) as session:
        assert compare(session, START + timedelta(days=90), random.Random(3)) > 10
