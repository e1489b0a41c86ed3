"""Movements of the bank: proposals that say why, and a person who confirms, sets aside or takes back."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import Any

from bank_calls import allocate, confirm, movements, take_in
from sqlalchemy import select
from statements import paid, statement

from gateway.deps import Deps
from gateway.tables import Event, OutboxEntry, Payment, Submission

MakeInvoice = Callable[..., Submission]


def test_the_invoice_number_and_the_exact_amount(
    api: Any, deps: Deps, tenant: str, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice()
    make_invoice(number="F-2026-0011")
    take_in(api, statement(paid("120.00", "VIR AUBRAC FACT F 2026-001 MERCI", value="2026-11-21")))
    [movement] = movements(api)
    [best, *_] = movement["proposals"]
    assert [(part["invoice_id"], part["amount"]) for part in best["parts"]] == [(invoice.id, "120.00")]
    assert best["reasons"] == ["reference", "exact", "name"] or best["reasons"][:2] == ["reference", "exact"]
    assert "numéro de facture" in best["why"]

    answer = confirm(api, movement)

    assert (answer.status_code, answer.json()["state"], answer.json()["left"]) == (200, "matched", "0.00")
    assert confirm(api, movement).json() == answer.json(), "the same key is the same payment"
    assert confirm(api, movement, key="other").json()["code"] == "movement-not-open"
    with deps.db.reading(tenant) as session:
        [payment] = session.scalars(select(Payment)).all()
        assert (payment.amount, payment.paid_on, payment.submission_id) == (
            Decimal("120.00"), date(2026, 11, 21), invoice.id)
        assert len(session.scalars(select(OutboxEntry).where(OutboxEntry.topic == "send-status")).all()) == 1
        assert session.scalars(select(Event).where(Event.code == "bank-matched")).one().data["left"] == "0.00"
    shown = api.get(f"/v1/bank-movements/{movement['id']}").json()
    assert [(part["number"], part["amount"]) for part in shown["allocations"]] == [("F-2026-001", "120.00")]


def test_a_bank_may_write_more_decimals_than_an_invoice(api: Any, make_invoice: MakeInvoice) -> None:
    make_invoice()
    take_in(api, statement(paid("100.00000", "F-2026-001"), paid("20.000", "F-2026-001"), opening=None))
    for number in range(2):
        answer = confirm(api, movements(api)[0], key=f"k{number}")
        assert (answer.status_code, answer.json()["state"]) == (200, "matched"), answer.text


def test_several_invoices_in_one_transfer(api: Any, make_invoice: MakeInvoice) -> None:
    invoices = [make_invoice(number=f"F-{number}", due_date=date(2026, 12, number)) for number in (10, 11, 12)]
    take_in(api, statement(paid("240.00", "F-10, F-12"), paid("360.00", name="AUBRAC APPROUVE SAS"),
                           paid("1.00", name="X")))
    unknown, by_text, by_sum = sorted(movements(api), key=lambda one: Decimal(one["amount"]))
    assert [part["number"] for part in by_text["proposals"][0]["parts"]] == ["F-10", "F-12"]
    assert by_text["proposals"][0]["reasons"][:2] == ["reference", "sum"]
    assert (len(by_sum["proposals"][0]["parts"]), by_sum["proposals"][0]["reasons"]) == (3, ["sum", "name"])
    assert (unknown["proposals"], "Rien ne dit" in unknown["question"]) == ([], True)

    assert confirm(api, by_text).status_code == 200
    left = api.get(f"/v1/invoices/{invoices[1].id}/payments").json()["balance"]["outstanding"]
    assert left == "120.00"


def test_a_part_an_account_seen_before_and_a_shortfall(api: Any, make_invoice: MakeInvoice) -> None:
    invoice = make_invoice()
    take_in(api, statement(paid("50.00", "acompte F-2026-001", name="Autre Nom")))
    assert confirm(api, movements(api)[0]).json()["state"] == "matched"
    take_in(api, statement(paid("69.00", "merci", name="Autre Nom"), id="STMT-2"))
    [movement] = movements(api)
    [best] = movement["proposals"]
    assert best["reasons"] == ["oldest", "partial", "shortfall", "account"]
    assert [(part["invoice_id"], part["amount"]) for part in best["parts"]] == [(invoice.id, "69.00")]


def test_more_than_is_due_asks_a_person(api: Any, make_invoice: MakeInvoice) -> None:
    invoice = make_invoice()
    take_in(api, statement(paid("150.00", "F-2026-001")))
    [movement] = movements(api)
    [best] = movement["proposals"]
    assert (best["left"], "over" in best["reasons"], best["parts"][0]["amount"]) == ("30.00", True, "120.00")

    refused = allocate(api, movement, [(invoice.id, "150.00")])
    assert (refused.status_code, refused.json()["code"], refused.json()["open"]) == (
        422, "overpayment-needs-confirmation", "120.00")
    assert api.get(f"/v1/invoices/{invoice.id}/payments").json()["items"] == [], "all or nothing"
    part = confirm(api, movement, key="part").json()
    assert (part["state"], part["left"]) == ("open", "30.00")
    assert allocate(api, movement, [(invoice.id, "31.00")], "more").json()["code"] == "allocation-too-large"
    rest = allocate(api, movement, [(invoice.id, "30.00")], "rest", overpayment=True)
    assert rest.json()["state"] == "matched"
    assert api.get(f"/v1/invoices/{invoice.id}/payments").json()["balance"]["state"] == "overpaid"


def test_two_persons_at_once_cannot_give_out_more_than_came_in(
    api: Any, deps: Deps, tenant: str, make_invoice: MakeInvoice
) -> None:
    invoices = [make_invoice(number=f"F-100{number}") for number in range(4)]
    take_in(api, statement(paid("250.00", "avance")))
    [movement] = movements(api)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda one: allocate(api, movement, [(one.id, "120.00")], one.id), invoices))

    assert sorted(answer.status_code for answer in answers) == [200, 200, 422, 422]
    assert {answer.json().get("code") for answer in answers} == {None, "allocation-too-large"}
    with deps.db.reading(tenant) as session:
        assert sum(session.scalars(select(Payment.amount)).all()) == Decimal("240.00")
    assert movements(api)[0]["left"] == "10.00"


def test_another_currency_is_a_task_and_no_match(api: Any, make_invoice: MakeInvoice) -> None:
    invoice = make_invoice(currency="USD")
    take_in(api, statement(paid("120.00", "F-2026-001")))
    [movement] = movements(api)
    assert (movement["proposals"], "autre devise" in movement["question"]) == ([], True)
    assert allocate(api, movement, [(invoice.id, "120.00")]).json()["code"] == "currency-mismatch"


def test_money_taken_back_takes_the_payment_back(api: Any, make_invoice: MakeInvoice) -> None:
    invoice = make_invoice()
    take_in(api, statement(paid("120.00", "F-2026-001", end_to_end="E-1")))
    confirm(api, movements(api)[0])
    take_in(api, statement(paid("120.00", sign="DBIT", end_to_end="E-1", returned=True, booked="2026-11-22"),
                           id="STMT-2"))
    [movement] = movements(api)
    assert movement["proposals"][0]["reasons"] == ["takes-back"]
    assert allocate(api, movement, [(invoice.id, "120.00")], "wrong").json()["code"] == "allocation-wrong-sign"

    assert confirm(api, movement, key="back").json()["state"] == "matched"

    assert api.get(f"/v1/invoices/{invoice.id}/payments").json()["balance"]["outstanding"] == "120.00"


def test_a_return_that_the_bank_dates_before_the_money_counts_from_its_day(
    api: Any, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice()
    take_in(api, statement(paid("120.00", "F-2026-001", end_to_end="E-1", value="2026-11-22")))
    confirm(api, movements(api)[0])
    take_in(api, statement(paid("120.00", sign="DBIT", end_to_end="E-1", returned=True), id="STMT-2"))
    assert confirm(api, movements(api)[0], key="back").json()["state"] == "matched"
    body = api.get(f"/v1/invoices/{invoice.id}/payments?on=2026-11-21").json()
    assert [one["paid_on"] for one in body["items"]] == ["2026-11-22", "2026-11-22"]
    assert body["balance"]["outstanding"] == "120.00"


def test_a_value_date_that_is_none_is_the_booking_day(api: Any, make_invoice: MakeInvoice) -> None:
    invoice = make_invoice()
    take_in(api, statement(paid("120.00", "F-2026-001", value="0001-01-01")))
    assert confirm(api, movements(api)[0]).json()["state"] == "matched"
    assert api.get(f"/v1/invoices/{invoice.id}/payments").json()["items"][0]["paid_on"] == "2026-11-20"


def test_money_and_a_credit_note(api: Any, make_invoice: MakeInvoice) -> None:
    """Money that came in takes nothing off what a client is owed; money that went out does."""
    credit = make_invoice(number="A-1", type_code="381", total=Decimal(50), due=Decimal(50))
    take_in(api, statement(paid("50.00", "A-1"), paid("50.00", "remboursement A-1", sign="DBIT", end_to_end="E-2")))
    [came] = movements(api)
    assert allocate(api, came, [(credit.id, "50.00")]).json()["code"] == "reversal-too-large"

    [went] = movements(api, "aside")
    again = api.post(f"/v1/bank-movements/{went['id']}/decision", json={"action": "reopen", "reason": "l'avoir"})
    assert (again.json()["state"], again.json()["question"] is not None) == ("open", True)
    assert allocate(api, went, [(credit.id, "-50.00")], "back").json()["state"] == "matched"
    body = api.get(f"/v1/invoices/{credit.id}/payments").json()
    assert ([one["amount"] for one in body["items"]], body["balance"]["outstanding"]) == (["50.00"], "0.00")


def test_aside_and_open_again(api: Any) -> None:
    take_in(api, statement(paid("10.00", "remboursement")))
    [movement] = movements(api)
    path = f"/v1/bank-movements/{movement['id']}/decision"
    assert api.post(path, json={"action": "aside", "reason": "Un fournisseur"}).json()["state"] == "aside"
    again = api.post(path, json={"action": "aside", "reason": "encore"})
    assert (again.status_code, again.json()["code"]) == (409, "movement-decided")
    assert api.post(path, json={"action": "reopen", "reason": "erreur"}).json()["state"] == "open"
    assert api.post("/v1/bank-movements/none/decision", json={"action": "aside", "reason": "xxx"}).status_code == 404


def test_a_page_goes_on_where_the_last_one_ended(api: Any) -> None:
    take_in(api, statement(*(paid(f"{number}.00", booked=f"2026-11-{number}") for number in range(10, 16))))
    first = api.get("/v1/bank-movements?limit=4").json()
    second = api.get(f"/v1/bank-movements?limit=4&before={first['next']}").json()
    assert [one["amount"] for one in (*first["items"], *second["items"])] == [
        f"{number}.00" for number in range(15, 9, -1)]
    assert second["next"] is None
