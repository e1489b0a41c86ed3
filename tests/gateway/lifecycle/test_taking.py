"""Status messages from platforms: matched, recorded once, parked when they cannot be, in any order."""

import random
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import select

from formats.invoice import Identifier
from formats.status import StatusAmount, StatusDetail, StatusParty
from gateway.deps import Deps
from gateway.incoming.fetching import handle_fetch
from gateway.incoming.poll import poll
from gateway.lifecycle.taking import NUMBER_STAYS_TAKEN, handle_status
from gateway.outbox import Entry, Park, RetryLater
from gateway.tables import Document, Event, OutboxEntry, PlatformConnection, SeenFlow, Submission
from gateway.worker import relay

MakeInvoice = Callable[..., Submission]
MakeStatus = Callable[..., bytes]
AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture
def take(deps: Deps, connection: PlatformConnection) -> Callable[..., SeenFlow]:
    """Bring bytes in as a fetched flow and handle them; gives the flow's row afterwards."""

    def bring(document: bytes, hint: str | None = None, flow_id: str | None = None) -> SeenFlow:
        tenant, flow_id = connection.tenant_id, flow_id or f"in-{uuid.uuid4()}"
        sha256 = deps.store.put(document).hex
        key = {"tenant_id": tenant, "id": flow_id, "connection_id": connection.id}
        with deps.db.transaction(tenant) as session:
            if session.get(SeenFlow, key) is None:
                session.add(SeenFlow(**key, flow_type="CustomerInvoiceLC", first_seen_at=deps.now(),
                                     updated_at=deps.now(), state="new", cause=None, submission_id=None, sha256=sha256))
        entry = Entry(tenant_id=tenant, id="e", topic="status", subject_id=flow_id, attempts=1, claims=1,
                      payload={"connection_id": connection.id, "flow_id": flow_id, "sha256": sha256,
                               "tracking_id": hint})
        try:
            handle_status(deps, entry)
        finally:
            with deps.db.reading(tenant) as session:
                row = session.get_one(SeenFlow, key)
        return row

    return bring


def events(deps: Deps, invoice: Submission) -> list[Event]:
    with deps.db.reading(invoice.tenant_id) as session:
        return list(session.scalars(select(Event).where(Event.submission_id == invoice.id).order_by(Event.position)))


def reread(deps: Deps, invoice: Submission) -> Submission:
    with deps.db.reading(invoice.tenant_id) as session:
        return session.get_one(Submission, (invoice.tenant_id, invoice.id))


def test_a_status_becomes_an_event_with_everything_it_says(
    deps: Deps, make_invoice: MakeInvoice, make_status: MakeStatus, take: Any
) -> None:
    invoice = make_invoice()
    document = make_status(invoice, "207", AT)

    flow = take(document)

    assert (flow.state, flow.cause, flow.submission_id) == ("done", None, invoice.id)
    [event] = events(deps, invoice)
    assert (event.kind, event.code, event.actor, event.platform_at) == ("lifecycle", "207", "buyer", AT)
    assert event.reason == "QTE_ERR : Quantité erronée (Le bon de livraison manque.)"
    assert event.data["by"] == {"role": "BY", "siren": invoice.buyer_siren, "name": None}
    assert event.data["flow_id"] == flow.id
    assert "broken_rules" not in event.data
    with deps.db.reading(invoice.tenant_id) as session:
        [kept] = session.scalars(select(Document)).all()
        [work] = session.scalars(select(OutboxEntry)).all()
    assert (kept.role, kept.sha256, kept.size) == ("status", event.sha256, len(document))
    assert (work.topic, work.subject_id) == ("remind", invoice.id)
    assert reread(deps, invoice).lifecycle == "207"


def test_the_same_status_twice_is_one_event(
    deps: Deps, make_invoice: MakeInvoice, make_status: MakeStatus, take: Any
) -> None:
    invoice = make_invoice()
    document = make_status(invoice, "205", AT)
    copy = make_status(invoice, "205", AT, issued_at=AT + timedelta(seconds=9), name="Copie de l'autre plateforme")
    take(document, flow_id="a")

    assert take(document, flow_id="a").state == "done"
    assert "duplicate" in take(document, flow_id="b").cause
    assert "duplicate" in take(copy, flow_id="c").cause
    assert take(make_status(invoice, "205", AT + timedelta(seconds=1)), flow_id="d").cause is None
    assert [event.code for event in events(deps, invoice)] == ["205", "205"]


