"""Reminders in the service: sent once whatever crashes, stopped by what happens meanwhile, every decision kept."""

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event as sql_event
from sqlalchemy import select

from archive.store import Digest
from gateway.keeping.erasure import erase_invoice
from gateway.mail import InDoubt, spool_path
from gateway.outbox import RetryLater, put
from gateway.reminders import people, service
from gateway.reminders.nightly import sweep, tick
from gateway.reminders.scenario import DEFAULT, to_json
from gateway.reminders.schemas import SettlementIn
from gateway.reminders.service import handle_remind
from gateway.tables import Document, Event, LegalEntity, OutboxEntry, Submission
from gateway.tables_retention import Retention
from gateway.worker import relay

if TYPE_CHECKING:
    from tests.gateway.reminders.conftest import Play


class Crash(BaseException):
    """The process ends here."""


def crash(*_: Any, **__: Any) -> None:
    raise Crash


def reminders_kept(play: "Play") -> list[Document]:
    with play.deps.db.reading(play.invoice.tenant_id) as session:
        return list(session.scalars(select(Document).where(Document.role == "reminder")))


def test_a_letter_is_sent_and_kept(play: "Play") -> None:
    play.on("2026-03-23")
    play.remind()
    (mail,) = play.mails()
    assert (mail["To"], mail["Reply-To"]) == ("compta@mairie.example", "claire@atelier.example")
    assert mail["From"] == "Atelier Imaginaire <relances@passerelle.example>"
    assert "FA-2026-0042" in mail["Subject"]
    (row,) = play.decisions()
    assert (row.outcome, row.stage, row.recipient, row.channel) == (
        "sent", "friendly", "compta@mairie.example", "spool")
    assert row.intent == f"{play.invoice.id}:friendly"
    assert row.facts["balance"] == "1200.00"
    (document,) = reminders_kept(play)
    assert document.name == "FA-2026-0042-relance-friendly.eml"
    assert play.deps.store.get(Digest(document.sha256)) == spool_path(
        play.deps.settings, mail["Message-ID"]).read_bytes()
    assert play.events() == ["sending", "sent"]


def test_a_second_run_sends_nothing(play: "Play") -> None:
    play.on("2026-03-23")
    play.remind()
    play.remind()
    assert len(play.mails()) == 1
    assert play.told() == [("sent", "due", "friendly")]


def test_the_whole_life_of_an_unpaid_invoice(play: "Play") -> None:
    """A turn at odd hours over three months, as the worker runs it."""
    play.clock.forward(days=20)
    while play.deps.today() < date(2026, 5, 10):
        play.work()
        play.clock.forward(hours=11)
    assert [row for row in play.told() if row[0] == "sent"] == [
        ("sent", "due", stage)
        for stage in ("before", "due", "friendly", "formal", "call", "penalties", "service", "letter")]
    assert len(play.told()) < 16, "one row per reason, not per turn"
    threads = [mail["References"] for mail in play.mails()]
    assert threads[0] is None
    assert len(threads[-1].split()) == 5


def test_paid_while_the_letter_was_written(play: "Play", monkeypatch: pytest.MonkeyPatch) -> None:
    """The state is read again in the transaction that claims the intent."""
    play.on("2026-03-23")
    written: list[Any] = []
    really = service.draft

    def slowly(*given: Any) -> Any:
        written.append(really(*given))
        if len(written) == 1:
            play.pay("1200.00")
        return written[-1]

    monkeypatch.setattr(service, "draft", slowly)
    play.remind()
    assert play.told() == [("sent", "thanks", "thanks")]
    assert [mail["Subject"][:5] for mail in play.mails()] == ["Merci"]


