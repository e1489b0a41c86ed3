"""Delivery to a real SMTP server: what it takes, refuses, or leaves in doubt."""

import asyncio
import email
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from email.policy import default
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.smtp import SMTP
from reminder_cases import only_case, open_cases
from sqlalchemy import select

from gateway.auth import Principal
from gateway.mail import InDoubt, NotDelivered, deliver
from gateway.outbox import Park, RetryLater
from gateway.reminders import service
from gateway.reminders.cases import close_case
from gateway.reminders.people import bounce
from gateway.reminders.routes import router
from gateway.reminders.schemas import BounceIn
from gateway.settings import Settings
from gateway.tables_reminders import Case, Decision

if TYPE_CHECKING:
    from tests.gateway.reminders.conftest import Play

MAIL = b"Subject: essai\r\n\r\n.une ligne qui commence par un point\r\n"


@dataclass
class Mailbox:
    """What the server does with a mail, and what it took."""

    rcpt: str = "250 OK"
    data: str | None = "250 OK"
    """None: take the mail, then hang up without an answer."""

    taken: list[bytes] = field(default_factory=list)
    port: int = 0
    dsn: bool = False
    """Offer delivery reports (RFC 3461)."""

    envelopes: list[str] = field(default_factory=list)
    """What MAIL and RCPT said."""

    async def handle_RCPT(self, *given: Any) -> str:  # noqa: N802 - the server's name
        if self.rcpt.startswith("250"):
            given[2].rcpt_tos.append(given[3])
        return self.rcpt

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - as above
        if self.data is None or self.data.startswith("250"):
            self.taken.append(envelope.original_content)
        if self.data is None:
            server.transport.abort()
            return "250 nobody hears it"
        return self.data


class Reporting(SMTP):
    """The server, which knows no parameters of reports by itself."""

    async def push(self, status: str | bytes) -> None:
        if self.event_handler.dsn and status == "250 HELP":  # the last line of the greeting
            await super().push("250-DSN")
        await super().push(status)

    async def smtp_MAIL(self, arg: str) -> None:  # noqa: N802 - as above
        self.event_handler.envelopes.append(arg)
        await super().smtp_MAIL(arg.partition(" ")[0] if self.event_handler.dsn else arg)

    async def smtp_RCPT(self, arg: str) -> None:  # noqa: N802 - as above
        self.event_handler.envelopes.append(arg)
        await super().smtp_RCPT(arg.partition(" ")[0] if self.event_handler.dsn else arg)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(
        lambda: Reporting(box, hostname="mail.example", loop=loop, auth_require_tls=False), "127.0.0.1", 0))
    box.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield box
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@pytest.fixture
def by_smtp(play: "Play", mailbox: Mailbox) -> "Play":
    """The play, with mails going to the server."""
    settings = play.deps.settings.model_copy(update={"smtp_url": f"smtp://127.0.0.1:{mailbox.port}"})
    play.deps = replace(play.deps, settings=settings)
    play.on("2026-03-23")
    return play


def send(mailbox: Mailbox) -> None:
    settings = Settings(smtp_url=f"smtp://127.0.0.1:{mailbox.port}")
    deliver(settings, MAIL, message_id="<a@b.example>", sender="a@b.example", recipient="c@d.example")


def test_the_bytes_arrive_as_composed(mailbox: Mailbox) -> None:
    send(mailbox)
    assert mailbox.taken == [MAIL]


def test_a_server_that_reports_is_told_which_mail_it_is_about(mailbox: Mailbox) -> None:
    mailbox.dsn = True
    send(mailbox)
    assert mailbox.taken == [MAIL]
    mail, recipient = mailbox.envelopes
    assert mail.split(" ")[1:] == ["RET=HDRS", "ENVID=a@b.example"]
    assert recipient.split(" ")[1:] == ["NOTIFY=FAILURE,DELAY"]


def test_a_name_that_is_too_long_for_an_envelope_is_left_out(mailbox: Mailbox) -> None:
    mailbox.dsn = True
    settings = Settings(smtp_url=f"smtp://127.0.0.1:{mailbox.port}")
    deliver(settings, MAIL, message_id=f"<{'a' * 91}@b.example>", sender="a@b.example", recipient="c@d.example")
    assert mailbox.envelopes[0].split(" ")[1:] == ["RET=HDRS"]


