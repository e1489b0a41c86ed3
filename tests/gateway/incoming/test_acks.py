"""What a platform says of our own deposits: recorded once, a refusal frees the number, a doubt is for a person."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from polling import ask, codes, reread, seen
from sqlalchemy import select

from gateway.deps import Deps
from gateway.lifecycle.standing import lifecycle_of
from gateway.tables import Event, OutboxEntry, PlatformConnection, Submission

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
