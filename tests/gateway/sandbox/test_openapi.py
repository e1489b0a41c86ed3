"""Every exchange between driver and sandbox, held against the published descriptions of XP Z12-013 1.3.0.

Both sides are checked: what our driver sends, and what our sandbox answers. So that the two do not share one
misreading, a client that nobody here wrote talks to the sandbox too (test_foreign_client.py).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

from gateway.platforms.afnor import AfnorPlatform
from gateway.platforms.port import Flow, PlatformError

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
Sample = Callable[..., bytes]


@dataclass
class SentRequest:
    """A request, as openapi-core wants to see it."""

    host_url: str
    path: str
    method: str
    body: bytes
    content_type: str
    parameters: RequestParameters


@dataclass
class GivenAnswer:
    """An answer, as openapi-core wants to see it."""

    status_code: int
    data: bytes
    content_type: str
    headers: Headers


@dataclass
class Wiretap(httpx.BaseTransport):
    """Reads along with the driver."""

    inner: httpx.BaseTransport
    heard: list[tuple[SentRequest, GivenAnswer]] = field(default_factory=list)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        sent = sent_request(request.method, str(request.url), dict(request.headers), request.read())
        answer = self.inner.handle_request(request)
        body = b"".join(answer.iter_raw())
        answer.close()
        self.heard.append((sent, given_answer(answer.status_code, dict(answer.headers), body)))
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(body))

    def close(self) -> None:
        self.inner.close()


def sent_request(method: str, url: str, headers: dict[str, str], body: bytes) -> SentRequest:
    parts = httpx.URL(url)
    query = ImmutableMultiDict(parse_qsl(parts.query.decode()))
    return SentRequest(f"{parts.scheme}://{parts.netloc.decode()}", parts.path, method.lower(), body,
                       headers.get("content-type", ""),
                       RequestParameters(query=query, header=Headers(headers), cookie=ImmutableMultiDict()))


def given_answer(status: int, headers: dict[str, str], body: bytes) -> GivenAnswer:
    return GivenAnswer(status, body, headers.get("content-type", ""), Headers(headers))


@pytest.fixture(scope="session")
def descriptions(mended: tuple[dict[str, Any], ...], sandbox_process: Any) -> tuple[OpenAPI, ...]:
    """Both services, at the sandbox's addresses."""
    return tuple(OpenAPI.from_dict({**description, "servers": [{"url": sandbox_process.ready[url]}]})
                 for description, url in zip(mended, ("flow_url", "directory_url"), strict=True))


@pytest.fixture
def tap(platform: AfnorPlatform) -> Wiretap:
    client = platform._link._client
    client._transport = Wiretap(client._transport)
    return client._transport


@pytest.fixture
def hold_against(descriptions: tuple[OpenAPI, ...]) -> Callable[[Wiretap], int]:
    """Check everything that was heard; gives the number of exchanges."""

    def check(tap: Wiretap) -> int:
        checked = [held(request, answer, descriptions) for request, answer in tap.heard
                   if not request.path.endswith("/token")]
        return len(checked)

    return check


def held(request: SentRequest, answer: GivenAnswer, descriptions: tuple[OpenAPI, ...]) -> None:
    flow, directory = descriptions
    description = directory if "/directory-service/" in request.path else flow
    description.validate_request(request)
    description.validate_response(request, answer)


def test_deposits_searches_and_fetches(
    sandbox: Any, platform: AfnorPlatform, tap: Wiretap, hold_against: Callable[[Wiretap], int], sample: Sample,
    ubl: Flow,
) -> None:
    receipt = platform.send(sample("OAS-1"), "oas-1", ubl)
    platform.send(b"not an invoice", "oas-2", ubl)
    sandbox.run()
    for document_type in ("Original", "Converted"):
        platform.fetch(receipt.flow_id, document_type)
    platform.get_flow(receipt.flow_id)
    platform.find_flow("oas-2")
    sandbox.faults(page_cap=2)
    first = platform.flows_since(LONG_AGO, flow_types=("CustomerInvoice", "CustomerInvoiceLC"))
    platform.flows_since(LONG_AGO, first.next_cursor, flow_types=("CustomerInvoice", "CustomerInvoiceLC"))
    platform.healthcheck()

    assert hold_against(tap) == 9


def test_directory_and_webhooks(platform: AfnorPlatform, tap: Wiretap, hold_against: Callable[[Wiretap], int]) -> None:
    assert len(platform.directory_lines("000001164")) == 4
    webhook_id, _ = platform.register_webhook("http://127.0.0.1:9/callbacks/1")
    platform.delete_webhook(webhook_id)

    assert hold_against(tap) == 3


