"""Deposited but not transmitted: one mail, one task, and every step told."""

import email
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from email.policy import default

import pytest
from sqlalchemy import select

from archive.store import Digest
from formats.invoice import Identifier
from formats.status import StatusDetail, StatusParty
from formats.syntax import ubl_syntax_of, write
from gateway import outbox
from gateway.commands.demo_invoices import GOODS, invoice
from gateway.deps import Deps
from gateway.incoming.poll import poll_all
from gateway.outgoing.handover import hand_over
from gateway.tables import Document, Event, OutboxEntry, Submission
from gateway.topics import HANDLERS
from gateway.worker import relay

TOPICS = {**HANDLERS, "remind": lambda *_: None, "seal": lambda *_: None}
STRANDED = (StatusDetail(reason_code="NON_TRANSMISE"),)


@pytest.fixture
def deposited(deps: Deps, client, platform, entity) -> Callable[..., Submission]:
    """A real invoice, deposited at the stand-in."""

    def make(number: str = "F-1") -> Submission:
        made = invoice(number, "approve", GOODS, date(2026, 11, 23))
        posted = client.post("/v1/invoices", content=write(made, ubl_syntax_of(made)), headers={
            "Idempotency-Key": number, "Content-Type": "application/xml"})
        assert posted.status_code == 202, posted.text
        relay(deps, TOPICS)
        assert len(platform.outgoing(posted.json()["id"])) == 1
        with deps.db.reading(entity.tenant_id) as session:
            return session.get_one(Submission, (entity.tenant_id, posted.json()["id"]))

    return make


def say(deps: Deps, platform, flow_id: str, document: bytes) -> None:
    """Let the platform say something, and do all the work that follows."""
    platform.put(flow_id, document)
    poll_all(deps)
    relay(deps, TOPICS)


def mails(deps: Deps) -> list[bytes]:
    return [path.read_bytes() for path in (deps.settings.data / "mail").glob("*.eml")]


def codes(deps: Deps, row: Submission) -> list[str]:
    with deps.db.reading(row.tenant_id) as session:
        found = session.scalars(select(Event.code).where(
            Event.submission_id == row.id, Event.kind == "transmission").order_by(Event.position)).all()
    return [code for code in found if code == "not-transmitted" or code.startswith("duplicate-")]


def tasks(deps: Deps, row: Submission) -> list[OutboxEntry]:
    with deps.db.reading(row.tenant_id) as session:
        return list(session.scalars(select(OutboxEntry).where(
            OutboxEntry.topic == "hand-over", OutboxEntry.subject_id == row.id).order_by(OutboxEntry.created_at)))


def test_the_buyer_gets_the_double_by_mail_and_a_person_the_task(
    deps: Deps, platform, deposited, make_status, clock
) -> None:
    row = deposited()
    say(deps, platform, "s1", make_status(row, "200", clock.now, details=STRANDED))
    [mail] = mails(deps)
    message = email.message_from_bytes(mail, policy=default)
    assert message["To"] == row.buyer_email
    [pdf] = list(message.iter_attachments())
    assert pdf.get_content().startswith(b"%PDF-")
    assert row.number in message["Subject"]
    assert row.number in message.get_body().get_content()
    assert codes(deps, row) == ["not-transmitted", "duplicate-sending", "duplicate-sent"]
    with deps.db.reading(row.tenant_id) as session:
        [kept] = session.scalars(select(Document).where(Document.role == "duplicate")).all()
    assert deps.store.get(Digest(kept.sha256)) == mail
    [task] = tasks(deps, row)
    assert task.state == "parked"
    assert row.buyer_email in (task.reason or "")


def test_once_however_often_it_is_said_and_tried(
    deps: Deps, platform, deposited, make_status, clock
) -> None:
    row = deposited()
    say(deps, platform, "s1", make_status(row, "200", clock.now, details=STRANDED))
    clock.forward(minutes=1)
    say(deps, platform, "s2", make_status(row, "221", clock.now))
    assert len(mails(deps)) == 1
    first, second = tasks(deps, row)
    assert (first.state, second.state) == ("parked", "done")
    with deps.db.transaction(row.tenant_id) as session:
        outbox.revive(session, first.id, deps.now())
    relay(deps, TOPICS)
    assert [task.state for task in tasks(deps, row)] == ["done", "done"]
    assert codes(deps, row).count("duplicate-sent") == 1


def test_an_acknowledgement_may_say_it_too(deps: Deps, platform, deposited, clock) -> None:
    row = deposited()
    [flow] = platform.outgoing(row.id)
    clock.forward(minutes=1)
    platform.put(flow["flowId"], acknowledgement={"status": "Ok", "details": [
        {"level": "Warning", "item": "BT-49", "reasonCode": "NON_TRANSMISE", "reasonMessage": "no platform"}]})
    poll_all(deps)
    relay(deps, TOPICS)
    assert len(mails(deps)) == 1
    assert [task.state for task in tasks(deps, row)] == ["parked"]


def test_what_arrived_meanwhile_needs_no_double(
    deps: Deps, platform, deposited, make_status, clock
) -> None:
    row = deposited()
    platform.put("s0", make_status(row, "202", clock.forward(minutes=5)))
    platform.put("s1", make_status(row, "200", clock.now, details=STRANDED))
    poll_all(deps)
    relay(deps, {**TOPICS, "hand-over": lambda *_: None})
    with deps.db.transaction(row.tenant_id) as session:
        for entry in session.scalars(select(OutboxEntry).where(OutboxEntry.topic == "hand-over")):
            entry.state = "pending"
            entry.lease_until = None
    relay(deps, TOPICS)
    assert (mails(deps), codes(deps, row)) == ([], [])


