"""One invoice, one flow: whatever breaks, at the end the platform has it once, or a person knows why not."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from archive.store import Digest
from archive.stores.directory import DirectoryStore
from formats.syntax import ubl_syntax_of, write
from gateway import outbox
from gateway.commands.demo_invoices import GOODS, invoice
from gateway.connections import open_connection, settings_of
from gateway.deps import Deps
from gateway.incoming.poll import poll_all
from gateway.outgoing.deliver import deliver
from gateway.platforms.afnor import AfnorPlatform
from gateway.tables import Document, Event, OutboxEntry, PlatformConnection, Submission
from gateway.worker import handle, relay

TODAY = date(2026, 11, 23)
HANDLERS = {"deliver": deliver}


class PowerCut(BaseException):
    """The process ends here: nothing after it runs, as after kill -9."""


class CutStore(DirectoryStore):
    """A store that lets the process die at a given call of a verb."""

    def __init__(self, root, verb: str, after: int) -> None:
        self.verb, self.left = verb, after
        super().__init__(root)

    def put(self, data: bytes, *, expected: Digest | None = None) -> Digest:
        digest = super().put(data, expected=expected)
        self.seen("put")
        return digest

    def get(self, digest: Digest) -> bytes:
        data = super().get(digest)
        self.seen("get")
        return data

    def seen(self, verb: str) -> None:
        if verb == self.verb:
            self.left -= 1
            if self.left == 0:
                raise PowerCut


@pytest.fixture
def queued(deps: Deps, make_invoice) -> Callable[..., Submission]:
    """An accepted invoice that waits to be sent."""

    def make(number: str = "F-1", **changes) -> Submission:
        sha256 = deps.store.put(f"<Invoice>{number}</Invoice>".encode()).hex
        row = make_invoice(number=number, transmission="queued", flow_id=None, sha256=sha256, sent_sha256=sha256,
                           **changes)
        with deps.db.transaction(row.tenant_id) as session:
            outbox.put(session, row.tenant_id, "deliver", row.id, now=deps.now())
        return row

    return make


def work(deps: Deps) -> None:
    relay(deps, {**HANDLERS, "remind": lambda *_: None})


def seen(deps: Deps, row: Submission) -> Submission:
    with deps.db.reading(row.tenant_id) as session:
        return session.get_one(Submission, (row.tenant_id, row.id))


def codes(deps: Deps, row: Submission) -> list[str]:
    with deps.db.reading(row.tenant_id) as session:
        return list(session.scalars(
            select(Event.code).where(Event.submission_id == row.id).order_by(Event.position)))


def entry_of(deps: Deps, row: Submission) -> OutboxEntry:
    with deps.db.reading(row.tenant_id) as session:
        return session.scalars(select(OutboxEntry).where(OutboxEntry.subject_id == row.id,
                                                         OutboxEntry.topic == "deliver")).one()


def revive(deps: Deps, row: Submission) -> None:
    with deps.db.transaction(row.tenant_id) as session:
        assert outbox.revive(session, entry_of(deps, row).id, deps.now())


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


def test_a_connection_that_is_off_parks(deps: Deps, platform, queued, connection) -> None:
    row = queued()
    with deps.db.transaction(row.tenant_id) as session:
        session.get_one(PlatformConnection, (row.tenant_id, connection.id)).enabled = False
    work(deps)
    assert (seen(deps, row).transmission, platform.flows) == ("parked", [])
    assert "no-connection" in (entry_of(deps, row).reason or "")


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("asked", "waits"), [("120", 120), ("9" * 300, 86400), ("Wed, 21 Oct 2026", None)])
def test_a_busy_platform_says_when(  # noqa: PLR0917  fixtures
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


def test_bytes_that_are_gone_are_never_sent(deps: Deps, platform, queued) -> None:
    row = queued()
    deps.store.destroy(Digest(row.sha256), reason="test")
    work(deps)
    assert (seen(deps, row).transmission, platform.flows) == ("parked", [])
    assert codes(deps, row) == ["parked"]


@pytest.mark.parametrize(("verb", "after", "at_platform"), [("get", 1, 0), ("put", 1, 1)], ids=[
    "before the deposit", "between deposit and receipt"])
def test_a_killed_worker_loses_and_doubles_nothing(  # noqa: PLR0917  fixtures
    deps: Deps, platform, queued, clock, tmp_path, verb, after, at_platform
) -> None:
    row = queued()
    with pytest.raises(PowerCut):
        work(replace(deps, store=CutStore(tmp_path / "objects", verb, after)))
    assert len(platform.outgoing(row.id)) == at_platform
    work(deps)
    assert len(platform.outgoing(row.id)) == at_platform  # the lease still runs
    clock.forward(minutes=3)
    work(deps)
    clock.forward(minutes=3)
    work(deps)
    assert seen(deps, row).transmission == "deposited"
    assert len(platform.outgoing(row.id)) == 1


def test_a_worker_killed_while_sending_is_settled_by_a_question(
    deps: Deps, platform, connection, queued, clock
) -> None:
    """The intent is durable, and nobody knows whether a byte left."""
    row = queued()
    cut = CutPlatform(settings_of(deps.vault, connection))
    with pytest.raises(PowerCut):
        work(with_platform(deps, connection, cut))
    cut.close()
    assert seen(deps, row).transmission == "sending"
    clock.forward(minutes=3)
    work(deps)
    assert seen(deps, row).transmission == "unknown"
    assert platform.flows == []
    clock.forward(minutes=1)
    work(deps)
    assert seen(deps, row).transmission == "deposited"
    assert codes(deps, row) == ["sending", "unknown", "sending", "deposited"]
    assert len(platform.outgoing(row.id)) == 1


class CutPlatform(AfnorPlatform):
    """A driver in which the process dies before the first byte leaves."""

    def send(self, document, tracking_id, flow):  # noqa: ARG002  the port's form
        raise PowerCut


class SlowPlatform(AfnorPlatform):
    """A driver that waits between intent and deposit until a test lets it go on."""

    def __init__(self, settings) -> None:
        super().__init__(settings)
        self.reached, self.go = threading.Event(), threading.Event()

    def send(self, document, tracking_id, flow):
        self.reached.set()
        assert self.go.wait(20)
        return super().send(document, tracking_id, flow)


def with_platform(deps: Deps, connection: PlatformConnection, platform: AfnorPlatform) -> Deps:
    """These Deps with another driver of the same connection."""
    opened = open_connection(deps, connection)
    return replace(deps, platforms={key: platform for key, link in deps.platforms.items() if link is opened})


def test_a_slow_deposit_keeps_its_lease(  # noqa: PLR0917  fixtures
    deps: Deps, platform, connection, queued, clock, monkeypatch
) -> None:
    monkeypatch.setattr(outbox, "RENEW_SECONDS", 0.02)
    row = queued()
    slow = SlowPlatform(settings_of(deps.vault, connection))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(work, with_platform(deps, connection, slow))
        assert slow.reached.wait(20)
        for _ in range(5):
            clock.forward(seconds=100)
            threading.Event().wait(0.3)  # a few renewals
            assert outbox.claim(deps.db, deps.now()) is None
        slow.go.set()
        first.result()
    slow.close()
    assert seen(deps, row).transmission == "deposited"
    assert entry_of(deps, row).attempts == 1
    assert len(platform.outgoing(row.id)) == 1


def test_a_worker_that_lost_its_lease_does_not_send(deps: Deps, platform, queued, clock) -> None:
    """It slept between claim and intent; meanwhile another worker did the work."""
    row = queued()
    stale = outbox.claim(deps.db, deps.now())
    assert stale is not None
    clock.forward(minutes=3)
    work(deps)
    assert seen(deps, row).transmission == "deposited"
    handle(deps, HANDLERS, stale)
    assert len(platform.outgoing(row.id)) == 1
    assert entry_of(deps, row).state == "done"


def test_a_worker_taken_for_dead_while_sending_changes_nothing_afterwards(
    deps: Deps, platform, connection, queued, clock
) -> None:
    """Its lease ran out under way (a clock that jumped). The next worker waits and asks, and finds the invoice."""
    row = queued()
    slow = SlowPlatform(settings_of(deps.vault, connection))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(work, with_platform(deps, connection, slow))
        assert slow.reached.wait(20)
        clock.forward(minutes=3)
        work(deps)
        assert seen(deps, row).transmission == "unknown"
        slow.go.set()
        first.result()
    slow.close()
    assert seen(deps, row).transmission == "deposited"
    clock.forward(minutes=1)
    work(deps)
    assert entry_of(deps, row).state == "done"
    assert len(platform.outgoing(row.id)) == 1
    assert codes(deps, row) == ["sending", "unknown", "deposited"]


def test_a_refusal_that_is_listed_before_the_receipt_is_recorded_stands(
    deps: Deps, platform, connection, queued
) -> None:
    """The poll is faster than the deposit's answer; the number is free, and the receipt must not take it back."""
    row = queued()
    slow = SlowPlatform(settings_of(deps.vault, connection))
    platform.put("early", trackingId=row.id, flowDirection="Out", flowType="CustomerInvoice", flowSyntax="UBL",
                 acknowledgement={"status": "Error", "details": [
                     {"level": "Error", "item": "file", "reasonCode": "REJ_SEMAN", "reasonMessage": "no"}]})
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(work, with_platform(deps, connection, slow))
        assert slow.reached.wait(20)
        poll_all(deps)
        slow.go.set()
        first.result()
    slow.close()
    assert (seen(deps, row).transmission, seen(deps, row).active) == ("failed", None)
    assert codes(deps, row) == ["sending", "failed"]


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


