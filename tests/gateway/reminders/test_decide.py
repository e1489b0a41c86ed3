"""Reminder decisions: vectors with facts and a day, and what must hold for all facts and days."""

import tomllib
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.reminders.decide import FINAL_STATUSES, Outcome, after_sending, decide, passed_over, plan
from gateway.reminders.facts import Approval, Facts, Sent, Status, Wait
from gateway.reminders.scenario import DEFAULT, FORMER, THANKS, Scenario
from gateway.reminders.working import is_working

VECTORS = Path(__file__).parents[2] / "vectors" / "reminders"
ANSWER = ("outcome", "code", "stage", "tone", "until", "says", "name", "today", "scenario", "without")


def cases() -> list[Any]:
    found = []
    for path in sorted(VECTORS.glob("*.toml")):
        vectors = tomllib.loads(path.read_text(encoding="utf-8"))
        found += [pytest.param(vectors["base"] | case, id=f"{path.stem}: {case['name']}") for case in vectors["case"]]
    return found


def facts_of(case: dict[str, Any]) -> Facts:
    fields = {key: value for key, value in case.items() if key not in (*ANSWER, *case.get("without", ()))}
    fields |= {key: Decimal(fields[key]) for key in ("due", "paid", "credited") if key in fields}
    fields["statuses"] = tuple(
        Status(code, date.fromisoformat(on)) for code, on in map(str.split, fields.get("statuses", ()))
    )
    fields["waits"] = tuple(Wait(**wait) for wait in fields.get("waits", ()))
    fields["sent"] = tuple(Sent(**{"offset": None, **sent}) for sent in fields.get("sent", ()))
    fields["refused_addresses"] = tuple(fields.get("refused_addresses", ()))
    return Facts(**{"due_date": None, **fields})


@pytest.mark.parametrize("case", cases())
def test_decision(case: dict[str, Any]) -> None:
    scenario = replace(FORMER, **case.get("scenario", {}))
    decision = decide(facts_of(case), scenario, case["today"])
    assert (decision.outcome, decision.code) == (case["outcome"], case["code"])
    for part in ("stage", "tone", "until"):
        if part in case or part == "stage":
            assert getattr(decision, part) == case.get(part), part
    assert decision.reason.endswith(".") or ":" in decision.reason
    assert case.get("says", "") in decision.reason.replace("\u00a0", " ").replace("\u202f", " ")


DUE = date(2026, 3, 13)
DAYS = st.integers(-30, 120).map(lambda days: DUE + timedelta(days=days))
MONEY = st.decimals(0, 1500, places=2)
STATUSES = st.lists(
    st.builds(Status, st.sampled_from(["200", "204", "205", "206", "207", "208", "209", "210", "211", "212", "213",
                                       "220", "225", "228", "999"]), DAYS),
    max_size=5,
).map(tuple)
WAITS = st.lists(
    st.builds(Wait, kind=st.sampled_from(["promise", "plan", "dispute", "insolvency", "manual"]),
              reason=st.just("parce que"), until=st.none() | DAYS),
    max_size=2,
).map(tuple)
SENT = st.lists(
    st.sampled_from([*((s.key, s.offset) for s in DEFAULT.stages), (THANKS, None)]).flatmap(
        lambda stage: st.builds(Sent, stage=st.just(stage[0]), offset=st.just(stage[1]), on=DAYS)
    ),
    max_size=3,
).map(tuple)


@st.composite
def any_facts(draw: st.DrawFn) -> Facts:
    """Facts of all kinds, with a good share of those that let a letter out."""
    rarely = st.integers(0, 7).map(lambda n: n == 0)
    return Facts(
        number="FA-1", due_date=draw(st.just(DUE) | st.none()) if draw(rarely) else DUE,
        received_on=draw(DAYS) if draw(rarely) else DUE - timedelta(days=30), currency="EUR", due=Decimal(1000),
        paid=draw(st.just(Decimal(0)) | MONEY), credited=draw(MONEY) if draw(rarely) else Decimal(0),
        paid_known_on=draw(st.none() | DAYS), credit_note=draw(rarely),
        already_paid=draw(rarely), active=not draw(rarely),
        transmission=draw(st.sampled_from(["queued", "unknown", "refused"])) if draw(rarely) else "deposited",
        email=draw(st.sampled_from([None, "", "a b@c", "x@client.example\r\nBcc: y@z.example"])) if draw(rarely)
        else "compta@client.example",
        statuses=draw(STATUSES), waits=draw(WAITS) if draw(rarely) else (), sent=draw(SENT),
    )


