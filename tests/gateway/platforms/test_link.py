"""The sorting of failures as a whole, and walks by date over platforms that know no cursor."""

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.platforms.afnor import PAGE, AfnorPlatform
from gateway.platforms.link import Answer, Effect, failure, retry_after
from gateway.platforms.port import (
    Flow,
    FlowState,
    Precondition,
    Rejected,
    Unavailable,
    Unknown,
    UnreadableFlow,
)
from gateway.platforms.registry import ConnectionSettings

START = datetime(2026, 11, 2, tzinfo=UTC)
FLOW = Flow(name="é" * 300, syntax="CII", profile=None, processing_rule="B2B", media_type="application/xml")


@given(st.integers(300, 599), st.sampled_from([Effect.NONE, Effect.DEPOSIT]), st.binary(max_size=50))
def test_a_deposit_is_unknown_exactly_where_the_server_failed(status: int, effect: Effect, body: bytes) -> None:
    error = failure(Answer(status, httpx.Headers(), body), effect)

    server_failed = (status >= 500 and status != 503) or status == 408
    assert isinstance(error, Unknown) is (server_failed and effect is Effect.DEPOSIT)
    if status in {429, 503}:
        assert isinstance(error, Unavailable)
    elif status in {400, 413, 422}:
        assert isinstance(error, Rejected)
    elif status < 400 or status in {401, 403}:
        assert isinstance(error, Precondition)


@pytest.mark.parametrize(("headers", "seconds"), [
    ({"Retry-After": "120"}, 120),
    ({"Retry-After": "Mon, 02 Nov 2026 10:01:30 GMT", "Date": "Mon, 02 Nov 2026 10:00:00 GMT"}, 90),
    ({"Retry-After": "Mon, 02 Nov 2026 10:00:00 GMT", "Date": "Mon, 02 Nov 2026 10:01:00 GMT"}, 0),
    ({"Retry-After": "Mon, 02 Nov 2026 10:01:30 GMT"}, None),
    ({"Retry-After": "9" * 400}, 86400),
    ({"Retry-After": "Tue, 02 Nov 2027 10:00:00 GMT", "Date": "Mon, 02 Nov 2026 10:00:00 GMT"}, 86400),
    ({"Retry-After": "soon", "Date": "now"}, None),
    ({}, None),
])
def test_what_a_platform_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(httpx.Headers(headers)) == seconds


def platform_at(answer: Callable[[httpx.Request], httpx.Response], **changes: Any) -> AfnorPlatform:
    """The driver in front of a platform made of one function."""

    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            given = httpx.Response(200, json={"access_token": "T", "expires_in": 60})
        else:
            given = answer(request)
        return httpx.Response(given.status_code, headers=given.headers, stream=httpx.ByteStream(given.content))

    settings = ConnectionSettings(**{
        "flow_url": "https://pa.example.org/flow", "token_url": "https://pa.example.org/token", "client_id": "c",
        "client_secret": "s", **changes})
    platform = AfnorPlatform(settings)
    platform._link._client.close()
    headers = platform._link._client.headers
    platform._link._client = httpx.Client(transport=httpx.MockTransport(serve), headers=headers)
    return platform


def shown(number: int, at: datetime) -> dict[str, Any]:
    return {"flowId": f"f{number}", "submittedAt": START.isoformat(), "updatedAt": at.isoformat(),
            "flowDirection": ("In", "Out")[number % 2], "acknowledgement": {"status": "Ok"}}


@given(st.lists(st.integers(0, 60), min_size=20, max_size=150), st.integers(25, PAGE),
       st.randoms(use_true_random=False))
def test_a_walk_by_date_gives_every_flow_once_or_says_that_it_cannot(
    offsets: list[int], cap: int, random: Any,
) -> None:
    flows = [shown(number, START + timedelta(milliseconds=offset)) for number, offset in enumerate(offsets)]

    def answer(request: httpx.Request) -> httpx.Response:
        found = sorted(within(flows, json.loads(request.content)["where"]), key=lambda flow: flow["updatedAt"])[:cap]
        random.shuffle(found)
        return httpx.Response(200, json={"results": found})

    platform = platform_at(answer)
    crowded = max((offsets.count(offset) for offset in offsets), default=0) >= cap
    gaps: list[UnreadableFlow] = []
    seen = [flow.flow_id for flow in walked(platform, gaps)]
    platform.close()
    if gaps:
        assert crowded
    else:
        assert sorted(set(seen)) == sorted(flow["flowId"] for flow in flows)


@settings(max_examples=40)
@given(st.lists(st.integers(0, 3600), min_size=20, max_size=120, unique=True), st.sampled_from(("newest", "any")),
       st.randoms(use_true_random=False))
def test_a_walk_by_date_misses_nothing_where_pages_have_no_order(seconds: list[int], order: str, random: Any) -> None:
    """The norm names no order: a full page may be of the newest flows, or of any."""
    flows = [shown(number, START + timedelta(seconds=second)) for number, second in enumerate(seconds)]

    def answer(request: httpx.Request) -> httpx.Response:
        found = within(flows, json.loads(request.content)["where"])
        found.sort(key=lambda flow: str(flow["updatedAt"]), reverse=True)
        if order == "any":
            random.shuffle(found)
        return httpx.Response(200, json={"results": found[:25]})

    gaps: list[UnreadableFlow] = []
    platform = platform_at(answer)
    told = {flow.flow_id for flow in walked(platform, gaps)}
    platform.close()
    assert (told, gaps) == ({flow["flowId"] for flow in flows}, [])


