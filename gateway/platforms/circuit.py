"""When a platform's service is left alone for a while. Pure; gateway/circuits.py remembers it.

One platform that is away must not cost every waiting invoice a time-out, and one that says `Retry-After` means all
of us, not the request at hand.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

TRIPS_AFTER = 5
"""Failures in a row before nothing more is tried."""

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=5)
LONGEST_ASKED = timedelta(hours=24)
"""However long a platform asks us to wait."""

PROBE = timedelta(seconds=60)
"""While one request tries whether the platform is back, the others wait this long at most."""


@dataclass(frozen=True, slots=True)
class Circuit:
    """One service of one connection."""

    failures: int = 0
    """In a row, without a success between them."""

    open_until: datetime | None = None
    """Nothing is sent before this time; None while all is well."""


def after_failure(circuit: Circuit, now: datetime, retry_after_s: float | None = None) -> Circuit:
    """One more failure. From the fifth on the pause doubles, up to five minutes; `Retry-After` opens at once."""
    failures = circuit.failures + 1
    pause = timedelta(0)
    if failures >= TRIPS_AFTER:
        pause = min(FIRST_PAUSE * 2 ** min(failures - TRIPS_AFTER, 10), LONGEST_PAUSE)
    if retry_after_s:
        pause = max(pause, timedelta(seconds=min(retry_after_s, LONGEST_ASKED.total_seconds())))
    return Circuit(failures, now + pause if pause else None)


def is_open(circuit: Circuit, now: datetime) -> bool:
    """Whether nothing may be tried now."""
    return circuit.open_until is not None and now < circuit.open_until


def needs_probe(circuit: Circuit, now: datetime) -> bool:
    """Whether the pause is over but nobody knows yet that the service is back: one request may try."""
    return circuit.failures >= TRIPS_AFTER and not is_open(circuit, now)
