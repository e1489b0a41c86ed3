"""Chat and SMS: what rules say is told once, to whom may hear it, nowhere inside the house; doubts wait for people."""

import sys
from typing import Any

import pytest
from sqlalchemy import select

from gateway.alarms.causes import causes
from gateway.channels import asking, sending, service
from gateway.channels.happenings import HAPPENINGS, may_hear
from gateway.channels.messenger import Witness, describe, verdict_of
from gateway.channels.routes import router
from gateway.outbox import LEASE, is_pending, put
from gateway.outgoing import decisions
from gateway.problems import Problem
from gateway.tables import Event, OutboxEntry
from gateway.tables_channels import Channel, ChannelMessage


def test_a_bad_morning_is_one_message_and_is_told_once(stage) -> None:
    channel = stage.channel("ok/morning", "disputed:credit", "disputed:billing", "alarm:officer")
    first, second = stage.make_invoice(), stage.make_invoice(number="F-2026-002")
    for invoice in (first, second):
        stage.happen("lifecycle", "207", invoice)
    stage.happen("lifecycle", "205", first)
    stage.happen("payment", "received", first)
    stage.work()
    stage.work()
    (said,) = stage.chat.got("ok/morning")
    assert said["title"] == "Litige (207) : 2"
    assert said["message"].replace("\u00a0", " ").splitlines() == [
        "F-2026-001 · Aubrac Approuve SAS · 120,00 €", "F-2026-002 · Aubrac Approuve SAS · 120,00 €",
        f"{stage.deps.settings.url}/factures?etat=litige", "Pour : Recouvrement, Facturation. (Dispute (207))"]
    assert "Motif secret" not in said["message"], "reasons stay on our pages"
    assert stage.log(channel) == [("disputed", "sent", 1)]


def test_a_payment_is_told_by_what_came_in(stage) -> None:
    stage.channel("ok/paid", "paid:billing")
    invoice = stage.make_invoice()
    for _ in range(2):
        stage.happen("payment", "received", invoice, amount="20.00", currency="EUR")
    stage.work()
    (said,) = stage.chat.got("ok/paid")
    assert said["message"].replace("\u00a0", " ").splitlines()[:2] == ["F-2026-001 · Aubrac Approuve SAS · 20,00 €"] * 2


@pytest.mark.parametrize(("path", "states", "trouble"), [
    ("elsewhere/5432", [("disputed", "failed", 1)], "HTTP 307"),  # a redirection into the house
    ("silent/x", [("disputed", "unknown", 1)], "aucune"),
])
def test_what_does_not_get_through_is_shown_and_never_doubled(stage, path: str, states: Any, trouble: str) -> None:
    channel = stage.channel(path, "disputed:credit")
    stage.happen("lifecycle", "207", stage.make_invoice())
    stage.work()
    stage.work()
    assert stage.log(channel) == states
    assert len(stage.chat.got(path)) == 1
    with stage.deps.db.reading(stage.tenant) as session:
        found = {cause.kind: cause for cause in causes(session, stage.deps.now())}
    assert trouble in str(found["channel-silent"].facts["error"])
    assert ("channel-doubt" in found) == (states[0][1] == "unknown")


def test_a_message_that_a_person_gives_up_waits_no_more(stage) -> None:
    channel = stage.channel("ok/given-up", "disputed:credit")
    stage.happen("lifecycle", "207", stage.make_invoice())
    sending.fan_out(stage.deps)
    with stage.deps.db.transaction(stage.tenant) as session:
        entry = session.scalars(select(OutboxEntry).where(OutboxEntry.topic == sending.TOPIC)).one()
        entry.state = "parked"  # as after forty failures of our own
    decisions.close(stage.deps, stage.tenant, entry.id, "Clé perdue", "user:test")
    stage.work()
    assert stage.log(channel) == [("disputed", "closed", 0)]


def test_after_a_crash_a_person_says_whether_it_arrived(stage, clock) -> None:
    channel = stage.channel("ok/crash", "disputed:credit")
    stage.happen("lifecycle", "207", stage.make_invoice())
    sending.fan_out(stage.deps)
    with stage.deps.db.transaction(stage.tenant) as session:
        row = session.scalars(select(ChannelMessage)).one()
        row.state, row.tried_at, row.attempts = "sending", stage.deps.now(), 1
    stage.work()
    assert stage.log(channel) == [("disputed", "sending", 1)], "another worker may be at it"
    clock.forward(seconds=LEASE.total_seconds() + 1)
    stage.work()
    assert stage.log(channel) == [("disputed", "unknown", 1)]
    assert stage.chat.got("ok/crash") == []
    told = (stage.deps, stage.tenant, channel.id, row.id, "user:a")
    assert service.settle(*told, arrived=False).state == "pending"
    with stage.deps.db.reading(stage.tenant) as session:
        assert is_pending(session, sending.TOPIC, row.id)
    with pytest.raises(Problem) as settled:
        service.settle(*told, arrived=True)
    assert settled.value.code == "not-in-doubt"


@pytest.mark.parametrize("end", [service.disable, service.remove])
def test_what_was_being_sent_when_the_channel_ended_is_not_tried_again(stage, end: Any) -> None:
    channel = stage.channel("ok/ended", "disputed:credit")
    stage.happen("lifecycle", "207", stage.make_invoice())
    sending.fan_out(stage.deps)
    end(stage.deps, stage.tenant, channel.id, "user:a")
    with stage.deps.db.transaction(stage.tenant) as session:  # as a worker leaves it that did not get through
        row = session.scalars(select(ChannelMessage)).one()
        row.state = "pending"
        put(session, stage.tenant, sending.TOPIC, row.id, now=stage.deps.now())
    stage.work()
    assert stage.chat.got("ok/ended") == []
    assert stage.log(channel) == [("disputed", "closed", 0)]


