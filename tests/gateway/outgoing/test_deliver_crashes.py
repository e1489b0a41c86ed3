"""One invoice, one flow: whichever worker dies, sleeps or works beside another, and whatever breaks at the platform."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from delivering import HANDLERS, codes, entry_of, revive, seen, work
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.store import Digest
from archive.stores.directory import DirectoryStore
from gateway import outbox, worker
from gateway.connections import open_connection, settings_of
from gateway.deps import Deps
from gateway.incoming.poll import poll_all
from gateway.leases import Leases
from gateway.platforms.afnor import AfnorPlatform
from gateway.tables import PlatformConnection, Submission
from gateway.worker import handle


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


@pytest.mark.parametrize(("verb", "after", "at_platform"), [("get", 1, 0), ("put", 1, 1)], ids=[
    "before the deposit", "between deposit and receipt"])
def test_a_killed_worker_loses_and_doubles_nothing(
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


def test_a_slow_deposit_keeps_its_lease(
    deps: Deps, platform, connection, queued, clock, monkeypatch
) -> None:
    monkeypatch.setattr(worker, "LEASES", Leases(every_s=0.02))
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
def test_whatever_breaks_there_is_one_flow_or_a_reason(
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


def attempt(
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
