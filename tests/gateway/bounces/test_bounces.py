"""Mails that came back: what stops an address does so once; what does not, changes nothing and is named."""

import imaplib
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from reports import complaint, delivery_report, ordinary, out_of_office
from sqlalchemy import select

from formats.dsn import read_returned
from formats.errors import LimitExceeded
from gateway.bounces import taking
from gateway.bounces.mailboxes import MailboxSilent, arrived
from gateway.deps import Deps
from gateway.outbox import is_pending
from gateway.outgoing.duplicate import message_id_of
from gateway.record import Change, record
from gateway.settings import UnsafeSetup
from gateway.tables import Document, Event, Submission
from gateway.tables_care import Alarm
from gateway.tables_channels import ReturnedMail
from gateway.tables_reminders import Case, Decision
from gateway.topics import HANDLERS
from gateway.worker import relay

OURS = "<relance.0123456789abcdef0123456789abcdef@passerelle.example>"
UNKNOWN = "<relance.ffffffffffffffffffffffffffffffff@passerelle.example>"


@dataclass(frozen=True)
class Desk:
    """One account, and one mail about two of its invoices that left yesterday."""

    deps: Deps
    tenant: str
    clock: Any

    def rows(self, table: type[Any], *where: Any) -> list[Any]:
        with self.deps.db.reading(self.tenant) as session:
            return list(session.scalars(select(table).where(*where)))

    def effects(self) -> tuple[list[Any], int, list[str]]:
        """(refused by letter, open cases, events) after what came back."""
        refused = [row.facts.get("refused") for row in self.rows(Decision)]
        told = sorted(self.rows(Event, Event.kind == "reminder"), key=lambda row: row.position)
        events = [row.code for row in told]
        return refused, len(self.rows(Case, Case.active.is_(True))), events

    def read(self, url: str) -> None:
        """A regular look into a mailbox, and the work that it makes."""
        looking = replace(self.deps, settings=self.deps.settings.model_copy(update={"bounces_url": url}))
        taking.look_regularly(looking)
        taking.look_regularly(looking)
        assert relay(looking, HANDLERS, only={taking.TOPIC}) == 1, "one at a time"
        self.clock.forward(minutes=6)


@pytest.fixture
def desk(deps: Deps, tenant: str, clock: Any, make_invoice: Callable[..., Submission]) -> Desk:
    invoices = (make_invoice(), make_invoice(number="F-2026-002"))
    with deps.db.transaction(tenant) as session:
        for invoice in invoices:
            session.add(Decision(
                tenant_id=tenant, id=str(uuid.uuid4()), submission_id=invoice.id, intent=f"{invoice.id}:friendly",
                stage="friendly", at=deps.now(), outcome="sent", reason="échue", facts={"n": 1}, sha256="0" * 64,
                scenario="relances-v2", channel="smtp", recipient="compta@mairie.example", message_id=OURS))
    return Desk(deps, tenant, clock)


BOUNCED = ["bounced", "case-opened"] * 2


@pytest.mark.parametrize(("mail", "outcome", "refused", "events"), [
    (delivery_report(OURS), "stopped", True, BOUNCED),
    (delivery_report(OURS, whole=True), "stopped", True, BOUNCED),
    (delivery_report(OURS, world=True), "stopped", True, BOUNCED),
    (delivery_report("<x@relay.example>", envelope=OURS.strip("<>")), "stopped", True, BOUNCED),
    (complaint(OURS), "stopped", True, BOUNCED),
    (delivery_report(OURS, status="4.4.7", said="smtp; 421 too long in queue"), "told", False, BOUNCED),
    (delivery_report(OURS, action="delayed", status="4.2.2"), "nothing", None, []),
    (delivery_report(OURS, action="delivered", status="2.0.0"), "nothing", None, []),
    (complaint(OURS, kind="not-spam"), "nothing", None, []),
    (out_of_office(OURS), "nothing", None, []),
    (ordinary(), "nothing", None, []),
    (delivery_report(UNKNOWN), "unknown", None, []),
    (delivery_report("<x@y.example>", envelope="relance+00+FF"), "unknown", None, []),
    (b"\x00\xff not a mail", "nothing", None, []),
    (b"\r\n--x" * 6000, "nothing", None, []),
], ids=["headers", "whole mail", "rfc 6533", "envelope id", "complaint", "given up", "delayed", "delivered", "not spam",
        "out of office", "ordinary", "forged", "odd envelope", "noise", "endless"])
