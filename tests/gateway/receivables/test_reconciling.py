"""The ledger beside what the State was told, and keys that were forgotten."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from gateway import tidying
from gateway.deps import Deps
from gateway.lifecycle.routes import router as lifecycle_router
from gateway.lifecycle.sending import handle_send_status
from gateway.receivables.routes import router
from gateway.record import Change, record
from gateway.tables import Event, LegalEntity, OutboxEntry, Payment, Submission
from gateway.worker import relay

MakeInvoice = Callable[..., Submission]


@pytest.fixture
def api(serve: Callable[..., Any]) -> Any:
    return serve(router, lifecycle_router)


def pay(api: Any, invoice: Submission, amount: str, key: str) -> Any:
    return api.post(f"/v1/invoices/{invoice.id}/payments", headers={"Idempotency-Key": key},
                    json={"amount": amount, "paid_on": "2026-11-20"})


def tell(deps: Deps, invoice: Submission, code: str, actor: str, **data: Any) -> None:
    with deps.db.transaction(invoice.tenant_id) as session:
        record(session, invoice.tenant_id, Change(
            kind="lifecycle", code=code, actor=actor, submission_id=invoice.id, platform_at=deps.now(), data=data),
            now=deps.now())


def run(deps: Deps) -> None:
    relay(deps, {"send-status": handle_send_status, "remind": lambda *_: None})


def listed(api: Any, invoice: Submission) -> tuple[list[str], dict[str, Any]]:
    body = api.get(f"/v1/invoices/{invoice.id}/payments").json()
    return [item["vat_status"]["state"] for item in body["items"]], body["reconciliation"]


def test_payments_reversals_and_statuses_meet(
    api: Any, deps: Deps, platform: Any, clock: Any, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice()
    tell(deps, invoice, "200", "platform")
    for number, amount in enumerate(("50.00", "100.00", "-30.00")):
        clock.forward(minutes=1)
        pay(api, invoice, amount, f"k{number}")
    assert listed(api, invoice) == (["queued"] * 3, {"to_tell": "120.00", "told": "0", "meets": False})

    for _ in range(3):
        run(deps)
        clock.forward(hours=1)

    states, reconciled = listed(api, invoice)
    assert (states, reconciled["meets"], Decimal(reconciled["told"])) == (["sent"] * 3, True, Decimal(120))
    assert len([flow for flow in platform.flows if flow["flowSyntax"] == "CDAR"]) == 3, "one 212 for each payment"


def test_a_status_that_was_refused_or_set_elsewhere_shows(
    api: Any, deps: Deps, platform: Any, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice()
    tell(deps, invoice, "200", "platform")
    paid = pay(api, invoice, "50.00", "k").json()["id"]
    run(deps)
    [flow] = platform.outgoing(paid)
    with deps.db.transaction(invoice.tenant_id) as session:
        record(session, invoice.tenant_id, Change(
            kind="transmission", code="status-refused", actor="platform:x", submission_id=invoice.id,
            data={"flow_id": flow["flowId"]}), now=deps.now())
    assert listed(api, invoice) == (["refused"], {"to_tell": "50.00", "told": "0", "meets": False})

    tell(deps, invoice, "212", "seller", details=[{"amounts": [{"type": "MEN", "amount": "50.00"}]}])
    assert listed(api, invoice) == (["refused"], {"to_tell": "50.00", "told": "50.00", "meets": True})


def test_what_a_person_must_decide_says_why_and_what_is_not_due_counts_not(
    api: Any, deps: Deps, tenant: str, entity: LegalEntity, make_invoice: MakeInvoice
) -> None:
    dollars = make_invoice(currency="USD", number="F-USD")
    tell(deps, dollars, "200", "platform")
    pay(api, dollars, "50.00", "k1")
    run(deps)
    body = api.get(f"/v1/invoices/{dollars.id}/payments").json()
    assert body["items"][0]["vat_status"]["state"] == "held"
    assert "euros" in body["items"][0]["vat_status"]["reason"]
    with deps.db.transaction(tenant) as session:
        session.get_one(LegalEntity, (tenant, entity.id)).vat_on_debits = True
    goods = make_invoice(number="F-2")
    pay(api, goods, "50.00", "k2")
    assert listed(api, goods) == (["not-due"], {"to_tell": "0", "told": "0", "meets": True})


def test_two_parts_say_together_what_the_whole_would_have_said(
    api: Any, deps: Deps, tenant: str, clock: Any, make_invoice: MakeInvoice
) -> None:
    vat = [{"category": "S", "rate": "20", "taxable": "83.34", "tax": "16.67"},
           {"category": "S", "rate": "10", "taxable": "90.91", "tax": "9.09"}]
    invoice = make_invoice(vat=vat, total=Decimal("200.01"), due=Decimal("200.01"))
    for number in range(3):
        clock.forward(seconds=1)
        pay(api, invoice, "66.67", f"k{number}")
    sums: dict[str, Decimal] = {}
    with deps.db.reading(tenant) as session:
        for entry in session.scalars(select(OutboxEntry).where(OutboxEntry.topic == "send-status")):
            for part in entry.payload["amounts"]:
                sums[part["rate"]] = sums.get(part["rate"], Decimal(0)) + Decimal(part["amount"])
    assert sums == {"10": Decimal("100.00"), "20": Decimal("100.01")}


def test_a_forgotten_key_makes_no_second_payment(
    api: Any, deps: Deps, tenant: str, clock: Any, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice()
    first = pay(api, invoice, "50.00", "k").json()["id"]
    clock.forward(days=31)
    tidying.tidy(deps)

    again = pay(api, invoice, "50.00", "k")

    assert (again.status_code, again.json()["code"], again.json()["payment"]) == (
        409, "payment-already-recorded", first)
    with deps.db.reading(tenant) as session:
        assert len(session.scalars(select(Payment)).all()) == 1


def test_a_forgotten_key_sets_no_second_status(
    api: Any, deps: Deps, clock: Any, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice()
    tell(deps, invoice, "200", "platform")
    path, body = f"/v1/invoices/{invoice.id}/statuses", {"code": "220"}
    assert api.post(path, json=body, headers={"Idempotency-Key": "k"}).status_code == 202
    clock.forward(seconds=timedelta(days=31).total_seconds())
    tidying.tidy(deps)

    again = api.post(path, json=body, headers={"Idempotency-Key": "k"})

    assert (again.status_code, again.json()["code"]) == (409, "status-already-asked")
    with deps.db.reading(invoice.tenant_id) as session:
        assert len(session.scalars(select(Event).where(Event.code == "status-queued")).all()) == 1