STORIES = (("200", "201", "202", "203", "204", "205"), ("200", "203", "207", "208", "209", "205"),
           ("200", "201", "213", "204", "205", "211"))
ENDS = ("205", "205", "213")


@pytest.mark.parametrize("seed", range(6))
def test_three_invoices_interleaved_in_any_order_end_the_same(
    deps: Deps, make_invoice: MakeInvoice, make_status: MakeStatus, take: Any, seed: int
) -> None:
    invoices = [make_invoice(number=f"F-{number}") for number in range(3)]
    told = [make_status(invoice, code, AT + timedelta(minutes=minute))
            for invoice, story in zip(invoices, STORIES, strict=True) for minute, code in enumerate(story)]
    told += random.Random(seed).sample(told, 6)
    random.Random(seed).shuffle(told)

    for document in told:
        take(document)

    assert tuple(reread(deps, invoice).lifecycle for invoice in invoices) == ENDS
    assert [sorted(event.code for event in events(deps, invoice)) for invoice in invoices] == [
        sorted(story) for story in STORIES]


def test_a_status_that_does_not_count_is_kept_with_its_objection(
    deps: Deps, make_invoice: MakeInvoice, make_status: MakeStatus, take: Any
) -> None:
    invoice = make_invoice()
    take(make_status(invoice, "213", AT))
    take(make_status(invoice, "205", AT + timedelta(hours=1)))

    assert [event.data.get("objection") for event in events(deps, invoice)] == [None, "after-end"]
    assert reread(deps, invoice).lifecycle == "213"


@pytest.mark.parametrize("case", [("REJ_SEMAN", None), ("REJ_ADR", None), ("DOUBLON", True), ("REJ_UNI", True)],
                         ids=str)
def test_a_rejection_frees_the_number_unless_the_platform_has_the_invoice(
    deps: Deps, make_invoice: MakeInvoice, make_status: MakeStatus, take: Any, case: tuple[str, bool | None]
) -> None:
    reason, active = case
    invoice = make_invoice()
    take(make_status(invoice, "213", AT, details=(StatusDetail(reason_code=reason),)))

    assert reread(deps, invoice).active is active


def test_a_rejection_by_the_buyer_frees_nothing(
    deps: Deps, make_invoice: MakeInvoice, make_status: MakeStatus, take: Any
) -> None:
    invoice = make_invoice()
    take(make_status(invoice, "213", AT, issuer=StatusParty(role="BY"), type_code="23"))

    assert (reread(deps, invoice).active, reread(deps, invoice).lifecycle) == (True, None)
    assert events(deps, invoice)[0].data["objection"] == "not-theirs"


def test_the_reasons_that_keep_a_number_are_reasons_of_a_rejection() -> None:
    from formats.codes import REASONS

    assert set(REASONS["213"]) >= NUMBER_STAYS_TAKEN


def test_a_status_goes_to_the_submission_of_its_time(
    deps: Deps, clock: Any, make_invoice: MakeInvoice, make_status: MakeStatus, take: Any
) -> None:
    first = make_invoice(active=None)
    clock.forward(hours=3)
    second = make_invoice(replaces=first.id)

    take(make_status(first, "213", AT))
    take(make_status(first, "200", AT + timedelta(hours=5)))
    take(make_status(first, "203", AT + timedelta(hours=5)), hint=first.flow_id)

    assert [event.code for event in events(deps, first)] == ["213", "203"]
    assert [event.code for event in events(deps, second)] == ["200"]


def test_a_copy_of_a_rejection_does_not_reject_what_was_sent_again(
    deps: Deps, clock: Any, make_invoice: MakeInvoice, make_status: MakeStatus, take: Any
) -> None:
    first = make_invoice(active=None)
    clock.forward(hours=1)
    rejection = make_status(first, "213", clock.now)
    take(rejection)
    clock.forward(minutes=1)
    second = make_invoice(replaces=first.id)

    assert "duplicate" in take(rejection).cause

    assert reread(deps, first).lifecycle == "213"
    assert (reread(deps, second).active, reread(deps, second).lifecycle, events(deps, second)) == (True, None, [])


