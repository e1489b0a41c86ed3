"""The alarm of the 24 hours is an event of its invoice: once when somebody should look, once when it is too late."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from gateway import outbox
from gateway.deps import Deps
from gateway.lifecycle.deadlines import tell_deadlines
from gateway.settings import Settings
from gateway.tables import Event, OutboxEntry, Submission
from gateway.tables_webhooks import WebhookDelivery
from gateway.topics import ticks
from gateway.webhooks.schemas import WebhookIn
from gateway.webhooks.sending import fan_out
from gateway.webhooks.service import create

MakeInvoice = Callable[..., Submission]


def owe(deps: Deps, invoice: Submission, payment: str) -> str:
    """A compulsory status on its way."""
    with deps.db.transaction(invoice.tenant_id) as session:
        return outbox.put(session, invoice.tenant_id, "send-status", invoice.id, now=deps.now(), payload={
            "code": "212", "id": payment, "set_at": deps.now().isoformat(), "actor": "key:abc"})


def told(deps: Deps, invoice: Submission) -> list[tuple[str, str]]:
    with deps.db.reading(invoice.tenant_id) as session:
        return [(event.code, event.data["tracking_id"]) for event in session.scalars(
            select(Event).where(Event.submission_id == invoice.id).order_by(Event.position))]


def test_each_duty_alarms_before_the_end_and_after_it_once(
    deps: Deps, clock: Any, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice()
    owe(deps, invoice, "pay-1")
    tell_deadlines(deps)
    assert told(deps, invoice) == []

    clock.forward(hours=18)
    owe(deps, invoice, "pay-2")
    for _ in range(3):
        tell_deadlines(deps)
    assert told(deps, invoice) == [("status-due", "pay-1")]

    clock.forward(hours=6)
    for _ in range(3):
        tell_deadlines(deps)
    assert told(deps, invoice) == [("status-due", "pay-1"), ("status-late", "pay-1")]
    clock.forward(hours=12)
    tell_deadlines(deps)
    assert told(deps, invoice)[2:] == [("status-due", "pay-2")]


def test_a_duty_found_too_late_is_said_to_be_late_and_nothing_else(
    deps: Deps, clock: Any, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice()
    owe(deps, invoice, "pay-1")
    clock.forward(days=3)
    tell_deadlines(deps)
    tell_deadlines(deps)
    assert told(deps, invoice) == [("status-late", "pay-1")]


def test_what_a_person_must_decide_alarms_at_once_with_its_reason(deps: Deps, make_invoice: MakeInvoice) -> None:
    invoice = make_invoice()
    entry = owe(deps, invoice, "pay-1")
    with deps.db.transaction(invoice.tenant_id) as session:
        row = session.get_one(OutboxEntry, (invoice.tenant_id, entry))
        row.state, row.reason = "parked", "L'acheteur n'a pas d'adresse."
    tell_deadlines(deps)
    with deps.db.reading(invoice.tenant_id) as session:
        event = session.scalars(select(Event)).one()
    assert event.reason is not None
    assert (event.code, event.data["state"]) == ("status-due", "parked")
    assert event.reason.endswith("avant le 24/11/2026 à 10:00. L'acheteur n'a pas d'adresse.")


def test_a_webhook_hears_it_and_each_worker_looks(deps: Deps, clock: Any, make_invoice: MakeInvoice) -> None:
    invoice = make_invoice()
    create(deps, invoice.tenant_id, WebhookIn(url="https://erp.example/hook"), "user:test")
    owe(deps, invoice, "pay-1")
    clock.forward(hours=20)
    ticks(Settings())["duties"].act(deps)

    fan_out(deps)

    with deps.db.reading(invoice.tenant_id) as session:
        [delivery] = session.scalars(select(WebhookDelivery)).all()
    assert (delivery.type, delivery.submission_id) == ("invoice.transmission.status-due", invoice.id)
