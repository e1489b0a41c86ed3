"""The sandbox is killed at any moment and goes on: what it answered is kept, what it planned is done once."""

import signal
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from threading import Thread
from typing import Any

import pytest

from gateway.platforms.afnor import AfnorPlatform
from gateway.platforms.port import Flow, PlatformError, Unavailable
from gateway.sandbox.script import APPROVED

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
Sample = Callable[..., bytes]
Connect = Callable[..., AfnorPlatform]
Until = Callable[[Callable[[], Any]], Any]
CODES = [step.code for step in APPROVED]


def test_a_script_goes_on_after_kills_and_sends_each_status_once(
    own_sandbox: Callable[..., Any], connect: Connect, sample: Sample, ubl: Flow, until: Until,
) -> None:
    sandbox = own_sandbox("--speed", "40")
    connect(sandbox).send(sample("DUR-2"), "dur-2", ubl)
    for wanted in (1, 4):
        until(lambda: len(sent(sandbox, "DUR-2")) >= wanted)  # noqa: B023  used before the next round
        sandbox.end(signal.SIGKILL)
        sandbox.start()

    until(lambda: len(sent(sandbox, "DUR-2")) >= len(CODES))

    assert sent(sandbox, "DUR-2") == CODES
    listed = [flow["name"] for flow in sandbox.ledger()["flows"] if flow["flowDirection"] == "In"]
    assert listed == [f"CDV-{code}-DUR-2.xml" for code in CODES]


def test_every_deposit_that_was_answered_is_kept_once_through_a_kill(
    own_sandbox: Callable[..., Any], connect: Connect, sample: Sample, ubl: Flow, until: Until,
) -> None:
    sandbox = own_sandbox("--speed", "0.001")
    answered: list[str] = []

    def send_on(platform: AfnorPlatform, worker: int) -> None:
        with suppress(PlatformError):
            for number in range(10_000):
                platform.send(sample(f"DUR-{worker}-{number}"), f"dur-{worker}-{number}", ubl)
                answered.append(f"dur-{worker}-{number}")

    threads = [Thread(target=send_on, args=(connect(sandbox), worker)) for worker in range(3)]
    for thread in threads:
        thread.start()
    until(lambda: len(answered) >= 30)
    sandbox.end(signal.SIGKILL)
    for thread in threads:
        thread.join(timeout=20)
    sandbox.start()

    kept = Counter(sandbox.ledger()["deposits_per_tracking_id"])
    assert {kept[tracking_id] for tracking_id in answered} == {1}
    assert set(kept.values()) == {1}


def test_what_was_answered_survives_and_the_driver_outlives_the_platform(
    own_sandbox: Callable[..., Any], connect: Connect, sample: Sample, ubl: Flow,
) -> None:
    sandbox = own_sandbox("--speed", "0.001")
    platform = connect(sandbox)
    receipt = platform.send(sample("DUR-1"), "dur-1", ubl)
    before = sandbox.ledger()
    port = sandbox.ready["base_url"].rpartition(":")[2]
    sandbox.end(signal.SIGKILL)
    with pytest.raises(Unavailable):
        platform.send(sample("DUR-4"), "dur-4", ubl)

    sandbox._options = (*sandbox._options, "--port", port)
    sandbox.start()

    assert sandbox.ledger() == before
    assert platform.fetch(receipt.flow_id) == sample("DUR-1")  # its old token is unknown now; it gets a new one
    platform.send(sample("DUR-4"), "dur-4", ubl)
    assert sandbox.ledger()["deposits_per_tracking_id"] == {"dur-1": 1, "dur-4": 1}


def sent(sandbox: Any, number: str) -> list[str]:
    """The statuses about an invoice, or none while it is not yet acknowledged."""
    known = {item["number"] for item in sandbox.admin.get("/invoices").json()["invoices"]}
    return list(sandbox.codes(number)) if number in known else []