def failures(platform: AfnorPlatform, sandbox: Any, ubl: Flow) -> Iterator[Callable[[], object]]:
    yield lambda: platform.get_flow("none")
    yield lambda: platform.send(b"x", "too long " * 10, ubl)
    yield lambda: platform.send(b"x", "t", Flow(name="x", syntax="EDIFACT", profile=None, processing_rule="B2B",
                                                media_type="application/xml"))
    yield lambda: platform.flows_since(LONG_AGO, "no cursor of this platform")
    yield lambda: platform.flows_since(LONG_AGO, "é")
    for status, code in ((429, "TOO_MANY_REQUESTS"), (500, "INTERNAL_ERROR"), (503, "RESOURCE_ERROR")):
        sandbox.faults(fail=1, fail_status=status, fail_code=code)
        yield lambda: platform.get_flow("none")


def test_refusals_are_described_too(
    sandbox: Any, platform: AfnorPlatform, tap: Wiretap, descriptions: tuple[OpenAPI, ...], ubl: Flow,
) -> None:
    platform.healthcheck()
    for failure in failures(platform, sandbox, ubl):
        with pytest.raises(PlatformError):
            failure()
    refused = [(request, answer) for request, answer in tap.heard if answer.status_code >= 400]

    for request, answer in refused:
        descriptions[0].validate_response(request, answer)
    assert [answer.status_code for _, answer in refused] == [404, 400, 400, 400, 400, 429, 500, 503]


@pytest.mark.parametrize(("method", "path", "body"), [
    ("GET", "siren/code-insee:000001016", None),
    ("GET", "siret/code-insee:00000116400011", None),
    ("GET", "directory-line/code:000001164_COMPTA", None),
    ("GET", "directory-line/code:000001164_00000116400011_ACHATS?include=siren,siret,routingCode", None),
    ("GET", "directory-line/code:000001164?fields=siren,addressingIdentifier", None),
    ("GET", "directory-line/code:nobody", None),
    ("GET", "healthcheck", None),
    ("GET", "routing-code/siret:00000116400011/code:ACHATS", None),
    ("POST", "siren/search", {"filters": {"businessName": {"op": "startWith", "value": "aub"}}}),
    ("POST", "siret/search", {"filters": {"siren": {"op": "strict", "value": "000001164"}}}),
    ("POST", "routing-code/search", {"filters": {}}),
    ("POST", "siren/search", {"sorting": [{"field": "businessName", "order": "descending"}], "fields": ["siren"]}),
    ("POST", "directory-line/search", {"include": ["siren", "siret", "routingCode"], "limit": 50, "ignore": 1}),
    ("POST", "directory-line/search", {"filters": {"addressingSuffix": {"op": "contains", "value": "COMP"}}}),
])
def test_the_rest_of_the_directory(
    sandbox: Any, descriptions: tuple[OpenAPI, ...], method: str, path: str, body: object,
) -> None:
    url = f"{sandbox.ready['directory_url']}/v1/{path}"
    with httpx.Client(trust_env=False, headers={"Authorization": f"Bearer {token(sandbox)}"}) as client:
        answer = client.request(method, url, json=body)
        held(sent_request(method, url, dict(answer.request.headers), answer.request.content),
             given_answer(answer.status_code, dict(answer.headers), answer.content), descriptions)
    assert answer.status_code == (404 if "nobody" in path else 200)


@pytest.mark.parametrize("body", [
    {"fields": ["directoryLineStatus"]}, {"include": ["platform"]}, {"sorting": [{"field": "platformType"}]},
    {"filters": {"siren": {"op": "resembles", "value": "1"}}}, {"limit": -1}, {"fields": None}, [],
])
def test_the_directory_refuses_what_the_description_does_not_know(
    sandbox: Any, descriptions: tuple[OpenAPI, ...], body: object,
) -> None:
    url = f"{sandbox.ready['directory_url']}/v1/directory-line/search"
    answer = httpx.post(url, json=body, headers={"Authorization": f"Bearer {token(sandbox)}"}, trust_env=False)
    assert answer.status_code in {400, 422}
    descriptions[1].validate_response(
        sent_request("POST", url, dict(answer.request.headers), answer.request.content),
        given_answer(answer.status_code, dict(answer.headers), answer.content))


def token(sandbox: Any) -> str:
    form = {"grant_type": "client_credentials"}
    auth = (sandbox.ready["client_id"], sandbox.ready["client_secret"])
    answer = httpx.post(sandbox.ready["token_url"], data=form, auth=auth, trust_env=False)
    return str(answer.json()["access_token"])
