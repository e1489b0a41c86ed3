"""One letter for all invoices of a client: which it names, and what becomes of it."""

import uuid
from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from gateway.mail import InDoubt
from gateway.outbox import Park
from gateway.reminders import service
from gateway.reminders.effect import effects
from gateway.reminders.people import settle
from gateway.reminders.schemas import SettlementIn
from gateway.tables import Payment, Submission
from gateway.tables_reminders import Decision

if TYPE_CHECKING:
    from tests.gateway.reminders.conftest import Play


def test_one_mail_for_all_invoices_of_a_client(play: "Play") -> None:
    play.another("FA-2", "2026-03-12", "50.00")
    play.another("FA-3", "2026-06-30", "50.00")
    play.another("FA-4", "2026-03-13", "50.00", buyer_siren="000003004", buyer_name="Autre client")
    play.on("2026-03-23")
    play.work()
    by_number = {mail["Subject"].split()[1]: mail for mail in play.mails()}
    assert sorted(by_number) == ["FA-2", "FA-4"], "two clients, two mails; the oldest invoice leads"
    mail = by_number["FA-2"]
    text = mail.get_body(("plain",)).get_content().replace("\xa0", " ").replace("\u202f", " ")
    assert "FA-2026-0042 | 13/03/2026 | 10 jours | 1 200,00 €" in text
    assert "Total à régler : 1 250,00 €" in text
    assert "Vos autres factures ouvertes" in text
    assert "FA-3 | 30/06/2026 | à échoir | 50,00 €" in text
    assert "Total ouvert, tout compris : 1 300,00 €" in text
    assert [part.get_filename() for part in mail.iter_attachments()] == [
        "FA-2-facture.pdf", "FA-2026-0042-facture.pdf", "FA-3-facture.pdf"]
    assert play.told() == [("sent", "due", "friendly")]
    with play.deps.db.reading(play.invoice.tenant_id) as session:
        rows = session.scalars(select(Decision).where(Decision.outcome == "sent")).all()
    both = ["FA-2", "FA-2026-0042"]
    assert sorted(row.facts["together"] for row in rows) == [both, both, ["FA-4"]]


def test_what_became_of_a_mail_became_of_all_its_invoices(
    play: "Play", principal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_given: Any) -> None:
        raise InDoubt("réponse perdue")

    play.another("FA-2", "2026-03-12", "50.00")
    play.on("2026-03-23")
    ticks = count()
    play.deps = replace(play.deps, clock=lambda: play.clock.now + timedelta(microseconds=next(ticks)))
    monkeypatch.setattr(service, "deliver", lose)
    with pytest.raises(Park):
        play.remind()
    settle(play.deps, principal, play.invoice.id, play.decisions()[0].id,
           SettlementIn(delivered=True, reason="Vu dans le journal du serveur"))
    with play.deps.db.reading(play.invoice.tenant_id) as session:
        assert session.scalars(select(Decision.outcome)).all() == ["sent", "sent"]
        assert [one.messages for one in effects(session, play.deps.today(), 30)] == [1]


def test_a_long_settled_history_hides_no_open_invoice(play: "Play") -> None:
    settle_long_ago(play, 500)
    play.another("FA-2026-0050", play.document.due_date.isoformat() if play.document.due_date else "", "10.00")
    play.on("2026-03-23")
    play.work()
    assert len(play.mails()) == 1
    assert "FA-2026-0042" in play.text()
    assert "FA-2026-0050" in play.text()


def settle_long_ago(play: "Play", count: int) -> None:
    """So many invoices of the usual client, paid years ago, about which the last thing was said then."""
    with play.deps.db.transaction(play.invoice.tenant_id) as session:
        row = session.execute(select(*Submission.__table__.columns).where(
            Submission.id == play.invoice.id)).mappings().one()
        ids = [str(uuid.uuid4()) for _ in range(count)]
        then, tenant = row["received_at"] - timedelta(days=700), row["tenant_id"]
        session.add_all(Submission(**{**row, "id": id_, "number": f"FA-2024-{number:04}", "received_at": then,
                                      "due_date": date(2024, 3, 13)}) for number, id_ in enumerate(ids))
        session.flush()
        session.add_all(Payment(tenant_id=tenant, id=str(uuid.uuid4()), submission_id=id_, amount=row["due"],
                                currency="EUR", paid_on=then.date(), recorded_at=then, actor="key:test") for id_ in ids)
        session.add_all(Decision(tenant_id=tenant, id=str(uuid.uuid4()), submission_id=id_, intent=f"{id_}:skipped",
                                 at=then, outcome="skipped", stage="", reason="", scenario="",
                                 facts={"code": "paid", "credited": "0", "n": 1}) for id_ in ids)
