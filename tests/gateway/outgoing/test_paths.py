"""What is said to be possible is what happens: resend, correct, close, per reason and under which number."""

from collections.abc import Callable
from datetime import date
from itertools import product

import pytest
from sqlalchemy import select

from formats.codes import REASONS
from formats.status import StatusDetail
from formats.syntax import ubl_syntax_of, write
from gateway.commands.demo_invoices import GOODS, invoice
from gateway.db import EVERY_TENANT
from gateway.deps import Deps
from gateway.incoming.poll import poll_all
from gateway.outgoing.paths import Standing, path_of
from gateway.platforms.classes import REASON_CLASS
from gateway.tables import OutboxEntry
from gateway.topics import HANDLERS
from gateway.worker import relay

TOPICS = {**HANDLERS, "remind": lambda *_: None, "seal": lambda *_: None, "hand-over": lambda *_: None}
TODAY = date(2026, 11, 23)
STATES = ("refused", "queued", "held", "sending", "unknown", "parked", "failed", "deposited")


def work(deps: Deps) -> None:
    relay(deps, TOPICS)


@pytest.fixture
def post(client, entity) -> Callable[..., str]:  # noqa: ARG001 - the seller must be there
    """POST an invoice; gives its id. Another `goods` is another content under the same number."""

    def send(number: str = "F-1", key: str = "k", goods=GOODS, expect: int = 202) -> str:
        made = invoice(number, "approve", goods, TODAY)
        answer = client.post("/v1/invoices", content=write(made, ubl_syntax_of(made)), headers={
            "Idempotency-Key": f"{number}-{key}", "Content-Type": "application/xml"})
        assert answer.status_code == expect, answer.text
        return answer.json()["id"]

    return send


def path(client, submission_id: str) -> dict:
    return client.get(f"/v1/invoices/{submission_id}").json()["path"]


def decide(client, submission_id: str, action: str, reason: str = "") -> tuple[int, dict]:
    answer = client.post(f"/v1/invoices/{submission_id}/decision", json={"action": action, "reason": reason})
    return answer.status_code, answer.json()


@pytest.mark.parametrize("state", STATES)
def test_every_standing_has_one_path_in_words(state: str) -> None:
    words = [None, "reach-unknown : x", "AlreadyExistingFlow: x", "identity-freed : x", "UNAUTHORIZED: x", "X: y",
             *(f"{reason} : x" for reason in REASON_CLASS)]
    codes = [None, *REASONS]
    for reason, active, tried, lost, status in product(words, (True, False), (True, False), (True, False), codes):
        for why in REASONS.get(status or "", ()) or ("",):
            found = path_of(Standing(transmission=state, reason=reason, active=active, tried=tried, lost=lost,
                                     status=status, reasons=[why]))
            assert found.fr
            assert found.en
            assert set(found.actions) <= {"retry", "send-anyway", "close", "resend"}
            if found.locked:
                assert "resend" not in found.actions
                assert found.number != "same"
            if active and state in {"deposited", "failed"}:
                assert found.number != "same"  # the number is held: the service would answer 409


@pytest.mark.parametrize("reason", ["DOUBLON", "REJ_UNI", "REJ_ADR", "REJ_SEMAN"])
def test_after_a_rejection_the_number_is_free_exactly_where_it_is_said(
    client, deps: Deps, platform, post, make_status, make_invoice, clock, reason
) -> None:
    first = post()
    work(deps)
    assert path(client, first)["locked"]
    post(key="again", goods=GOODS[:1], expect=409)
    row = make_invoice(number="F-1", active=None)  # only the words of the message are taken from it
    platform.put("s1", make_status(row, "213", clock.forward(minutes=1), invoice_date=TODAY,
                                   details=(StatusDetail(reason_code=reason),)), trackingId=first)
    poll_all(deps)
    work(deps)
    told = path(client, first)
    assert told["number"] == ("new" if reason in {"DOUBLON", "REJ_UNI"} else "same")
    post(key="mended", goods=GOODS[:1], expect=202 if told["number"] == "same" else 409)


def test_a_deposited_invoice_offers_nothing_and_refuses_every_decision(client, deps: Deps, platform, post) -> None:
    made = post()
    work(deps)
    told = path(client, made)
    assert (told["code"], told["locked"], told["number"], told["actions"]) == ("locked", True, "new", [])
    for action in ("retry", "send-anyway", "close"):
        status, problem = decide(client, made, action, "x")
        assert (status, problem["code"], problem["path"]["code"]) == (409, "not-possible", "locked")
    again = client.post(f"/v1/invoices/{made}/resend", headers={"Idempotency-Key": "r"})
    assert (again.status_code, again.json()["code"]) == (409, "not-possible")
    assert len(platform.outgoing(made)) == 1


def test_a_technical_refusal_is_sent_again_as_it_is(client, deps: Deps, platform, post, clock) -> None:
    first = post()
    work(deps)
    [flow] = platform.outgoing(first)
    clock.forward(minutes=1)
    platform.put(flow["flowId"], acknowledgement={"status": "Error", "details": [
        {"level": "Error", "item": "file", "reasonCode": "ChecksumMismatch", "reasonMessage": "other sum"}]})
    poll_all(deps)
    assert (path(client, first)["code"], path(client, first)["actions"]) == ("resend", ["resend"])
    answer = client.post(f"/v1/invoices/{first}/resend", headers={"Idempotency-Key": "r1"})
    assert answer.status_code == 202, answer.text
    second = answer.json()["id"]
    assert client.post(f"/v1/invoices/{first}/resend", headers={"Idempotency-Key": "r1"}).json()["id"] == second
    work(deps)
    [again] = platform.outgoing(second)
    assert platform.documents[again["flowId"], "Original"] == platform.documents[flow["flowId"], "Original"]
    assert client.get(f"/v1/invoices/{second}").json()["replaces"] == first


