"""The derived state: no order of arrival and no repetition changes it, and the guard holds."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.lifecycle.derive import State, Status, derive, objection_to
from gateway.lifecycle.guard import BUYER, DEPOSITED, GUARD, OTHER, PLATFORM, SELLER, Effect, Objection

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
TOTAL = Decimal(120)
SETTER = dict.fromkeys(("200", "201", "202", "203", "213", "221"), PLATFORM) | dict.fromkeys(
    ("209", "212", "220"), SELLER)


def said(code: str, minute: int = 0, amount: str | None = None, by: str | None = None) -> Status:
    return Status(code=code, at=START + timedelta(minutes=minute), by=by or SETTER.get(code, BUYER),
                  amount=None if amount is None else Decimal(amount))


def story(*told: str) -> list[Status]:
    """Statuses a minute apart; "212:60" is a 212 of 60."""
    return [said(text[:3], minute, text[4:] or None) for minute, text in enumerate(told)]


STORIES = {
    "nothing": ((), None),
    "deposited": (("200", "201"), "201"),
    "approved": (("200", "202", "203", "204", "205"), "205"),
    "in hand does not hide approved": (("200", "203", "205", "204"), "205"),
    "refused": (("200", "203", "204", "210"), "210"),
    "after refusal nothing counts": (("200", "210", "205", "212:120"), "210"),
    "rejected": (("200", "201", "213"), "213"),
    "rejected, whatever the buyer says": (("200", "204", "205", "213"), "213"),
    "cancelled": (("200", "203", "220"), "220"),
    "disputed": (("200", "203", "207"), "207"),
    "disputed then approved": (("200", "207", "205"), "205"),
    "disputed after payment": (("200", "205", "212:120", "207"), "207"),
    "dispute ends with the whole payment": (("200", "207", "212:120"), "212"),
    "a part does not end a dispute": (("200", "207", "212:60"), "207"),
    "an announcement does not end a dispute": (("200", "207", "211"), "207"),
    "suspended then completed": (("200", "208", "209"), "209"),
    "completed without a suspension": (("200", "203", "209"), "203"),
    "completion leaves the dispute open": (("200", "207", "208", "209"), "207"),
    "announced": (("200", "205", "211"), "211"),
    "paid in two parts": (("200", "205", "211", "212:50", "212:70"), "212"),
    "paid and taken back": (("200", "205", "212:120", "212:-120"), "205"),
    "announced, paid and taken back": (("200", "205", "211", "212:120", "212:-120"), "211"),
    "taken back more than received": (("200", "212:50", "212:-70"), "212"),
    "routing error mended": (("200", "201", "221", "202"), "202"),
    "unknown codes change nothing": (("200", "203", "299", "501"), "203"),
    "never deposited": (("212:120",), None),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_story_ends_as_told(name: str) -> None:
    told, code = STORIES[name]
    assert derive(story(*told), TOTAL).code == code


@pytest.mark.parametrize("name", STORIES)
def test_every_order_of_arrival_with_repetition_ends_the_same(name: str) -> None:
    statuses = story(*STORIES[name][0])
    expected = derive(statuses, TOTAL)
    for order in permutations(statuses):
        assert derive([*order, *order[::2]], TOTAL) == expected


@st.composite
def histories(draw: st.DrawFn) -> list[Status]:
    codes = st.sampled_from([*GUARD, "225", "299", "501"])
    statuses = st.builds(
        Status, code=codes, at=st.integers(0, 4).map(lambda minute: START + timedelta(minutes=minute)),
        by=st.sampled_from([PLATFORM, BUYER, SELLER, OTHER]), id=st.sampled_from(["", "a", "b"]),
        amount=st.none() | st.decimals(-200, 200, places=2),
    )
    return draw(st.lists(statuses, max_size=8))


@settings(max_examples=100, deadline=None)
@given(histories(), st.randoms(use_true_random=False), st.sampled_from([None, TOTAL, -TOTAL]))
def test_arrival_never_matters(statuses: list[Status], random: object, total: Decimal | None) -> None:
    shuffled = [*statuses, *statuses[:3]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random

    assert derive(shuffled, total) == derive(statuses, total)


@settings(max_examples=100, deadline=None)
@given(histories(), st.sampled_from([None, TOTAL, -TOTAL]))
def test_the_guard_holds(statuses: list[Status], total: Decimal | None) -> None:
    state = derive(statuses, total)

    kept = set(statuses)
    objected = {status for status, _ in state.anomalies}
    assert objected <= kept
    assert state.counted == {status.code for status in kept - objected}
    if state.ended is not None:
        assert state.code == state.ended
        assert GUARD[state.ended].effect is Effect.END
    if "212" in state.counted:
        assert state.counted & DEPOSITED
    assert state.cashed * (-1 if total is not None and total < 0 else 1) >= 0
    assert "209" not in state.counted or "208" in state.counted
    if not any(s.code == "213" and s.by == PLATFORM for s in kept):
        assert state.code != "213"


@pytest.mark.parametrize(("status", "objection"), [
    (said("205", 9), None),
    (said("209", 9), Objection.NOTHING_OPEN),
    (said("213", 9, by=BUYER), Objection.NOT_THEIRS),
    (said("210", 9, by=SELLER), Objection.NOT_THEIRS),
    (said("220", 9, by=BUYER), Objection.NOT_THEIRS),
    (said("212", 9, "-0.01"), Objection.TAKES_BACK_TOO_MUCH),
    (said("299", 9), None),
], ids=lambda value: getattr(value, "code", value))
def test_objections_have_names(status: Status, objection: Objection | None) -> None:
    assert objection_to(status, story("200", "203"), TOTAL) == objection


def test_nothing_follows_an_end() -> None:
    for end in ("210", "213", "220"):
        assert objection_to(said("212", 9, "1"), story("200", end), TOTAL) is Objection.AFTER_END


def test_a_payment_waits_for_the_deposit() -> None:
    assert objection_to(said("212", 0, "1"), [], TOTAL) is Objection.NOT_DEPOSITED
    assert objection_to(said("212", 0, "1"), [said("203", 50)], TOTAL) is None


def test_two_payments_of_one_second_are_two() -> None:
    twice = [Status(code="212", at=START, by=SELLER, id=name, amount=Decimal(60)) for name in ("a", "b")]

    assert derive([said("200"), *twice, *twice], TOTAL).cashed == TOTAL
    assert derive([said("200"), twice[0], twice[0]], TOTAL).cashed == Decimal(60)


def test_a_credit_note_is_settled_by_money_that_goes_out() -> None:
    state = derive([said("200"), said("212", 1, "-120")], -TOTAL)

    assert state.paid_in_full
    assert objection_to(said("212", 2, "5"), [said("200")], -TOTAL) is Objection.TAKES_BACK_TOO_MUCH


def test_a_part_is_called_a_part() -> None:
    in_part, whole = derive(story("200", "212:50"), TOTAL), derive(story("200", "212:120"), TOTAL)

    assert in_part.label is not None
    assert in_part.label.fr == "Encaissée en partie"
    assert whole.label is not None
    assert whole.label.fr == "Encaissée"
    assert State().label is None