@pytest.mark.parametrize("code", ["213", "210", "220", "failed"])
def test_an_invoice_that_is_over_is_handed_to_nobody(
    deps: Deps, platform, deposited, make_status, clock, code
) -> None:
    """The mail server was away when the routing failed; what came since ended the invoice."""
    row = deposited()
    away = replace(deps, settings=deps.settings.model_copy(update={"smtp_url": "smtp://127.0.0.1:9"}))
    say(away, platform, "s1", make_status(row, "200", clock.now, details=STRANDED))
    assert [entry.state for entry in tasks(deps, row)] == ["pending"]
    clock.forward(minutes=5)
    if code == "failed":
        platform.put(platform.outgoing(row.id)[0]["flowId"], acknowledgement={"status": "Error"})
    else:
        platform.put("s2", make_status(row, code, clock.now))
    poll_all(deps)
    relay(deps, {topic: act for topic, act in TOPICS.items() if topic != "hand-over"}, without=("hand-over",))
    clock.forward(hours=1)
    relay(deps, TOPICS)
    assert mails(deps) == []
    assert [entry.state for entry in tasks(deps, row)] == ["done"]


def test_only_a_platform_may_say_that_nothing_arrived(deps: Deps, platform, deposited, make_status, clock) -> None:
    row = deposited()
    buyer = StatusParty(role="BY", identifier=Identifier(value=str(row.buyer_siren), scheme="0002"))
    say(deps, platform, "s1", make_status(row, "221", clock.now, issuer=buyer))
    assert (mails(deps), tasks(deps, row)) == ([], [])


@pytest.mark.parametrize("address", [None, "", "nobody", "a@b", "x@y.z, other@y.z"])
def test_without_an_address_a_person_delivers(deps: Deps, make_invoice, address) -> None:
    row = make_invoice(buyer_email=address)
    task(deps, row)
    assert (mails(deps), codes(deps, row)) == ([], ["not-transmitted"])
    [entry] = tasks(deps, row)
    assert entry.state == "parked"
    assert "Aucune adresse" in (entry.reason or "")


def task(deps: Deps, row: Submission) -> None:
    with deps.db.transaction(row.tenant_id) as session:
        outbox.put(session, row.tenant_id, "hand-over", row.id, now=deps.now())
    relay(deps, {"hand-over": hand_over})


def test_an_invoice_that_cannot_be_drawn_is_for_a_person(deps: Deps, make_invoice) -> None:
    sha256 = deps.store.put(b"<Invoice/>").hex
    row = make_invoice(sha256=sha256, sent_sha256=sha256)
    task(deps, row)
    assert "n'a pas pu être préparé" in (tasks(deps, row)[0].reason or "")
    assert mails(deps) == []


@contextmanager
def deaf_server() -> Iterator[int]:
    """An SMTP server that takes the text of a mail and hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as wire:
                wire.write(b"220 mail.example\r\n")
                wire.flush()
                while (line := wire.readline().upper()) and not line.startswith(b"DATA"):
                    wire.write(b"250 OK\r\n")
                    wire.flush()
                wire.write(b"354 go on\r\n")
                wire.flush()
                while wire.readline() not in {b".\r\n", b""}:
                    pass

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_a_mail_in_doubt_is_never_sent_again_by_itself(
    deps: Deps, platform, deposited, make_status, clock
) -> None:
    row = deposited()
    with deaf_server() as port:
        deaf = replace(deps, settings=deps.settings.model_copy(update={"smtp_url": f"smtp://127.0.0.1:{port}"}))
        say(deaf, platform, "s1", make_status(row, "200", clock.now, details=STRANDED))
        assert codes(deps, row) == ["not-transmitted", "duplicate-sending", "duplicate-unknown"]
        [entry] = tasks(deps, row)
        assert entry.state == "parked"
        clock.forward(days=1)
        relay(deaf, TOPICS)
        assert codes(deps, row).count("duplicate-sending") == 1
    with deps.db.transaction(row.tenant_id) as session:  # a person found out that it did not arrive
        outbox.revive(session, entry.id, deps.now())
    relay(deps, TOPICS)
    assert len(mails(deps)) == 1


def test_a_mail_server_that_is_away_is_tried_again(
    deps: Deps, platform, deposited, make_status, clock
) -> None:
    row = deposited()
    away = replace(deps, settings=deps.settings.model_copy(update={"smtp_url": "smtp://127.0.0.1:9"}))
    say(away, platform, "s1", make_status(row, "200", clock.now, details=STRANDED))
    assert [entry.state for entry in tasks(deps, row)] == ["pending"]
    clock.forward(hours=1)
    relay(deps, TOPICS)
    assert codes(deps, row)[-1] == "duplicate-sent"
    assert len(mails(deps)) == 1


def test_an_interruption_into_the_spool_sends_the_very_same_mail(deps: Deps, deposited, monkeypatch) -> None:
    row = deposited()
    monkeypatch.setattr("gateway.outgoing.handover.deliver", cut)
    with pytest.raises(KeyboardInterrupt):
        task(deps, row)
    monkeypatch.undo()
    deps.clock.forward(minutes=5)  # type: ignore[attr-defined]  # the lease ends
    relay(deps, TOPICS)
    assert codes(deps, row) == ["not-transmitted", "duplicate-sending", "duplicate-sent"]
    with deps.db.reading(row.tenant_id) as session:
        [intent] = session.scalars(select(Event).where(Event.code == "duplicate-sending")).all()
    assert mails(deps) == [deps.store.get(Digest(intent.sha256))]


def cut(*_: object, **__: object) -> None:
    raise KeyboardInterrupt
