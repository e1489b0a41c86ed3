"""Cases with their clock, approvals, what people settle about a client, trials of the past."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from reminder_cases import cases_of_kind, only_case, open_cases

from gateway.lifecycle.guard import rule_of
from gateway.problems import Problem
from gateway.reminders.cases import KINDS, close_case, take_case
from gateway.reminders.clients import ClientIn, set_client
from gateway.reminders.decide import OPENS
from gateway.reminders.overdue import tell_late
from gateway.reminders.people import bounce, save_scenario
from gateway.reminders.routes import router
from gateway.reminders.scenario import DEFAULT, to_json
from gateway.reminders.schemas import BounceIn
from gateway.reminders.trying import decided_again, try_out

if TYPE_CHECKING:
    from tests.gateway.reminders.conftest import Play


@pytest.mark.parametrize(("code", "due_on", "ends"), [
    ("206", "2026-03-30", "205"), ("207", "2026-03-30", "205"), ("208", "2026-03-26", "209"),
    ("210", "2026-03-30", None), ("213", "2026-03-25", None)])
def test_a_status_opens_one_case_with_its_clock(play: "Play", code: str, due_on: str, ends: str | None) -> None:
    play.on("2026-03-23")
    play.status(code)
    for _ in range(2):
        play.remind()
    assert open_cases(play) == [(code, "", due_on)]
    assert play.mails() == []
    if ends is not None:
        play.on("2026-03-24")
        play.status(ends)
        play.remind()
        assert open_cases(play) == []
        assert len(play.mails()) == 1


def test_the_advice_of_a_question_names_a_completion_only_where_it_counts() -> None:
    assert {code for code in OPENS if "209" in KINDS[code].advice} == {"208"} == rule_of("209").answers


def test_a_second_dispute_is_a_second_case(play: "Play", principal: Any) -> None:
    play.on("2026-03-23")
    play.status("207")
    play.remind()
    close_case(play.deps, principal, only_case(play, "207").id, "done", "Avoir promis")
    play.remind()
    assert open_cases(play) == []
    play.on("2026-03-26")
    play.status("205")
    play.remind()
    play.status("207")
    play.remind()
    assert [kind for kind, _, _ in open_cases(play)] == ["207"]


def test_a_dispute_that_comes_again_on_the_same_day_has_a_case_again(play: "Play") -> None:
    play.on("2026-03-23")
    for code, cases in (("207", ["207"]), ("205", []), ("207", ["207"])):
        play.status(code)
        play.remind()
        assert [kind for kind, _, _ in open_cases(play)] == cases
    play.pay("1200.00")
    for _ in range(2):
        play.remind()
        assert open_cases(play) == [], "nothing is owed, so nobody has to answer"
    play.pay("-1200.00")
    play.remind()
    assert [kind for kind, _, _ in open_cases(play)] == ["207"], "the money went back, and the question is still open"


def test_a_dispute_that_is_said_again_has_a_case_again(play: "Play", principal: Any) -> None:
    play.on("2026-03-23")
    play.status("207")
    play.remind()
    close_case(play.deps, principal, only_case(play, "207").id, "done", "Avoir promis")
    play.remind()
    play.on("2026-03-30")
    play.status("207")
    for _ in range(2):
        play.work()
        play.remind()
    assert play.told() == [("held", "status-207", "friendly")] * 2
    assert [kind for kind, _, _ in open_cases(play)] == ["207"]


def test_a_question_behind_a_newer_one_has_its_case(play: "Play") -> None:
    play.on("2026-03-24")
    play.status("208")
    play.remind()
    play.status("207", at=datetime(2026, 3, 23, 9, tzinfo=UTC))
    play.remind()
    assert [kind for kind, _, _ in open_cases(play)] == ["207", "208"]


def test_a_dispute_of_the_small_hours_has_one_case(play: "Play", principal: Any) -> None:
    play.clock.now = datetime(2026, 3, 22, 23, 30, tzinfo=UTC)  # the 23rd in France
    play.status("207")
    play.remind()
    close_case(play.deps, principal, only_case(play, "207").id, "done", "Avoir promis")
    play.on("2026-03-26")
    play.status("208")
    play.remind()
    assert [kind for kind, _, _ in open_cases(play)] == ["208"]


def test_a_case_has_an_owner_and_closes_once(play: "Play", principal: Any) -> None:
    play.on("2026-03-23")
    play.status("207")
    play.remind()
    case = take_case(play.deps, principal, only_case(play, "207").id)
    assert case.owner == "user:claire"
    with pytest.raises(Problem, match="bad-outcome"):
        close_case(play.deps, principal, case.id, "granted", "Oui")
    close_case(play.deps, principal, case.id, "done", "Avoir envoyé")
    with pytest.raises(Problem, match="case-closed"):
        close_case(play.deps, principal, case.id, "done", "Encore")


def test_too_big_waits_for_a_person_and_then_goes(play: "Play", principal: Any) -> None:
    save_scenario(play.deps, principal, {**to_json(DEFAULT), "name": "prudente", "largest": "1000"})
    play.on("2026-03-23")
    play.work()
    play.work()
    assert play.told() == [("held", "approval-large", "friendly")]
    assert open_cases(play) == [("approval", "friendly", "2026-03-25")]
    close_case(play.deps, principal, only_case(play, "approval").id, "granted", "D'accord")
    play.work()
    assert play.told()[-1] == ("sent", "due", "friendly")
    play.on("2026-04-02")
    play.work()
    close_case(play.deps, principal, only_case(play, "approval").id, "declined", "Nous les voyons mardi")
    play.on("2026-04-07")
    play.work()
    assert play.told()[-1] == ("held", "approval-large", "call")
    assert play.decisions()[-1].facts["passed_over"] == ["before", "due", "formal"]


def test_nobody_is_asked_to_approve_what_went_without(play: "Play", principal: Any) -> None:
    save_scenario(play.deps, principal, {**to_json(DEFAULT), "name": "prudente", "largest": "1000"})
    play.on("2026-03-23")
    play.work()
    assert open_cases(play) == [("approval", "friendly", "2026-03-25")]
    play.pay("700.00")
    play.remind()
    assert play.told()[-1] == ("sent", "due", "friendly")
    assert open_cases(play) == []


def test_an_end_that_comes_with_a_dispute_has_the_only_case(play: "Play") -> None:
    play.on("2026-03-23")
    play.status("207")
    play.status("210")
    play.remind()
    assert [kind for kind, _, _ in open_cases(play)] == ["210"]


def test_a_letter_that_came_back_stops_and_makes_a_task(play: "Play", serve: Any, principal: Any) -> None:
    play.on("2026-03-23")
    play.remind()
    api = serve(router)
    path = f"/v1/invoices/{play.invoice.id}/reminders/{play.decisions()[0].id}/bounce"
    for _ in range(2):
        assert api.post(path, json={"reason": "550 5.1.1 no such user"}).status_code == 200
    assert open_cases(play) == [("bounce", "", "2026-03-25")]
    play.on("2026-04-02")
    play.work()
    assert play.told()[-1] == ("held", "refused-address", "formal")
    set_client(play.deps, principal, play.invoice.id, ClientIn(email="lea@mairie.example", lang="en"))
    play.work()
    assert play.mails()[-1]["To"] == "lea@mairie.example"
    assert play.mails()[-1]["Subject"].startswith("Reminder: invoice")
    assert open_cases(play) == []


def test_the_case_of_a_letter_that_came_back_has_the_owner_and_what_is_owed(play: "Play", principal: Any) -> None:
    set_client(play.deps, principal, play.invoice.id, ClientIn(mine=True))
    play.on("2026-03-23")
    play.pay("1000.00")
    play.remind()
    bounce(play.deps, principal, play.invoice.id, play.decisions()[0].id, BounceIn(reason="550 no such user"))
    case = only_case(play, "bounce")
    assert (case.owner, str(case.balance)) == ("user:claire", "200.00")


def test_what_is_settled_about_a_client_counts_for_all_its_invoices(play: "Play", principal: Any) -> None:
    soft = {**to_json(DEFAULT), "name": "douce", "stages": [{**to_json(DEFAULT)["stages"][2], "offset": 15}]}
    save_scenario(play.deps, principal, soft, "amis")
    set_client(play.deps, principal, play.invoice.id, ClientIn(segment="amis", hold="plan", hold_reason="Trois fois",
                                                               hold_until=date(2026, 4, 1)))
    play.on("2026-03-30")
    play.work()
    assert play.told() == [("held", "hold-plan", "friendly")]
    play.on("2026-04-02")
    play.work()
    assert play.told()[-1] == ("sent", "due", "friendly")
    assert play.decisions()[-1].scenario == "douce [amis], version 1"


def test_own_words_of_a_scenario(play: "Play", principal: Any) -> None:
    stages = to_json(DEFAULT)["stages"]
    stages[2] |= {"subject_fr": "Un mot sur {{ numero }}", "text_fr": "Cher {{ client }},\n\nReste : {{ solde }}."}
    save_scenario(play.deps, principal, {**to_json(DEFAULT), "stages": stages})
    play.on("2026-03-23")
    play.remind()
    assert play.mails()[0]["Subject"] == "Un mot sur FA-2026-0042"
    assert play.text().startswith("Cher Aubrac Approuve SAS,\r\n\r\nReste : 1 200,00 €.")


def test_a_trial_on_the_past_and_every_decision_again(play: "Play") -> None:
    play.clock.forward(days=20)
    disputed = False
    while play.deps.today() < date(2026, 5, 20):
        if not disputed and play.deps.today() >= date(2026, 4, 3):
            play.status("207")
            disputed = True
        play.work()
        play.clock.forward(hours=24)
    count, differing = decided_again(play.deps, play.invoice.tenant_id)
    assert (count, differing) == (len(play.decisions()), [])
    trial = try_out(play.deps, play.invoice.tenant_id, DEFAULT, date(2026, 2, 11), date(2026, 5, 20))
    assert trial.would == trial.did == {"before": 1, "due": 1, "friendly": 1, "formal": 1}
    assert trial.against["status-207"] == 1
    assert [(step.on.isoformat(), step.stage) for step in trial.steps] == [
        (row.at.date().isoformat(), row.stage) for row in play.decisions() if row.outcome == "sent"]
    bolder = replace(DEFAULT, stages=(replace(DEFAULT.stages[2], offset=1), *DEFAULT.stages[3:]))
    assert try_out(play.deps, play.invoice.tenant_id, bolder, date(2026, 2, 11), date(2026, 3, 20)).would == {
        "friendly": 1}
    assert len(play.mails()) == 4, "a trial sends nothing"


def test_trial_preview_and_cases_over_http(play: "Play", serve: Any) -> None:
    api = serve(router)
    play.on("2026-03-23")
    play.status("207")
    play.remind()
    trial = api.get("/v1/reminders/scenario/trial", params={"since": "2026-02-11", "until": "2026-03-22"}).json()
    assert (trial["would"], trial["scenario"]) == ({"before": 1, "due": 1}, "relances-v2")
    for since, until in (("2026-03-22", "2026-02-11"), ("0001-01-01", "2026-02-11"), ("9999-12-31", "9999-12-31")):
        period = {"since": since, "until": until}
        assert api.get("/v1/reminders/scenario/trial", params=period).json()["code"] == "bad-period"
    (case,) = api.get("/v1/reminders/cases").json()
    assert (case["kind"], case["number"], case["open"]) == ("207", "FA-2026-0042", True)
    closed = api.post(f"/v1/reminders/cases/{case['id']}/resolution", json={"reason": "Avoir envoyé"})
    assert (closed.status_code, closed.json()["resolution"]) == (200, "Avoir envoyé")
    assert api.post(f"/v1/reminders/cases/{case['id']}/resolution", json={"reason": "Encore"}).status_code == 409
    coming = api.get("/v1/reminders/preview").json()
    assert [(one["number"], one["on"]) for one in coming["letters"]] == [("FA-2026-0042", None)]
    assert api.get("/v1/reminders/preview", params={"after": "nowhere"}).status_code == 422
    assert api.get("/v1/reminders/scenario", params={"version": 9}).status_code == 404


def test_a_case_whose_day_has_passed_is_told_once(play: "Play") -> None:
    play.on("2026-03-10")
    play.status("207")
    play.remind()
    for day in ("2026-03-17", "2026-03-18", "2026-03-19"):  # five working days after the tenth: the seventeenth
        play.on(day)
        tell_late(play.deps)
        tell_late(play.deps)
    assert play.events().count("case-late") == 1


def test_a_late_task_that_goes_on_about_another_invoice_is_told_once(play: "Play", principal: Any) -> None:
    stages = [{**stage, "offset": 10} for stage in to_json(DEFAULT)["stages"] if stage["channel"] == "call"]
    save_scenario(play.deps, principal, {**to_json(DEFAULT), "name": "appels", "stages": stages})
    second = play.another("FA-2", "2026-03-14", "1200.00")
    play.on("2026-03-24")
    play.work()
    play.on("2026-03-27")
    tell_late(play.deps)
    play.invoice = next(one for one in (play.invoice, second) if one.id == only_case(play, "call").submission_id)
    play.pay("1200.00")
    play.remind()
    tell_late(play.deps)
    assert only_case(play, "call").beside == []
    assert play.events().count("case-late") == 1


@pytest.mark.parametrize("closed", [False, True])
def test_cases_go_on_where_a_page_ends(play: "Play", serve: Any, principal: Any, *, closed: bool) -> None:
    for number in range(5):
        play.invoice = play.another(f"FA-{number}", "2026-03-13", "50.00")
        play.on("2026-03-23" if number % 2 else "2026-03-24")
        play.status("207")
        play.remind()
        if closed:
            close_case(play.deps, principal, next(
                case.id for case in cases_of_kind(play, "207") if case.active), "done", "Vu")
    api = serve(router)
    whole = api.get("/v1/reminders/cases", params={"closed": closed})
    assert (len(whole.json()), whole.links) == (5, {})
    parts, href = [], f"/v1/reminders/cases?limit=2&closed={str(closed).lower()}"
    while href:
        part = api.get(href)
        parts.append(part.json())
        href = part.links.get("next", {}).get("url")
    assert [len(part) for part in parts] == [2, 2, 1]
    assert [one for part in parts for one in part] == whole.json()
    assert api.get("/v1/reminders/cases", params={"after": "nowhere"}).json()["code"] == "bad-cursor"
