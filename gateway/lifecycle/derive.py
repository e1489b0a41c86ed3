"""The state of an invoice, derived from its lifecycle statuses. Pure; the order of arrival never matters.

What each status may do is data (guard.py). Statuses of the platforms (deposit to availability) come before those of
the parties, whatever the clocks say; those of the parties follow their own times. A status that the guard does not let
through is kept as an anomaly and changes nothing. Codes that nobody here knows are kept and change nothing either.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from formats.codes import STATUSES, Label
from gateway.lifecycle.guard import DEPOSITED, DISPUTED, FIRST_PHASE, OTHER, Effect, Objection, Rule, rule_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One status as somebody set it. Two equal ones are one status told twice."""

    code: str
    """MDT-105."""

    at: datetime
    """MDT-78, aware."""

    by: str = OTHER
    """platform, buyer, seller or other."""

    id: str = ""
    """MDT-4: tells two payments of the same second and amount apart."""

    amount: Decimal | None = None
    """Sum of the MEN of a 212, with VAT; None where the message names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where an invoice stands."""

    total: Decimal | None = None
    """What is to be received: BT-112, negative for a credit note. None: unknown, then nothing is ever paid in full."""

    step: str | None = None
    """How far it came without payments and questions."""

    open: tuple[str, ...] = ()
    """Questions of the buyer that nobody answered: 207 dispute, 208 suspension; the newest last."""

    payment: str | None = None
    """211 announced, 212 received (in part or in full), or None."""

    cashed: Decimal = Decimal(0)
    """Sum of the 212 that count."""

    ended: str | None = None
    """213, 210 or 220."""

    counted: frozenset[str] = frozenset()
    """The codes that counted."""

    anomalies: tuple[tuple[Status, Objection], ...] = ()
    """What was said and does not count, in the order of the statuses."""

    @property
    def code(self) -> str | None:
        """The status to show: the end, else the newest open question, else the payment, else the step."""
        return self.ended or (self.open[-1] if self.open else None) or self.payment or self.step

    @property
    def paid_in_full(self) -> bool:
        """Whether the 212 reach the total."""
        return bool(self.total) and self.total is not None and abs(self.cashed) >= abs(self.total)

    @property
    def label(self) -> Label | None:
        """The words for `code`; None before the first status and for a code without words."""
        if self.code == "212" and self.total and not self.paid_in_full:
            return Label("Encaissée en partie", "Received in part")
        known = STATUSES.get(self.code or "")
        return known.label if known is not None else None


def derive(statuses: Iterable[Status], total: Decimal | None = None) -> State:
    """The state after these statuses, in whatever order and however often they came."""
    state = State(total=total)
    for status in sorted(set(statuses), key=_place):
        state = _take(state, status)
    return state


def objection_to(status: Status, statuses: Iterable[Status], total: Decimal | None = None) -> Objection | None:
    """Why `status` would not count beside these; None when it would."""
    anomalies = derive([*statuses, status], total).anomalies
    return next((objection for known, objection in anomalies if known == status), None)


def _place(status: Status) -> tuple[object, ...]:
    """A total order that knows nothing of arrival. In one moment money comes before it is taken back."""
    first = status.code in FIRST_PHASE
    moment = datetime.min.replace(tzinfo=UTC) if first else status.at
    amount = status.amount if status.amount is not None else Decimal(0)
    return (not first, moment, rule_of(status.code).rank, status.code, -amount, status.at, status.by, status.id,
            status.amount is None)


def _take(state: State, status: Status) -> State:
    rule = rule_of(status.code)
    objection = _objection(state, status, rule)
    if objection is not None:
        return replace(state, anomalies=(*state.anomalies, (status, objection)))
    changed = EFFECTS[rule.effect](state, status)
    still_open = tuple(code for code in changed.open if code not in rule.answers and not _settles(changed, code, rule))
    return replace(changed, open=still_open, counted=state.counted | {status.code})


def _objection(state: State, status: Status, rule: Rule) -> Objection | None:
    if state.ended is not None and not rule.any_time:
        return Objection.AFTER_END
    if status.by not in rule.by:
        return Objection.NOT_THEIRS
    if rule.needs_open is not None and rule.needs_open not in state.open:
        return Objection.NOTHING_OPEN
    if rule.needs_deposit and not state.counted & DEPOSITED:
        return Objection.NOT_DEPOSITED
    if rule.effect is Effect.CASH and _signed(state, state.cashed + (status.amount or 0)) < 0:
        return Objection.TAKES_BACK_TOO_MUCH
    return None


def _signed(state: State, amount: Decimal) -> Decimal:
    """The amount seen from the side of the total: positive is towards being settled."""
    return -amount if state.total is not None and state.total < 0 else amount


def _settles(state: State, question: str, rule: Rule) -> bool:
    """A dispute or suspension is over once everything is paid after it."""
    return rule.effect is Effect.CASH and question in DISPUTED and state.paid_in_full


def _step(state: State, status: Status) -> State:
    """204 does not hide 205, and nothing hides backwards; 205, 206 and 209 follow their times."""
    behind = state.step is not None and rule_of(status.code).rank < min(rule_of(state.step).rank, 14)
    return state if behind else replace(state, step=status.code)


def _ask(state: State, status: Status) -> State:
    return replace(state, open=(*(code for code in state.open if code != status.code), status.code))


def _announce(state: State, _: Status) -> State:
    return replace(state, payment=state.payment or "211")


def _cash(state: State, status: Status) -> State:
    if status.amount is None:
        return replace(state, payment="212")
    cashed = state.cashed + status.amount
    taken_back = "211" if "211" in state.counted else None
    return replace(state, cashed=cashed, payment="212" if cashed else taken_back)


def _end(state: State, status: Status) -> State:
    return replace(state, ended=status.code)


def _note(state: State, _: Status) -> State:
    return state


EFFECTS: Mapping[Effect, Callable[[State, Status], State]] = {
    Effect.TRAVEL: _step,
    Effect.STEP: _step,
    Effect.ASK: _ask,
    Effect.ANNOUNCE: _announce,
    Effect.CASH: _cash,
    Effect.END: _end,
    Effect.NOTE: _note,
}
