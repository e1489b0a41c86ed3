"""Webhooks: what the sandbox posts, signed in each reading, and that a receiver in trouble gets it later."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from gateway.platforms.afnor import AfnorPlatform
from gateway.platforms.callbacks import NotGenuine, Reading, verify
from gateway.platforms.port import Flow

Sample = Callable[..., bytes]
Connect = Callable[..., AfnorPlatform]


class Receiver:
    """Somebody who is called back; keeps (headers, body) and answers as told."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        receiver = self

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.heard.append((dict(self.headers), body))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/callbacks/1"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self._thread.start()

    def end(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join(timeout=10)

    def flows(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.heard]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    yield opened
    opened.end()


@pytest.fixture
def subscribed(sandbox: Any, platform: AfnorPlatform, receiver: Receiver) -> Iterator[bytes]:
    """The signing key of a webhook of this receiver, ended with the test; what earlier tests left is played before."""
    sandbox.run()
    webhook_id, key = platform.register_webhook(receiver.url)
    yield key
    platform.delete_webhook(webhook_id)


def genuine(receiver: Receiver, key: bytes) -> set[Reading]:
    now = datetime.now(UTC)
    return {verify(body, headers.get("Afnor-Signature"), headers.get("Afnor-Signature-Timestamp"), key, now=now)
            for headers, body in receiver.heard}


def test_every_incoming_flow_is_announced_and_signed(
    sandbox: Any, platform: AfnorPlatform, receiver: Receiver, subscribed: bytes, sample: Sample, ubl: Flow,
) -> None:
    platform.send(sample("HOOK-1"), "hook-1", ubl)
    sandbox.run()

    assert genuine(receiver, subscribed) == {Reading.DIGEST}
    assert [flow["name"] for flow in receiver.flows()] == [
        f"CDV-{code}-HOOK-1.xml" for code in ("200", "201", "202", "203", "204", "205")]
    for flow in receiver.flows():
        assert platform.get_flow(flow["flowId"]).flow_type == flow["flowType"] == "CustomerInvoiceLC"


def test_a_receiver_in_trouble_is_called_again(
    sandbox: Any, platform: AfnorPlatform, receiver: Receiver, subscribed: bytes, sample: Sample, ubl: Flow,
) -> None:
    receiver.answers = [500, 302, 503]
    platform.send(sample("HOOK-2", "000001156"), "hook-2", ubl)
    sandbox.run()
    assert subscribed
    assert len(receiver.heard) == 4
    assert len({flow["flowId"] for flow in receiver.flows()}) == 1


def test_a_receiver_that_never_answers_well_is_given_up(
    sandbox: Any, platform: AfnorPlatform, receiver: Receiver, subscribed: bytes, sample: Sample, ubl: Flow,
) -> None:
    receiver.answers = [500] * 20
    platform.send(sample("HOOK-3", "000001156"), "hook-3", ubl)
    sandbox.run()
    assert subscribed
    assert len(receiver.heard) == 6
    given_up = sandbox.admin.get("/acts").json()["given_up"]
    assert "the receiver answered 500" in given_up[-1]["error"]


def test_callbacks_may_come_twice_or_unsigned(
    sandbox: Any, platform: AfnorPlatform, receiver: Receiver, subscribed: bytes, sample: Sample, ubl: Flow,
) -> None:
    sandbox.faults(duplicate_callbacks=True, unsigned_callbacks=True)
    platform.send(sample("HOOK-4", "000001156"), "hook-4", ubl)
    sandbox.run()
    assert len(receiver.heard) == 2
    assert len({body for _, body in receiver.heard}) == 1
    with pytest.raises(NotGenuine, match="MISSING_SIGNATURE"):
        genuine(receiver, subscribed)


@pytest.mark.parametrize("reading", [Reading.PLAIN])
def test_the_command_line_subscribes_and_chooses_the_reading(
    own_sandbox: Callable[..., Any], connect: Connect, receiver: Receiver, sample: Sample, ubl: Flow, reading: Reading,
) -> None:
    sandbox = own_sandbox("--callback-url", receiver.url, "--signature", reading.value, "--speed", "0.001")
    connect(sandbox).send(sample("HOOK-5", "000001131"), "hook-5", ubl)
    sandbox.run()

    assert genuine(receiver, base64.b64decode(sandbox.ready["signing_key"])) == {reading}
    assert [flow["acknowledgement"]["status"] for flow in receiver.flows()] == ["Ok"]
    assert receiver.flows()[0]["trackingId"] == "hook-5"
