"""Looking a deposit up in the address: none only where the platform says so."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gateway.platforms.afnor import AfnorPlatform
from gateway.platforms.port import FlowState, PlatformError, Unavailable, Unknown
from gateway.platforms.registry import ConnectionSettings

OURS = {"flowId": "F-1", "trackingId": "ours", "submittedAt": "2026-11-02T00:00:00Z"}
EARLIER_ERROR = {**OURS, "flowId": "F-0", "submittedAt": "2026-11-01T00:00:00Z", "acknowledgement": {"status": "Error"}}


def looked_up(answer: Callable[[httpx.Request], httpx.Response]) -> FlowState | None:
    """What the driver makes of the platform's answer to a look-up."""

    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            return httpx.Response(200, stream=httpx.ByteStream(b'{"access_token": "T"}'))
        assert (request.method, request.url.path, request.url.params["trackingId"]) == ("GET", "/flow/v1/flows", "ours")
        return answer(request)

    platform = AfnorPlatform(ConnectionSettings(
        flow_url="https://pa.example.org/flow", token_url="https://pa.example.org/token", client_id="c",
        client_secret="s", lookup="query"))
    platform._link._client = httpx.Client(transport=httpx.MockTransport(serve))
    try:
        return platform.find_flow("ours")
    finally:
        platform.close()


def said(status: int, body: Any) -> Callable[[httpx.Request], httpx.Response]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda _: httpx.Response(status, stream=httpx.ByteStream(raw))


@pytest.mark.parametrize("body", [OURS, {"results": [OURS]}, {"results": [EARLIER_ERROR, OURS]}], ids=str)
def test_ours_is_found(body: Any) -> None:
    found = looked_up(said(200, body))
    assert found is not None
    assert found.flow_id == "F-1"


@pytest.mark.parametrize("answer", [
    said(404, {"errorCode": "MISSING_RESOURCE"}), said(404, {"errorCode": "NOT_FOUND"}), said(200, {"results": []}),
    said(204, b""),
])
def test_none_is_none_where_it_is_said(answer: Callable[[httpx.Request], httpx.Response]) -> None:
    assert looked_up(answer) is None


@pytest.mark.parametrize(("answer", "error"), [
    (said(404, b"<html>no such page</html>"), Unknown),
    (said(400, {"errorCode": "PARAMS_ERROR"}), Unknown),
    (said(200, b"<html>sign in</html>"), Unknown),
    (said(200, [OURS]), Unknown),
    (said(200, {"results": [{**OURS, "trackingId": "theirs"}]}), Unknown),
    (said(200, {"results": [{"trackingId": "ours"}]}), Unknown),
    (said(200, {"message": "welcome"}), Unknown),
    (said(200, b""), Unknown),
    (said(500, b""), Unavailable),
], ids=["no such address", "refused", "a page", "a list", "unfiltered", "unreadable", "something else",
        "nothing", "away"])
def test_what_could_mean_anything_is_never_taken_for_none(
    answer: Callable[[httpx.Request], httpx.Response], error: type[PlatformError]
) -> None:
    with pytest.raises(error):
        looked_up(answer)