SCENARIOS = st.builds(replace, st.sampled_from([DEFAULT, FORMER]), gap_days=st.integers(0, 10),
                      pause_days=st.integers(0, 5),
                      thanks_days=st.none() | st.integers(0, 30), region=st.sampled_from([None, "6AE"]))


@given(any_facts(), SCENARIOS, DAYS)
def test_a_letter_goes_out_only_when_nothing_stands_against_it(facts: Facts, scenario: Scenario, today: date) -> None:
    decision = decide(facts, scenario, today)
    if decision.outcome is not Outcome.SENT:
        assert decision.tone is None
        return
    assert is_working(today, scenario.region)
    assert facts.transmission == "deposited"
    assert decision.stage not in {sent.stage for sent in facts.sent}
    assert not facts.credit_note
    assert not facts.already_paid
    assert facts.email == "compta@client.example" or decision.channel != "mail"
    assert not FINAL_STATUSES & {status.code for status in facts.statuses}
    answers = [status.code for status in facts.statuses if status.code in {"205", "206", "207", "208", "209"}]
    assert not answers or answers[-1] in {"205", "209"}
    assert (decision.stage == THANKS) == (facts.balance <= 0)
    if decision.stage != THANKS:
        assert not any(wait.covers(today) for wait in facts.waits)
        assert all((today - sent.on).days >= scenario.gap_days for sent in facts.sent)


@given(any_facts(), SCENARIOS, DAYS, st.sampled_from(sorted(FINAL_STATUSES | {"206", "207", "208"})))
def test_a_stop_always_stops(facts: Facts, scenario: Scenario, today: date, code: str) -> None:
    stopped = replace(facts, statuses=(*facts.statuses, Status(code, today)))
    assert decide(stopped, scenario, today).outcome is not Outcome.SENT


@given(any_facts(), SCENARIOS, DAYS)
def test_never_a_reminder_after_payment(facts: Facts, scenario: Scenario, today: date) -> None:
    paid = replace(facts, paid=facts.due, paid_known_on=today)
    assert decide(paid, scenario, today).stage in {None, THANKS}


@given(any_facts(), SCENARIOS, DAYS)
def test_a_second_run_on_the_same_day_sends_nothing(facts: Facts, scenario: Scenario, today: date) -> None:
    decision = decide(facts, scenario, today)
    if decision.outcome is Outcome.SENT:
        again = decide(after_sending(facts, scenario, decision, today), scenario, today)
        assert again.outcome is not Outcome.SENT


@given(any_facts(), SCENARIOS, DAYS, st.sets(st.integers(0, 89), max_size=89))
def test_whatever_runs_are_missed_the_tone_rises_and_no_stage_comes_twice(
    facts: Facts, scenario: Scenario, today: date, missed: set[int]
) -> None:
    letters = []
    for count in range(90):
        day = today + timedelta(days=count)
        if count in missed:
            continue
        decision = decide(facts, scenario, day)
        if decision.outcome is Outcome.SENT:
            letters.append(decision.stage)
            facts = after_sending(facts, scenario, decision, day)
    order = [stage.key for stage in scenario.stages] + [THANKS]
    assert letters == sorted(set(letters), key=lambda key: order.index(key or ""))


@given(any_facts(), DAYS)
def test_a_plan_is_what_daily_decisions_would_send(facts: Facts, today: date) -> None:
    planned = list(plan(facts, DEFAULT, today, 60))
    daily, state = [], facts
    for count in range(60):
        day = today + timedelta(days=count)
        decision = decide(state, DEFAULT, day)
        if decision.outcome is Outcome.SENT:
            daily.append((day, decision))
            state = after_sending(state, DEFAULT, decision, day)
    assert planned == daily


@given(any_facts(), SCENARIOS, DAYS)
def test_until_is_the_first_day_on_which_the_answer_may_change(facts: Facts, scenario: Scenario, today: date) -> None:
    decision = decide(facts, scenario, today)
    if decision.until is not None:
        assert decision.until > today
        for days in range(1, (decision.until - today).days):
            assert decide(facts, scenario, today + timedelta(days=days)).outcome is not Outcome.SENT


LIFE = Facts(number="FA-1", due_date=DUE, received_on=date(2026, 2, 13), currency="EUR", due=Decimal(100),
             email="compta@client.example")


def planned(facts: Facts, scenario: Scenario, on: date) -> list[tuple[str, str | None, str]]:
    return [(day.isoformat(), decision.stage, decision.channel) for day, decision in plan(facts, scenario, on, 200)]