@pytest.mark.parametrize(("transmission", "minutes"), [("queued", -60), ("queued", 1), ("deposited", -1)])
def test_a_late_rejection_does_not_reject_what_was_mended(
    deps: Deps, clock: Any, make_invoice: MakeInvoice, make_status: MakeStatus, take: Any, transmission: str,
    minutes: int,
) -> None:
    """The acknowledgement in error freed the number, the mended invoice is here, and now comes the 213 of the first."""
    first = make_invoice(active=None, transmission="failed")
    clock.forward(hours=3)
    second = make_invoice(replaces=first.id, transmission=transmission)

    take(make_status(first, "213", clock.now + timedelta(minutes=minutes)))

    assert [event.code for event in events(deps, first)] == ["213"]
    assert (reread(deps, second).active, events(deps, second)) == (True, [])


@pytest.mark.parametrize("changes", [
    {"invoice_number": "F-unknown"},
    {"seller": Identifier(value="000001024", scheme="0002")},
    {"invoice_date": datetime(2025, 11, 20, tzinfo=UTC).date()},
    {"seller": None},
], ids=["number", "seller", "year", "no seller"])
def test_an_unknown_invoice_is_waited_for(
    deps: Deps, make_invoice: MakeInvoice, make_status: MakeStatus, take: Any, changes: dict[str, Any]
) -> None:
    invoice = make_invoice()

    with pytest.raises(RetryLater) as waiting:
        take(make_status(invoice, "205", AT, **changes), flow_id="lost")

    assert waiting.value.patient
    with deps.db.reading(invoice.tenant_id) as session:
        [flow] = session.scalars(select(SeenFlow)).all()
    assert (flow.state, flow.cause.startswith("unmatched")) == ("parked", True)


def test_a_status_that_was_waiting_finds_its_invoice(
    clock: Any, make_invoice: MakeInvoice, make_status: MakeStatus, take: Any
) -> None:
    stranger = Submission(number="F-late", issue_date=AT.date(), buyer_siren="000001016", seller_siren="000002006")
    document = make_status(stranger, "205", AT)
    with pytest.raises(RetryLater):
        take(document, flow_id="early")
    clock.forward(minutes=5)
    invoice = make_invoice(number="F-late", issue_date=AT.date())

    flow = take(document, flow_id="early")

    assert (flow.state, flow.cause, flow.submission_id) == ("done", None, invoice.id)


def test_after_a_month_a_person_decides(clock: Any, make_invoice: MakeInvoice, make_status: MakeStatus,
                                        take: Any) -> None:
    document = make_status(make_invoice(), "205", AT, invoice_number="F-never")
    with pytest.raises(RetryLater):
        take(document, flow_id="lost")
    clock.forward(days=31)

    with pytest.raises(Park):
        take(document, flow_id="lost")


def test_a_missing_seller_is_made_up_for_by_the_hint(
    make_invoice: MakeInvoice, make_status: MakeStatus, take: Any
) -> None:
    invoice = make_invoice()
    assert take(make_status(invoice, "205", AT, seller=None), hint=invoice.id).submission_id == invoice.id


def test_an_invoice_that_we_refused_gets_no_status(
    make_invoice: MakeInvoice, make_status: MakeStatus, take: Any
) -> None:
    invoice = make_invoice(transmission="refused", active=None)
    with pytest.raises(RetryLater):
        take(make_status(invoice, "205", AT), hint=invoice.id)


@pytest.mark.parametrize("document", [b"", b"not xml", b"<a/>", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
                                      b"\x00" * 50], ids=["empty", "text", "other", "doctype", "zeros"])
def test_what_cannot_be_read_is_parked(deps: Deps, connection: PlatformConnection, take: Any,
                                       document: bytes) -> None:
    with pytest.raises(Park):
        take(document, flow_id="bad")

    with deps.db.reading(connection.tenant_id) as session:
        [flow] = session.scalars(select(SeenFlow)).all()
        assert session.scalars(select(Event)).all() == []
    assert (flow.state, flow.cause.startswith("unreadable")) == ("parked", True)


def test_a_message_that_breaks_rules_is_recorded_with_them(
    deps: Deps, make_invoice: MakeInvoice, make_status: MakeStatus, take: Any
) -> None:
    invoice = make_invoice()
    take(make_status(invoice, "210", AT, details=()))

    [event] = events(deps, invoice)
    assert event.data["broken_rules"]
    assert reread(deps, invoice).lifecycle == "210"


def test_an_unknown_code_is_kept(deps: Deps, make_invoice: MakeInvoice, make_status: MakeStatus, take: Any) -> None:
    invoice = make_invoice()
    take(make_status(invoice, "203", AT))
    take(make_status(invoice, "299", AT + timedelta(hours=1)))

    assert [event.code for event in events(deps, invoice)] == ["203", "299"]
    assert reread(deps, invoice).lifecycle == "203"


