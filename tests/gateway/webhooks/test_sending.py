"""Deliveries: signed, thin, in order for each invoice, tried for three days, each event once in effect."""

import json
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select, update
from standardwebhooks.webhooks import Webhook

from archive.seal import read_checkpoint
from gateway.evidence import checkpoints
from gateway.evidence.sealing import log_key, seal_due
from gateway.outgoing import decisions
from gateway.tables import OutboxEntry
from gateway.tables_webhooks import WebhookDelivery, WebhookEndpoint
from gateway.webhooks import service
from gateway.webhooks.sending import TOPIC, fan_out


class Frozen:
    """The clock of the foreign library, at our time."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self.fromtimestamp = datetime.fromtimestamp

    def now(self, tz=None) -> datetime:
        return self._now.astimezone(tz)


def test_a_foreign_library_verifies_what_arrives(stage, monkeypatch) -> None:
    _, secret = stage.webhook()
    invoice = stage.make_invoice()
    told = stage.happen(invoice, "205")
    stage.work()
    (headers, body), = stage.receiver.got
    monkeypatch.setattr("standardwebhooks.webhooks.datetime", Frozen(stage.deps.now()))
    said = Webhook(secret).verify(body.decode(), headers)
    assert said["type"] == "invoice.lifecycle.205"
    assert said["data"] == {"position": told.position, "id": told.id, "invoice": invoice.id, "kind": "lifecycle",
                            "at": told.at.isoformat(), "platform_at": None, "code": "205",
                            "href": f"/v1/invoices/{invoice.id}"}
    assert b"secret" not in body, "thin: no reason, no party, no amount"
    with pytest.raises(Exception, match="signature"):
        Webhook(secret).verify(body.decode().replace("205", "206"), headers)


def test_one_invoice_waits_in_order_and_the_others_do_not_wait(stage) -> None:
    stage.webhook()
    slow, quick = stage.make_invoice(), stage.make_invoice(number="F-2026-002")
    stage.receiver.refuse_invoice = slow.id
    for code in ("200", "204", "205"):
        stage.happen(slow, code)
        stage.happen(quick, code)
    stage.work()
    assert (stage.told(quick), stage.told(slow)) == (["200", "204", "205"], ["200"])
    stage.receiver.refuse_invoice = None
    stage.clock.forward(seconds=10)
    stage.work()
    assert stage.told(slow) == ["200", "200", "204", "205"]
    assert {state for _, state in stage.states()} == {"delivered"}


def test_it_is_tried_for_three_days_then_given_up_and_the_next_one_goes(stage) -> None:
    stage.webhook()
    invoice, start = stage.make_invoice(), stage.clock.now
    stage.happen(invoice, "200")
    stage.receiver.answers = [500] * 9
    for _ in range(3 * 24 * 2):
        stage.work()
        stage.clock.forward(minutes=30)
        if stage.states()[0][1] == "failed":
            break
    assert timedelta(hours=30) < stage.clock.now - start <= timedelta(days=3)
    assert 6 <= len(stage.receiver.got) <= 9
    assert len(set(stage.receiver.ids)) == 1, "the same id at every try"
    stage.receiver.answers.clear()
    stage.happen(invoice, "204")
    stage.work()
    assert stage.states() == [("200", "failed"), ("204", "delivered")]


def test_gone_switches_off(stage) -> None:
    webhook, _ = stage.webhook()
    invoice = stage.make_invoice()
    stage.happen(invoice, "200")
    stage.happen(invoice, "204")
    stage.receiver.answers = [410]
    stage.work()
    assert [state for _, state in stage.states()] == ["closed", "closed"]
    assert service.get_webhook(stage.deps, stage.tenant, webhook).disabled_at is not None
    stage.happen(invoice, "205")
    stage.work()
    assert len(stage.receiver.got) == 1
    service.enable(stage.deps, stage.tenant, webhook, "user:test")
    stage.happen(invoice, "206")
    stage.work()
    assert stage.states()[-1] == ("206", "delivered"), "what came while it was off is in the feed"


def test_what_a_person_gives_up_holds_up_nothing(stage) -> None:
    webhook, _ = stage.webhook()
    invoice = stage.make_invoice()
    for code in ("200", "204"):
        stage.happen(invoice, code)
    fan_out(stage.deps)
    park_all(stage)
    with stage.deps.db.reading(stage.tenant) as session:
        (parked,) = session.scalars(select(OutboxEntry.id).where(OutboxEntry.state == "parked")).all()
    decisions.close(stage.deps, stage.tenant, parked, "Clé perdue", "user:test")
    stage.work()
    assert stage.states() == [("200", "closed"), ("204", "delivered")]
    again = service.deliveries(stage.deps, stage.tenant, webhook, before=None, limit=9)[0][-1]
    service.redeliver(stage.deps, stage.tenant, webhook, again.id, "user:test")
    stage.work()
    assert stage.told(invoice) == ["204", "200"]


def park_all(stage) -> None:
    """As after forty failures of our own."""
    with stage.deps.db.transaction(stage.tenant) as session:
        session.execute(update(OutboxEntry).where(OutboxEntry.topic == TOPIC).values(state="parked"))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_a_failure(stage, status: int) -> None:
    stage.webhook()
    stage.receiver.answers = [status]
    stage.happen(stage.make_invoice(), "200")
    stage.work()
    assert len(stage.receiver.got) == 1
    assert stage.states() == [("200", "pending")]


def test_an_address_that_is_silent_is_left_alone_for_a_while(stage) -> None:
    stage.deps.settings.webhook_allow = ("127.0.0.1:9",)
    webhook, _ = stage.webhook(url="http://127.0.0.1:9/")
    for number in range(5):
        stage.happen(stage.make_invoice(number=f"F-{number}"), "200")
    stage.work()
    assert "sans réponse" in (service.get_webhook(stage.deps, stage.tenant, webhook).trouble or "")
    with stage.deps.db.reading(stage.tenant) as session:
        assert sum(one.attempts for one in session.scalars(select(WebhookDelivery))) == 1


def test_only_the_kinds_that_were_asked_for(stage) -> None:
    stage.webhook(kinds=["payment"])
    invoice = stage.make_invoice()
    stage.happen(invoice, "200")
    stage.happen(invoice, "recorded", "payment")
    stage.work()
    assert [code for code, _ in stage.states()] == ["recorded"]


def test_the_old_secret_signs_for_one_more_day(stage, monkeypatch) -> None:
    webhook, old = stage.webhook()
    _, fresh = service.rotate(stage.deps, stage.tenant, webhook, "user:test")
    stage.happen(stage.make_invoice(), "200")
    stage.work()
    stage.clock.forward(hours=25)
    stage.happen(stage.make_invoice(number="F-2"), "200")
    stage.work()
    (first, body), (second, other) = stage.receiver.got
    monkeypatch.setattr("standardwebhooks.webhooks.datetime", Frozen(stage.deps.now() - timedelta(hours=25)))
    for secret in (old, fresh):
        Webhook(secret).verify(body.decode(), first)
    monkeypatch.setattr("standardwebhooks.webhooks.datetime", Frozen(stage.deps.now()))
    Webhook(fresh).verify(other.decode(), second)
    with pytest.raises(Exception, match="signature"):
        Webhook(old).verify(other.decode(), second)


def test_sent_again_on_request(stage) -> None:
    webhook, _ = stage.webhook()
    stage.happen(stage.make_invoice(), "200")
    stage.work()
    (row,), _ = service.deliveries(stage.deps, stage.tenant, webhook, before=None, limit=10)
    service.redeliver(stage.deps, stage.tenant, webhook, row.id, "user:test")
    stage.work()
    assert len(stage.receiver.got) == 2
    assert len(set(stage.receiver.ids)) == 1


def test_an_event_sent_again_disturbs_no_other(stage) -> None:
    """It goes at once; the later one that waits for its next try is neither sent twice nor forgotten."""
    webhook, _ = stage.webhook()
    invoice = stage.make_invoice()
    stage.receiver.answers = [204, 500]
    for code in ("200", "204", "205"):
        stage.happen(invoice, code)
    stage.work()
    rows, _ = service.deliveries(stage.deps, stage.tenant, webhook, before=None, limit=10)
    service.redeliver(stage.deps, stage.tenant, webhook, rows[-1].id, "user:test")
    stage.work()
    assert stage.told(invoice) == ["200", "204", "200"]
    stage.clock.forward(seconds=10)
    stage.work()
    assert stage.told(invoice) == ["200", "204", "200", "204", "205"]
    assert {state for _, state in stage.states()} == {"delivered"}


def test_an_event_that_was_closed_and_sent_again_goes_once(stage) -> None:
    webhook, _ = stage.webhook()
    invoice = stage.make_invoice()
    stage.happen(invoice, "200")
    stage.receiver.answers = [500] * 3
    stage.work()
    service.disable(stage.deps, stage.tenant, webhook, "user:test")
    service.enable(stage.deps, stage.tenant, webhook, "user:test")
    (row,), _ = service.deliveries(stage.deps, stage.tenant, webhook, before=None, limit=10)
    service.redeliver(stage.deps, stage.tenant, webhook, row.id, "user:test")
    stage.clock.forward(seconds=10)
    stage.work()
    assert stage.told(invoice) == ["200", "200"], "the try that was planned before it was closed is off"


def test_the_longer_an_address_is_silent_the_longer_it_is_left_alone(stage) -> None:
    """A dead address must not hold the few threads that wait for strangers."""
    stage.deps.settings.webhook_allow = ("127.0.0.1:9",)
    webhook, _ = stage.webhook(url="http://127.0.0.1:9/")
    for number in range(40):
        stage.happen(stage.make_invoice(number=f"F-{number}"), "200")
    for _ in range(6 * 60 * 2):
        stage.work()
        stage.clock.forward(seconds=30)
    with stage.deps.db.reading(stage.tenant) as session:
        tries = sum(one.attempts for one in session.scalars(select(WebhookDelivery)))
    assert tries < 60
    rest = service.get_webhook(stage.deps, stage.tenant, webhook).resume_at - stage.clock.now
    assert rest <= timedelta(minutes=30)


def test_every_change_of_a_webhook_waits_for_the_sender(stage) -> None:
    """The tenant's row is locked before anything else, as sending does: else two could wait for each other."""
    webhook, _ = stage.webhook()
    said: list[str] = []

    @event.listens_for(stage.deps.db.engine, "before_cursor_execute")
    def note(_connection, _cursor, statement: str, *_: object) -> None:
        said.append(statement)

    for change in (service.disable, service.enable, service.rotate, service.remove):
        said.clear()
        change(stage.deps, stage.tenant, webhook, "user:test")
        assert "FROM tenants" in next(one for one in said if "FROM" in one), change