def test_a_reminder_reaches_the_mailbox(by_smtp: "Play", mailbox: Mailbox) -> None:
    by_smtp.remind()
    by_smtp.remind()
    (taken,) = mailbox.taken
    mail = email.message_from_bytes(taken, policy=default)
    assert mail["To"] == "compta@mairie.example"
    assert mail["Message-ID"] == by_smtp.decisions()[0].message_id
    assert by_smtp.decisions()[0].channel == "smtp"
    assert by_smtp.told() == [("sent", "due", "friendly")]


@pytest.mark.parametrize(("rcpt", "data", "permanent"), [
    ("550 no such user", "250 OK", True),
    ("451 try again", "250 OK", False),
    ("250 OK", "554 content refused", True),
    ("250 OK", "452 no space", False),
])
def test_a_clear_no_is_certain(mailbox: Mailbox, rcpt: str, data: str, permanent: bool) -> None:  # noqa: FBT001 - a column of the table
    mailbox.rcpt, mailbox.data = rcpt, data
    with pytest.raises(NotDelivered) as told:
        send(mailbox)
    assert told.value.permanent is permanent
    assert mailbox.taken == []


def test_a_password_that_no_server_can_be_told_is_no_doubt(by_smtp: "Play", mailbox: Mailbox) -> None:
    url = f"smtp://relances:%C3%A9t%C3%A9@127.0.0.1:{mailbox.port}"
    by_smtp.deps = replace(by_smtp.deps, settings=by_smtp.deps.settings.model_copy(update={"smtp_url": url}))
    with pytest.raises(RetryLater):
        by_smtp.remind()
    assert (by_smtp.told(), mailbox.taken) == ([("failed", "due", "friendly")], [])
    assert "ASCII" in by_smtp.decisions()[0].facts["failure"]


def test_an_answer_that_is_lost_is_doubt(mailbox: Mailbox) -> None:
    mailbox.data = None
    with pytest.raises(InDoubt):
        send(mailbox)
    assert len(mailbox.taken) == 1


def test_nobody_listens(play: "Play") -> None:
    play.deps = replace(play.deps, settings=play.deps.settings.model_copy(update={"smtp_url": "smtp://127.0.0.1:9"}))
    play.on("2026-03-23")
    with pytest.raises(RetryLater):
        play.remind()
    assert play.told() == [("failed", "due", "friendly")]


def test_a_refused_address_is_told_and_not_tried_again(by_smtp: "Play", mailbox: Mailbox) -> None:
    mailbox.rcpt = "550 no such user"
    by_smtp.remind()
    by_smtp.remind()
    mailbox.rcpt = "250 OK"
    by_smtp.on("2026-04-02")
    by_smtp.remind()
    assert by_smtp.told() == [("failed", "due", "friendly"), ("held", "refused-address", "friendly")]
    assert mailbox.taken == []
    assert "550 no such user" in by_smtp.decisions()[0].facts["failure"]


def test_nothing_more_goes_to_an_address_that_a_mail_came_back_from_until_a_person_has_looked(
    by_smtp: "Play", mailbox: Mailbox, principal: Principal
) -> None:
    by_smtp.work()
    first = by_smtp.invoice
    bounce(by_smtp.deps, principal, first.id, by_smtp.decisions()[0].id, BounceIn(reason="Boîte inconnue (5.1.1)"))
    by_smtp.on("2026-04-01")
    by_smtp.invoice = by_smtp.another("FA-2", "2026-03-20", "50.00")
    by_smtp.work()
    assert by_smtp.told() == [("held", "refused-address", "friendly")]
    with by_smtp.deps.db.reading(first.tenant_id) as session:
        case = session.scalars(select(Case.id).where(Case.submission_id == first.id, Case.kind == "bounce")).one()
    close_case(by_smtp.deps, principal, case, "done", "La boîte est de nouveau ouverte.")
    by_smtp.work()
    assert len(mailbox.taken) == 2
    assert by_smtp.told()[-1] == ("sent", "due", "friendly")


