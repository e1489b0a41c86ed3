"""What a client owes on a day, from the database: lifecycle, credit notes, names, currencies, claims apart."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from gateway.deps import Deps
from gateway.receivables.open_items import all_items, clients, item_of, open_items, owed
from gateway.record import Change, record
from gateway.tables import Payment, Submission

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