def test_the_secret_is_not_in_the_database(stage) -> None:
    _, secret = stage.webhook()
    with stage.deps.db.reading(stage.tenant) as session:
        kept = session.scalars(select(WebhookEndpoint.secret)).all()
    assert kept
    assert all(secret.encode() not in one for one in kept)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=st.lists(st.tuples(st.integers(0, 2), st.sampled_from([200, 500, 503, 302])), min_size=1, max_size=12))
def test_whatever_the_answers_each_invoice_is_told_in_order(stage, plan: list[tuple[int, int]]) -> None:
    """Each event arrives well once, and never before an earlier one of its invoice did."""
    webhook, _ = stage.webhook()
    stage.receiver.got.clear()
    invoices = [stage.make_invoice(number=f"P-{stage.clock.now.timestamp()}-{number}") for number in range(3)]
    wanted: dict[str, list[str]] = {invoice.id: [] for invoice in invoices}
    stage.receiver.answers = [status for _, status in plan]
    answers = [*stage.receiver.answers]
    for count, (which, _) in enumerate(plan):
        stage.happen(invoices[which], str(count))
        wanted[invoices[which].id].append(str(count))
    for _ in range(30):
        stage.work()
        stage.clock.forward(hours=3)
    well = [got for got, status in zip(stage.receiver.got, answers + [204] * 1000, strict=False) if status < 300]
    stage.receiver.got = well
    assert {invoice.id: stage.told(invoice) for invoice in invoices} == wanted
    service.remove(stage.deps, stage.tenant, webhook, "user:test")


def test_whoever_asks_for_them_gets_the_checkpoints(stage) -> None:
    stage.webhook(kinds=["evidence"])
    stage.happen(stage.make_invoice(), "200")
    seal_due(stage.deps)
    stage.work()
    seal, = (said["data"] for _, body in stage.receiver.got if (said := json.loads(body))["type"] == "seal.issued")
    note = checkpoints.note_of(stage.deps, stage.tenant)
    told = read_checkpoint(note, log_key(stage.deps).public_key())
    assert seal["checkpoint"].encode() == note
    assert (seal["log"], seal["size"], seal["invoice"]) == (told.origin.rsplit("/", 1)[-1], told.size, None)
