"""What a platform answers to a deposit: at the end it has the invoice once, or a person knows why not."""

import base64
from datetime import date, timedelta

import pytest
from delivering import codes, entry_of, revive, seen, work
from sqlalchemy import select

from archive.store import Digest
from formats.syntax import ubl_syntax_of, write
from gateway import circuits, outbox
from gateway.commands.demo_invoices import GOODS, invoice
from gateway.deps import Deps
from gateway.tables import Document, PlatformConnection, Submission

TODAY = date(2026, 11, 23)


def test_an_invoice_is_deposited_once_as_it_is(deps: Deps, platform, queued) -> None:
    row = queued()
    work(deps)
    [flow] = platform.outgoing(row.id)
    assert flow["sha256"] == row.sha256
    assert platform.documents[flow["flowId"], "Original"] == deps.store.get(Digest(row.sha256))
    assert (seen(deps, row).transmission, seen(deps, row).flow_id) == ("deposited", flow["flowId"])
    assert codes(deps, row) == ["sending", "deposited"]
    with deps.db.reading(row.tenant_id) as session:
        receipt = session.scalars(select(Document).where(Document.role == "receipt")).one()
    assert flow["flowId"].encode() in deps.store.get(Digest(receipt.sha256))
    work(deps)
    assert platform.searches == []
    assert len(platform.flows) == 1


def test_an_entry_that_comes_again_does_nothing(deps: Deps, platform, queued) -> None:
    row = queued()
    work(deps)
    with deps.db.transaction(row.tenant_id) as session:
        outbox.put(session, row.tenant_id, "deliver", row.id, now=deps.now())
    work(deps)
    assert len(platform.outgoing(row.id)) == 1
    assert codes(deps, row) == ["sending", "deposited"]


def test_an_answer_lost_after_acceptance_is_found(deps: Deps, platform, queued, clock) -> None:
    row = queued()
    platform.lose_answers = 1
    work(deps)
    assert seen(deps, row).transmission == "unknown"
    work(deps)
    assert platform.searches == []  # too early to believe an answer
    clock.forward(seconds=31)
    work(deps)
    assert seen(deps, row).transmission == "deposited"
    assert len(platform.outgoing(row.id)) == 1
    assert codes(deps, row) == ["sending", "unknown", "deposited"]


def test_an_answer_lost_before_acceptance_is_sent_again_after_a_while(deps: Deps, platform, queued, clock) -> None:
    row = queued()
    platform.refuse_deposits = (502, "BAD_GATEWAY")
    work(deps)
    platform.refuse_deposits = None
    clock.forward(seconds=29)
    work(deps)
    assert (seen(deps, row).transmission, platform.flows) == ("unknown", [])
    clock.forward(seconds=2)
    work(deps)
    assert seen(deps, row).transmission == "deposited"
    assert len(platform.searches) == 1
    assert len(platform.outgoing(row.id)) == 1


def test_a_question_that_fails_leaves_the_outcome_unknown(deps: Deps, platform, queued, clock) -> None:
    """The platform has the invoice, loses its answer, and then does not answer the question: never sent blindly."""
    row = queued()
    platform.lose_answers = 1
    work(deps)
    for _ in range(3):
        platform.broken = 1
        clock.forward(hours=4)
        work(deps)
        assert seen(deps, row).transmission == "unknown"
    clock.forward(hours=4)
    work(deps)
    assert seen(deps, row).transmission == "deposited"
    assert len(platform.outgoing(row.id)) == 1


def test_a_refused_question_frees_no_number(deps: Deps, platform, queued, clock) -> None:
    row = queued()
    platform.lose_answers = 1
    work(deps)
    platform.search = lambda _: (400, {"errorCode": "FIELD_ERROR"})
    clock.forward(minutes=1)
    work(deps)
    assert (seen(deps, row).transmission, seen(deps, row).active) == ("parked", True)
    assert "FIELD_ERROR" in (entry_of(deps, row).reason or "")
    del platform.search
    revive(deps, row)
    work(deps)
    assert seen(deps, row).transmission == "deposited"
    assert len(platform.outgoing(row.id)) == 1


