"""Proof that a callback comes from the platform: `Afnor-Signature` over body and time, and what others do instead.

The 1.3.0 text says: a SHA-256 fingerprint of body, "@" and epoch seconds, then an HMAC of it with the signing key,
in base64. It leaves open what "of it" is, and platforms differ; so there are three readings. A callback without a
valid signature is only a hint to poll, which is what a callback is anyway.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

WINDOW_S = 300
"""Seconds that a timestamp may be away from now. Not in the norm; what its clients use."""


class Reading(StrEnum):
    """What the HMAC-SHA-256 is taken over."""

    DIGEST = "A"
    """The 32 bytes of the SHA-256 of `body@time`: the text to the letter."""

    PLAIN = "B"
    """`body@time` itself, without fingerprint."""

    HEX = "C"
    """The 64 lower-case hexadecimal digits of that SHA-256."""


class NotGenuine(Exception):
    """A callback that cannot be shown to come from the platform. `code` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


def sign(reading: Reading, key: bytes, body: bytes, timestamp: int) -> str:
    """The value of `Afnor-Signature`, base64, for these bytes at this epoch second."""
    signed = body + b"@" + str(timestamp).encode("ascii")
    match reading:
        case Reading.DIGEST:
            signed = hashlib.sha256(signed).digest()
        case Reading.HEX:
            signed = hashlib.sha256(signed).hexdigest().encode("ascii")
        case Reading.PLAIN:
            pass
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode("ascii")


def verify(body: bytes, signature: str | None, timestamp: str | None, key: bytes, *, now: datetime,
           readings: Sequence[Reading] = tuple(Reading), window_s: int = WINDOW_S, unit: str = "s") -> Reading:
    """The reading in which the signature is right. `body` is as received; `now` is aware; `unit` is `s` or `ms`.

    Every reading is computed and compared in constant time. A repeat within the window passes: whoever acts on
    callbacks tells flows by (flow_id, updated_at, acknowledgement).

    Raises:
        NotGenuine: MISSING_SIGNATURE, BAD_TIMESTAMP, STALE_TIMESTAMP, BAD_SIGNATURE.
    """
    if not signature or not timestamp:
        raise NotGenuine("MISSING_SIGNATURE", "Afnor-Signature or Afnor-Signature-Timestamp is absent")
    _check_time(timestamp, unit, now, window_s)
    given = signature.encode("utf-8", "replace")
    expected = {reading: sign(reading, key, body, int(timestamp)).encode() for reading in readings}
    matching = [reading for reading, value in expected.items() if hmac.compare_digest(value, given)]
    if not matching:
        raise NotGenuine("BAD_SIGNATURE", "the signature is right in none of the accepted readings")
    return matching[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A callback as it came: the path with its query, header names in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"


def _afnor(*readings: Reading) -> Callable[[Call, bytes, datetime, str], None]:
    """The header pair of 1.3, in these readings."""

    def check(call: Call, key: bytes, now: datetime, unit: str) -> None:
        signature, timestamp = call.headers.get("afnor-signature"), call.headers.get("afnor-signature-timestamp")
        verify(call.body, signature, timestamp, key, now=now, readings=readings, unit=unit)

    return check


def _lines(call: Call, key: bytes, now: datetime, unit: str) -> None:
    """Iopole: hex HMAC over time, method, path and checksum, a line each; the checksum is that of a JSON body.

    A multipart body, whose checksum is that of its file part, is not read: it is refused.
    """
    timestamp, checksum = call.headers.get("x-timestamp"), call.headers.get("x-checksum", "").lower()
    signature = call.headers.get("x-signature")
    if not timestamp or not signature:
        raise NotGenuine("MISSING_SIGNATURE", "X-Signature or X-Timestamp is absent")
    _check_time(timestamp, unit, now, WINDOW_S)
    right = hashlib.sha256(call.body).hexdigest()
    if not hmac.compare_digest(right.encode(), checksum.encode()):
        raise NotGenuine("BAD_CHECKSUM", "X-Checksum is not that of the body")
    _compare(key, f"{timestamp}\n{call.method}\n{call.path}\n{right}".encode(), signature)


def _pairs(call: Call, key: bytes, now: datetime, unit: str) -> None:
    """B2Brouter: `t=<time>,s=<hex HMAC over time, a dot and the body>` in one header."""
    parts = dict(part.strip().partition("=")[::2] for part in call.headers.get("x-b2brouter-signature", "").split(","))
    if not parts.get("t") or not parts.get("s"):
        raise NotGenuine("MISSING_SIGNATURE", "X-B2Brouter-Signature lacks t or s")
    _check_time(parts["t"], unit, now, WINDOW_S)
    _compare(key, parts["t"].encode() + b"." + call.body, parts["s"])


def _unproved(call: Call, key: bytes, now: datetime, unit: str) -> None:
    """Nothing is proved. For platforms of 1.2, and only because a callback can do no more than cause one look."""


VERIFIERS: Mapping[str, Callable[[Call, bytes, datetime, str], None]] = {
    "afnor": _afnor(*Reading), "afnor-a": _afnor(Reading.DIGEST), "afnor-b": _afnor(Reading.PLAIN),
    "afnor-c": _afnor(Reading.HEX), "iopole": _lines, "b2brouter": _pairs, "none": _unproved,
}
"""By ConnectionSettings.signature: (call, key, now, unit of time) -> None, or NotGenuine."""


def _check_time(timestamp: str, unit: str, now: datetime, window_s: int) -> None:
    """Raises NotGenuine for a time that is none, or too far from now."""
    digits, per_second = (12, 1) if unit == "s" else (15, 1000)
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > digits:
        raise NotGenuine("BAD_TIMESTAMP", "the timestamp is not a number of seconds")
    if abs(now.timestamp() - int(timestamp) / per_second) > window_s:
        raise NotGenuine("STALE_TIMESTAMP", f"the timestamp is more than {window_s} s away")


def _compare(key: bytes, signed: bytes, given: str) -> None:
    """Hexadecimal HMAC-SHA-256, in constant time. Raises NotGenuine."""
    expected = hmac.new(key, signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), given.strip().lower().encode("utf-8", "replace")):
        raise NotGenuine("BAD_SIGNATURE", "the signature is not right")
