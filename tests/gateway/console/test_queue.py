"""The platform queue and an invoice that waits, as a person sees them: what happened, what to do, the buttons."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from formats.syntax import ubl_syntax_of, write
from gateway.accounts.people import create_user
from gateway.app import create_app
from gateway.circuits import FLOWS, failed, succeeded
from gateway.commands.demo_invoices import GOODS, invoice
from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.incoming.poll import poll_all
from gateway.lifecycle.duties import Duty, open_duties
from gateway.record import Change, record
from gateway.tables import Event, OutboxEntry, SeenFlow
from gateway.topics import HANDLERS
from gateway.worker import relay

CSRF = re.compile(r'name="csrf" value="([^"]+)"')
PASSWORD = "un-mot-de-passe-assez-long"


class Person(TestClient):
    """Somebody at a browser."""

    def read(self, page: str) -> str:
        answer = self.get(page)
        assert answer.status_code == 200, answer.text
        return answer.text

    def fill_in(self, page: str, target: str, **fields: str) -> Any:
        token = CSRF.search(self.get(page).text)
        assert token is not None
        return self.post(target, data={"csrf": token[1], **fields})


@pytest.fixture
def person(deps: Deps, tenant: str) -> Person:
    create_user(deps, tenant, "a@passerelle.example", "Alix", PASSWORD, ["operator", "billing", "officer"], "test")
    visitor = Person(create_app(deps), base_url="http://passerelle.example", headers={"Accept": "text/html"})
    answer = visitor.fill_in("/connexion", "/connexion", email="a@passerelle.example", password=PASSWORD, suite="/")
    assert answer.status_code == 200, answer.text
    return visitor


@pytest.fixture
def post(client, entity) -> Callable[[str], str]:  # noqa: ARG001 - the seller must be there
    def send(number: str) -> str:
        made = invoice(number, "approve", GOODS, date(2026, 11, 23))
        answer = client.post("/v1/invoices", content=write(made, ubl_syntax_of(made)), headers={
            "Idempotency-Key": number, "Content-Type": "application/xml"})
        return str(answer.json()["id"])

    return send


def work(deps: Deps) -> None:
    relay(deps, {**HANDLERS, "remind": lambda *_: None, "seal": lambda *_: None})


def entry_of(deps: Deps, tenant: str, submission_id: str) -> str:
    with deps.db.reading(tenant) as session:
        return session.scalars(select(OutboxEntry.id).where(
            OutboxEntry.topic == "deliver", OutboxEntry.subject_id == submission_id)).one()


def test_an_unreachable_buyer_is_explained_and_sent_to_anyway(
    person: Person, deps: Deps, tenant, directory, post
) -> None:
    directory.lines = {"000001016_COMPTA": "Enabled"}
    made = post("F-1")
    work(deps)
    page = person.read("/plateforme")
    assert "ne figure pas à l&#39;annuaire" in page
    assert "000001016_COMPTA (active)" in page
    assert "Que faire ?" in page
    assert "Envoyer quand même" in page
    entry = entry_of(deps, tenant, made)
    assert person.fill_in("/plateforme", f"/plateforme/{entry}/envoyer", raison=" ").status_code == 422
    sent = person.fill_in("/plateforme", f"/plateforme/{entry}/envoyer", raison="Vu avec lui.")
    assert "sans attendre l&#39;annuaire" in sent.text
    work(deps)
    assert len(directory.outgoing(made)) == 1
    with deps.db.reading(tenant) as session:
        told = session.scalars(select(Event).where(Event.code == "sent-anyway")).one()
    assert told.reason == "Vu avec lui."
    assert told.actor.startswith("user:")
    assert "Envoi décidé malgré" in person.read(f"/factures/{made}")


def test_one_wrong_secret_is_one_click(person: Person, deps: Deps, tenant, platform, post) -> None:
    platform.refuse_deposits = (401, "UNAUTHORIZED")
    rows = [post(f"F-{number}") for number in range(3)]
    work(deps)
    page = person.read("/plateforme")
    assert "Relancer les 3 de même cause" in page
    assert "corrigez le réglage de la plateforme" in page
    platform.refuse_deposits = None
    person.fill_in("/plateforme", f"/plateforme/{entry_of(deps, tenant, rows[0])}/tout")
    work(deps)
    assert [len(platform.outgoing(row)) for row in rows] == [1, 1, 1]


def test_a_held_invoice_is_decided_about_on_its_page(person: Person, deps: Deps, directory, post) -> None:
    directory.lines["000001016"] = "Upcoming"
    made = post("F-1")
    work(deps)
    page = person.read(f"/factures/{made}")
    assert "Retenue" in page
    assert "Envoyer quand même" in page
    assert "Relancer</button>" not in page
    person.fill_in(f"/factures/{made}", f"/factures/{made}/decision", action="send-anyway", raison="Convenu.")
    work(deps)
    assert len(directory.outgoing(made)) == 1
    refused = person.fill_in(f"/factures/{made}", f"/factures/{made}/decision", action="close", raison="x")
    assert refused.status_code == 409
    assert person.fill_in(f"/factures/{made}", f"/factures/{made}/decision", action="burn").status_code == 404
    assert person.fill_in(f"/factures/{made}", f"/factures/{made}/renvoyer").status_code == 409


def test_a_technical_refusal_is_sent_again_by_a_button(person: Person, deps: Deps, platform, post) -> None:
    made = post("F-1")
    work(deps)
    [flow] = platform.outgoing(made)
    deps.clock.forward(minutes=1)  # type: ignore[attr-defined]  # the clock of tests
    platform.put(flow["flowId"], acknowledgement={"status": "Error", "details": [
        {"level": "Error", "item": "file", "reasonCode": "OtherTechnicalError", "reasonMessage": "x"}]})
    poll_all(deps)
    assert "Renvoyer telle quelle" in person.read(f"/factures/{made}")
    answer = person.fill_in(f"/factures/{made}", f"/factures/{made}/renvoyer")
    assert "repart telle quelle" in answer.text
    work(deps)
    assert len([one for one in platform.flows if one["flowDirection"] == "Out"]) == 2


def test_a_refused_status_is_given_up(
    person: Person, deps: Deps, tenant, platform, connection, make_invoice
) -> None:
    """Set on the platform's own site instead: neither its flow nor its 24 hours ring for ever."""
    row, now = make_invoice(), deps.now()
    sha256 = deps.store.put(b"212").hex
    with deps.db.transaction(tenant) as session:
        session.add(SeenFlow(
            tenant_id=tenant, id="refusé/1", connection_id=connection.id, flow_type="CustomerInvoiceLC",
            first_seen_at=now, updated_at=now, state="parked", cause="ack Error", submission_id=row.id, sha256=sha256))
        record(session, tenant, Change(
            kind="lifecycle", code="212", actor="seller", submission_id=row.id, platform_at=now,
            objects=(Kept("status", sha256, 3),), data={"own": True, "flow_id": "refusé/1"}), now=now)
    platform.put("illisible", b"<NoStatus/>")
    poll_all(deps)
    work(deps)
    assert [duty.state for duty in duties(deps, tenant)] == ["refused"]

    form = {"connexion": connection.id, "flux": "refusé/1"}
    assert person.fill_in("/plateforme", "/plateforme/flux", **form, raison=" ").status_code == 422
    assert person.fill_in("/plateforme", "/plateforme/flux", **{**form, "flux": "?"}, raison="x").status_code == 404
    assert person.fill_in("/plateforme", "/plateforme/flux", **form, raison="Posé chez eux.").status_code == 200
    assert person.fill_in("/plateforme", "/plateforme/flux", **form, raison="x").status_code == 409
    person.fill_in("/plateforme", "/plateforme/flux", **{**form, "flux": "illisible"}, raison="Vu avec eux.")
    assert "Tous les messages reçus ont trouvé leur facture" in person.read("/plateforme")
    assert "Rien n&#39;est arrêté" in person.read("/plateforme")
    assert duties(deps, tenant) == []
    with deps.db.reading(tenant) as session:
        told = session.scalars(select(Event.reason).where(Event.code.in_(("closed", "work-closed")))).all()
    assert sorted(str(one) for one in told) == ["Posé chez eux.", "Vu avec eux."]