def test_a_status_set_on_the_platforms_own_site_is_taken_in(
    deps: Deps, make_invoice: MakeInvoice, make_status: MakeStatus, take: Any
) -> None:
    """No tracking id and a flow id nobody here gave: number, date and SIREN say whose it is."""
    other, invoice = make_invoice(number="F-other"), make_invoice(number="F-site")
    take(make_status(invoice, "200", AT))
    take(make_status(invoice, "212", AT + timedelta(hours=1), details=(StatusDetail(amounts=(StatusAmount(
        type_code="MEN", amount=Decimal(120), currency="EUR", vat_rate=Decimal(20)),)),)), hint="site-4711")

    assert [(event.code, event.actor) for event in events(deps, invoice)] == [("200", "platform"), ("212", "seller")]
    assert (reread(deps, invoice).lifecycle, events(deps, other)) == ("212", [])


def test_a_status_of_the_site_is_fetched_once_the_platform_has_accepted_it(
    deps: Deps, platform: Any, connection: PlatformConnection, make_invoice: MakeInvoice, make_status: MakeStatus,
) -> None:
    """The platform lists it as deposited by us (Out); it was not, so its words are read as anybody's."""
    invoice = make_invoice()
    document = make_status(invoice, "220", AT)
    handlers = {"fetch": handle_fetch, "status": handle_status, "remind": lambda *_: None, "poll": lambda *_: None}

    for said in ("Pending", "Ok", "Ok"):
        deps.clock.forward(minutes=1)  # type: ignore[attr-defined]  # the tests' own clock
        platform.put("site", document, flowDirection="Out", acknowledgement={"status": said}, trackingId="site-4711")
        poll(deps, connection)
        relay(deps, handlers)
        if said == "Pending":
            assert events(deps, invoice) == []

    assert [(event.code, event.actor) for event in events(deps, invoice) if event.kind == "lifecycle"] == [
        ("220", "seller")]
    assert reread(deps, invoice).lifecycle == "220"


def test_a_status_of_the_site_that_the_platform_refused_is_not_taken_in(
    deps: Deps, platform: Any, connection: PlatformConnection, make_invoice: MakeInvoice, make_status: MakeStatus,
) -> None:
    invoice = make_invoice()
    platform.put("site", make_status(invoice, "220", AT), flowDirection="Out", acknowledgement={
        "status": "Error", "details": [{"level": "Error", "item": "-", "reasonCode": "X", "reasonMessage": "no"}]})
    poll(deps, connection)
    relay(deps, {"fetch": handle_fetch, "status": handle_status})

    with deps.db.reading(invoice.tenant_id) as session:
        [flow] = session.scalars(select(SeenFlow)).all()
    assert (flow.state, flow.cause, events(deps, invoice)) == ("done", "set-elsewhere : acquittement Error", [])


def test_the_very_day_decides_and_a_slip_in_it_is_named(
    deps: Deps, clock: Any, make_invoice: MakeInvoice, make_status: MakeStatus, take: Any
) -> None:
    first = make_invoice(active=None, issue_date=AT.date() - timedelta(days=9))
    clock.forward(minutes=30)
    second = make_invoice(issue_date=AT.date())

    take(make_status(first, "213", AT))
    take(make_status(second, "200", AT))
    take(make_status(second, "203", AT, invoice_date=AT.date() - timedelta(days=1)))

    assert [event.code for event in events(deps, first)] == ["213"]
    assert [(event.code, event.data.get("invoice_date")) for event in events(deps, second)] == [
        ("200", None), ("203", (AT.date() - timedelta(days=1)).isoformat())]


def test_what_nobody_here_reads_is_named_in_the_event(
    deps: Deps, make_invoice: MakeInvoice, make_status: MakeStatus, take: Any
) -> None:
    invoice = make_invoice()
    root = etree.fromstring(make_status(invoice, "205", AT))
    seller = root.find(".//{*}ReferenceReferencedDocument/{*}IssuerTradeParty")
    etree.SubElement(seller, f"{{{root.nsmap['ram']}}}RoleCode").text = "SE"

    take(etree.tostring(root))

    [place] = events(deps, invoice)[0].data["not_carried"]
    assert place.endswith("/ram:IssuerTradeParty/ram:RoleCode")
