"""The driver against the sandbox: what a deposit, a search and a fetch give, and which failure is which class."""

import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.platforms.afnor import AfnorPlatform
from gateway.platforms.port import Flow, Precondition, Rejected, Unavailable, Unknown

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
Sample = Callable[..., bytes]
Connect = Callable[..., AfnorPlatform]


def test_a_deposit_is_found_again_as_it_was_sent(platform: AfnorPlatform, sample: Sample, ubl: Flow) -> None:
    document = sample("DRV-1")
    receipt = platform.send(document, "drv-1", ubl)

    found = platform.find_flow("drv-1")

    assert found is not None
    assert (found.flow_id, found.submitted_at) == (receipt.flow_id, receipt.submitted_at)
    assert (found.direction, found.syntax, found.ack_status, found.name) == ("Out", "UBL", "Pending", "facture.xml")
    assert platform.fetch(receipt.flow_id) == document
    assert hashlib.sha256(document).hexdigest().encode() in receipt.raw


def test_a_tracking_id_that_nobody_used_is_certainly_absent(platform: AfnorPlatform) -> None:
    assert platform.find_flow("nobody") is None


def test_a_lost_answer_is_unknown_and_the_lookup_settles_it(
    sandbox: Any, platform: AfnorPlatform, sample: Sample, ubl: Flow,
) -> None:
    sandbox.faults(drop_after=1)
    with pytest.raises(Unknown):
        platform.send(sample("DRV-2"), "drv-2", ubl)
    found = platform.find_flow("drv-2")
    assert found is not None
    assert sandbox.ledger()["deposits_per_tracking_id"]["drv-2"] == 1


def test_a_cut_before_anything_was_kept_is_unknown_too(
    sandbox: Any, platform: AfnorPlatform, sample: Sample, ubl: Flow,
) -> None:
    sandbox.faults(drop_before=1)
    with pytest.raises(Unknown):
        platform.send(sample("DRV-3"), "drv-3", ubl)
    assert platform.find_flow("drv-3") is None


def test_500_after_a_deposit_is_unknown(sandbox: Any, platform: AfnorPlatform, sample: Sample, ubl: Flow) -> None:
    sandbox.faults(error_after=1)
    with pytest.raises(Unknown) as lost:
        platform.send(sample("DRV-4"), "drv-4", ubl)
    assert lost.value.code == "INTERNAL_ERROR"
    assert platform.find_flow("drv-4") is not None


FAULTS = [(429, Unavailable), (503, Unavailable), (500, Unknown), (502, Unknown), (408, Unknown), (400, Rejected),
          (413, Rejected), (422, Rejected), (403, Precondition), (404, Precondition), (302, Precondition)]


@pytest.mark.parametrize(("status", "kind"), FAULTS)
def test_each_answer_to_a_deposit_has_its_class(
    sandbox: Any, platform: AfnorPlatform, sample: Sample, ubl: Flow, status: int, kind: type[Exception],
) -> None:
    platform.healthcheck()  # the token is there, so that the fault meets the deposit
    sandbox.faults(fail=1, fail_status=status, fail_code="ASKED_FOR", fail_retry_after="7")
    with pytest.raises(kind) as refused:
        platform.send(sample(f"DRV-{status}"), f"drv-{status}", ubl)
    assert type(refused.value) is kind
    assert getattr(refused.value, "code", None) == "ASKED_FOR"
    if isinstance(refused.value, Unavailable):
        assert refused.value.retry_after_s == 7
    assert platform.find_flow(f"drv-{status}") is None


@pytest.mark.parametrize(("status", "kind"), [(429, Unavailable), (500, Unavailable), (400, Rejected),
                                              (404, Rejected), (403, Precondition)])
def test_each_answer_to_a_question_has_its_class(
    sandbox: Any, platform: AfnorPlatform, status: int, kind: type[Exception],
) -> None:
    platform.healthcheck()
    sandbox.faults(fail=1, fail_status=status)
    with pytest.raises(kind):
        platform.flows_since(LONG_AGO)


def test_a_platform_that_is_not_there_is_unavailable(sandbox: Any, connect: Connect, sample: Sample, ubl: Flow) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    gone = connect(sandbox, flow_url=f"http://127.0.0.1:{port}")
    with pytest.raises(Unavailable) as refused:
        gone.send(sample("DRV-5"), "drv-5", ubl)
    assert refused.value.code == "NOT_CONNECTED"


