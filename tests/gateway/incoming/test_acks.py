"""What a platform says of our own deposits: recorded once, a refusal frees the number, a doubt is for a person."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from polling import ask, codes, reread, seen
from sqlalchemy import select

from gateway.auth import Principal
from gateway.deps import Deps
from gateway.incoming.poll import poll
from gateway.lifecycle.standing import lifecycle_of
from gateway.outgoing import decisions
from gateway.outgoing.deliver import deliver
from gateway.record import Change, record
from gateway.tables import Event, OutboxEntry, PlatformConnection, SeenFlow, Submission
from gateway.worker import relay

MakeInvoice = Callable[..., Submission]
AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def deposit(platform: Any, invoice: Submission, status: str, *reasons: str, **fields: Any) -> None:
    """The platform lists our deposit of an invoice, with its acknowledgement."""
    details = [{"level": "Error", "item": "file", "reasonCode": code, "reasonMessage": "words"} for code in reasons]
    platform.put(fields.pop("flow_id", invoice.flow_id), flowSyntax="UBL", flowType="CustomerInvoice",
                 flowDirection="Out", trackingId=invoice.id, **fields,
                 acknowledgement={"status": status, **({"details": details} if details else {})})


def test_an_acknowledgement_is_recorded_once(
    deps: Deps, platform: Any, connection: PlatformConnection, clock: Any, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice()
    deposit(platform, invoice, "Pending")
    ask(deps, connection)
    assert (codes(deps, invoice, "transmission"), seen(deps, connection)[str(invoice.flow_id)].state) == ([], "new")

    clock.forward(minutes=1)
    deposit(platform, invoice, "Ok")
    for _ in range(3):
        ask(deps, connection)

    assert codes(deps, invoice, "transmission") == ["acknowledged"]
    assert reread(deps, invoice).transmission == "deposited"
    assert seen(deps, connection)[str(invoice.flow_id)].state == "done"


def test_how_the_platform_files_an_invoice_is_read_back(
    deps: Deps, platform: Any, connection: PlatformConnection, clock: Any, make_invoice: MakeInvoice, make_status: Any
) -> None:
    invoice = make_invoice()
    platform.put("in", make_status(invoice, "200", AT))
    filed: dict[str, Any] = {"flowDirection": "Out", "flowType": "CustomerInvoice", "trackingId": invoice.id}
    platform.put("out", **filed, processingRule="Undefined", acknowledgement={"status": "Pending"})
    ask(deps, connection)
    assert lifecycle_of(deps, invoice.tenant_id, invoice.id).may_set == ["220", "227"]
    for rule, offered in (("B2BInt", []), ("B2BInt", []), ("B2B", ["220", "227"])):
        clock.forward(minutes=1)
        platform.put("out", **filed, processingRule=rule, acknowledgement={"status": "Ok"})
        ask(deps, connection)
        assert lifecycle_of(deps, invoice.tenant_id, invoice.id).may_set == offered

    with deps.db.reading(invoice.tenant_id) as session:
        said = session.scalars(select(Event).where(Event.code == "filed-otherwise").order_by(Event.position)).all()
    assert [event.data["processing_rule"] for event in said] == ["B2BInt", "B2B"]
    assert "B2BInt au lieu de B2B" in str(said[0].reason)


def test_a_refused_deposit_fails_and_frees_the_number(
    deps: Deps, platform: Any, connection: PlatformConnection, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice()
    deposit(platform, invoice, "Error", "VirusFound", "InvalidSchema")
    ask(deps, connection)

    row = reread(deps, invoice)
    assert (row.transmission, row.active) == ("failed", None)
    assert row.transmission_reason == "VirusFound : words (file) ; InvalidSchema : words (file)"
    assert codes(deps, invoice, "transmission") == ["failed"]
    with deps.db.reading(invoice.tenant_id) as session:
        assert session.scalars(select(OutboxEntry.topic)).all() == ["remind"]


def test_an_invoice_that_the_platform_has_already_waits_for_a_person(
    deps: Deps, platform: Any, connection: PlatformConnection, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice()
    deposit(platform, invoice, "Error", "AlreadyExistingFlow")
    ask(deps, connection)

    assert (reread(deps, invoice).transmission, reread(deps, invoice).active) == ("parked", True)


def sending(deps: Deps, invoice: Submission) -> None:
    """What every deposit begins with."""
    with deps.db.transaction(invoice.tenant_id) as session:
        record(session, invoice.tenant_id, Change(
            kind="transmission", code="sending", actor="worker", submission_id=invoice.id), now=deps.now())


@pytest.mark.parametrize("first", ["deposited", "unknown"])
def test_a_person_tries_again_or_gives_up_what_the_platform_has_already(
    deps: Deps, platform: Any, connection: PlatformConnection, make_invoice: MakeInvoice, officer: Principal, first: str
) -> None:
    """The answer to the deposit came, or was lost: what the acknowledgement parks is one decision to take."""
    invoice = make_invoice(transmission=first, flow_id="f-1" if first == "deposited" else None)
    sending(deps, invoice)
    deposit(platform, invoice, "Error", "AlreadyExistingFlow", flow_id="f-1")
    ask(deps, connection)
    decisions.decide(deps, officer, invoice.id, "retry", "")
    relay(deps, {"deliver": deliver})
    assert (reread(deps, invoice).transmission, len(platform.outgoing(invoice.id))) == ("parked", 1)

    decisions.decide(deps, officer, invoice.id, "close", "Retrouvée sur leur site.")
    assert (reread(deps, invoice).transmission, reread(deps, invoice).active) == ("failed", True)
    with deps.db.reading(invoice.tenant_id) as session:
        assert session.scalars(select(OutboxEntry.state).where(OutboxEntry.topic == "deliver")).all() == ["closed"]


def test_an_error_that_the_platform_takes_back_is_a_deposit(
    deps: Deps, platform: Any, connection: PlatformConnection, clock: Any, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice()
    for status, stands in (("Error", ("failed", None)), ("Pending", ("failed", None)), ("Ok", ("deposited", True))):
        clock.forward(minutes=1)
        deposit(platform, invoice, status)
        ask(deps, connection)
        assert (reread(deps, invoice).transmission, reread(deps, invoice).active) == stands
    assert codes(deps, invoice, "transmission") == ["failed", "acknowledged"]


def test_what_waited_for_a_person_and_arrived_waits_no_more(
    deps: Deps, platform: Any, connection: PlatformConnection, clock: Any, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice()
    deposit(platform, invoice, "Error", "AlreadyExistingFlow")
    ask(deps, connection)
    clock.forward(minutes=1)
    deposit(platform, invoice, "Ok")
    poll(deps, reread(deps, connection))
    relay(deps, {"deliver": deliver}, only=("deliver",))
    assert reread(deps, invoice).transmission == "deposited"
    with deps.db.reading(invoice.tenant_id) as session:
        assert session.scalars(select(OutboxEntry.state).where(OutboxEntry.topic == "deliver")).all() == ["done"]
    assert len(platform.outgoing(invoice.id)) == 1


def test_an_error_taken_back_too_late_takes_no_number_away(
    deps: Deps, platform: Any, connection: PlatformConnection, clock: Any, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice()
    deposit(platform, invoice, "Error", "VirusFound")
    ask(deps, connection)
    mended = make_invoice(received_at=clock.forward(minutes=1))
    deposit(platform, invoice, "Ok")
    ask(deps, connection)
    assert (reread(deps, invoice).transmission, reread(deps, invoice).active) == ("failed", None)
    assert reread(deps, mended).active is True


def test_a_status_that_was_refused_and_then_taken_counts(
    deps: Deps, platform: Any, connection: PlatformConnection, clock: Any, make_invoice: MakeInvoice, make_status: Any
) -> None:
    invoice = make_invoice()
    platform.put("in", make_status(invoice, "200", AT))
    ask(deps, connection)
    with deps.db.transaction(invoice.tenant_id) as session:
        session.add(SeenFlow(tenant_id=invoice.tenant_id, id="ours", connection_id=connection.id, state="new",
                             flow_type="CustomerInvoiceLC", first_seen_at=deps.now(), updated_at=deps.now(), cause=None,
                             submission_id=invoice.id, sha256=None))
        record(session, invoice.tenant_id, Change(
            kind="lifecycle", code="220", actor="seller", submission_id=invoice.id, platform_at=deps.now(),
            data={"own": True, "flow_id": "ours", "message": "m"}), now=deps.now())
    for answer, shows in (("Error", "200"), ("Ok", "220")):
        clock.forward(minutes=1)
        platform.put("ours", flowDirection="Out", trackingId="t", acknowledgement={"status": answer})
        ask(deps, connection)
        assert reread(deps, invoice).lifecycle == lifecycle_of(deps, invoice.tenant_id, invoice.id).code == shows


def test_a_flow_id_belongs_to_its_platform(
    deps: Deps, platform: Any, connection: PlatformConnection, make_invoice: MakeInvoice
) -> None:
    """Another platform of the same account counts its flows too."""
    other = str(uuid.uuid4())
    with deps.db.transaction(connection.tenant_id) as session:
        session.add(PlatformConnection(
            tenant_id=connection.tenant_id, id=other, name="Autre PA", driver="afnor", config={}, credentials=b"",
            enabled=False, watermark=None, webhook_id="", signing_key=None, polled_at=None, trouble=None))
    invoice = make_invoice(connection_id=other, flow_id="i_123")
    platform.put("i_123", flowDirection="Out", flowType="CustomerInvoice", trackingId="set-on-their-site",
                 acknowledgement={"status": "Error"})
    ask(deps, connection)
    assert (reread(deps, invoice).transmission, reread(deps, invoice).active) == ("deposited", True)
    assert str(seen(deps, connection)["i_123"].cause).startswith("not-ours")


def test_a_second_deposit_that_is_refused_harms_nothing(
    deps: Deps, platform: Any, connection: PlatformConnection, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice()
    deposit(platform, invoice, "Ok")
    deposit(platform, invoice, "Error", "AlreadyExistingFlow", flow_id="again")
    ask(deps, connection)

    assert sorted(codes(deps, invoice, "transmission")) == ["acknowledged", "duplicate-refused"]
    assert (reread(deps, invoice).transmission, reread(deps, invoice).active) == ("deposited", True)


def test_a_deposit_of_somebody_else_is_remembered(
    deps: Deps, platform: Any, connection: PlatformConnection
) -> None:
    platform.put("theirs", flowDirection="Out", flowType="CustomerInvoice", trackingId="their-own-id")
    ask(deps, connection)

    flow = seen(deps, connection)["theirs"]
    assert (flow.state, str(flow.cause).startswith("not-ours")) == ("done", True)
