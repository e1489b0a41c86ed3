"""The bench on which a platform is checked: its driver, what it was asked so far, and the verdict of one check.

A check never changes anything at the platform unless the catalogue says so of it (deposits, webhooks).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from gateway.platforms.connection import ConnectionSettings
from gateway.platforms.port import Flow, FlowState, Platform, PlatformError, Receipt

T = TypeVar("T")


class Outcome(StrEnum):
    """What came of a check."""

    PASS = "pass"  # noqa: S105  a verdict
    FAIL = "fail"
    NOT_CHECKABLE = "not-checkable"


class Weight(StrEnum):
    """What a failure means."""

    NORM = "norm"
    """It breaks XP Z12-013, or the connection cannot be used."""

    HAZARD = "hazard"
    """The standard does not forbid it, or it was passing; careless clients lose or double something by it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one check, with what was seen."""

    outcome: Outcome
    seen: str


def passed(seen: str) -> Verdict:
    """All is well."""
    return Verdict(Outcome.PASS, seen)


def failed(seen: str) -> Verdict:
    """It is not."""
    return Verdict(Outcome.FAIL, seen)


def not_checkable(seen: str) -> Verdict:
    """It cannot be told, for this reason."""
    return Verdict(Outcome.NOT_CHECKABLE, seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """A file that may be deposited, because somebody asked for it by name."""

    document: bytes
    flow: Flow
    twice: bool
    """Whether it may be deposited a second time, to see what becomes of a double."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One callback that came: header names in lower case."""

    headers: dict[str, str]
    body: bytes
    at: datetime


@dataclass(slots=True, kw_only=True)
class Bench:
    """One run over one platform."""

    platform: Platform
    settings: ConnectionSettings
    now: Callable[[], datetime]
    siren: str | None = None
    """A SIREN that the directory should know."""

    since: timedelta = timedelta(days=7)
    slow_after_s: float = 5.0
    watch_s: float = 3.0
    """How long to wait for rows that come late, for acknowledgements and for callbacks."""

    most_flows: int = 2000
    deposit: Deposit | None = None
    heard: list[Heard] | None = None
    """Callbacks, as they come; None when nobody listens."""

    errors: list[PlatformError] = field(default_factory=list)
    """Everything that was answered otherwise than with success, in order."""

    took: list[float] = field(default_factory=list)
    """Seconds of each successful question."""

    in_order: bool = True
    """Whether every page came sorted by time."""

    unreadable: list[str] = field(default_factory=list)
    flows: list[FlowState] = field(default_factory=list)
    """What the walk found."""

    receipt: Receipt | None = None
    signing_key: bytes = b""

    def ask(self, question: Callable[[], T]) -> T:
        """Ask, and remember how it went. Raises PlatformError."""
        started = time.perf_counter()
        try:
            answer = question()
        except PlatformError as error:
            self.errors.append(error)
            raise
        self.took.append(time.perf_counter() - started)
        return answer

    def until(self, condition: Callable[[], Any]) -> Any:
        """The first truth of `condition` within `watch_s`, or its last word."""
        end = time.monotonic() + self.watch_s
        while not (found := condition()) and time.monotonic() < end:
            time.sleep(min(0.2, self.watch_s / 5))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One numbered question."""

    key: str
    title_fr: str
    title_en: str
    weight: Weight
    run: Callable[[Bench], Verdict]
    copes: str = ""
    """What the gateway does about it."""


@dataclass(frozen=True, slots=True)
class Result:
    """A check with its number and verdict."""

    number: int
    check: Check
    verdict: Verdict


def run_checks(bench: Bench, checks: Sequence[Check]) -> list[Result]:
    """Every check in its order. One whose question is refused fails and stops no other."""
    results = []
    for number, check in enumerate(checks, 1):
        try:
            verdict = check.run(bench)
        except PlatformError as error:
            verdict = failed(f"{type(error).__name__} {error}")
        results.append(Result(number, check, verdict))
    return results