def test_what_came_back_has_its_effect_once(
    desk: Desk, mail: bytes, outcome: str, refused: object, events: list[str]
) -> None:
    assert [taking.take_in(desk.deps, mail) for _ in range(3)] == [outcome] * 3
    assert desk.effects() == ([refused] * 2, len(events) // 2, events)
    (kept,) = desk.rows(ReturnedMail)
    assert (kept.size, kept.outcome) == (len(mail), outcome)
    reports = desk.rows(Document, Document.role == "returned")
    assert {row.sha256 for row in reports} == ({kept.id} if events else set())
    file = desk.deps.settings.data / "returned" / f"{kept.id}.eml"
    assert (file.read_bytes() == mail) if not events else not file.exists(), "kept, with the invoice or beside it"


def test_a_second_report_about_the_same_mail_changes_nothing_more(desk: Desk) -> None:
    taking.take_in(desk.deps, delivery_report(OURS))
    assert taking.take_in(desk.deps, delivery_report(OURS, said="smtp; 550 again")) == "stopped"
    assert desk.effects() == ([True] * 2, 2, BOUNCED)


def test_a_double_that_came_back_is_told_on_its_invoice(desk: Desk) -> None:
    invoice = desk.rows(Submission)[0]
    with desk.deps.db.transaction(desk.tenant) as session:
        record(session, desk.tenant, Change(kind="transmission", code="duplicate-sent", actor="worker",
                                            submission_id=invoice.id), now=desk.deps.now())
    mail = delivery_report(message_id_of(desk.deps, invoice))
    assert [taking.take_in(desk.deps, mail) for _ in range(2)] == ["told"] * 2
    told = desk.rows(Event, Event.code == "duplicate-failed")
    assert [event.submission_id for event in told] == [invoice.id]
    assert [row.submission_id for row in desk.rows(Document, Document.role == "returned")] == [invoice.id]
    assert taking.take_in(desk.deps, delivery_report("<double.0@passerelle.example>")) == "unknown"


def test_parts_within_parts_end() -> None:
    deep = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(1000))
    with pytest.raises(LimitExceeded):
        read_returned(deep)


def test_a_maildir_and_a_folder_are_read_once(desk: Desk, tmp_path: Path) -> None:
    maildir, folder = tmp_path / "Maildir", tmp_path / "mails"
    for path in (maildir / "new", maildir / "cur", folder):
        path.mkdir(parents=True)
    (maildir / "new" / "1.mx").write_bytes(delivery_report(OURS))
    (folder / "absence.eml").write_bytes(out_of_office(OURS))
    (folder / "note.txt").write_bytes(b"not a mail")
    desk.read(f"maildir://{maildir}")
    desk.read(f"file://{folder}")
    assert [path.name for path in (maildir / "cur").iterdir()] == ["1.mx:2,S"]
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*")) == ["lus/absence.eml", "note.txt"]
    assert sorted(row.kind for row in desk.rows(ReturnedMail)) == ["auto-reply", "permanent"]


@pytest.fixture(scope="module")
def imap() -> Iterator[str]:
    """An IMAP server in a process of its own, with one account; its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Path(sys.executable).with_name("pymap")
    process = subprocess.Popen(
        [str(server), "--host", "127.0.0.1", "--port",
         str(port), "--no-tls", "dict", "--demo-user", "retours", "--demo-password", "mot de passe"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"imap://retours:mot%20de%20passe@127.0.0.1:{port}/INBOX"
    finally:
        process.kill()
        process.wait()


def open_imap(url: str) -> imaplib.IMAP4:
    """As soon as it listens."""
    port = int(url.rpartition(":")[2].partition("/")[0])
    for _ in range(200):
        try:
            server = imaplib.IMAP4("127.0.0.1", port)
        except OSError:
            time.sleep(0.05)
        else:
            server.login("retours", "mot de passe")
            return server
    raise AssertionError("the server never listened")


def test_a_mailbox_is_read_by_imap(desk: Desk, imap: str) -> None:
    server = open_imap(imap)
    for mail in (delivery_report(OURS), ordinary(), delivery_report(UNKNOWN)):
        assert server.append("INBOX", "", imaplib.Time2Internaldate(0), mail)[0] == "OK"
    desk.read(imap)
    assert sorted(row.outcome for row in desk.rows(ReturnedMail)) == ["nothing", "stopped", "unknown"]
    assert desk.effects() == ([True] * 2, 2, BOUNCED)
    server.select("INBOX")
    assert server.uid("SEARCH", "UNSEEN")[1] == [b""], "what was read is marked"
    desk.read(imap)
    assert len(desk.rows(ReturnedMail)) == 3
    server.logout()


def test_a_mailbox_that_is_away_rings_until_it_is_back(desk: Desk, tmp_path: Path) -> None:
    for url, rings in (("imap://a:b@127.0.0.1:9/INBOX", True), (f"file://{tmp_path / 'none'}", True),
                       (f"file://{tmp_path}", False)):
        desk.read(url)
        ringing = desk.rows(Alarm, Alarm.kind == "mailbox-silent", Alarm.active.is_(True))
        assert bool(ringing) is rings, url


def test_a_mailbox_whose_mails_cannot_be_marked_rings_too(desk: Desk, tmp_path: Path) -> None:
    new, cur = tmp_path / "new", tmp_path / "cur"
    new.mkdir()
    (new / "1.mx").write_bytes(delivery_report(OURS))
    for rings in (True, False):
        desk.read(f"maildir://{tmp_path}")
        ringing = desk.rows(Alarm, Alarm.kind == "mailbox-silent", Alarm.active.is_(True))
        assert (bool(ringing), desk.effects()) == (rings, ([True] * 2, 2, BOUNCED))
        cur.mkdir(exist_ok=True)
    assert [path.name for path in cur.iterdir()] == ["1.mx:2,S"]


def test_no_mailbox_no_work_and_no_other_kind(desk: Desk) -> None:
    taking.look_regularly(desk.deps)
    with desk.deps.db.reading(desk.tenant) as session:
        assert not is_pending(session, taking.TOPIC, taking.TOPIC)
    with pytest.raises(UnsafeSetup):
        list(arrived("pop3://server/"))
    with pytest.raises(MailboxSilent):
        list(arrived("maildir:///nowhere/at/all"))
