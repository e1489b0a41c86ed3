"""Polling: every flow is remembered, one bad flow stops no other, the watermark passes nothing unstored."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from polling import ask, codes, reread, run, seen
from sqlalchemy import event, select

from gateway import circuits
from gateway.deps import Deps
from gateway.incoming.flows import LOOK_AGAIN
from gateway.incoming.poll import handle_poll, poll, poll_all
from gateway.outbox import Entry
from gateway.outgoing import decisions
from gateway.platforms.circuit import TRIPS_AFTER
from gateway.tables import OutboxEntry, PlatformConnection, SeenFlow, Submission

MakeInvoice = Callable[..., Submission]
AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def test_statuses_arrive_once_however_often_they_are_listed(
    deps: Deps, platform: Any, connection: PlatformConnection, make_invoice: MakeInvoice, make_status: Any
) -> None:
    invoice = make_invoice()
    for minute, code in enumerate(("200", "202", "203")):
        platform.put(f"in-{code}", make_status(invoice, code, AT + timedelta(minutes=minute)))
    for _ in range(3):
        row = ask(deps, connection)

    assert codes(deps, invoice) == ["200", "202", "203"]
    assert {flow.state for flow in seen(deps, connection).values()} == {"done"}
    assert (row.trouble, row.polled_at, row.watermark) == (None, deps.now(), deps.now())
    assert reread(deps, invoice).lifecycle == "203"


@pytest.mark.parametrize("page", [1, 2, 7])
def test_pages_are_walked_to_the_end(
    deps: Deps, platform: Any, connection: PlatformConnection, page: int
) -> None:
    platform.page = page
    for number in range(15):
        platform.put(f"flow-{number}", at=AT + timedelta(seconds=number // 4), flowType="SupplierInvoice",
                     flowSyntax="UBL")

    row = ask(deps, connection)

    assert len(seen(deps, connection)) == 15
    assert {(flow.state, flow.cause) for flow in seen(deps, connection).values()} == {
        ("done", "out-of-scope : SupplierInvoice")}
    assert row.watermark == AT + timedelta(seconds=3)


def test_the_walk_starts_before_the_watermark(deps: Deps, platform: Any, connection: PlatformConnection) -> None:
    platform.put("first", at=AT, flowType="SupplierInvoice", flowSyntax="UBL")
    ask(deps, connection)
    platform.put("late", at=AT - timedelta(minutes=14), flowType="SupplierInvoice", flowSyntax="UBL")

    row = ask(deps, connection)

    assert set(seen(deps, connection)) == {"first", "late"}
    assert row.watermark == AT
    assert platform.searches[-1]["where"]["updatedAfter"] == "2026-11-23T07:45:00.000Z"


def test_a_time_to_come_does_not_hide_what_comes_before_it(
    deps: Deps, platform: Any, connection: PlatformConnection, clock: Any, make_invoice: MakeInvoice, make_status: Any
) -> None:
    """One flow is dated a year ahead by mistake."""
    invoice = make_invoice()
    platform.put("ahead", make_status(invoice, "200", AT), at=deps.now() + timedelta(days=365))
    ask(deps, connection)
    clock.forward(hours=1)
    platform.put("next", make_status(invoice, "202", deps.now()))

    ask(deps, connection)

    assert codes(deps, invoice) == ["200", "202"]


def test_one_bad_document_stops_no_other(
    deps: Deps, platform: Any, connection: PlatformConnection, make_invoice: MakeInvoice, make_status: Any
) -> None:
    invoice = make_invoice()
    platform.put("good-1", make_status(invoice, "200", AT))
    platform.put("not-xml", b"\x00garbage")
    platform.put("no-document")
    platform.put("stranger", make_status(invoice, "205", AT, invoice_number="F-unknown"))
    platform.put("good-2", make_status(invoice, "203", AT))

    row = ask(deps, connection)

    flows = seen(deps, connection)
    assert codes(deps, invoice) == ["200", "203"]
    assert {name: flow.state for name, flow in flows.items()} == {
        "good-1": "done", "good-2": "done", "not-xml": "parked", "no-document": "parked", "stranger": "parked"}
    assert all(flow.cause for flow in flows.values() if flow.state == "parked")
    assert (row.trouble, row.watermark) == (None, deps.now())


@pytest.mark.parametrize("paging", ["auto", "date"])
def test_one_flow_that_cannot_be_understood_stops_no_other(
    deps: Deps, platform: Any, connection: PlatformConnection, paging: str
) -> None:
    with deps.db.transaction(connection.tenant_id) as session:
        row = session.get_one(PlatformConnection, (connection.tenant_id, connection.id))
        row.config = {**row.config, "paging": paging}
    for number in range(4):
        platform.put(f"flow-{number}", flowType="SupplierInvoice", flowSyntax="UBL")
    platform.flows[1]["submittedAt"] = "yesterday"
    del platform.flows[2]["flowId"]

    polled = ask(deps, connection)

    assert {name: flow.state for name, flow in seen(deps, connection).items()} == {
        "flow-0": "done", "flow-1": "parked", "flow-3": "done"}
    assert "flow-1" in str(polled.trouble)
    assert "(no id)" in str(polled.trouble)
    platform.flows[1]["submittedAt"] = platform.flows[0]["submittedAt"]
    ask(deps, connection)
    assert seen(deps, connection)["flow-1"].state == "done"


def test_a_document_that_exists_only_converted_is_taken(
    deps: Deps, platform: Any, connection: PlatformConnection, make_invoice: MakeInvoice, make_status: Any
) -> None:
    invoice = make_invoice()
    platform.put("converted")
    platform.documents["converted", "Converted"] = make_status(invoice, "204", AT)
    ask(deps, connection)

    assert codes(deps, invoice) == ["204"]


def test_a_document_that_was_not_ready_is_asked_for_when_there_is_news(
    deps: Deps, platform: Any, connection: PlatformConnection, clock: Any, make_invoice: MakeInvoice, make_status: Any
) -> None:
    """The platform lists a status that it has not checked yet."""
    invoice = make_invoice()
    platform.put("early", acknowledgement={"status": "Pending"})
    ask(deps, connection)
    ask(deps, connection)
    assert seen(deps, connection)["early"].state == "parked"
    clock.forward(minutes=1)
    platform.put("early", make_status(invoice, "205", AT), acknowledgement={"status": "Ok"})
    ask(deps, connection)
    assert (codes(deps, invoice), seen(deps, connection)["early"].state) == (["205"], "done")
    with deps.db.reading(connection.tenant_id) as session:
        assert set(session.scalars(select(OutboxEntry.state))) == {"done"}


def test_a_flow_that_cannot_be_stored_holds_the_watermark(
    deps: Deps, platform: Any, connection: PlatformConnection
) -> None:
    """The database refuses one row; the others are stored, and the next walk comes back for it."""
    for minute in range(4):
        platform.put(f"flow-{minute}", at=AT + timedelta(minutes=minute), flowType="SupplierInvoice",
                     flowSyntax="UBL")

    def refuse(*call: Any) -> None:
        if "INSERT INTO seen_flows" in call[2] and "'flow-1'" in str(call[3]):
            raise OSError("disk full")

    event.listen(deps.db.engine, "before_cursor_execute", refuse)
    held = ask(deps, connection)
    event.remove(deps.db.engine, "before_cursor_execute", refuse)

    assert set(seen(deps, connection)) == {"flow-0", "flow-2", "flow-3"}
    assert held.watermark is not None
    assert held.watermark < AT + timedelta(minutes=1)
    assert "flow-1" in str(held.trouble)
    mended = ask(deps, connection)
    assert set(seen(deps, connection)) == {"flow-0", "flow-1", "flow-2", "flow-3"}
    assert (mended.watermark, mended.trouble) == (AT + timedelta(minutes=3), None)


def test_a_walk_that_breaks_off_keeps_the_watermark(
    deps: Deps, platform: Any, connection: PlatformConnection
) -> None:
    platform.put("one", at=AT, flowType="SupplierInvoice", flowSyntax="UBL")
    ask(deps, connection)
    platform.put("two", at=AT + timedelta(minutes=1), flowType="SupplierInvoice", flowSyntax="UBL")
    platform.broken = 1
    broken = ask(deps, connection)
    assert (broken.watermark, "INTERNAL_ERROR" in str(broken.trouble)) == (AT, True)

    platform.cursor_loop = True
    looping = ask(deps, connection)
    assert (looping.watermark, "CURSOR_LOOP" in str(looping.trouble)) == (AT, True)
    assert "two" in seen(deps, connection), "what was listed is remembered all the same"

    platform.cursor_loop = False
    assert ask(deps, connection).watermark == AT + timedelta(minutes=1)


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_whatever_fails(
    deps: Deps, platform: Any, connection: PlatformConnection, clock: Any, seed: int
) -> None:
    """Searches fail and flows appear late, at random; in the end every flow is there."""
    dice = random.Random(seed)
    platform.page = (2, 5, 100)[seed]
    for number in range(10):
        clock.forward(seconds=dice.randrange(60))
        platform.put(f"flow-{number}", at=clock.now - timedelta(seconds=dice.randrange(600)),
                     flowType="SupplierInvoice", flowSyntax="UBL")
        platform.broken = dice.choice([0, 0, 1])
        ask(deps, connection)
    platform.broken = 0
    ask(deps, connection)

    assert set(seen(deps, connection)) == {f"flow-{number}" for number in range(10)}


def test_a_connection_in_trouble_stops_no_other(
    deps: Deps, platform: Any, connection: PlatformConnection, make_tenant: Callable[[str], str]
) -> None:
    other = make_tenant("Autre")
    with deps.db.transaction(other) as session:
        for name, enabled in (("00000000-dead", True), ("ffffffff-off", False)):
            session.add(PlatformConnection(
                tenant_id=other, id=name, name=name, driver="afnor", config={**connection.config}, enabled=enabled,
                credentials=b"sealed with another key", watermark=None, webhook_id="", signing_key=None,
                polled_at=None, trouble=None))
    platform.put("flow", flowType="SupplierInvoice", flowSyntax="UBL")

    poll_all(deps)

    assert set(seen(deps, connection)) == {"flow"}
    with deps.db.reading(other) as session:
        rows = {row.id: row for row in session.scalars(select(PlatformConnection))}
    assert "key" in str(rows["00000000-dead"].trouble)
    assert rows["ffffffff-off"].polled_at is None


def test_a_platform_that_is_away_is_left_alone_and_found_again(
    deps: Deps, platform: Any, connection: PlatformConnection, clock: Any, make_invoice: MakeInvoice, make_status: Any
) -> None:
    invoice = make_invoice()
    platform.put("late", make_status(invoice, "200", AT))
    platform.broken = TRIPS_AFTER
    for _ in range(TRIPS_AFTER):
        ask(deps, connection)
    asked = len(platform.searches)

    troubled = ask(deps, connection)

    assert len(platform.searches) == asked, "nobody asks while the circuit is open"
    assert "INTERNAL_ERROR" in str(troubled.trouble)
    assert circuits.admit(deps, connection, circuits.FLOWS) is not None
    clock.forward(minutes=1)
    healthy = ask(deps, connection)
    assert (codes(deps, invoice), healthy.trouble) == (["200"], None)
    assert [circuits.admit(deps, connection, circuits.FLOWS) for _ in range(2)] == [None, None]


def test_a_document_waits_for_a_platform_that_is_left_alone(
    deps: Deps, platform: Any, connection: PlatformConnection, clock: Any, make_invoice: MakeInvoice, make_status: Any
) -> None:
    invoice = make_invoice()
    platform.put("in", make_status(invoice, "200", AT))
    poll(deps, connection)
    circuits.failed(deps, connection, circuits.FLOWS, "TOO_MANY_REQUESTS: x", retry_after_s=600)
    run(deps)
    assert codes(deps, invoice) == []

    clock.forward(minutes=11)
    run(deps)

    assert codes(deps, invoice) == ["200"]


def test_documents_that_are_not_to_be_had_keep_nobody_waiting(
    deps: Deps, platform: Any, connection: PlatformConnection
) -> None:
    for number in range(TRIPS_AFTER + 1):
        platform.put(f"gone-{number}")
    ask(deps, connection)
    assert circuits.admit(deps, connection, circuits.FLOWS) is None


def test_a_poll_entry_polls_its_connection(deps: Deps, platform: Any, connection: PlatformConnection) -> None:
    platform.put("flow", flowType="SupplierInvoice", flowSyntax="UBL")
    handle_poll(deps, Entry(tenant_id=connection.tenant_id, id="e", topic="poll", subject_id=connection.id,
                            payload={}, attempts=1, claims=1))
    handle_poll(deps, Entry(tenant_id=connection.tenant_id, id="e", topic="poll", subject_id="gone", payload={},
                            attempts=1, claims=1))

    assert set(seen(deps, connection)) == {"flow"}


def test_a_type_that_is_computed_later_is_seen(
    deps: Deps, platform: Any, connection: PlatformConnection, make_invoice: MakeInvoice, make_status: Any
) -> None:
    invoice = make_invoice()
    platform.put("slow", make_status(invoice, "205", AT), flowType="Undefined", flowSyntax="Undefined", at=AT)
    ask(deps, connection)
    platform.put("slow", flowType="CustomerInvoiceLC")
    ask(deps, connection)

    assert codes(deps, invoice) == ["205"]


def test_a_flow_that_is_not_shown_stops_no_other(
    deps: Deps, platform: Any, connection: PlatformConnection, clock: Any, make_invoice: MakeInvoice
) -> None:
    """Two statuses of ours were listed before we knew them for ours, and long ago; the platform dropped one."""
    invoice = make_invoice()
    with deps.db.transaction(connection.tenant_id) as session:
        session.add_all(SeenFlow(
            tenant_id=connection.tenant_id, id=flow_id, connection_id=connection.id, flow_type="CustomerInvoiceLC",
            first_seen_at=deps.now(), updated_at=deps.now(), state="new", cause=LOOK_AGAIN, submission_id=invoice.id,
            sha256=None) for flow_id in ("a-gone", "b-there"))
    platform.put("b-there", flowDirection="Out", trackingId="t", at=clock.now - timedelta(days=40))
    assert ask(deps, connection).trouble is None
    assert seen(deps, connection)["b-there"].cause == "ack Ok"

    platform.put("a-gone", flowDirection="Out", trackingId="u", at=clock.forward(minutes=1))
    ask(deps, connection)
    assert seen(deps, connection)["a-gone"].cause == "ack Ok"


@pytest.mark.parametrize("document", [None, b"<NoStatus/>"], ids=["no document", "unreadable"])
def test_a_flow_that_a_person_gives_up_waits_no_more(
    deps: Deps, platform: Any, connection: PlatformConnection, document: bytes | None
) -> None:
    platform.put("bad", document)
    ask(deps, connection)
    assert seen(deps, connection)["bad"].state == "parked"
    with deps.db.reading(connection.tenant_id) as session:
        entry_id = session.scalars(select(OutboxEntry.id).where(OutboxEntry.state == "parked")).one()
    decisions.close(deps, connection.tenant_id, entry_id, "Vu avec la plateforme.", "user:test")
    assert (seen(deps, connection)["bad"].state, seen(deps, connection)["bad"].cause) == (
        "done", "closed : Vu avec la plateforme.")


def test_a_text_cut_in_the_middle_of_a_character_stops_no_other(
    deps: Deps, platform: Any, connection: PlatformConnection, make_invoice: MakeInvoice, make_status: Any
) -> None:
    """Half an emoji, and NUL, are legal in JSON; no database stores them."""
    invoice, refused = make_invoice(), make_invoice(number="F-2")
    platform.put("cut", make_status(invoice, "204", AT), name="statut \ud83d")
    why = {"level": "Error", "item": "file", "reasonCode": "VirusFound", "reasonMessage": "coupé \0 \ud83d"}
    platform.put(str(refused.flow_id), flowDirection="Out", flowType="CustomerInvoice", trackingId=refused.id,
                 acknowledgement={"status": "Error", "details": [why]})
    platform.put("good", make_status(invoice, "205", AT))
    assert ask(deps, connection).trouble is None
    assert codes(deps, invoice) == ["204", "205"]
    assert reread(deps, refused).transmission_reason == "VirusFound : coupé ? ? (file)"


def test_a_flow_of_the_year_one_does_not_end_the_polling(
    deps: Deps, platform: Any, connection: PlatformConnection, make_invoice: MakeInvoice, make_status: Any
) -> None:
    """A platform whose language has such a time where there is none, and that shows the flow whatever is asked for."""
    invoice = make_invoice()
    none = {**platform.put("none"), "updatedAt": "0001-01-01T00:00:00"}
    platform.flows.clear()
    search, platform.search = platform.search, lambda wanted: (200, {
        **search(wanted)[1], "results": [none, *search(wanted)[1]["results"]]})
    for _ in range(2):
        ask(deps, connection)
    platform.put("good", make_status(invoice, "205", AT))
    ask(deps, connection)
    assert (codes(deps, invoice), seen(deps, connection)["none"].state) == (["205"], "parked")
