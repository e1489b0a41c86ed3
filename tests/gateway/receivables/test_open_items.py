"""What a client owes on a day, from the database: lifecycle, credit notes, names, currencies, claims apart."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.console import queries
from gateway.deps import Deps
from gateway.receivables import lines
from gateway.receivables.entering import balance_on
from gateway.receivables.open_items import all_items, clients, item_of, open_items, owed
from gateway.record import Change, record
from gateway.reminders.state import look
from gateway.tables import Payment, Submission
from gateway.tables_receivables import LedgerLine

MakeInvoice = Callable[..., Submission]


def told(session: Session, on: date, client: str | None = None) -> dict[str, str]:
    return {item.document.number: format(item.balance, "f") for item in open_items(session, on, client)}


def test_a_year_of_two_clients(deps: Deps, tenant: str, make_invoice: MakeInvoice, make_tenant: Any) -> None:
    first, other = "000001016", "nom:cafe de l'ete"
    usual = {"issue_date": date(2026, 1, 10), "due_date": date(2026, 2, 10)}
    invoice = make_invoice(number="F-1", **usual)
    make_invoice(number="A-1", type_code="381", preceding=["F-1"], total=Decimal(20), due=Decimal(20),
                 issue_date=date(2026, 2, 1), due_date=None)
    refused = make_invoice(number="F-2", lifecycle="210", active=None, **usual)
    make_invoice(number="F-3", transmission="refused", active=None, **usual)
    make_invoice(number="F-4", buyer_siren=None, buyer_name="Café de l'Été", currency="USD", **usual)
    make_invoice(number="F-5", buyer_siren="", buyer_name="CAFE DE  L'ETE", **usual)
    make_invoice(number="F-6", due=None, total=None, **usual)
    with deps.db.transaction(tenant) as session:
        record(session, tenant, Change(
            kind="lifecycle", code="210", actor="buyer", submission_id=refused.id,
            platform_at=datetime(2026, 1, 20, 23, 30, tzinfo=UTC)), now=deps.now())
        for index, (amount, on) in enumerate((("50", date(2026, 2, 5)), ("-50", date(2026, 3, 5)))):
            session.add(Payment(tenant_id=tenant, id=str(index), submission_id=invoice.id, amount=Decimal(amount),
                                currency="EUR", paid_on=on, method=None, reference=None, recorded_at=deps.now(),
                                actor="user:x"))
    with deps.db.reading(tenant) as session:
        assert told(session, date(2026, 1, 9)) == {}
        assert told(session, date(2026, 1, 20), first) == {"F-1": "120.00", "F-2": "120.00"}
        assert told(session, date(2026, 1, 21), first) == {"F-1": "120.00"}, "set late in the evening, a French day on"
        assert told(session, date(2026, 2, 5), first) == {"F-1": "50.00"}
        assert told(session, date(2026, 3, 5)) == {"F-1": "100.00", "F-4": "120.00", "F-5": "120.00"}
        debts = owed(session, other, date(2026, 3, 5))
        assert {currency: debt.balance for currency, debt in debts.items()} == {
            "EUR": Decimal(120), "USD": Decimal(120)}
        assert [item.days_late for item in debts["EUR"].items] == [23]
        item = item_of(session, session.get_one(Submission, (tenant, invoice.id)), date(2026, 3, 5))
        assert item is not None
        assert (item.balance, item.credited) == (Decimal(100), Decimal(20))
        whole = {one.document.id: one for one in all_items(session, date(2026, 3, 5))}
        apart = [one for key in (first, other) for one in all_items(session, date(2026, 3, 5), key)]
        assert {one.document.id: one for one in apart} == whole, "each client alone is the same"
        assert clients(whole.values())[other].name.casefold().startswith("caf")
    with deps.db.reading(make_tenant("Autre")) as session:
        assert told(session, date(2026, 12, 31)) == {}


def test_over_payments_are_a_credit_of_the_client(deps: Deps, tenant: str, make_invoice: MakeInvoice) -> None:
    one, two = (make_invoice(number=f"F-{number}", issue_date=date(2026, 1, number), due_date=date(2026, 2, number))
                for number in (1, 2))
    with deps.db.transaction(tenant) as session:
        session.add(Payment(tenant_id=tenant, id="p", submission_id=one.id, amount=Decimal("150.00"), currency="EUR",
                            paid_on=date(2026, 2, 1), method=None, reference=None, recorded_at=deps.now(), actor="x"))
    with deps.db.reading(tenant) as session:
        debt = owed(session, str(two.buyer_siren), date(2026, 2, 2) + timedelta(days=1))["EUR"]
    assert (debt.balance, debt.overdue, debt.credit) == (Decimal(90), Decimal(120), Decimal(30))


def test_every_reader_says_the_same(deps: Deps, tenant: str, make_invoice: MakeInvoice) -> None:
    """The ledger, the page of the invoice, its list of payments, its letters, the bank: one figure."""
    day = date(2026, 11, 20)
    names = {"AV-1": ["F-1"], "AV-2": ["F-2", "F-3"], "R-4": ["F-4"], "AV-5": ["F-5"], "AV-6": ["F-6"]}
    for number in range(1, 8):
        ended = {"lifecycle": "210", "active": None} if number == 7 else {}
        make_invoice(number=f"F-{number}", issue_date=day, **ended)
    for number, preceding in names.items():
        make_invoice(number=number, preceding=preceding, issue_date=day, type_code="384" if number == "R-4" else "381",
                     total=Decimal(20), due=Decimal(0) if number == "AV-5" else Decimal(20),
                     buyer_siren=None if number == "AV-6" else "000001016")
    with deps.db.transaction(tenant) as session:
        ids = {one.number: one.id for one in session.scalars(select(Submission))}
        for index, (number, amount) in enumerate((("F-1", "50"), ("F-2", "150"), ("F-4", "30"), ("F-5", "120"))):
            session.add(Payment(tenant_id=tenant, id=str(index), submission_id=ids[number], amount=Decimal(amount),
                                currency="EUR", paid_on=day, method=None, reference=None, recorded_at=deps.now(),
                                actor="user:x"))
    lines.catch_up(deps, tenant)
    expected = {"F-1": "50", "F-2": "-30", "F-3": "120", "F-4": "-30", "F-5": "0", "F-6": "120", "F-7": "0"}
    with deps.db.reading(tenant) as session:
        for number, balance in expected.items():
            one = session.get_one(Submission, (tenant, ids[number]))
            [row] = queries.with_money(session, [one], day)
            seen = look(session, tenant, one.id, day)
            item, line = item_of(session, one, day), session.get_one(LedgerLine, (tenant, one.id))
            assert item is not None
            assert seen is not None
            assert {item.balance, row.outstanding, balance_on(session, one, None).outstanding, line.balance} == {
                Decimal(balance)}, number
            asked = seen.facts.balance if number not in {"F-4", "F-7"} else Decimal(balance)
            assert asked == Decimal(balance), "no letter goes for what ended"
            assert (seen.facts.corrected_by, seen.facts.shared_credit) == (
                "R-4" if number == "F-4" else None, {"F-3": "AV-2", "F-6": "AV-6"}.get(number))
