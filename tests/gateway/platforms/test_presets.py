"""Presets are data: every value has its source, and every one is a setting of a connection."""

import json
from dataclasses import fields
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import ValidationError

from gateway.accounts.schemas import ConnectionIn
from gateway.platforms.afnor import AfnorPlatform
from gateway.platforms.callbacks import VERIFIERS
from gateway.platforms.port import Flow
from gateway.platforms.presets import presets
from gateway.platforms.registry import ConnectionSettings

FLOW = Flow(name="f.xml", syntax="CII", profile="CIUS", processing_rule="B2B", media_type="application/xml")
OWN = {"flow_url": "https://pa.example.org/flow", "token_url": "https://pa.example.org/token"}


def given(name: str, **more: Any) -> ConnectionIn:
    own = OWN if name != "superpdp" else {}
    return ConnectionIn.model_validate({"name": "PA", "preset": name, "client_id": "c", "client_secret": "s",
                                        **own, **more})


@pytest.mark.parametrize("name", presets())
def test_every_value_has_a_source_and_is_a_setting(name: str) -> None:
    preset = presets()[name]
    known = {field.name for field in fields(ConnectionSettings)}

    assert set(preset.why) == set(preset.settings) <= known
    assert {why.partition(":")[0] for why in preset.why.values()} <= {"described", "observed", "assumed"}
    assert {need.partition(".")[0] for need in preset.needs} <= known
    made = given(name)
    settings = ConnectionSettings(**{**made.config(), "client_id": "c", "client_secret": "s"})
    assert {key: getattr(settings, key) for key in preset.settings if key not in OWN} == {
        key: value for key, value in preset.settings.items() if key not in OWN}
    assert settings.signature in VERIFIERS


def test_what_is_given_wins_and_headers_are_joined() -> None:
    made = given("b2brouter", extra_headers={"X-Mine": "1"}, webhook_shape="flat")
    assert made.extra_headers == {"X-B2B-API-Version": "2026-03-02", "X-Mine": "1"}
    assert made.webhook_shape == "flat"


@pytest.mark.parametrize("wrong", [
    {"preset": "nobody"}, {"token_url": None}, {"extra_headers": {"Bad Name": "x"}}, {"extra_headers": {"X": "a\r\nb"}},
    {"signature": "rot13"}, {"documents": []},
])
def test_what_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ConnectionIn.model_validate({"name": "PA", "client_id": "c", "client_secret": "s", **OWN, **wrong})


def asked_with(name: str) -> list[httpx.Request]:
    """What a platform hears of one deposit."""
    heard: list[httpx.Request] = []

    def serve(request: httpx.Request) -> httpx.Response:
        heard.append(request)
        request.read()
        if request.url.path.endswith("/token"):
            return httpx.Response(200, stream=httpx.ByteStream(b'{"access_token": "T"}'))
        body = b'{"flowId": "F", "submittedAt": "2026-11-02T00:00:00Z"}'
        return httpx.Response(202, stream=httpx.ByteStream(body))

    platform = AfnorPlatform(ConnectionSettings(**{**given(name).config(), "client_id": "c", "client_secret": "s"}))
    platform._link._client = httpx.Client(transport=httpx.MockTransport(serve), headers=platform._link._client.headers)
    platform.send(b"<x/>", "t-1", FLOW)
    platform.close()
    return heard


def test_a_key_takes_the_place_of_a_token() -> None:
    [deposit] = asked_with("b2brouter")
    assert deposit.headers["X-B2B-API-Key"] == "s"
    assert deposit.headers["X-B2B-API-Version"] == "2026-03-02"
    assert "Authorization" not in deposit.headers


def test_bracketed_fields_and_their_own_request_id() -> None:
    deposit = asked_with("doxallia")[-1]
    body = deposit.content
    assert b'name="flowInfo[flowSyntax]"\r\n\r\nCII' in body.replace(b"\r\nContent-Length: 3", b"")
    assert b'name="File"; filename="f.xml"' in body
    assert b'name="flowInfo"' not in body
    assert "X-Request-Id" in deposit.headers
    assert "Request-Id" not in deposit.headers


def test_a_field_that_is_not_taken_is_left_out() -> None:
    body = asked_with("superpdp")[-1].content
    [info] = [json.loads(part[:part.index(b"}") + 1]) for part in body.split(b"\r\n\r\n") if part.startswith(b"{")]
    assert info["trackingId"] == "t-1"
    assert "processingRule" not in info


def test_a_request_id_in_the_address() -> None:
    deposit = asked_with("esalink")[-1]
    assert len(parse_qs(urlsplit(str(deposit.url)).query)["Request-Id"][0]) == 36