def test_a_whole_life_without_payment() -> None:
    said = tuple(Approval(stage=key, granted=True, balance=Decimal(100)) for key in ("notice", "handover"))
    assert planned(replace(LIFE, approvals=said), DEFAULT, date(2026, 2, 13)) == [
        ("2026-03-09", "before", "mail"), ("2026-03-13", "due", "mail"), ("2026-03-23", "friendly", "mail"),
        ("2026-04-02", "formal", "mail"), ("2026-04-07", "call", "call"), ("2026-04-13", "penalties", "mail"),
        ("2026-04-22", "service", "mail"), ("2026-05-04", "letter", "letter"), ("2026-05-12", "notice", "notice"),
        ("2026-06-11", "handover", "handover"),
    ]


def test_a_long_dispute_goes_on_where_it_was_at_the_pace_of_the_scenario() -> None:
    """Sixty days of dispute do not turn the next word into a formal notice, nor ten letters into one week."""
    facts = replace(LIFE, sent=(Sent(stage="friendly", offset=10, on=date(2026, 3, 23)),))
    assert planned(facts, DEFAULT, date(2026, 6, 1))[:4] == [
        ("2026-06-01", "formal", "mail"), ("2026-06-04", "call", "call"), ("2026-06-08", "penalties", "mail"),
        ("2026-06-15", "service", "mail")]


def test_a_backlog_begins_with_a_friendly_word() -> None:
    facts = replace(LIFE, received_on=date(2026, 7, 1))
    assert planned(facts, DEFAULT, date(2026, 7, 1))[0] == ("2026-07-01", "friendly", "mail")
    assert passed_over(facts, DEFAULT, "friendly") == ["before", "due"]


def granted(balance: int) -> tuple[Approval, ...]:
    return (Approval(stage="friendly", granted=True, balance=Decimal(balance)),)


@pytest.mark.parametrize(("changes", "code"), [
    ({"due": Decimal(50000)}, "approval-large"),
    ({"watched": True}, "approval-watched"),
    ({"due": Decimal(50000), "approvals": granted(40000)}, "approval-large"),
    ({"due": Decimal(50000), "approvals": granted(50000)}, "due"),
])
def test_what_wants_a_person_waits_for_one(changes: dict[str, Any], code: str) -> None:
    assert decide(replace(LIFE, **changes), DEFAULT, date(2026, 3, 23)).code == code


def test_a_refused_stage_is_over_and_the_next_one_follows() -> None:
    refused = replace(LIFE, watched=True, approvals=(Approval(stage="friendly", granted=False, balance=Decimal(100)),))
    assert decide(refused, DEFAULT, date(2026, 3, 23)).until == date(2026, 4, 2)
    assert decide(refused, DEFAULT, date(2026, 4, 2)).stage == "formal"


def test_the_holidays_are_those_of_the_client() -> None:
    facts = replace(LIFE, due_date=date(2026, 4, 3) - timedelta(days=10))  # Good Friday
    assert decide(facts, DEFAULT, date(2026, 4, 3)).code == "due"
    assert decide(replace(facts, region="6AE"), DEFAULT, date(2026, 4, 3)).until == date(2026, 4, 7)


def test_what_is_no_mail_needs_no_address() -> None:
    facts = replace(LIFE, email=None, sent=(Sent(stage="formal", offset=20, on=date(2026, 4, 2)),))
    assert decide(facts, DEFAULT, date(2026, 4, 7)).channel == "call"
    facts = replace(facts, sent=(*facts.sent, Sent(stage="call", offset=25, on=date(2026, 4, 7))))
    assert decide(facts, DEFAULT, date(2026, 4, 13)).code == "no-address"


@pytest.mark.parametrize(("due", "outcome"), [(date.max, Outcome.HELD), (date.min, Outcome.SENT)])
@pytest.mark.parametrize("first", [0, 1, 2, 3])
def test_a_day_that_programs_write_for_none_is_a_day(due: date, outcome: Outcome, first: int) -> None:
    facts = Facts(number="X", due_date=due, received_on=date(2026, 1, 1), currency="EUR", due=Decimal(100),
                  email="a@b.example")
    for stages in (DEFAULT.stages[first:], DEFAULT.stages[first:first + 1]):
        scenario, today = replace(DEFAULT, stages=stages), date(2026, 3, 11)
        decision = decide(facts, scenario, today)
        assert decision.outcome is outcome or decision.code == "finished"
        assert len(list(plan(facts, scenario, today, 30))) <= 30