def test_a_token_address_that_is_not_there_is_never_unknown(
    sandbox: Any, connect: Connect, sample: Sample, ubl: Flow,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    gone = connect(sandbox, token_url=f"http://127.0.0.1:{port}/token")
    with pytest.raises(Unavailable):
        gone.send(sample("DRV-6"), "drv-6", ubl)


def test_wrong_credentials_are_a_precondition(sandbox: Any, connect: Connect, sample: Sample, ubl: Flow) -> None:
    stranger = connect(sandbox, client_secret="wrong")
    with pytest.raises(Precondition) as refused:
        stranger.send(sample("DRV-7"), "drv-7", ubl)
    assert refused.value.code == "invalid_client"
    assert "wrong" not in f"{refused.value} {refused.value.evidence}"


@pytest.mark.parametrize("auth", ["basic", "basic-encoded", "body"])
def test_every_way_to_name_the_client_works(sandbox: Any, connect: Connect, auth: str) -> None:
    connect(sandbox, client_auth=auth).healthcheck()


def test_a_token_that_ended_is_replaced_once(
    sandbox: Any, platform: AfnorPlatform, sample: Sample, ubl: Flow,
) -> None:
    platform.healthcheck()
    platform.flows_since(LONG_AGO)
    sandbox.admin.delete("/tokens").raise_for_status()
    platform.send(sample("DRV-8"), "drv-8", ubl)
    assert sandbox.ledger()["deposits_per_tracking_id"]["drv-8"] == 1


def test_a_token_is_renewed_before_it_ends(own_sandbox: Callable[..., Any], connect: Connect) -> None:
    sandbox = own_sandbox("--token-lifetime", "1", "--speed", "0.001")
    platform = connect(sandbox)
    ends = datetime.now(UTC) + timedelta(seconds=2.2)
    while datetime.now(UTC) < ends:
        assert platform.flows_since(LONG_AGO).flows == ()


def test_paging_by_cursor_gives_every_flow_once(
    sandbox: Any, platform: AfnorPlatform, sample: Sample, ubl: Flow,
) -> None:
    start = sandbox_time(platform, sample, ubl, "drv-p0")
    for number in range(7):
        platform.send(sample(f"DRV-P{number}"), f"drv-p-{number}", ubl)
    sandbox.faults(page_cap=3)

    pages = list(walk(platform, start))

    assert [len(page) for page in pages] == [3, 3, 1]
    assert [flow.tracking_id for page in pages for flow in page] == [f"drv-p-{number}" for number in range(7)]


def test_paging_by_date_gives_every_flow_where_there_is_no_cursor(
    sandbox: Any, platform: AfnorPlatform, sample: Sample, ubl: Flow,
) -> None:
    start = sandbox_time(platform, sample, ubl, "drv-d0")
    for number in range(7):
        platform.send(sample(f"DRV-D{number}"), f"drv-d-{number}", ubl)
    sandbox.faults(page_cap=3, cursorless=True, unsorted=True)

    seen = [flow.tracking_id for page in walk(platform, start) for flow in page]

    assert seen == [f"drv-d-{number}" for number in range(7)]


def test_direction_and_type_narrow_a_search(platform: AfnorPlatform, sample: Sample, ubl: Flow) -> None:
    platform.send(sample("DRV-9"), "drv-9", ubl)
    page = platform.flows_since(LONG_AGO, direction="In", flow_types=("SupplierInvoiceLC",))
    assert page.flows == ()


def test_a_flow_that_is_not_there_is_rejected(platform: AfnorPlatform) -> None:
    for question in (platform.get_flow, platform.fetch):
        with pytest.raises(Rejected) as refused:
            question("no/such flow?")
        assert refused.value.code == "MISSING_RESOURCE"


def test_the_directory_says_which_lines_there_are(platform: AfnorPlatform) -> None:
    lines = {line.addressing_identifier: line.status for line in platform.directory_lines("000001164")}
    assert lines == {"000001164": "Enabled", "000001164_00000116400011": "Enabled",
                     "000001164_00000116400011_ACHATS": "Enabled", "000001164_COMPTA": "Upcoming"}
    assert platform.directory_lines("000001156")[0].status == "Disabled"
    assert platform.directory_lines("999999998") == ()


def test_a_webhook_comes_with_its_key_and_can_be_ended(platform: AfnorPlatform) -> None:
    webhook_id, key = platform.register_webhook("http://127.0.0.1:9/callbacks/x")
    assert len(key) == 32
    platform.delete_webhook(webhook_id)
    platform.delete_webhook(webhook_id)


# --- answers that no sandbox gives: a bare socket says them


@contextmanager
def answering(raw: bytes, *, then_wait: bool = False) -> Iterator[str]:
    """A server on loopback that says these bytes to every connection."""
    server = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                with connection:
                    connection.settimeout(5)
                    connection.recv(1 << 16)
                    connection.sendall(raw)
                    if then_wait:
                        done.wait(10)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        done.set()
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(timeout=10)


def said(body: bytes, status: str = "202 Accepted", *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body


def test_an_acceptance_that_cannot_be_read_is_unknown(sandbox: Any, connect: Connect, ubl: Flow) -> None:
    with answering(said(b"<html>fine</html>")) as url, pytest.raises(Unknown, match="MALFORMED_ANSWER"):
        connect(sandbox, flow_url=url).send(b"<x/>", "t", ubl)


def test_an_answer_without_end_is_cut(sandbox: Any, connect: Connect, ubl: Flow) -> None:
    with answering(said(b"x" * 5000)) as url:
        platform = connect(sandbox, flow_url=url, max_json_bytes=1000)
        with pytest.raises(Unknown, match="ANSWER_TOO_LARGE"):
            platform.send(b"<x/>", "t", ubl)
        with pytest.raises(Rejected, match="ANSWER_TOO_LARGE"):
            platform.healthcheck()
        with pytest.raises(Precondition, match="ANSWER_TOO_LARGE"):
            connect(sandbox, token_url=url, max_json_bytes=1000).healthcheck()


def test_silence_after_the_body_is_unknown(sandbox: Any, connect: Connect, ubl: Flow) -> None:
    with answering(b"", then_wait=True) as url, pytest.raises(Unknown):
        connect(sandbox, flow_url=url, read_seconds=0.3).send(b"<x/>", "t", ubl)


def test_a_slow_drip_ends(sandbox: Any, connect: Connect) -> None:
    with answering(said(b"xx")[:-1], then_wait=True) as url, pytest.raises(Unavailable):
        connect(sandbox, flow_url=url, read_seconds=0.3, total_seconds=0.5).healthcheck()


def test_the_bearer_follows_no_redirect(sandbox: Any, connect: Connect) -> None:
    away = said(b"", "307 Temporary Redirect", f"Location: {sandbox.ready['flow_url']}/v1/healthcheck")
    with answering(away) as url, pytest.raises(Precondition):
        connect(sandbox, flow_url=url).healthcheck()


@pytest.mark.parametrize("answer", [
    said(b"", "204 No Content"),
    said(b"{}", "200 OK"),
    said(b'{"errorCode": "NOT_FOUND"}', "404 Not Found"),
])
def test_a_directory_that_knows_nobody_may_say_so_in_three_ways(sandbox: Any, connect: Connect, answer: bytes) -> None:
    with answering(answer) as url:
        assert connect(sandbox, directory_url=url).directory_lines("000001016") == ()


def test_already_there_with_another_tracking_id_is_rejected(sandbox: Any, connect: Connect, ubl: Flow) -> None:
    refusal = said(b'{"errorCode": "DUPLICATE_RESOURCE"}', "409 Conflict")
    with answering(refusal) as url, pytest.raises(Unknown, match="ALREADY_THERE"):
        connect(sandbox, flow_url=url).send(b"<x/>", "t", ubl)


# --- small things


def sandbox_time(platform: AfnorPlatform, sample: Sample, ubl: Flow, tracking_id: str) -> datetime:
    """The platform's clock just now, learnt from a deposit."""
    return platform.send(sample(tracking_id.upper()), tracking_id, ubl).submitted_at


def walk(platform: AfnorPlatform, start: datetime) -> Iterator[tuple[Any, ...]]:
    """Every page since `start`."""
    cursor: str | None = None
    while True:
        page = platform.flows_since(start, cursor, direction="Out")
        yield page.flows
        cursor = page.next_cursor
        if cursor is None:
            return
