"""Reminders by SMS: only to a number that a person settled, once for all invoices of a client, in doubt never twice."""

import re
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from gateway.auth import Principal
from gateway.reminders.answers import question_of
from gateway.reminders.clients import ClientIn, set_client
from gateway.reminders.letters.texting import for_phones
from gateway.tables import Document, OutboxEntry
from gateway.tables_channels import Channel
from gateway.tables_reminders import Decision
from gateway.topics import HANDLERS
from gateway.worker import relay


def settle(stage: Any, officer: Principal, invoice_id: str, **wanted: Any) -> None:
    set_client(stage.deps, officer, invoice_id, ClientIn.model_validate({"by_sms": True, "lang": "fr", **wanted}))
    relay(stage.deps, HANDLERS, only={"remind"})


def decisions(stage: Any) -> list[tuple[str, str, str | None]]:
    """(outcome, code, recipient) in the order in which they were made."""
    with stage.deps.db.reading(stage.tenant) as session:
        rows = session.scalars(select(Decision)).all()
    return [(row.outcome, row.facts["code"], row.recipient) for row in sorted(rows, key=lambda row: row.facts["n"])]


def test_one_text_for_a_client_whose_number_a_person_settled(stage, officer) -> None:
    late = {"due_date": date(2026, 11, 13), "buyer_name": "Éts Œuvrard & “Fils”"}
    first, _ = (stage.make_invoice(number=number, **late) for number in ("F-2026-001", "F-2026-002"))
    settle(stage, officer, first.id)
    settle(stage, officer, first.id, phone="06 12 34 56 78")
    assert {(outcome, code) for outcome, code, _ in decisions(stage)} == {("held", "no-phone"), ("held", "no-texting")}
    stage.channel("ok/sms/{phone}")
    settle(stage, officer, first.id, phone="06 12 34 56 78")
    relay(stage.deps, HANDLERS, only={"remind"})
    (text,) = (said["message"] for said in stage.chat.got("ok/sms/+33612345678"))
    words = re.fullmatch(r"Atelier des Passerelles SAS : 2 factures, dont (\S+), échéance 13 nov\. 2026, "
                         r"reste 240,00 € en tout\. Répondre : \S+/reponse/([^?]+)\?lang=fr", text)
    assert words is not None, text
    assert len(text) <= 306, "two parts at most"
    assert for_phones(text) == text
    assert question_of(stage.deps, words[2]).number == words[1]
    assert [one for one in decisions(stage) if one[0] == "sent"] == [("sent", "due", "+33612345678")] * 2
    with stage.deps.db.reading(stage.tenant) as session:
        kept = session.scalars(select(Document).where(Document.role == "reminder")).all()
    assert {(row.media_type, row.name.rpartition(".")[2]) for row in kept} == {("text/plain", "txt")}
    settle(stage, officer, first.id, phone="+33698765432")
    assert question_of(stage.deps, words[2]).fault == "elsewhere", "it was written to another number"


def test_a_text_in_doubt_waits_for_a_person(stage, officer) -> None:
    invoice = stage.make_invoice(due_date=date(2026, 11, 13))
    stage.channel("silent/sms/{phone}")
    settle(stage, officer, invoice.id, phone="+33612345678")
    relay(stage.deps, HANDLERS, only={"remind"})
    assert decisions(stage) == [("unknown", "due", "+33612345678")]
    assert len(stage.chat.got("silent/sms")) == 1
    with stage.deps.db.reading(stage.tenant) as session:
        assert "parked" in session.scalars(select(OutboxEntry.state).where(OutboxEntry.topic == "remind")).all()


def test_an_address_that_the_key_no_longer_opens_leaves_no_doubt(stage, officer) -> None:
    invoice = stage.make_invoice(due_date=date(2026, 11, 13))
    stage.channel("ok/unopened/{phone}")
    with stage.deps.db.transaction(stage.tenant) as session:
        session.scalars(select(Channel)).one().url = b""
    settle(stage, officer, invoice.id, phone="+33612345678")
    assert decisions(stage) == [("failed", "due", "+33612345678")]
    assert stage.chat.got("ok/unopened") == []


@pytest.mark.parametrize("number", ["0612", "tous", "+0612345678", "+336123456789012345", "+33 6 12; +33 6 13"])
def test_a_number_that_is_none_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match="numéro"):
        ClientIn.model_validate({"phone": number})


def test_what_a_phone_lacks_loses_its_accent() -> None:
    assert for_phones("Éts Lê’Nœud\u00a0: 1\u202f200 € — ça 木") == "Éts Le'Noeud : 1 200 € - ca ?"
