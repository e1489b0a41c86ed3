"""Payments over HTTP: recorded once, sums true, and a 212 queued exactly where VAT falls due with the money."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from gateway.deps import Deps
from gateway.receivables.routes import router
from gateway.record import Change, record
from gateway.tables import Event, JournalEntry, LegalEntity, OutboxEntry, Payment, Submission

MakeInvoice = Callable[..., Submission]
TWO_RATES = [{"category": "S", "rate": "20", "taxable": "50.00", "tax": "10.00"},
             {"category": "S", "rate": "10", "taxable": "50.00", "tax": "5.00"}]


@pytest.fixture
def api(serve: Callable[..., Any]) -> Any:
    return serve(router)


def pay(api: Any, invoice: Submission, amount: str, key: str = "k1", **more: Any) -> Any:
    return api.post(f"/v1/invoices/{invoice.id}/payments", headers={"Idempotency-Key": key},
                    json={"amount": amount, "paid_on": "2026-11-20", **more})


def queued(deps: Deps, tenant: str, topic: str = "send-status") -> list[OutboxEntry]:
    with deps.db.reading(tenant) as session:
        return list(session.scalars(select(OutboxEntry).where(OutboxEntry.topic == topic)
                                    .order_by(OutboxEntry.created_at)))


def statuses(deps: Deps, invoice: Submission, *codes: str) -> None:
    with deps.db.transaction(invoice.tenant_id) as session:
        for code in codes:
            record(session, invoice.tenant_id, Change(
                kind="lifecycle", code=code, actor="platform" if code < "204" or code == "213" else "buyer",
                submission_id=invoice.id, platform_at=deps.now()), now=deps.now())


def test_a_payment_is_an_event_a_journal_entry_and_a_212(
    api: Any, deps: Deps, tenant: str, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice(vat=TWO_RATES, total=Decimal(115), due=Decimal(115))

    answer = pay(api, invoice, "57.50", currency="EUR", method="virement", reference="R-1")

    assert answer.status_code == 201
    body = answer.json()
    assert body["balance"] == {"due": "115", "paid": "57.50", "credited": "0", "outstanding": "57.50",
                               "state": "partial", "currency": "EUR"}
    assert body["vat_status"]["state"] == "queued"
    [entry] = queued(deps, tenant)
    assert entry.subject_id == invoice.id
    assert entry.payload["id"] == body["id"]
    assert entry.payload["code"] == "212"
    assert [(a["rate"], a["amount"], a["on"]) for a in entry.payload["amounts"]] == [
        ("10", "27.50", "2026-11-20"), ("20", "30.00", "2026-11-20")]
    with deps.db.reading(tenant) as session:
        [event] = session.scalars(select(Event).where(Event.kind == "payment")).all()
        assert (event.code, event.submission_id, event.data["amount"]) == ("received", invoice.id, "57.50")
        assert session.scalars(select(JournalEntry).where(JournalEntry.subject == invoice.id)).all()
    assert [work.subject_id for work in queued(deps, tenant, "remind")] == [invoice.id]


def test_the_same_key_gives_the_first_answer_again(
    api: Any, deps: Deps, tenant: str, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice()
    first = pay(api, invoice, "50.00")
    pay(api, invoice, "20.00", key="k2")

    again = pay(api, invoice, "50.00")

    assert (again.status_code, again.json()) == (201, first.json())
    assert len(queued(deps, tenant)) == 2
    changed = pay(api, invoice, "51.00")
    assert (changed.status_code, changed.json()["code"]) == (422, "idempotency-key-reused")
    other = pay(api, make_invoice(number="F-2"), "50.00")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


def test_ten_at_once_are_one_payment(api: Any, deps: Deps, tenant: str, make_invoice: MakeInvoice) -> None:
    invoice = make_invoice()
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: pay(api, invoice, "50.00"), range(10)))

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    with deps.db.reading(tenant) as session:
        assert len(session.scalars(select(Payment)).all()) == 1
    assert len(queued(deps, tenant)) == 1


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"amount": "0.00"}, "amount-zero"),
    ({"amount": "10", "currency": "USD"}, "currency-mismatch"),
    ({"amount": "10", "paid_on": "2026-11-24"}, "paid-in-future"),
    ({"amount": "10", "paid_on": "0026-11-20"}, "paid-too-early"),
    ({"amount": "-0.01"}, "reversal-too-large"),
    ({"amount": "1.005"}, "invalid-request"),
    ({"amount": "1e3"}, "invalid-request"),
    ({"amount": "NaN"}, "invalid-request"),
    ({"amount": 10}, "invalid-request"),
    ({"amount": "10", "surprise": 1}, "invalid-request"),
    ({}, "invalid-request"),
]


def test_what_is_refused_changes_nothing(api: Any, deps: Deps, make_invoice: MakeInvoice) -> None:
    invoice = make_invoice()
    tenant = invoice.tenant_id
    for body, code in REFUSED:
        answer = api.post(f"/v1/invoices/{invoice.id}/payments", headers={"Idempotency-Key": "k"},
                          json={"paid_on": "2026-11-20", **body})

        assert (answer.status_code, answer.json()["code"]) == (422, code), body
        assert answer.headers["content-type"] == "application/problem+json"
    with deps.db.reading(tenant) as session:
        assert session.scalars(select(Payment)).all() == []
        assert session.scalars(select(Event)).all() == []
    assert pay(api, invoice, "10", key="k").status_code == 201, "a refused request leaves its key free"


def test_money_is_taken_back_no_earlier_than_it_came(api: Any, make_invoice: MakeInvoice) -> None:
    invoice = make_invoice()
    for number, (amount, day) in enumerate((("20", "2026-11-18"), ("60", "2026-11-20"), ("40", "2026-11-22"))):
        assert pay(api, invoice, amount, key=f"in{number}", paid_on=day).status_code == 201
    refused = pay(api, invoice, "-70", key="back", paid_on="2026-11-19").json()
    assert (refused["code"], refused["earliest"]) == ("reversal-too-early", "2026-11-20")
    assert pay(api, invoice, "-70", key="back", paid_on="2026-11-20").status_code == 201
    refused = pay(api, invoice, "-20", key="more", paid_on="2026-11-19").json()
    assert (refused["code"], refused["earliest"]) == ("reversal-too-early", "2026-11-22"), "nor what is gone since"


def test_an_invoice_below_zero_is_paid_by_the_seller(
    api: Any, deps: Deps, tenant: str, make_invoice: MakeInvoice
) -> None:
    vat = [{"category": "S", "rate": "20", "taxable": "-100.00", "tax": "-20.00"}]
    invoice = make_invoice(total=Decimal("-120.00"), due=Decimal("-120.00"), vat=vat)
    assert pay(api, invoice, "1", key="k0").json()["code"] == "reversal-too-large"
    answer = pay(api, invoice, "-120")
    assert (answer.status_code, answer.json()["balance"]["state"]) == (201, "paid")
    [entry] = queued(deps, tenant)
    assert [one["amount"] for one in entry.payload["amounts"]] == ["-120.00"]
    assert entry.payload["comment"].startswith("Remboursement du")
    assert pay(api, invoice, "120", key="k2").json()["balance"]["state"] == "open"


def test_no_key_no_payment(api: Any, make_invoice: MakeInvoice) -> None:
    answer = api.post(f"/v1/invoices/{make_invoice().id}/payments", json={"amount": "1", "paid_on": "2026-11-20"})
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-missing")


@pytest.mark.parametrize("code", ["210", "213", "220"])
def test_nothing_is_owed_on_an_ended_invoice_but_money_may_go_back(
    api: Any, deps: Deps, make_invoice: MakeInvoice, code: str
) -> None:
    invoice = make_invoice()
    assert pay(api, invoice, "120", key="before").status_code == 201
    with deps.db.transaction(invoice.tenant_id) as session:
        for told, actor in (("200", "platform"), (code, {"213": "platform", "210": "buyer"}.get(code, "seller"))):
            record(session, invoice.tenant_id, Change(kind="lifecycle", code=told, actor=actor,
                                                      submission_id=invoice.id, platform_at=deps.now()),
                   now=deps.now())

    refused = pay(api, invoice, "5", key="after")

    assert (refused.status_code, refused.json()["code"]) == (409, "invoice-not-payable")
    assert pay(api, invoice, "-120", key="back").json()["balance"]["state"] == "open"


@pytest.mark.parametrize("transmission", ["refused", "failed"])
def test_an_invoice_that_never_was_in_force_takes_no_money(
    api: Any, make_invoice: MakeInvoice, transmission: str
) -> None:
    invoice = make_invoice(transmission=transmission, active=None)
    assert pay(api, invoice, "5").json()["code"] == "invoice-not-payable"


def test_reversals_at_once_take_back_what_was_paid_once(
    api: Any, deps: Deps, tenant: str, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice()
    pay(api, invoice, "50.00")

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda number: pay(api, invoice, "-50.00", key=f"back-{number}"), range(4)))

    assert sorted(answer.status_code for answer in answers) == [201, 422, 422, 422]
    with deps.db.reading(tenant) as session:
        assert sum(row.amount for row in session.scalars(select(Payment))) == 0


def test_overpayment_is_accepted_and_named(
    api: Any, deps: Deps, tenant: str, make_invoice: MakeInvoice
) -> None:
    answer = pay(api, make_invoice(), "130")

    assert answer.json()["balance"]["state"] == "overpaid"
    assert answer.json()["balance"]["outstanding"] == "-10.00"
    with deps.db.reading(tenant) as session:
        [event] = session.scalars(select(Event).where(Event.kind == "payment")).all()
    assert event.reason is not None
    assert "trop-perçu de 10.00 EUR" in event.reason


def test_a_reversal_is_a_negative_212_with_words(
    api: Any, deps: Deps, clock: Any, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice(vat=TWO_RATES, total=Decimal(115), due=Decimal(115))
    pay(api, invoice, "33.33", key="a")
    clock.forward(seconds=1)
    pay(api, invoice, "-33.33", key="b")

    there, back = queued(deps, invoice.tenant_id)
    assert [Decimal(a["amount"]) for a in back.payload["amounts"]] == [
        -Decimal(a["amount"]) for a in there.payload["amounts"]]
    assert there.payload["comment"] is None
    assert "Annulation" in back.payload["comment"]


def test_two_statuses_never_have_the_same_second(
    api: Any, deps: Deps, tenant: str, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice()
    for number in range(4):
        pay(api, invoice, "10", key=f"k{number}")

    times = [datetime.fromisoformat(entry.payload["set_at"]) for entry in queued(deps, tenant)]
    assert len(set(times)) == 4
    assert min(times) == datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def test_goods_need_no_212(api: Any, deps: Deps, tenant: str, make_invoice: MakeInvoice) -> None:
    answer = pay(api, make_invoice(business_process="B1"), "120")

    assert answer.json()["vat_status"]["state"] == "not-due"
    assert queued(deps, tenant) == []


def test_the_option_for_debits_needs_no_212(
    api: Any, deps: Deps, tenant: str, entity: LegalEntity, make_invoice: MakeInvoice
) -> None:
    with deps.db.transaction(tenant) as session:
        session.get_one(LegalEntity, (tenant, entity.id)).vat_on_debits = True

    assert pay(api, make_invoice(), "120").json()["vat_status"]["state"] == "not-due"


def test_another_currency_is_held_for_a_person(api: Any, make_invoice: MakeInvoice) -> None:
    assert pay(api, make_invoice(currency="USD"), "120").json()["vat_status"]["state"] == "held"


def test_the_list_gives_the_balance_of_a_day(api: Any, clock: Any, make_invoice: MakeInvoice) -> None:
    invoice = make_invoice()
    pay(api, invoice, "50", key="a", paid_on="2026-11-03")
    clock.forward(seconds=1)
    pay(api, invoice, "70", key="b", paid_on="2026-11-20")

    path = f"/v1/invoices/{invoice.id}/payments"
    assert [item["amount"] for item in api.get(path).json()["items"]] == ["50", "70"]
    assert api.get(path).json()["balance"]["state"] == "paid"
    assert api.get(path, params={"on": "2026-11-10"}).json()["balance"]["outstanding"] == "70.00"


def test_a_foreign_invoice_looks_absent(
    api: Any, make_invoice: MakeInvoice, make_tenant: Callable[[str], str], make_key: Callable[..., str]
) -> None:
    invoice = make_invoice()
    stranger = {"Authorization": make_key(make_tenant("Autre"))}
    for call in (api.get(f"/v1/invoices/{invoice.id}/payments", headers=stranger),
                 api.post(f"/v1/invoices/{invoice.id}/payments", headers={**stranger, "Idempotency-Key": "k"},
                          json={"amount": "1", "paid_on": "2026-11-20"})):
        assert (call.status_code, call.json()["code"]) == (404, "not-found")


def test_a_reader_cannot_record(api: Any, tenant: str, make_invoice: MakeInvoice,
                                make_key: Callable[..., str]) -> None:
    answer = api.post(f"/v1/invoices/{make_invoice().id}/payments", json={"amount": "1", "paid_on": "2026-11-20"},
                      headers={"Authorization": make_key(tenant, "invoices:read"), "Idempotency-Key": "k"})
    assert answer.status_code == 403