def test_a_refused_resend_may_be_asked_for_again(client, deps: Deps, post, entity, browser) -> None:
    """The entity was off; whoever switches it on sends the same invoice again, by the page and by the interface."""

    def switch(*, on: bool) -> None:
        with deps.db.transaction(entity.tenant_id) as session:
            session.get_one(type(entity), (entity.tenant_id, entity.id)).enabled = on

    def click() -> int:
        page = client.get(f"/factures/{first}", headers=person).text
        form = page[page.index("/renvoyer"):]
        key = form.partition('name="key" value="')[2].partition('"')[0]
        assert key
        again = client.post(f"/factures/{first}/renvoyer", headers=person, data={"csrf": "token", "key": key})
        assert client.post(f"/factures/{first}/renvoyer", headers=person, data={
            "csrf": "token", "key": key}).headers.get("location") == again.headers.get("location")
        return again.status_code

    switch(on=False)
    first = post(expect=409)
    person = browser("billing")
    assert click() == 422
    reused = client.post(f"/v1/invoices/{first}/resend", headers={"Idempotency-Key": "F-1-k"})
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency-key-reused")
    switch(on=True)
    assert click() == 303


@pytest.mark.parametrize("reason", ["InvalidSchema", "VirusFound", "FlowTypeError"])
def test_a_refused_document_is_corrected_under_the_same_number(
    client, deps: Deps, platform, post, clock, reason
) -> None:
    first = post()
    work(deps)
    [flow] = platform.outgoing(first)
    clock.forward(minutes=1)
    platform.put(flow["flowId"], acknowledgement={"status": "Error", "details": [
        {"level": "Error", "item": "file", "reasonCode": reason, "reasonMessage": "no"}]})
    poll_all(deps)
    told = path(client, first)
    assert (told["code"], told["number"], told["locked"]) == ("correct", "same", False)
    post(key="mended", goods=GOODS[:1])


def test_bytes_altered_on_the_way_go_again_by_themselves(client, deps: Deps, platform, post, clock) -> None:
    platform.refuse_deposits = (400, "CHECKSUM_MISMATCH")
    made = post()
    work(deps)
    assert client.get(f"/v1/invoices/{made}").json()["transmission"]["state"] == "queued"
    platform.refuse_deposits = None
    clock.forward(minutes=1)
    work(deps)
    assert len(platform.outgoing(made)) == 1


def test_unmet_preconditions_keep_the_invoice_for_when_they_are_met(client, deps: Deps, platform, post) -> None:
    platform.refuse_deposits = (400, "CLIENT_NOT_CONFIGURED")
    made = post()
    work(deps)
    told = path(client, made)
    assert (told["code"], told["actions"]) == ("mend-and-retry", ["retry", "close"])
    platform.refuse_deposits = None
    status, shown = decide(client, made, "retry")
    assert (status, shown["transmission"]["state"]) == (200, "parked")
    work(deps)
    assert len(platform.outgoing(made)) == 1


def test_an_unreachable_buyer_leaves_three_ways(client, deps: Deps, directory, post) -> None:
    directory.lines.clear()
    sent, closed, retried = post("F-1"), post("F-2"), post("F-3")
    work(deps)
    assert path(client, sent)["actions"] == ["retry", "send-anyway", "close"]
    assert decide(client, sent, "send-anyway")[1]["code"] == "reason-missing"
    status, shown = decide(client, sent, "send-anyway", "Le client l'attend.")
    assert status == 200
    assert [event["code"] for event in shown["events"]][-1] == "sent-anyway"
    assert decide(client, closed, "close", "Mauvaise adresse.")[0] == 200
    assert path(client, closed)["number"] == "same"
    post("F-2", key="mended", goods=GOODS[:1])
    assert decide(client, retried, "retry")[0] == 200
    work(deps)
    assert len(directory.outgoing(sent)) == 1
    assert directory.outgoing(closed) == directory.outgoing(retried) == []
    assert path(client, retried)["code"] == "unreachable"


def test_a_held_invoice_may_go_anyway_or_be_given_up(client, deps: Deps, directory, post) -> None:
    directory.lines["000001016"] = "Upcoming"
    sent, closed = post("F-1"), post("F-2")
    work(deps)
    assert path(client, sent)["code"] == "held"
    assert decide(client, sent, "retry")[0] == 409
    assert decide(client, sent, "send-anyway", "Convenu.")[0] == 200
    assert decide(client, closed, "close", "Annulée.")[0] == 200
    work(deps)
    assert (len(directory.outgoing(sent)), directory.outgoing(closed)) == (1, [])
    assert path(client, closed) == {**path(client, closed), "code": "correct", "number": "same"}
    with deps.db.reading(EVERY_TENANT) as session:
        states = session.scalars(select(OutboxEntry.state).where(OutboxEntry.topic == "deliver")).all()
    assert sorted(states) == ["closed", "done"]


def test_a_sending_closed_in_doubt_keeps_its_number(client, deps: Deps, platform, post, clock) -> None:
    platform.refuse_deposits = (502, "BAD_GATEWAY")
    made = post()
    work(deps)
    assert (path(client, made)["code"], path(client, made)["actions"]) == ("checking", [])
    assert decide(client, made, "close", "x")[0] == 409
    for _ in range(12):
        clock.forward(hours=12)
        work(deps)
    assert path(client, made)["code"] == "look-up"
    assert decide(client, made, "close", "La plateforme ne répond pas.")[0] == 200
    assert (path(client, made)["code"], path(client, made)["number"]) == ("given-up", "new")
    post(key="other", goods=GOODS[:1], expect=409)