@pytest.mark.usefixtures("entity")
def test_a_refused_document_frees_its_number(client, deps: Deps, platform) -> None:
    first = invoice("F-1", "approve", GOODS, TODAY)
    mended = invoice("F-1", "approve", GOODS[:1], TODAY)
    documents = [write(made, ubl_syntax_of(made)) for made in (first, mended)]

    def post(position: int):
        return client.post("/v1/invoices", content=documents[position], headers={
            "Idempotency-Key": f"k{position}", "Content-Type": "application/xml"})

    refused = post(0).json()["id"]
    platform.refuse_deposits = (400, "INVALID_SCHEMA")
    work(deps)
    shown = client.get(f"/v1/invoices/{refused}").json()
    assert shown["transmission"] == {"state": "failed", "reason": "INVALID_SCHEMA: refused on request"}
    platform.refuse_deposits = None
    again = post(1)
    assert again.status_code == 202, again.text
    assert client.get(f"/v1/invoices/{again.json()['id']}").json()["replaces"] == refused
    work(deps)
    assert len(platform.outgoing(again.json()["id"])) == 1
    assert platform.outgoing(refused) == []


def test_a_refusal_in_words_that_nothing_stores_is_a_refusal(deps: Deps, platform, queued) -> None:
    """Cut in the middle of an emoji by the platform."""
    row = queued()
    platform.refuse_deposits = (400, "INVALID_\ud83d")
    work(deps)
    assert (seen(deps, row).transmission, seen(deps, row).transmission_reason) == (
        "failed", "INVALID_?: refused on request")


def test_a_refusal_after_a_lost_answer_is_for_a_person(deps: Deps, platform, queued, clock) -> None:
    """It may speak of our own earlier deposit, which the platform does not list."""
    row = queued()
    platform.lose_answers = 1
    work(deps)
    platform.flows.clear()
    platform.refuse_deposits = (400, "NUMBER_TAKEN")
    clock.forward(minutes=1)
    work(deps)
    assert (seen(deps, row).transmission, seen(deps, row).active) == ("parked", True)


def test_an_invoice_that_another_deposit_brought_is_for_a_person(deps: Deps, platform, queued) -> None:
    row = queued()
    platform.refuse_deposits = (409, "ALREADY_EXISTING_FLOW")
    work(deps)
    assert (seen(deps, row).transmission, seen(deps, row).active) == ("parked", True)
    assert "AlreadyExistingFlow" in (seen(deps, row).transmission_reason or "")


def test_refused_credentials_park_until_they_are_mended(deps: Deps, platform, queued) -> None:
    row = queued()
    platform.refuse_deposits = (401, "UNAUTHORIZED")
    work(deps)
    assert (seen(deps, row).transmission, entry_of(deps, row).state) == ("parked", "parked")
    assert "UNAUTHORIZED" in (seen(deps, row).transmission_reason or "")
    platform.refuse_deposits = None
    revive(deps, row)
    work(deps)
    assert seen(deps, row).transmission == "deposited"
    assert len(platform.outgoing(row.id)) == 1


def test_invoices_go_on_with_new_credentials(client, deps: Deps, platform, connection, queued) -> None:
    """The platform has given a new secret: what was refused for the old one goes, under its own number."""
    row, post = queued(), platform.post
    right = "Basic " + base64.b64encode(b"client:new").decode()
    platform.post = lambda path, headers, body: (
        (401, {"error": "invalid_client"}) if path == "/token" and headers["Authorization"] != right
        else post(path, headers, body))
    work(deps)
    assert seen(deps, row).transmission == "parked"
    address = f"/v1/connections/{connection.id}/credentials"
    assert client.request("PUT", address, json={"client_id": "client", "client_secret": ""}).status_code == 422
    changed = client.request("PUT", address, json={"client_id": "client", "client_secret": "new"})
    assert (changed.status_code, "new" in changed.json().values()) == (200, False)
    revive(deps, row)
    work(deps)
    assert (seen(deps, row).transmission, len(platform.outgoing(row.id))) == ("deposited", 1)


