"""A person sets our own statuses on the page of an invoice: what each asks for, what the guard forbids, once."""

import uuid
from typing import Any

import pytest
from sqlalchemy import select

from gateway.deps import Deps
from gateway.tables import Event, OutboxEntry

IBAN = "FR76 0000 0000 0000 0000 0000 000"
SUSPENDED, DEPOSITED, REFUSED, PARKED = "F-2026-0436", "F-2026-0447", "F-2026-0417", "F-2026-0449"


def send(visitor: Any, invoice: str, code: str, **fields: str) -> Any:
    form = {"csrf": visitor.token("/"), "code": code, "key": uuid.uuid4().hex, **fields}
    return visitor.post(f"/factures/{invoice}/statuts", data=form, follow_redirects=False)


def queued(deps: Deps, story: Any, invoice: str) -> list[OutboxEntry]:
    with deps.db.reading(story.tenant_id) as session:
        return list(session.scalars(select(OutboxEntry).where(
            OutboxEntry.topic == "send-status", OutboxEntry.subject_id == invoice)))


def test_a_page_offers_what_the_guard_allows(visitor: Any, story: Any) -> None:
    offered = {number: [code for code in ("209", "220", "227")
                        if f'name="code" value="{code}"' in visitor.get(f"/factures/{story.invoices[number]}").text]
               for number in (SUSPENDED, DEPOSITED, REFUSED, "F-2026-0448")}
    assert offered == {SUSPENDED: ["209", "220", "227"], DEPOSITED: ["220", "227"], REFUSED: [], "F-2026-0448": []}


def test_a_suspended_invoice_is_completed_once(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    invoice, key = story.invoices[SUSPENDED], uuid.uuid4().hex
    for _ in range(2):
        answer = send(visitor, invoice, "209", key=key, **{"comment-209": "Procès-verbal joint au courriel du 20."})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/factures/{invoice}?fait=statut")

    [entry] = queued(seeded_deps, story, invoice)
    assert (entry.payload["code"], entry.payload["comment"]) == ("209", "Procès-verbal joint au courriel du 20.")
    assert entry.payload["actor"].startswith("user:")
    page = visitor.get(f"/factures/{invoice}?fait=statut").text
    assert "Statut en file d&#39;envoi" in page
    assert 'name="code" value="209"' not in page, "one that is on its way is not offered again"
    again = send(visitor, invoice, "209", **{"comment-209": "Encore."})
    assert (again.status_code, "déjà en route" in again.text) == (409, True)


def test_a_new_account_wants_its_iban(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    invoice = story.invoices[DEPOSITED]
    wrong = send(visitor, invoice, "227", **{"account-iban": "FR77 0000", "account-name": "Atelier"})
    assert wrong.status_code == 422
    assert "IBAN erroné" in wrong.text
    assert "wrong IBAN" not in wrong.text
    assert 'value="FR77 0000"' in wrong.text, "the form keeps what was typed"
    assert wrong.text.count('<details class="act" open>') == 1
    assert queued(seeded_deps, story, invoice) == []

    answer = send(visitor, invoice, "227", **{"account-iban": IBAN, "account-bic": "ABCDFRPPXXX"})
    assert answer.status_code == 303
    [entry] = queued(seeded_deps, story, invoice)
    assert entry.payload["account"] == {"iban": IBAN.replace(" ", ""), "bic": "ABCDFRPPXXX", "name": None}


@pytest.mark.parametrize(("number", "code", "fields", "status", "said"), [
    ("F-2026-0446", "220", {}, 422, "Ce champ est obligatoire."),
    ("F-2026-0446", "209", {"comment-209": "x"}, 409, "Aucune suspension (208)"),
    (REFUSED, "220", {"comment-220": "x"}, 409, "rejetée, refusée ou annulée"),
    (PARKED, "227", {"account-iban": IBAN}, 409, "pas encore déposée"),
    ("F-2026-0446", "212", {}, 422, "Choisissez une des valeurs"),
    ("F-2026-0446", "227", {"account-iban": IBAN, "account-bic": "no"}, 422, "La forme n&#39;est pas la bonne."),
], ids=["unexplained", "nothing to complete", "ended", "not deposited", "follows payments", "bic"])
def test_what_cannot_be_said_is_explained_in_french(
    visitor: Any, seeded_deps: Deps, story: Any, number: str, code: str, fields: dict[str, str], status: int, said: str
) -> None:
    invoice = story.invoices[number]
    answer = send(visitor, invoice, code, **fields)
    assert answer.status_code == status
    assert said in answer.text
    assert queued(seeded_deps, story, invoice) == []


def test_a_form_without_its_token_and_a_reader_set_nothing(
    visitor: Any, signed_in: Any, seeded_deps: Deps, story: Any
) -> None:
    invoice = story.invoices["F-2026-0446"]
    forged = send(visitor, invoice, "220", csrf="x", **{"comment-220": "x"})
    reader = signed_in("officer")
    unseen = reader.get(f"/factures/{invoice}").text
    assert (forged.status_code, send(reader, invoice, "220", **{"comment-220": "x"}).status_code) == (403, 403)
    assert "Vos statuts" not in unseen
    assert send(visitor, "nobody", "220", **{"comment-220": "x"}).status_code == 404
    with seeded_deps.db.reading(story.tenant_id) as session:
        assert session.scalars(select(Event).where(
            Event.submission_id == invoice, Event.code == "status-queued")).all() == []
