"""Callback signatures: the vectors that were worked out by hand from the interface text, and what is refused."""

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.platforms.callbacks import VERIFIERS, Call, NotGenuine, Reading, sign, verify

KEY = base64.b64decode("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
BODY = b'{"flowId":"F1"}'
AT = 1_700_000_000
NOW = datetime.fromtimestamp(AT, UTC)
VECTORS = {
    Reading.DIGEST: "/GmF+y0WIj2nVd9sRZ8belStIMEyA7PHbJy+sXga1Kc=",
    Reading.PLAIN: "TaodaP9oNgsk7VvPaIYYwsfXOnEGfdXI/CoEBtZ+I2Q=",
    Reading.HEX: "4JwkobALmXvYycXX7VYoTBmD1wJvD6b1KMc7V1nbjJc=",
}


@pytest.mark.parametrize("reading", Reading)
def test_each_reading_gives_its_vector(reading: Reading) -> None:
    assert sign(reading, KEY, BODY, AT) == VECTORS[reading]
    assert verify(BODY, VECTORS[reading], str(AT), KEY, now=NOW) is reading


def test_a_reading_that_is_not_accepted_is_refused() -> None:
    with pytest.raises(NotGenuine) as refused:
        verify(BODY, VECTORS[Reading.PLAIN], str(AT), KEY, now=NOW, readings=(Reading.DIGEST,))
    assert refused.value.code == "BAD_SIGNATURE"


@pytest.mark.parametrize(("seconds", "fits"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)])
def test_the_window_is_five_minutes_both_ways(seconds: int, fits: bool) -> None:  # noqa: FBT001  a vector
    now = NOW + timedelta(seconds=seconds)
    if fits:
        assert verify(BODY, VECTORS[Reading.DIGEST], str(AT), KEY, now=now) is Reading.DIGEST
    else:
        with pytest.raises(NotGenuine, match="STALE_TIMESTAMP"):
            verify(BODY, VECTORS[Reading.DIGEST], str(AT), KEY, now=now)


@pytest.mark.parametrize(("signature", "timestamp", "code"), [
    (None, str(AT), "MISSING_SIGNATURE"),
    ("", str(AT), "MISSING_SIGNATURE"),
    (VECTORS[Reading.DIGEST], None, "MISSING_SIGNATURE"),
    (VECTORS[Reading.DIGEST], "yesterday", "BAD_TIMESTAMP"),
    (VECTORS[Reading.DIGEST], "-1", "BAD_TIMESTAMP"),
    (VECTORS[Reading.DIGEST], "9" * 400, "BAD_TIMESTAMP"),
    (VECTORS[Reading.DIGEST], "١٧٠٠٠٠٠٠٠٠", "BAD_TIMESTAMP"),
    (VECTORS[Reading.DIGEST], str(AT + 1), "BAD_SIGNATURE"),
    ("é" * 44, str(AT), "BAD_SIGNATURE"),
    ("\udcff", str(AT), "BAD_SIGNATURE"),
])
def test_what_is_not_genuine_says_why(signature: str | None, timestamp: str | None, code: str) -> None:
    with pytest.raises(NotGenuine) as refused:
        verify(BODY, signature, timestamp, KEY, now=NOW)
    assert refused.value.code == code


@given(st.binary(), st.binary(min_size=32, max_size=64), st.sampled_from(Reading), st.data())
def test_one_changed_byte_is_noticed(body: bytes, key: bytes, reading: Reading, data: st.DataObject) -> None:
    signature = sign(reading, key, body, AT)
    place = data.draw(st.integers(0, len(body)))
    changed = body[:place] + b"!" + body[place:]

    assert verify(body, signature, str(AT), key, now=NOW) is reading
    with pytest.raises(NotGenuine):
        verify(changed, signature, str(AT), key, now=NOW)


def iopole(key: bytes, body: bytes, at_ms: int, path: str) -> dict[str, str]:
    checksum = hashlib.sha256(body).hexdigest()
    signature = hmac.new(key, f"{at_ms}\nPOST\n{path}\n{checksum}".encode(), hashlib.sha256).hexdigest()
    return {"x-timestamp": str(at_ms), "x-checksum": checksum, "x-signature": signature}


def b2brouter(key: bytes, body: bytes, at: int) -> dict[str, str]:
    return {"x-b2brouter-signature": f"t={at},s={hmac.new(key, b'%d.' % at + body, hashlib.sha256).hexdigest()}"}


@pytest.mark.parametrize(("variant", "unit", "headers"), [
    ("iopole", "ms", iopole(KEY, BODY, AT * 1000, "/callbacks/1?a=b")),
    ("b2brouter", "s", b2brouter(KEY, BODY, AT)),
    ("afnor-b", "s", {"afnor-signature": VECTORS[Reading.PLAIN], "afnor-signature-timestamp": str(AT)}),
    ("none", "s", {}),
])
def test_each_variant_knows_its_own_and_nothing_else(variant: str, unit: str, headers: dict[str, str]) -> None:
    call = Call(path="/callbacks/1?a=b", headers=headers, body=BODY)
    VERIFIERS[variant](call, KEY, NOW, unit)
    if variant == "none":
        return
    for wrong in (replace(call, body=BODY + b" "), replace(call, headers={})):
        with pytest.raises(NotGenuine):
            VERIFIERS[variant](wrong, KEY, NOW, unit)
    with pytest.raises(NotGenuine):
        VERIFIERS[variant](call, b"another key", NOW, unit)
    with pytest.raises(NotGenuine, match="STALE"):
        VERIFIERS[variant](call, KEY, NOW + timedelta(seconds=301), unit)


def test_a_path_is_part_of_what_iopole_signs() -> None:
    call = Call(path="/callbacks/2", headers=iopole(KEY, BODY, AT * 1000, "/callbacks/1"), body=BODY)
    with pytest.raises(NotGenuine, match="BAD_SIGNATURE"):
        VERIFIERS["iopole"](call, KEY, NOW, "ms")