def test_a_scenario_that_changes_while_the_letter_is_written_gives_the_words(
    play: "Play", principal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record names the version whose words went out."""
    play.on("2026-03-23")
    written: list[Any] = []
    really = service.draft
    stages = to_json(DEFAULT)["stages"]
    stages[2] |= {"subject_fr": "Autres mots"}

    def slowly(*given: Any) -> Any:
        written.append(really(*given))
        if len(written) == 1:
            people.save_scenario(play.deps, principal, {**to_json(DEFAULT), "name": "autre", "stages": stages})
        return written[-1]

    monkeypatch.setattr(service, "draft", slowly)
    play.remind()
    assert [(row.scenario, mail["Subject"]) for row, mail in zip(play.decisions(), play.mails(), strict=True)] == [
        ("autre, version 1", "Autres mots")]


def test_a_partial_payment_lowers_the_amount(play: "Play") -> None:
    play.on("2026-03-23")
    play.pay("1000.00")
    play.remind()
    assert "Nous avons bien reçu 1 000,00 € ; il reste 200,00 €." in play.text()


def test_thanks_once_and_reminded_again_after_a_reversal(play: "Play") -> None:
    play.on("2026-03-23")
    play.remind()
    play.on("2026-03-24")
    play.pay("1200.00")
    play.remind()
    play.remind()
    play.on("2026-03-30")
    play.pay("-1200.00")
    play.remind()
    play.on("2026-04-02")
    play.remind()
    assert play.told() == [("sent", "due", "friendly"), ("sent", "thanks", "thanks"), ("skipped", "paid", ""),
                           ("held", "waiting", ""), ("sent", "due", "formal")]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_around_delivery_never_loses_and_never_doubles(
    play: "Play", when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    play.on("2026-03-23")
    really = service.deliver

    def die(*given: Any, **named: Any) -> None:
        if when == "after":
            really(*given, **named)
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(service, "deliver", die)
        with pytest.raises(Crash):
            play.remind()
    assert play.told() == [("sending", "due", "friendly")]
    with pytest.raises(RetryLater):  # the lease of the first run is not over
        play.remind()
    play.clock.forward(minutes=6)
    play.remind()
    play.remind()
    assert play.told() == [("sent", "due", "friendly")]
    assert len(play.mails()) == 1
    assert len(reminders_kept(play)) == 1


def test_paid_between_a_crash_and_the_next_run(play: "Play", monkeypatch: pytest.MonkeyPatch) -> None:
    play.on("2026-03-23")
    with monkeypatch.context() as patch:
        patch.setattr(service, "deliver", crash)
        with pytest.raises(Crash):
            play.remind()
    play.pay("1200.00")
    play.clock.forward(minutes=6)
    play.remind()
    assert play.told() == [("failed", "due", "friendly"), ("sent", "thanks", "thanks")]
    assert [mail["Subject"][:5] for mail in play.mails()] == ["Merci"]
    assert len(reminders_kept(play)) == 1


def test_an_interrupted_letter_is_found_by_the_tick(play: "Play", monkeypatch: pytest.MonkeyPatch) -> None:
    play.on("2026-03-23")
    with monkeypatch.context() as patch:
        patch.setattr(service, "deliver", crash)
        with pytest.raises(Crash):
            play.remind()
    play.work()
    assert play.told() == [("sending", "due", "friendly")]
    play.clock.forward(minutes=6)
    play.work()
    assert play.told() == [("sent", "due", "friendly")]


def test_the_tick_puts_work_only_where_there_is_some(play: "Play") -> None:
    def waiting() -> int:
        with play.deps.db.reading(play.invoice.tenant_id) as session:
            return len(session.scalars(select(OutboxEntry).where(OutboxEntry.state == "pending")).all())

    play.on("2026-03-02")
    tick(play.deps)
    assert waiting() == 0
    play.on("2026-03-23")
    tick(play.deps)
    tick(play.deps)
    assert waiting() == 1
    play.work()
    tick(play.deps)
    assert waiting() == 0


def test_a_pause_that_ends_is_noticed_by_the_tick(play: "Play") -> None:
    play.on("2026-03-20")
    play.status("211")
    for day in ("2026-03-23", "2026-03-24", "2026-03-25", "2026-03-26"):
        play.on(day)
        play.work()
    assert play.told() == [("held", "payment-announced", "friendly"), ("sent", "due", "friendly")]


def test_a_closed_day_is_told_and_made_up_for(play: "Play") -> None:
    for day in ("2026-03-21", "2026-03-22", "2026-04-04", "2026-04-05", "2026-04-06", "2026-04-07"):
        play.on(day)
        play.work()
    assert play.told() == [
        ("held", "closed-day", "due"), ("held", "closed-day", "friendly"), ("sent", "due", "friendly")]


def test_what_is_not_deposited_is_held_with_its_reason(play: "Play") -> None:
    play.invoice = play.make(number="FA-2", due_date=date(2026, 3, 13), transmission="parked")
    play.on("2026-03-23")
    play.work()
    assert play.told() == [("held", "not-deposited", "friendly")]


def test_an_invoice_that_was_destroyed_is_not_looked_at_again(play: "Play") -> None:
    play.on("2026-04-02")
    play.pay("1200.00")
    with play.deps.db.transaction(play.invoice.tenant_id) as session:
        session.add(Retention(tenant_id=play.invoice.tenant_id, submission_id=play.invoice.id, rule="12-31+10",
                              until=date(2026, 3, 1), counted_to=play.deps.now(), destroyed_at=play.deps.now()))
        erase_invoice(session, session.get_one(Submission, (play.invoice.tenant_id, play.invoice.id)))
    play.on("2026-06-02")
    play.work()
    assert play.told() == []


def test_an_entity_that_is_off_writes_to_nobody(play: "Play", entity: LegalEntity) -> None:
    with play.deps.db.transaction(entity.tenant_id) as session:
        session.get_one(LegalEntity, (entity.tenant_id, entity.id)).enabled = False
    play.on("2026-03-23")
    play.remind()
    assert play.told() == [("held", "entity-off", "friendly")]


def test_an_unreachable_spool_is_retried_under_one_decision(play: "Play") -> None:
    play.on("2026-03-23")
    folder = play.deps.settings.data / "mail"
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("a file where the folder should be")
    for _ in range(3):
        with pytest.raises(RetryLater):
            play.remind()
    assert play.told() == [("failed", "due", "friendly")]
    assert play.events() == ["sending", "failed"]
    folder.unlink()
    play.remind()
    assert play.told() == [("sent", "due", "friendly")]
    assert len(play.mails()) == 1


def test_many_invoices_are_looked_at_with_few_statements(play: "Play") -> None:
    for count in range(30):
        play.make(number=f"FA-{count}", due_date=date(2026, 3, 13))
    play.on("2026-03-23")
    statements: list[str] = []
    sql_event.listen(play.deps.db.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    with play.deps.db.reading(play.invoice.tenant_id) as session:
        found = list(sweep(session, play.deps))
    assert len(found) == 31
    assert len(statements) <= 14


def test_a_doubt_that_a_person_settled_holds_up_no_later_stage(
    play: "Play", principal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_given: Any) -> None:
        raise InDoubt("réponse perdue")

    play.on("2026-03-23")
    with monkeypatch.context() as patch:
        patch.setattr(service, "deliver", lose)
        play.work()
    people.settle(play.deps, principal, play.invoice.id, play.decisions()[0].id,
                  SettlementIn(delivered=True, reason="Vu dans le journal du serveur"))
    play.on("2026-04-02")
    play.work()
    assert play.told() == [("sent", "due", "friendly"), ("sent", "due", "formal")]


def test_what_is_settled_is_not_looked_at_for_ever(play: "Play") -> None:
    play.on("2026-03-23")
    play.pay("1200.00")
    play.work()
    play.on("2026-03-24")
    play.work()
    assert play.told()[-1] == ("skipped", "paid", "")
    play.another("FA-2026-0050", "2026-04-02", "10.00")
    play.on("2026-04-07")
    with play.deps.db.reading(play.invoice.tenant_id) as session:
        assert [seen.facts.number for seen in sweep(session, play.deps)] == ["FA-2026-0050"]


def test_another_tenants_invoice_looks_absent(play: "Play", make_tenant: Any) -> None:
    play.on("2026-03-23")
    stranger = make_tenant("Autre maison")
    with play.deps.db.transaction(stranger) as session:
        entry_id = put(session, stranger, "remind", play.invoice.id, now=play.deps.now())
    relay(play.deps, {"remind": handle_remind})
    with play.deps.db.reading(stranger) as session:
        row = session.get_one(OutboxEntry, (stranger, entry_id))
        assert session.scalars(select(Event)).all() == []
    assert (row.state, row.reason) == ("parked", "no such submission")
    assert play.mails() == []


def test_a_scenario_for_every_day_has_hours_too(play: "Play", principal: Any) -> None:
    definition = {**to_json(DEFAULT), "name": "tous les jours", "working_days_only": False, "hours": [9, 12]}
    people.save_scenario(play.deps, principal, definition)
    play.on("2026-03-28")  # a Saturday, ten in the morning in Paris
    play.clock.forward(hours=-8)
    play.work()
    assert play.told() == []
    play.clock.forward(hours=8)
    play.work()
    assert play.told() == [("sent", "due", "friendly")]


def test_a_letter_waits_for_the_morning(play: "Play") -> None:
    play.on("2026-03-23")
    play.clock.forward(hours=-6)  # four in the morning in Paris
    play.work()
    assert play.told() == []
    play.clock.forward(hours=3, minutes=59)
    play.work()
    assert play.told() == []
    play.clock.forward(minutes=1)
    play.work()
    assert play.told() == [("sent", "due", "friendly")]
    assert play.mails()[0]["Date"].datetime.isoformat() == "2026-03-23T08:00:00+01:00"
