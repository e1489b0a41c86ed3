"""Our own statuses: composed once, deposited once in effect, never against the guard."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from formats.lifecycle import read_status
from gateway import circuits, outbox
from gateway.deps import Deps
from gateway.incoming.poll import poll
from gateway.lifecycle.history import state_of
from gateway.lifecycle.routes import router
from gateway.lifecycle.sending import handle_send_status
from gateway.outbox import Entry
from gateway.platforms.circuit import TRIPS_AFTER
from gateway.record import Change, record
from gateway.tables import Document, Event, OutboxEntry, PlatformConnection, Submission
from gateway.worker import relay

MakeInvoice = Callable[..., Submission]
PAID: dict[str, Any] = {
    "code": "212", "id": "pay-1", "set_at": "2026-11-23T09:00:00+00:00", "actor": "key:abc", "currency": "EUR",
    "amounts": [{"type": "MEN", "amount": "40.00", "rate": "10", "on": "2026-11-20"},
                {"type": "MEN", "amount": "60.00", "rate": "20", "on": "2026-11-20"}],
}
DEPOSITED = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


def told(deps: Deps, invoice: Submission, *codes: str) -> None:
    """Statuses that came from the other side before."""
    with deps.db.transaction(invoice.tenant_id) as session:
        for code in codes:
            record(session, invoice.tenant_id, Change(
                kind="lifecycle", code=code, actor="platform" if code < "204" or code == "213" else "buyer",
                submission_id=invoice.id, platform_at=DEPOSITED), now=deps.now())


def queue(deps: Deps, invoice: Submission, **changes: Any) -> str:
    with deps.db.transaction(invoice.tenant_id) as session:
        return outbox.put(session, invoice.tenant_id, "send-status", invoice.id, now=deps.now(),
                          payload={**PAID, **changes})


def run(deps: Deps) -> None:
    relay(deps, {"send-status": handle_send_status, "remind": lambda *_: None})


def entry_of(deps: Deps, entry_id: str) -> OutboxEntry:
    with deps.db.reading("*") as session:
        return session.scalars(select(OutboxEntry).where(OutboxEntry.id == entry_id)).one()


def own(deps: Deps, invoice: Submission) -> list[Event]:
    with deps.db.reading(invoice.tenant_id) as session:
        return [event for event in session.scalars(
            select(Event).where(Event.submission_id == invoice.id).order_by(Event.position)) if event.data.get("own")]


def test_a_212_is_sent_and_becomes_an_event(deps: Deps, platform: Any, make_invoice: MakeInvoice) -> None:
    invoice = make_invoice()
    told(deps, invoice, "200", "203")
    entry = queue(deps, invoice)

    run(deps)

    [flow] = platform.outgoing("pay-1")
    assert (flow["flowSyntax"], flow["processingRule"], "flowProfile" in flow) == ("CDAR", "NotApplicable", True)
    message = read_status(platform.documents[flow["flowId"], "Original"])
    assert (message.code, message.type_code, message.reference_status) == ("212", "23", "47")
    assert message.received_at == DEPOSITED
    assert [(a.type_code, a.amount, a.vat_rate, a.currency) for a in message.details[0].amounts] == [
        ("MEN", Decimal("40.00"), Decimal(10), "EUR"), ("MEN", Decimal("60.00"), Decimal(20), "EUR")]
    [recipient] = message.recipients
    assert (recipient.role, recipient.electronic_address and recipient.electronic_address.value) == ("BY", "000001016")
    [event] = own(deps, invoice)
    assert (event.code, event.actor, event.data["tracking_id"], event.data["requested_by"]) == (
        "212", "seller", "pay-1", "key:abc")
    assert entry_of(deps, entry).state == "done"
    with deps.db.reading(invoice.tenant_id) as session:
        submission = session.get_one(Submission, (invoice.tenant_id, invoice.id))
        assert submission.lifecycle == "212"
        assert state_of(session, submission).cashed == Decimal(100)
        assert {row.role for row in session.scalars(select(Document))} == {"status", "receipt"}


def test_a_lost_answer_makes_no_second_deposit(
    deps: Deps, platform: Any, clock: Any, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice()
    told(deps, invoice, "200")
    entry = queue(deps, invoice)
    platform.lose_answers = 1

    run(deps)
    assert (entry_of(deps, entry).state, own(deps, invoice)) == ("pending", [])
    clock.forward(minutes=1)
    run(deps)

    assert entry_of(deps, entry).state == "done"
    assert len(platform.outgoing("pay-1")) == 1
    assert len(own(deps, invoice)) == 1


def test_a_crash_between_deposit_and_record_makes_no_second_deposit(
    deps: Deps, platform: Any, make_invoice: MakeInvoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = make_invoice()
    told(deps, invoice, "200")
    queued = queue(deps, invoice)
    entry = Entry(tenant_id=invoice.tenant_id, id=queued, topic="send-status", subject_id=invoice.id, payload=PAID,
                  attempts=1, claims=1)

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("gateway.lifecycle.sending.record_sent", die)
        with pytest.raises(Killed):
            handle_send_status(deps, entry)
    handle_send_status(deps, entry)
    handle_send_status(deps, entry)

    [flow] = platform.outgoing("pay-1")
    [event] = own(deps, invoice)
    with deps.db.reading(invoice.tenant_id) as session:
        kept = session.scalars(select(Document).where(Document.role == "status")).one()
    assert kept.sha256 == flow["sha256"] == event.sha256


def test_it_waits_for_the_deposit_without_wearing_out(
    deps: Deps, platform: Any, clock: Any, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice(transmission="queued", flow_id=None)
    entry = queue(deps, invoice)
    for _ in range(30):
        run(deps)
        clock.forward(minutes=2)
    assert (entry_of(deps, entry).state, entry_of(deps, entry).attempts) == ("pending", 0)

    told(deps, invoice, "200")
    run(deps)

    assert len(platform.outgoing("pay-1")) == 1


@pytest.mark.parametrize("active", [None, True], ids=["its number is free", "given up in doubt"])
def test_it_does_not_wait_for_an_invoice_that_the_platform_did_not_take(
    deps: Deps, platform: Any, make_invoice: MakeInvoice, active: Any
) -> None:
    entry = queue(deps, make_invoice(transmission="failed", active=active))

    run(deps)

    assert (entry_of(deps, entry).state, platform.outgoing("pay-1")) == ("parked", [])


@pytest.mark.parametrize(("before", "changes"), [
    (("200", "210"), {}),
    (("200", "213"), {}),
    (("200", "203"), {"code": "209", "amounts": []}),
    (("200",), {"amounts": [{"type": "MEN", "amount": "-1.00", "rate": "20", "on": "2026-11-20"}]}),
    (("200",), {"currency": "USD"}),
    (("200",), {"code": "205", "amounts": []}),
], ids=["refused", "rejected", "nothing to complete", "takes back too much", "dollars", "the buyer's"])
def test_what_must_not_go_waits_for_a_person(
    deps: Deps, platform: Any, make_invoice: MakeInvoice, before: tuple[str, ...], changes: dict[str, Any]
) -> None:
    invoice = make_invoice()
    told(deps, invoice, *before)
    entry = queue(deps, invoice, **changes)

    run(deps)

    assert entry_of(deps, entry).state == "parked"
    assert entry_of(deps, entry).reason
    assert (platform.outgoing("pay-1"), own(deps, invoice)) == ([], [])


def test_a_buyer_without_address_cannot_be_told(deps: Deps, platform: Any, make_invoice: MakeInvoice) -> None:
    invoice = make_invoice(buyer_address=None)
    told(deps, invoice, "200")
    entry = queue(deps, invoice)
    run(deps)

    assert "BT-49" in str(entry_of(deps, entry).reason)
    assert platform.outgoing("pay-1") == []


def test_a_refusal_by_the_platform_is_recorded_and_parked(
    deps: Deps, platform: Any, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice()
    told(deps, invoice, "200")
    entry = queue(deps, invoice)
    platform.refuse_deposits = (422, "CREATE_ERROR")

    run(deps)

    assert entry_of(deps, entry).state == "parked"
    with deps.db.reading(invoice.tenant_id) as session:
        refusal = session.scalars(select(Event).where(Event.code == "status-refused")).one()
    assert "CREATE_ERROR" in str(refusal.reason)
    assert own(deps, invoice) == []


def test_a_platform_that_loses_answers_and_lists_late_gets_few_copies(
    deps: Deps, platform: Any, clock: Any, make_invoice: MakeInvoice
) -> None:
    """Each further deposit says the same payment once more: it gets ever longer to know what it has."""
    invoice = make_invoice()
    told(deps, invoice, "200")
    entry = queue(deps, invoice)
    platform.lose_answers = 100
    listed, search = clock.now + timedelta(minutes=10), platform.search
    platform.search = lambda wanted: search(wanted) if clock.now >= listed else (200, {"limit": 100, "results": []})
    while entry_of(deps, entry).state == "pending":
        run(deps)
        clock.now = max(clock.now, entry_of(deps, entry).due_at)
    assert (entry_of(deps, entry).state, len(own(deps, invoice))) == ("done", 1)
    assert len(platform.outgoing("pay-1")) == 3


def test_a_refused_question_is_no_refused_status(deps: Deps, platform: Any, make_invoice: MakeInvoice) -> None:
    invoice = make_invoice()
    told(deps, invoice, "200")
    entry = queue(deps, invoice)
    platform.search = lambda _: (400, {"errorCode": "FIELD_ERROR"})

    run(deps)

    assert (entry_of(deps, entry).state, platform.flows) == ("parked", [])
    assert "FIELD_ERROR" in (entry_of(deps, entry).reason or "")
    with deps.db.reading(invoice.tenant_id) as session:
        assert session.scalars(select(Event.code).where(Event.kind == "transmission")).all() == []


def test_trouble_is_tried_again(deps: Deps, platform: Any, clock: Any, make_invoice: MakeInvoice) -> None:
    invoice = make_invoice()
    told(deps, invoice, "200")
    queue(deps, invoice)
    platform.broken = 1
    run(deps)
    assert own(deps, invoice) == []

    clock.forward(hours=1)
    run(deps)

    assert len(own(deps, invoice)) == 1


def test_a_platform_that_is_away_is_left_alone(
    deps: Deps, platform: Any, connection: PlatformConnection, clock: Any, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice()
    told(deps, invoice, "200")
    entry = queue(deps, invoice)
    for _ in range(TRIPS_AFTER):
        circuits.failed(deps, connection, circuits.FLOWS, "ANSWER_LOST: x")

    run(deps)

    waiting = entry_of(deps, entry)
    assert (platform.searches, platform.outgoing("pay-1"), waiting.attempts) == ([], [], 0)
    assert "circuit-open" in str(waiting.reason)
    clock.forward(minutes=1)
    run(deps)
    assert len(own(deps, invoice)) == 1
    assert [circuits.admit(deps, connection, circuits.FLOWS) for _ in range(2)] == [None, None]


def test_each_failure_of_a_status_counts_against_the_platform(
    deps: Deps, platform: Any, connection: PlatformConnection, clock: Any, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice()
    told(deps, invoice, "200")
    queue(deps, invoice)
    platform.broken = TRIPS_AFTER
    for _ in range(TRIPS_AFTER):
        run(deps)
        clock.forward(minutes=2)
    clock.forward(minutes=-2)
    assert circuits.admit(deps, connection, circuits.FLOWS) is not None


def test_a_status_refused_by_its_acknowledgement_does_not_count(
    deps: Deps, platform: Any, connection: PlatformConnection, make_invoice: MakeInvoice, clock: Any,
) -> None:
    invoice = make_invoice()
    told(deps, invoice, "200")
    queue(deps, invoice)
    run(deps)
    [flow] = platform.outgoing("pay-1")
    clock.forward(minutes=1)
    platform.put(flow["flowId"], acknowledgement={"status": "Error", "details": [
        {"level": "Error", "item": "MDT-215", "reasonCode": "InvoiceLCAmountError", "reasonMessage": "no"}]})

    poll(deps, connection)

    with deps.db.reading(invoice.tenant_id) as session:
        submission = session.get_one(Submission, (invoice.tenant_id, invoice.id))
        assert state_of(session, submission).cashed == 0
        assert submission.lifecycle == "200"
        assert submission.transmission == "deposited"


def test_a_reversal_waits_for_its_payment(deps: Deps, platform: Any, clock: Any, make_invoice: MakeInvoice) -> None:
    invoice = make_invoice()
    told(deps, invoice, "200")
    queue(deps, invoice)
    platform.broken = 1
    clock.forward(seconds=1)
    back = [{**amount, "amount": "-" + amount["amount"]} for amount in PAID["amounts"]]
    entry = queue(deps, invoice, id="back", amounts=back, set_at="2026-11-23T09:00:01+00:00", comment="Annulé.")
    run(deps)
    assert (entry_of(deps, entry).state, platform.outgoing("back")) == ("pending", [])

    clock.forward(hours=1)
    run(deps)
    clock.forward(hours=1)
    run(deps)

    assert [len(platform.outgoing(name)) for name in ("pay-1", "back")] == [1, 1]
    with deps.db.reading(invoice.tenant_id) as session:
        assert session.get_one(Submission, (invoice.tenant_id, invoice.id)).lifecycle == "200"


def test_209_and_220_are_set_by_hand(
    deps: Deps, platform: Any, clock: Any, make_invoice: MakeInvoice, serve: Any
) -> None:
    invoice, api = make_invoice(), serve(router)
    path = f"/v1/invoices/{invoice.id}/statuses"
    told(deps, invoice, "200", "203")
    refused = api.post(path, json={"code": "209"}, headers={"Idempotency-Key": "k"})
    assert (refused.status_code, refused.json()["code"]) == (409, "status-not-possible")

    told(deps, invoice, "208")
    first = api.post(path, json={"code": "209", "comment": "Bon joint."}, headers={"Idempotency-Key": "k"})
    again = api.post(path, json={"code": "209", "comment": "Bon joint."}, headers={"Idempotency-Key": "k"})
    run(deps)

    assert (first.status_code, again.json()) == (202, first.json())
    [flow] = platform.outgoing(first.json()["id"])
    message = read_status(platform.documents[flow["flowId"], "Original"])
    assert (message.code, message.details[0].comment) == ("209", "Bon joint.")

    clock.forward(minutes=1)
    assert api.post(path, json={"code": "220"}, headers={"Idempotency-Key": "k2"}).status_code == 202
    run(deps)
    assert [event.code for event in own(deps, invoice)] == ["209", "220"]
    assert api.post(path, json={"code": "209"}, headers={"Idempotency-Key": "k3"}).status_code == 409
    assert api.post(path, json={"code": "212"}, headers={"Idempotency-Key": "k4"}).status_code == 422


@pytest.mark.parametrize("state", ["queued", "held", "parked", "unknown"])
def test_nothing_is_said_of_an_invoice_that_has_not_left(
    deps: Deps, platform: Any, make_invoice: MakeInvoice, serve: Any, state: str
) -> None:
    """It would go after its own cancellation."""
    invoice, api = make_invoice(transmission=state, flow_id=None), serve(router)
    assert api.get(f"/v1/invoices/{invoice.id}/lifecycle").json()["may_set"] == []
    path = f"/v1/invoices/{invoice.id}/statuses"
    refused = api.post(path, json={"code": "220"}, headers={"Idempotency-Key": "k"})
    run(deps)
    assert (refused.status_code, refused.json()["objection"], platform.flows) == (409, "not-deposited", [])

    told(deps, invoice, "200")  # our own look at the deposit is late: the platform's word is enough
    with deps.db.transaction(invoice.tenant_id) as session:
        session.get_one(Submission, (invoice.tenant_id, invoice.id)).lifecycle = "200"
    assert api.post(path, json={"code": "220"}, headers={"Idempotency-Key": "k"}).status_code == 202
