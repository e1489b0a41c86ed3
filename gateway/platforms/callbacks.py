"""Proof that a callback comes from the platform: `Afnor-Signature` over body and time.

The 1.3.0 text says: a SHA-256 fingerprint of body, "@" and epoch seconds, then an HMAC of it with the signing key,
in base64. It leaves open what "of it" is, and platforms differ; so there are three readings. A callback without a
valid signature is only a hint to poll, which is what a callback is anyway.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
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
           readings: Sequence[Reading] = tuple(Reading), window_s: int = WINDOW_S) -> Reading:
    """The reading in which the signature is right. `body` is as received; `now` is aware.

    Every reading is computed and compared in constant time. A repeat within the window passes: whoever acts on
    callbacks tells flows by (flow_id, updated_at, acknowledgement).

    Raises:
        NotGenuine: MISSING_SIGNATURE, BAD_TIMESTAMP, STALE_TIMESTAMP, BAD_SIGNATURE.
    """
    if not signature or not timestamp:
        raise NotGenuine("MISSING_SIGNATURE", "Afnor-Signature or Afnor-Signature-Timestamp is absent")
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        raise NotGenuine("BAD_TIMESTAMP", "the timestamp is not a number of seconds")
    if abs(now.timestamp() - int(timestamp)) > window_s:
        raise NotGenuine("STALE_TIMESTAMP", f"the timestamp is more than {window_s} s away")
    given = signature.encode("utf-8", "replace")
    expected = {reading: sign(reading, key, body, int(timestamp)).encode() for reading in readings}
    matching = [reading for reading, value in expected.items() if hmac.compare_digest(value, given)]
    if not matching:
        raise NotGenuine("BAD_SIGNATURE", "the signature is right in none of the accepted readings")
    return matching[0]
