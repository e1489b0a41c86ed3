"""What each lifecycle status may do: the guard, as one table. Data only; derive.py applies it.

No public source has a transition matrix. The norm orders the platforms' statuses (AFNOR XP Z12-012, annex B: 200 or
213, then 201, then 202 or 213, then 203; a 221 in between) and leaves those of the parties free: any order, any
repetition, even paid and then disputed. What is ours, and not law: nothing counts after 213, 210 and 220 (DGFiP: 213 is
final for everybody, 210 for the portal; 220 closes a corrected invoice), a 209 answers an open 208, a 212 needs a
deposited invoice and never takes back more than was received. What does not count is kept, never lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

PLATFORM, BUYER, SELLER, OTHER = "platform", "buyer", "seller", "other"


class Effect(StrEnum):
    """What a status does to the state."""

    TRAVEL = "travel"
    STEP = "step"
    ASK = "ask"
    ANNOUNCE = "announce"
    CASH = "cash"
    END = "end"
    NOTE = "note"


class Objection(StrEnum):
    """Why a status does not count."""

    AFTER_END = "after-end"
    NOT_THEIRS = "not-theirs"
    NOTHING_OPEN = "nothing-open"
    NOT_DEPOSITED = "not-deposited"
    TAKES_BACK_TOO_MUCH = "takes-back-too-much"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of the guard."""

    effect: Effect
    rank: int
    """Order among statuses of one moment, and for TRAVEL and STEP which one hides which."""

    by: frozenset[str]
    """Who may set it."""

    answers: frozenset[str] = frozenset()
    """The open questions (207, 208) that it closes."""

    needs_open: str | None = None
    needs_deposit: bool = False
    any_time: bool = False
    """Whether it is heard after the end too."""


_PLATFORMS = frozenset({PLATFORM})
_BUYERS = frozenset({BUYER, PLATFORM, OTHER})
_SELLERS = frozenset({SELLER, PLATFORM, OTHER})
_ANYBODY = frozenset({BUYER, SELLER, PLATFORM, OTHER})
DISPUTED = frozenset({"207", "208"})
"""The questions of a buyer."""

_TO_TELL = Rule(effect=Effect.NOTE, rank=20, by=_SELLERS)
_PORTAL = Rule(effect=Effect.NOTE, rank=20, by=frozenset({PLATFORM, OTHER}), any_time=True)

GUARD: Mapping[str, Rule] = {
    # The platforms, in the order of the norm.
    "200": Rule(effect=Effect.TRAVEL, rank=0, by=_PLATFORMS),
    "201": Rule(effect=Effect.TRAVEL, rank=1, by=_PLATFORMS),
    "221": Rule(effect=Effect.TRAVEL, rank=2, by=_PLATFORMS),
    "202": Rule(effect=Effect.TRAVEL, rank=3, by=_PLATFORMS),
    "203": Rule(effect=Effect.TRAVEL, rank=4, by=_PLATFORMS),
    "213": Rule(effect=Effect.END, rank=5, by=_PLATFORMS),
    # The parties, in any order.
    "204": Rule(effect=Effect.STEP, rank=10, by=_BUYERS),
    "214": Rule(effect=Effect.STEP, rank=11, by=_ANYBODY),
    "207": Rule(effect=Effect.ASK, rank=12, by=_BUYERS),
    "208": Rule(effect=Effect.ASK, rank=13, by=_BUYERS),
    "209": Rule(effect=Effect.STEP, rank=14, by=_SELLERS, answers=frozenset({"208"}), needs_open="208"),
    "206": Rule(effect=Effect.STEP, rank=15, by=_BUYERS, answers=DISPUTED),
    "205": Rule(effect=Effect.STEP, rank=15, by=_BUYERS, answers=DISPUTED),
    "211": Rule(effect=Effect.ANNOUNCE, rank=16, by=_ANYBODY),
    "212": Rule(effect=Effect.CASH, rank=17, by=_SELLERS, needs_deposit=True),
    "210": Rule(effect=Effect.END, rank=18, by=_BUYERS),
    "220": Rule(effect=Effect.END, rank=19, by=_SELLERS),
    # The seller or its factor tells whom to pay; the state stays.
    "224": _TO_TELL,
    "225": _TO_TELL,
    "226": _TO_TELL,
    "227": Rule(effect=Effect.NOTE, rank=20, by=_SELLERS, needs_deposit=True),
    "228": _TO_TELL,
    # The portal answers, also about the status that ended the invoice.
    "250": _PORTAL, "251": _PORTAL, "300": _PORTAL, "301": _PORTAL, "400": _PORTAL, "401": _PORTAL, "500": _PORTAL,
    "501": _PORTAL, "601": _PORTAL,
}
UNKNOWN = Rule(effect=Effect.NOTE, rank=20, by=_ANYBODY)
"""Every other code: CL-06 only warns of codes that it does not know, since there are some to come."""

FIRST_PHASE = frozenset({"200", "201", "202", "203", "213", "221"})
DEPOSITED = frozenset({"200", "201", "202", "203"})

OWN = frozenset({"209", "212", "220", "227"})
"""The statuses that we send as the seller; a 212 follows a payment, the others are set by hand."""


def rule_of(code: str) -> Rule:
    """The guard's row for a status."""
    return GUARD.get(code, UNKNOWN)