def test_nobody_looks_for_an_address_for_thanks(by_smtp: "Play", principal: Principal) -> None:
    by_smtp.work()
    bounce(by_smtp.deps, principal, by_smtp.invoice.id, by_smtp.decisions()[0].id, BounceIn(reason="Boîte inconnue"))
    by_smtp.pay("1200.00")
    by_smtp.remind()
    assert by_smtp.told()[-1] == ("held", "refused-address", "thanks")
    assert open_cases(by_smtp) == []


def test_the_address_of_a_paid_invoice_is_dealt_with_by_the_case_of_the_next_one(
    by_smtp: "Play", mailbox: Mailbox, principal: Principal
) -> None:
    by_smtp.work()
    first = by_smtp.invoice
    bounce(by_smtp.deps, principal, first.id, by_smtp.decisions()[0].id, BounceIn(reason="Boîte inconnue (5.1.1)"))
    by_smtp.pay("1200.00")
    by_smtp.work()
    by_smtp.on("2026-04-01")
    by_smtp.invoice = by_smtp.another("FA-2", "2026-03-20", "50.00")
    by_smtp.work()
    assert by_smtp.told() == [("held", "refused-address", "friendly")]
    close_case(by_smtp.deps, principal, only_case(by_smtp, "bounce").id, "done", "La boîte est de nouveau ouverte.")
    by_smtp.work()
    assert len(mailbox.taken) == 2
    assert by_smtp.told()[-1] == ("sent", "due", "friendly")


@pytest.mark.parametrize(("delivered", "mails"), [(True, 1), (False, 2)])
def test_a_lost_answer_waits_for_a_person(
    by_smtp: "Play", mailbox: Mailbox, serve: Callable[..., Any], delivered: bool, mails: int  # noqa: FBT001 - as above
) -> None:
    mailbox.data = None
    with pytest.raises(Park):
        by_smtp.remind()
    mailbox.data = "250 OK"
    by_smtp.remind()
    assert by_smtp.told() == [("unknown", "due", "friendly")]
    assert len(mailbox.taken) == 1, "never a second time by itself"
    decision = by_smtp.decisions()[0].id
    path = f"/v1/invoices/{by_smtp.invoice.id}/reminders/{decision}/settlement"
    answer = serve(router).post(path, json={"delivered": delivered, "reason": "Vu dans le journal du serveur"})
    assert answer.status_code == 200
    by_smtp.remind()
    assert len(mailbox.taken) == mails
    assert by_smtp.told() == [("sent", "due", "friendly")]
    again = serve(router).post(path, json={"delivered": delivered, "reason": "Vu dans le journal du serveur"})
    assert (again.status_code, again.json()["code"]) == (409, "not-in-doubt")


def killed_after(step: str, play: "Play", monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker dies as soon as a step of the service is done."""
    really = getattr(service, step)

    def die(*given: Any, **named: Any) -> None:
        really(*given, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(service, step, die)
        with pytest.raises(KeyboardInterrupt):
            play.remind()


def test_a_crash_after_smtp_is_parked(
    by_smtp: "Play", mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_after("deliver", by_smtp, monkeypatch)
    by_smtp.clock.forward(minutes=6)
    with pytest.raises(Park):
        by_smtp.remind()
    by_smtp.remind()
    assert by_smtp.told() == [("unknown", "due", "friendly")]
    assert len(mailbox.taken) == 1


def test_a_crash_while_it_is_written_down_leaves_no_doubt(
    by_smtp: "Play", mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_smtp.another("FA-2", "2026-03-13", "50.00")
    killed_after("conclude", by_smtp, monkeypatch)
    by_smtp.clock.forward(minutes=6)
    by_smtp.work()
    with by_smtp.deps.db.reading(by_smtp.invoice.tenant_id) as session:
        assert session.scalars(select(Decision.outcome)).all() == ["sent", "sent"]
    assert len(mailbox.taken) == 1


def test_two_workers_at_once_send_one_letter(by_smtp: "Play", mailbox: Mailbox) -> None:
    troubles: list[BaseException] = []

    def work() -> None:
        try:
            by_smtp.remind()
        except RetryLater as later:
            troubles.append(later)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(mailbox.taken) == 1
    assert by_smtp.told() == [("sent", "due", "friendly")]
    assert all(later.patient for later in troubles)
