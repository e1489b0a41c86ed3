"""Banque and Pénalités in the console: a statement taken in, confirmed, set aside; a claim made and given up."""

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from statements import paid, statement

from gateway.app import create_app
from gateway.auth import COOKIE
from gateway.deps import Deps
from gateway.tables import LegalEntity, Payment, Submission
from gateway.tables_access import ConsoleSession, User

MakeInvoice = Callable[..., Submission]
TOKEN = "form-token"


@pytest.fixture
def person(deps: Deps, tenant: str) -> Callable[..., TestClient]:
    """A browser in which somebody with these roles is signed in."""

    def sign_in(*roles: str) -> TestClient:
        name = "-".join(roles)
        with deps.db.transaction(tenant) as session:
            session.add(User(tenant_id=tenant, id=name, email=f"{name}@atelier.example", name=name, password_hash="",
                             roles=list(roles), created_at=deps.now(), disabled_at=None))
            session.add(ConsoleSession(tenant_id=tenant, id=hashlib.sha256(name.encode()).hexdigest(), user_id=name,
                                       csrf=TOKEN, created_at=deps.now(), expires_at=deps.now() + timedelta(days=400)))
        return TestClient(create_app(deps), base_url="http://passerelle.example", headers={"Accept": "text/html"},
                          cookies={COOKIE: name})

    return sign_in


def send(browser: TestClient, path: str, **form: str) -> Any:
    return browser.post(path, data={"csrf": TOKEN, **form})


def take_in(browser: TestClient, document: bytes) -> Any:
    return browser.post("/banque/releves", data={"csrf": TOKEN},
                        files={"releve": ("releve.xml", document, "application/xml")})


def test_from_the_statement_to_the_payment(
    person: Callable[..., TestClient], deps: Deps, tenant: str, make_invoice: MakeInvoice
) -> None:
    browser, invoice = person("credit"), make_invoice()
    refused = take_in(browser, b"<a/>")
    assert (refused.status_code, "CAMT.053" in refused.text) == (422, True)
    document = statement(paid("10.00", "acompte F-2026-001"), paid("3.00", "cadeau <b>", name="Inconnu & Cie"))
    page = take_in(browser, document).text
    for words in ("Le relevé est importé", "numéro de facture dans le libellé", "Rien ne dit ce que ce mouvement paie.",
                  "cadeau &lt;b&gt;", "Inconnu &amp; Cie"):
        assert words in page
    assert "déjà importé" in take_in(browser, document).text

    inside = r"(?:(?!</form>).)*?"
    found = re.search(rf'action="(/banque/mouvements/[^"]+/rapprocher)"{inside}name="key" value="([^"]+)"'
                      rf'{inside}name="part" value="({invoice.id}[^"]+)"', page, re.DOTALL)
    assert found is not None
    for _ in range(2):
        assert "Le rapprochement est enregistré" in send(browser, found[1], key=found[2], part=found[3]).text
    with deps.db.reading(tenant) as session:
        assert [row.amount for row in session.scalars(select(Payment))] == [Decimal("10.00")], "a double click is one"
    assert "F-2026-001" in browser.get("/banque?etat=matched").text

    path = re.search(r'action="(/banque/mouvements/[^"]+)/decision"', browser.get("/banque").text)
    assert path is not None
    wrong = send(browser, f"{path[1]}/rapprocher", key="x", number="rien", amount="3,00")
    assert (wrong.status_code, "portent ce numéro" in wrong.text) == (422, True)
    assert "confirmez le trop-perçu" not in send(
        browser, f"{path[1]}/rapprocher", key="y", number="F-2026-001", amount="3,00 €").text
    again = take_in(browser, statement(paid("500.00", "F-2026-001", reference="B-9"), id="STMT-2")).text
    path = re.search(r'action="(/banque/mouvements/[^"]+)/decision"', again)
    assert path is not None
    assert "confirmez le trop-perçu" in send(
        browser, f"{path[1]}/rapprocher", key="z", number="F-2026-001", amount="500").text
    assert send(browser, f"{path[1]}/decision", action="aside", etat="open", reason="").status_code == 422
    assert "avec la raison" in send(browser, f"{path[1]}/decision", action="aside", etat="open", reason="À rendre").text
    assert "À rendre" in browser.get("/banque?etat=aside").text


def test_a_transfer_that_pays_more_invoices_than_a_usual_form_has_fields(
    person: Callable[..., TestClient], make_invoice: MakeInvoice
) -> None:
    """A great client pays a month of invoices at once: 201 of them, one cent each."""
    browser = person("credit")
    for number in range(201):
        make_invoice(number=f"F-{number:04}", total=Decimal("0.01"), due=Decimal("0.01"))
    page = take_in(browser, statement(paid("2.01", "novembre"))).text
    form = re.search(r'action="(/banque/mouvements/[^"]+/rapprocher)"', page)
    assert form is not None
    parts = re.findall(r'name="part" value="([^"]+)"', page)
    answer = browser.post(form[1], data={"csrf": TOKEN, "key": "k", "part": parts})
    assert (len(parts), "Le rapprochement est enregistré" in answer.text) == (201, True)
    assert answer.status_code == 200


def test_a_claim_is_made_shown_and_given_up(
    person: Callable[..., TestClient], entity: LegalEntity, make_invoice: MakeInvoice, clock: Any
) -> None:
    clock.now = datetime(2026, 7, 10, 9, 0, tzinfo=UTC)
    invoice = make_invoice(total=Decimal(10000), due=Decimal(10000), issue_date=date(2026, 4, 1),
                           due_date=date(2026, 5, 31))
    browser, page = person("credit"), f"/factures/{invoice.id}/penalites"
    assert page in browser.get(f"/factures/{invoice.id}").text
    text = browser.get(page).text
    assert "40 €" in text
    assert "Aucun taux n&#39;est connu pour 2026-H2" in text
    claimed = send(browser, page, kind="indemnity", key="k").text
    assert "La créance est réclamée" in claimed
    assert "Réclamer l'indemnité" not in claimed
    assert send(browser, page, kind="fee", key="f", amount="1,5").status_code == 422
    waiver = re.search(rf'action="({page}/[^"]+/abandon)"', claimed)
    assert waiver is not None
    assert send(browser, waiver[1], reason="").status_code == 422
    assert "Geste commercial" in send(browser, waiver[1], reason="Geste commercial").text

    rates = {"half_year": "2026-H2", "refinancing": "3,00", "legal": "2,60"}
    assert send(browser, "/penalites/taux", **rates, source="court").status_code == 422
    assert "Un texte inventé" in send(browser, "/penalites/taux", **rates, source="Un texte inventé").text
    assert "135,48" in browser.get(page).text, "99.86 and 35.62"
    told = send(browser, f"/penalites/conditions/{entity.id}", rate="9,5", day_count="actual").text
    assert "9,5 % l'an au contrat" in told
    assert send(browser, f"/penalites/conditions/{entity.id}", rate="x", day_count="actual").status_code == 422
    assert send(browser, "/penalites/conditions/none", rate="", day_count="365").status_code == 404
    assert "Pénalité abandonnée" in browser.get(f"/factures/{invoice.id}").text


def test_who_sees_what(person: Callable[..., TestClient]) -> None:
    for role, *expected in (("officer", 403, 200), ("credit", 200, 200), ("billing", 200, 403), ("operator", 403, 403)):
        browser = person(str(role))
        assert [browser.get(path).status_code for path in ("/banque", "/penalites")] == expected, role
        assert browser.post("/penalites/taux", data={"csrf": "other"}).status_code == 403