def test_a_connection_that_is_off_parks(deps: Deps, platform, queued, connection) -> None:
    row = queued()
    with deps.db.transaction(row.tenant_id) as session:
        session.get_one(PlatformConnection, (row.tenant_id, connection.id)).enabled = False
    work(deps)
    assert (seen(deps, row).transmission, platform.flows) == ("parked", [])
    assert "no-connection" in (entry_of(deps, row).reason or "")


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("asked", "waits"), [("120", 120), ("9" * 300, 86400), ("Wed, 21 Oct 2026", None)])
def test_a_busy_platform_says_when(
    deps: Deps, platform, queued, clock, status, asked, waits
) -> None:
    row = queued()
    platform.refuse_deposits, platform.headers = (status, "BUSY"), {"Retry-After": asked}
    work(deps)
    assert (seen(deps, row).transmission, platform.flows) == ("queued", [])
    wait = (entry_of(deps, row).due_at - clock.now).total_seconds()
    assert wait == waits if waits else 0 < wait < 10
    platform.refuse_deposits, platform.headers = None, {}
    clock.forward(seconds=wait)
    work(deps)
    assert seen(deps, row).transmission == "deposited"
    assert codes(deps, row) == ["sending", "queued", "sending", "deposited"]


def test_a_platform_may_be_away_for_a_weekend(deps: Deps, queued, clock) -> None:
    row = queued()
    started = clock.now
    while entry_of(deps, row).state == "pending":
        assert seen(deps, row).transmission == "queued"
        clock.forward(minutes=30)
        work(deps)
    assert seen(deps, row).transmission == "parked"
    assert "NOT_CONNECTED" in (seen(deps, row).transmission_reason or "")
    assert clock.now - started > timedelta(days=2)


def test_a_platform_that_keeps_losing_answers_is_asked_ever_later_then_a_person(
    deps: Deps, platform, queued, clock
) -> None:
    """It answers questions, and has never got the invoice; each further deposit is a risk."""
    row = queued()
    platform.refuse_deposits = (502, "BAD_GATEWAY")
    waits = []
    work(deps)
    while entry_of(deps, row).state == "pending":
        waits.append((entry_of(deps, row).due_at - clock.now).total_seconds())
        clock.forward(seconds=waits[-1])
        work(deps)
    assert waits[:5] == [30, 120, 480, 1920, 7680]
    assert len(waits) == 5
    assert (seen(deps, row).transmission, seen(deps, row).active) == ("parked", True)
    assert codes(deps, row).count("sending") == 6


def test_an_impatient_person_does_not_send_before_the_platform_must_know(
    deps: Deps, platform, connection, queued, clock
) -> None:
    """The last answer was lost a moment ago, others went well: the platform may have it and not list it yet."""
    row = queued()
    platform.refuse_deposits = (502, "BAD_GATEWAY")
    work(deps)
    while entry_of(deps, row).state == "pending":
        clock.now = entry_of(deps, row).due_at
        work(deps)
    platform.refuse_deposits = None
    circuits.succeeded(deps, connection, circuits.FLOWS)
    clock.forward(seconds=10)
    revive(deps, row)
    work(deps)
    assert (platform.flows, entry_of(deps, row).due_at - clock.now) == ([], timedelta(seconds=20))
    clock.forward(seconds=20)
    work(deps)
    assert (len(platform.outgoing(row.id)), seen(deps, row).transmission) == (1, "deposited")


def test_bytes_that_are_gone_are_never_sent(deps: Deps, platform, queued) -> None:
    row = queued()
    deps.store.destroy(Digest(row.sha256), reason="test")
    work(deps)
    assert (seen(deps, row).transmission, platform.flows) == ("parked", [])
    assert codes(deps, row) == ["parked"]


def test_an_invoice_that_lost_its_number_is_not_sent_again(deps: Deps, platform, queued, clock) -> None:
    """Its answer was lost, and the rejection (213) came before it was found: a mended one may be under way."""
    row = queued()
    platform.refuse_deposits = (500, "LOST")
    work(deps)
    with deps.db.transaction(row.tenant_id) as session:
        session.get_one(Submission, (row.tenant_id, row.id)).active = None
    platform.refuse_deposits = None
    clock.forward(minutes=1)
    work(deps)
    assert (seen(deps, row).transmission, platform.flows) == ("parked", [])
