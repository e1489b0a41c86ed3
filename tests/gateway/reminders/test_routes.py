"""Reminders over HTTP, and the plan that the console shows."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from gateway.reminders.planning import preview
from gateway.reminders.routes import router
from gateway.reminders.scenario import DEFAULT, to_json

if TYPE_CHECKING:
    from tests.gateway.reminders.conftest import Play


@pytest.fixture
def api(serve: Callable[..., Any]) -> Any:
    return serve(router)


def test_decisions_holds_and_plan(play: "Play", api: Any) -> None:
    play.on("2026-03-23")
    play.remind()
    seen = api.get(f"/v1/invoices/{play.invoice.id}/reminders").json()
    (decision,) = seen["decisions"]
    assert (decision["outcome"], decision["stage"], decision["code"]) == ("sent", "friendly", "due")
    assert decision["facts"]["balance"] == "1200.00"
    assert [(item["on"], item["stage"], item["label"]) for item in seen["planned"]] == [
        ("2026-04-02", "formal", "Relance ferme"), ("2026-04-07", "call", "Appel téléphonique"),
        ("2026-04-13", "penalties", "Annonce des pénalités"),
        ("2026-04-22", "service", "Annonce de la suspension des prestations"),
        ("2026-05-04", "letter", "Lettre : dernière relance avant mise en demeure")]
    assert seen["scenario"] == "relances-v2"


def test_a_hold_stops_and_lifting_it_resumes(play: "Play", api: Any) -> None:
    play.on("2026-03-23")
    path = f"/v1/invoices/{play.invoice.id}/holds"
    made = api.post(path, json={"kind": "manual", "reason": "Client à appeler d'abord"})
    assert made.status_code == 201
    play.work()
    assert play.told() == [("held", "hold-manual", "friendly")]
    (waiting,) = preview(play.deps, play.invoice.tenant_id).letters
    assert (waiting.on, waiting.reason) == (None, "Relances suspendues par une personne : Client à appeler d'abord")
    lifted = api.request("DELETE", f"{path}/{made.json()['id']}")
    assert lifted.json()["lifted_at"] is not None
    assert api.request("DELETE", f"{path}/{made.json()['id']}").json() == lifted.json()
    play.work()
    assert play.told()[-1] == ("sent", "due", "friendly")
    assert play.events() == ["held", "held", "lifted", "sending", "sent"]


def test_a_hold_until_the_end_of_time_holds_up_nobody_else(play: "Play", api: Any) -> None:
    play.another("FA-9", "2026-03-13", "50.00", buyer_siren="000003004", buyer_name="Autre client")
    made = api.post(f"/v1/invoices/{play.invoice.id}/holds",
                    json={"kind": "plan", "reason": "Sans fin", "until": "9999-12-31"})
    assert made.status_code == 201, made.text
    play.on("2026-03-23")
    play.work()
    assert play.told() == [("held", "hold-plan", "friendly")]
    assert ["FA-9" in mail["Subject"] for mail in play.mails()] == [True]


def test_a_promise_holds_until_its_day(play: "Play", api: Any) -> None:
    play.on("2026-03-23")
    made = api.post(f"/v1/invoices/{play.invoice.id}/holds",
                    json={"kind": "promise", "reason": "Virement le 31", "until": "2026-03-31"})
    assert made.json()["until"] == "2026-03-31"
    plan = preview(play.deps, play.invoice.tenant_id, days=31).letters
    assert [(item.on, item.stage) for item in plan] == [
        (date(2026, 4, 1), "friendly"), (date(2026, 4, 7), "formal"), (date(2026, 4, 10), "call"),
        (date(2026, 4, 13), "penalties"), (date(2026, 4, 22), "service")]


@pytest.mark.parametrize("hold", [
    {"kind": "promise", "reason": "Virement le 31", "until": "2026-03-01"},
    {"kind": "whim", "reason": "Parce que"},
    {"kind": "manual", "reason": " "},
    {"kind": "manual", "reason": "Parce que", "colour": "red"},
])
def test_a_hold_that_makes_no_sense_is_refused(play: "Play", api: Any, hold: dict[str, str]) -> None:
    play.on("2026-03-23")
    assert api.post(f"/v1/invoices/{play.invoice.id}/holds", json=hold).status_code == 422


def test_a_foreign_invoice_looks_absent(
    play: "Play", api: Any, make_tenant: Callable[[str], str], make_key: Callable[..., str]
) -> None:
    hold = api.post(f"/v1/invoices/{play.invoice.id}/holds", json={"kind": "manual", "reason": "Parce que"}).json()
    headers = {"Authorization": make_key(make_tenant("Autre maison"))}
    path = f"/v1/invoices/{play.invoice.id}"
    answers = [
        api.get(f"{path}/reminders", headers=headers),
        api.post(f"{path}/holds", headers=headers, json={"kind": "manual", "reason": "Parce que"}),
        api.request("DELETE", f"{path}/holds/{hold['id']}", headers=headers),
        api.post(f"{path}/reminders/x/settlement", headers=headers, json={"delivered": True, "reason": "Parce que"}),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "not-found")] * 4


def test_reading_needs_the_right_to_read(play: "Play", api: Any, make_key: Callable[..., str]) -> None:
    headers = {"Authorization": make_key(play.invoice.tenant_id, "reminders:read")}
    path = f"/v1/invoices/{play.invoice.id}"
    assert api.get(f"{path}/reminders", headers=headers).status_code == 200
    assert api.post(f"{path}/holds", headers=headers, json={"kind": "manual", "reason": "Non"}).status_code == 403
    blind = {"Authorization": make_key(play.invoice.tenant_id, "invoices:read")}
    assert api.get(f"{path}/reminders", headers=blind).status_code == 403


def test_a_scenario_of_ones_own(play: "Play", api: Any) -> None:
    assert api.get("/v1/reminders/scenario").json() == to_json(DEFAULT)
    own = {**to_json(DEFAULT), "name": "douce", "working_days_only": False, "stages": to_json(DEFAULT)["stages"][:3]}
    saved = api.request("PUT", "/v1/reminders/scenario", json=own)
    assert (saved.status_code, saved.json()["name"]) == (200, "douce, version 1")
    play.on("2026-03-28")  # a Saturday
    play.remind()
    assert play.decisions()[0].scenario == "douce, version 1"
    assert play.told() == [("sent", "due", "friendly")]
    refused = api.request("PUT", "/v1/reminders/scenario", json={**own, "stages": []})
    assert (refused.status_code, refused.json()["code"]) == (422, "bad-scenario")
    again = api.request("PUT", "/v1/reminders/scenario", json=own)
    assert again.json()["name"] == "douce, version 2"


def test_the_plan_of_all_invoices_is_by_day(play: "Play") -> None:
    play.make(number="FA-9", due_date=date(2026, 4, 3), due=Decimal("10.00"))
    play.make(number="FA-8", due_date=date(2026, 12, 1))
    play.make(number="FA-7", due_date=date(2026, 4, 3), buyer_email=None)
    play.on("2026-03-23")
    plan = preview(play.deps, play.invoice.tenant_id, days=12).letters
    assert [(item.on, item.number, item.stage) for item in plan] == [
        (date(2026, 3, 23), "FA-2026-0042", "friendly"), (date(2026, 3, 30), "FA-9", "before"),
        (date(2026, 4, 2), "FA-2026-0042", "formal"), (date(2026, 4, 3), "FA-9", "due"),
    ]