def test_two_relays_at_once_deposit_each_invoice_once(deps: Deps, platform, queued) -> None:
    rows = [queued(f"F-{number}") for number in range(12)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, [deps, deps]))
    assert {seen(deps, row).transmission for row in rows} == {"deposited"}
    assert Counter(flow["trackingId"] for flow in platform.flows) == {row.id: 1 for row in rows}


FAULTS = ("fine", "lost", "cut-before", "500", "503", "429", "401", "400", "search-500", "search-400", "kill-get",
          "kill-send", "kill-put", "revive")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(faults=st.lists(st.sampled_from(FAULTS), max_size=8))
def test_whatever_breaks_there_is_one_flow_or_a_reason(  # noqa: PLR0917  fixtures
    deps: Deps, platform, connection, queued, clock, tmp_path, faults: list[str]
) -> None:
    platform.flows.clear()
    row = queued(f"F-{clock.now.timestamp()}")
    for fault in [*faults, "revive", "fine", "fine", "revive", "fine", "fine"]:
        clock.forward(hours=4)
        attempt(deps, platform, connection, tmp_path, row, fault)
        assert len(platform.outgoing(row.id)) <= 1
    end, entry = seen(deps, row), entry_of(deps, row)
    if end.transmission == "failed":
        assert (end.active, platform.outgoing(row.id)) == (None, [])
        assert end.transmission_reason
    elif end.transmission == "parked":
        assert entry.state == "parked"
        assert end.transmission_reason
        assert end.active
    else:
        assert (end.transmission, entry.state, len(platform.outgoing(row.id))) == ("deposited", "done", 1)


def attempt(  # noqa: PLR0917  fixtures
    deps: Deps, platform, connection, tmp_path, row: Submission, fault: str
) -> None:
    """One turn of the relay under one fault."""
    platform.lose_answers = int(fault == "lost")
    platform.broken = int(fault == "search-500")
    platform.refuse_deposits = {"cut-before": (0, "CUT"), "500": (500, "X"), "503": (503, "X"), "429": (429, "X"),
                                "401": (401, "X"), "400": (400, "X")}.get(fault)
    if fault == "search-400":
        platform.search = lambda _: (400, {"errorCode": "X"})
    if fault == "revive" and entry_of(deps, row).state == "parked":
        revive(deps, row)
    cut = CutPlatform(settings_of(deps.vault, connection))
    used = {
        "kill-get": lambda: replace(deps, store=CutStore(tmp_path / "objects", "get", 1)),
        "kill-put": lambda: replace(deps, store=CutStore(tmp_path / "objects", "put", 1)),
        "kill-send": lambda: with_platform(deps, connection, cut),
    }.get(fault, lambda: deps)()
    try:
        work(used)
    except PowerCut:
        pass
    finally:
        cut.close()
        vars(platform).pop("search", None)