def test_a_url_is_kept_encrypted_and_never_shown(stage, serve) -> None:
    api = serve(router)
    made = api.post("/v1/channels", json={"name": "Équipe", "url": stage.chat.url("ok/hidden-key")})
    assert (made.status_code, made.json()["service"]) == (201, "JSON")
    channel = made.json()["id"]
    rules = {"rules": [{"event": "approval", "role": "credit"}, {"event": "paid", "role": "billing"}]}
    assert api.request("PUT", f"/v1/channels/{channel}/rules", json=rules).json()["rules"] == rules["rules"]
    wrong = api.request("PUT", f"/v1/channels/{channel}/rules",
                        json={"rules": [{"event": "approval", "role": "billing"}]})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "rule-not-heard")
    assert api.post(f"/v1/channels/{channel}/test").status_code == 202
    stage.work()
    assert [one["title"] for one in stage.chat.got("ok/hidden-key")] == ["Passerelle : message d'essai"]
    listed = api.get("/v1/channels").text + api.get(f"/v1/channels/{channel}/messages").text
    assert "hidden-key" not in listed
    with stage.deps.db.reading(stage.tenant) as session:
        row = session.get_one(Channel, (stage.tenant, channel))
        assert b"hidden-key" not in row.url
        assert not any("hidden-key" in str((one.data, one.reason)) for one in session.scalars(select(Event)))
    assert api.post(f"/v1/channels/{channel}/disable").json()["disabled_at"]
    assert api.post(f"/v1/channels/{channel}/test").json()["code"] == "channel-disabled"
    assert api.request("DELETE", f"/v1/channels/{channel}").status_code == 204
    assert api.get("/v1/channels").json() == {"items": []}


def test_an_address_inside_the_house_is_refused_at_once(serve) -> None:
    answer = serve(router).post("/v1/channels", json={"name": "x", "url": "json://127.0.0.1:5432/x"})
    assert (answer.status_code, answer.json()["code"]) == (422, "channel-address")


def test_a_look_at_a_url_that_does_not_end_is_no_fault_of_the_url(serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "SECONDS", 0.01)
    answer = serve(router).post("/v1/channels", json={"name": "x", "url": "json://chat.example/x"})
    assert (answer.status_code, answer.json()["code"]) == (503, "channel-unchecked")
    assert serve(router).get("/v1/channels").json() == {"items": []}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of one of the many services that apprise loads
@pytest.mark.parametrize(("url", "found"), [
    ("json://127.0.0.1:5432/x", {"service": "JSON", "host": "127.0.0.1", "port": 5432, "secure": False}),
    ("mmosts://chat.example/abcdefghijklmnop", {"service": "Mattermost", "host": "chat.example", "port": None,
                                                "secure": True}),
    ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#relances", {"service": "Slack"}),
    ("personne://x/y", {"error": "unknown"}), ("pas une adresse", {"error": "unknown"}),
])
def test_where_a_url_leads(url: str, found: dict[str, Any]) -> None:
    assert describe({"url": url}) == found


@pytest.mark.parametrize(("seen", "done", "verdict"), [
    ({"opened": True, "http": True, "answers": [200]}, True, "sent"),
    ({}, True, "refused"),  # a service that does something on this machine only
    ({"opened": True, "http": True, "answers": [200, 403]}, False, "doubt"),  # one of two targets has it
    ({"opened": True, "http": True, "answers": [504]}, False, "doubt"),
    ({"opened": True, "http": True, "answers": [429]}, False, "later"),
    ({"opened": True, "http": True, "answers": [404]}, False, "refused"),
    ({"opened": True, "http": True, "tried": True}, False, "later"),  # no connection
    ({"opened": True}, False, "doubt"),  # not HTTP: we do not see how it ends
    ({"tried": True, "forbidden": "10.0.0.1:443"}, False, "forbidden"),
])
def test_what_was_seen_says_what_became_of_it(seen: dict[str, Any], verdict: str, *, done: bool) -> None:
    assert verdict_of(Witness(frozenset(), **seen), done=done) == verdict


@pytest.mark.parametrize(("event", "given"), [
    ("socket.connect", (None, ("10.0.0.1", 443))), ("socket.connect", (None, ("127.0.0.1", 8080))),
    ("socket.connect", (None, "/run/secrets.sock")), ("socket.connect", (None, ("9.9.9.9", 25))),
    ("socket.connect", (None, ("::1", 443, 0, 0))), ("socket.connect", (None, ("intern.example", 443))),
    ("open", ("/etc/passwd", "r", 0)), ("subprocess.Popen", ("sh", ["sh"], None, None)), ("syslog.syslog", (1, "x")),
])
def test_the_process_that_sends_reaches_nothing_of_ours(event: str, given: tuple[Any, ...]) -> None:
    with pytest.raises(PermissionError):
        Witness(frozenset({("127.0.0.1", 9)})).hook(event, given)


def test_what_it_may_reach() -> None:
    witness = Witness(frozenset({("127.0.0.1", 9)}))
    for address in (("127.0.0.1", 9), ("9.9.9.9", 443)):
        witness.hook("socket.connect", (None, address))
    witness.hook("open", (f"{sys.prefix}/lib/x.py", "r", 0))
    assert (witness.opened, witness.forbidden) == (True, None)


def test_nobody_hears_what_his_pages_do_not_show() -> None:
    assert {role: [key for key in HAPPENINGS if may_hear(role, key)] for role in ("billing", "credit", "x")} == {
        "billing": ["disputed", "suspended", "refused", "rejected", "duty", "paid", "bank-doubt"],
        "credit": [key for key in HAPPENINGS if key != "alarm"], "x": []}