def duties(deps: Deps, tenant: str) -> list[Duty]:
    with deps.db.reading(tenant) as session:
        return open_duties(session)


def test_how_each_connection_does(person: Person, deps: Deps, client, connection) -> None:
    for _ in range(5):
        failed(deps, connection, FLOWS, "ANSWER_LOST: pas de réponse")
    page = person.read("/plateforme")
    assert "Au repos après des échecs" in page
    assert "ANSWER_LOST: pas de réponse" in page
    assert "au repos jusqu&#39;au" in page or "au repos jusqu'au" in page
    [flows] = client.get(f"/v1/connections/{connection.id}/health").json()["services"]
    assert (flows["service"], flows["failures"]) == ("flows", 5)
    assert flows["open_until"]
    succeeded(deps, connection, FLOWS)
    assert "Au repos" not in person.read("/plateforme")
    assert client.get("/v1/connections/nobody/health").status_code == 404


def test_the_directory_page_looks_up_and_keeps_the_choice(person: Person, directory, entity) -> None:
    page = f"/reglages/entites/{entity.id}/annuaire"
    assert "Joignable" in person.read(f"{page}?adresse=000001016")
    directory.lines.clear()
    assert "Inconnue" in person.read(f"{page}?adresse=000001016")
    kept = {"not-yet": "send", "disabled": "hold", "unknown": "ask", "cannot-tell": "send"}
    assert "enregistré" in person.fill_in(page, page, **kept).text
    assert person.fill_in(page, page, **{**kept, "unknown": "perhaps"}).status_code == 422
    assert re.search(r'name="disabled".*?value="hold" selected', person.read(page), re.DOTALL)