def test_pages_without_order_that_heed_no_time_are_a_gap() -> None:
    flows = [shown(number, START - timedelta(seconds=number)) for number in range(60)]
    platform = platform_at(lambda _: httpx.Response(200, json={"results": flows[:25]}))
    gaps: list[UnreadableFlow] = []
    assert len(list(walked(platform, gaps))) == 25
    platform.close()
    assert [gap.gap_at is not None for gap in gaps] == [True]


def within(flows: list[dict[str, Any]], where: dict[str, Any]) -> list[dict[str, Any]]:
    """The flows that a search by time and direction means."""
    after, before = (datetime.fromisoformat(where.get(name, "2099-01-01T00:00:00Z"))
                     for name in ("updatedAfter", "updatedBefore"))
    return [flow for flow in flows if after < datetime.fromisoformat(flow["updatedAt"]) < before
            and flow["flowDirection"] in where.get("flowDirection", ["In", "Out"])]


def walked(platform: AfnorPlatform, gaps: list[UnreadableFlow]) -> Iterator[FlowState]:
    """Every flow, page by page."""
    cursor: str | None = None
    while True:
        page = platform.flows_since(START - timedelta(days=1), cursor)
        yield from page.flows
        gaps += page.unreadable
        cursor = page.next_cursor
        if cursor is None:
            return


def test_a_page_that_shares_one_time_is_not_passed_in_silence() -> None:
    flows = [shown(number, START) for number in range(PAGE)]
    platform = platform_at(lambda _: httpx.Response(200, json={"results": flows}))
    page = platform.flows_since(START - timedelta(days=1))
    assert (len(page.flows), [flow.gap_at for flow in page.unreadable]) == (PAGE, [START])
    with pytest.raises(Unknown, match="SEARCH_STUCK"):
        platform.find_flow("ours")
    platform.close()


def test_a_crowd_is_read_by_narrowing_until_it_fits() -> None:
    kinds = [(direction, status) for direction in ("In", "Out") for status in ("Ok", "Pending", "Error")]
    flows = [{**shown(number, START), "flowDirection": kinds[number % 6][0],
              "acknowledgement": {"status": kinds[number % 6][1]}} for number in range(140)]
    flows.append(shown(1000, START + timedelta(seconds=1)))

    def answer(request: httpx.Request) -> httpx.Response:
        where = json.loads(request.content)["where"]
        found = [flow for flow in flows if where["updatedAfter"] < flow["updatedAt"].replace("+00:00", ".000Z")
                 < where.get("updatedBefore", "3")
                 and flow["flowDirection"] in where.get("flowDirection", ["In", "Out"])
                 and where.get("ackStatus") in {None, flow["acknowledgement"]["status"]}]
        return httpx.Response(200, json={"limit": 25, "results": found[:25]})

    gaps: list[UnreadableFlow] = []
    platform = platform_at(answer)
    seen = {flow.flow_id for flow in walked(platform, gaps)}
    platform.close()
    assert (len(seen), gaps) == (141, [])


def test_a_cursor_that_comes_back_is_a_loop() -> None:
    platform = platform_at(lambda _: httpx.Response(200, json={"results": [], "nextCursor": "C"}))
    assert platform.flows_since(START).next_cursor == "C"
    with pytest.raises(Unavailable, match="CURSOR_LOOP"):
        platform.flows_since(START, "C")
    platform.close()


def test_a_platform_that_does_not_filter_is_never_believed_to_have_nothing() -> None:
    pages = iter(range(1000))
    platform = platform_at(lambda _: httpx.Response(200, json={
        "results": [shown(1, START)], "nextCursor": str(next(pages))}))
    with pytest.raises(Unknown, match="SEARCH_UNFILTERED"):
        platform.find_flow("ours")
    platform.close()


@pytest.mark.parametrize(("found", "kind"), [(True, None), (False, Rejected)])
def test_already_there_is_settled_by_the_tracking_id(found: bool, kind: type[Exception] | None) -> None:  # noqa: FBT001  a vector
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/search"):
            ours = {**shown(7, START), "trackingId": "ours", "acknowledgement": {"status": "Ok"}}
            return httpx.Response(200, json={"results": [ours] if found else []})
        return httpx.Response(409, json={"errorCode": "ANY_WORD"})

    platform = platform_at(answer)
    if kind is None:
        assert platform.send(b"<x/>", "ours", FLOW).flow_id == "f7"
    else:
        with pytest.raises(kind, match="AlreadyExistingFlow"):
            platform.send(b"<x/>", "ours", FLOW)
    platform.close()


@pytest.mark.parametrize("placement", ["header", "query", "none"])
def test_each_attempt_has_a_request_id_where_the_platform_wants_it(placement: str) -> None:
    heard: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        heard.append(request)
        return httpx.Response(401 if len(heard) == 1 else 200)

    platform = platform_at(answer, request_id=placement, organization_id="ORG", extra_headers={"X-Key": "K"})
    platform.healthcheck()

    ids = [request.headers.get("Request-Id") if placement == "header" else request.url.params.get("Request-Id")
           for request in heard]
    assert len(heard) == 2
    if placement == "none":
        assert ids == [None, None]
    else:
        assert len({uuid.UUID(str(one)) for one in ids}) == 2
    assert {(request.headers["Organization-Id"], request.headers["X-Key"]) for request in heard} == {("ORG", "K")}
    platform.close()


def test_a_name_is_cut_to_what_the_interface_takes() -> None:
    bodies: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(request.read())
        return httpx.Response(202, json={"flowId": "f", "submittedAt": START.isoformat()})

    platform = platform_at(answer)
    platform.send(b"<x/>", "ours", FLOW)
    assert f'"name": "{"é" * 255}"'.encode() in bodies[0]
    platform.close()
