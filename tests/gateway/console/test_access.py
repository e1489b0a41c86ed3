"""Who sees what: roles, forms that need their token, tenants that do not see each other."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from gateway.app import create_app
from gateway.auth import COOKIE
from gateway.console.page import safe_target
from gateway.db import Database
from gateway.deps import Deps
from gateway.tables import Event, Payment

ALL = {"/", "/factures", "/valider", "/factures.csv"}
MORE = {
    "officer": {"/journal", "/journal.csv", "/relances", "/encours", "/encours.xlsx", "/taches"},
    "credit": {"/relances", "/encours", "/encours.xlsx", "/taches"},
    "operator": {"/journal", "/journal.csv", "/plateforme", "/reglages", "/reglages/entites/nouvelle",
                 "/reglages/plateformes", "/reglages/cles", "/reglages/webhooks",
                 "/reglages/personnes"},
    "billing": set(),
}
PAGES = sorted(ALL.union(*MORE.values()))


@pytest.mark.parametrize("role", MORE)
def test_each_role_sees_its_pages_and_no_other(signed_in: Callable[[str], Any], role: str) -> None:
    visitor = signed_in(role)
    for page in PAGES:
        answer = visitor.get(page)
        allowed = page in ALL | MORE[role]
        assert answer.status_code == (200 if allowed else 403), page
        if not allowed:
            assert "Accès refusé" in answer.text


@pytest.mark.parametrize("role", MORE)
def test_the_menu_offers_only_what_opens(signed_in: Callable[[str], Any], role: str) -> None:
    home = signed_in(role).get("/").text
    for page in ("/journal", "/relances", "/encours", "/taches", "/plateforme", "/reglages"):
        assert (f'href="{page}"' in home) == (page in MORE[role]), page


def test_nobody_unknown_sees_a_page(stranger: Any, story: Any) -> None:
    for page in (*PAGES, f"/factures/{story.invoices['F-2026-0415']}"):
        answer = stranger.get(page, follow_redirects=False)
        assert answer.status_code == 303, page
        assert answer.headers["location"].startswith("/connexion")
    asked = stranger.get("/factures?retard=1", follow_redirects=False).headers["location"]
    assert asked == "/connexion?suite=%2Ffactures%3Fretard%3D1"
    assert stranger.post("/plateforme/x/relancer", follow_redirects=False).headers["location"] == "/connexion"


def test_signing_in_leads_back_to_the_page_that_was_asked_for(stranger: Any, seed: Any) -> None:
    page = stranger.get("/factures?retard=1")
    assert "<h1>Connexion</h1>" in page.text
    answer = stranger.post("/connexion", follow_redirects=False, data={
        "csrf": stranger.token("/connexion"), "email": seed.EVERYONE[0], "password": seed.PASSWORD,
        "suite": "/factures?retard=1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/factures?retard=1")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie  # the test speaks http


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:x", "",
                                    "/a\r\nSet-Cookie: x", "/\tevil", None])
def test_nobody_is_led_elsewhere(target: str | None) -> None:
    assert safe_target(target) == "/"


def test_a_wrong_password_says_nothing_about_the_address(stranger: Any, seed: Any) -> None:
    def answer(mail: str) -> str:
        got = stranger.post("/connexion", data={"csrf": stranger.token("/connexion"), "email": mail,
                                                "password": "faux", "suite": "/"})
        assert got.status_code == 401
        return str(got.text).replace(mail, "MAIL")

    assert answer(seed.PEOPLE["billing"][0]) == answer("inconnu@atelier.example")


def test_nobody_is_signed_in_from_elsewhere(stranger: Any, seed: Any) -> None:
    form = {"email": seed.EVERYONE[0], "password": seed.PASSWORD, "suite": "/"}
    assert stranger.post("/connexion", data={**form, "csrf": ""}).status_code == 403
    stranger.get("/connexion")
    assert stranger.post("/connexion", data={**form, "csrf": "0" * 40}).status_code == 403
    assert stranger.get("/", follow_redirects=False).status_code == 303


@pytest.mark.parametrize("token", [None, "", "faux", "é"])
def test_a_form_without_its_token_changes_nothing(
    signed_in: Callable[[str], Any], seeded_deps: Deps, story: Any, token: str | None
) -> None:
    visitor = signed_in("tous")
    paid = f"/factures/{story.invoices['F-2026-0430']}/paiements"
    data = {"amount": "1,00", "paid_on": "2026-11-20", **({} if token is None else {"csrf": token})}

    def count() -> tuple[int, int]:
        with seeded_deps.db.reading(story.tenant_id) as session:
            return (session.scalar(select(func.count()).select_from(Payment)) or 0,
                    session.scalar(select(func.count()).select_from(Event)) or 0)

    before = count()
    for path in (paid, "/reglages/cles", "/reglages/personnes", "/deconnexion"):
        answer = visitor.post(path, data=data)
        assert answer.status_code == 403, path
        assert "expiré" in answer.text
    assert count() == before


def test_the_token_of_another_session_opens_nothing(signed_in: Callable[[str], Any], story: Any) -> None:
    one, other = signed_in("tous"), signed_in("credit")
    answer = one.post(f"/factures/{story.invoices['F-2026-0430']}/paiements",
                      data={"amount": "1,00", "paid_on": "2026-11-20", "csrf": other.token("/")})
    assert answer.status_code == 403


def test_a_session_reads_the_api_and_never_writes_there(signed_in: Callable[[str], Any], story: Any) -> None:
    visitor = signed_in("tous")
    assert visitor.get("/v1/invoices").status_code == 200
    answer = visitor.post(f"/v1/invoices/{story.invoices['F-2026-0430']}/payments",
                          headers={"Idempotency-Key": "12345678"}, json={"amount": "1.00", "paid_on": "2026-11-20"})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert visitor.post("/v1/keys", json={"name": "x", "scopes": ["validate"]}).status_code == 403


def test_what_belongs_to_another_tenant_looks_absent(signed_in: Callable[[str], Any], story: Any) -> None:
    visitor = signed_in("tous")
    token = visitor.token("/")
    absent = "00000000-0000-0000-0000-000000000000"
    for method, path in (("GET", "/factures/{}"), ("GET", "/factures/{}/documents/x"),
                         ("POST", "/factures/{}/paiements"), ("POST", "/factures/{}/relances/suspendre"),
                         ("POST", "/plateforme/{}/relancer"),
                         ("POST", "/reglages/entites/{}"), ("POST", "/reglages/cles/{}/revoquer"),
                         ("GET", "/reglages/webhooks/{}"), ("POST", "/reglages/webhooks/{}/supprimer"),
                         ("GET", "/v1/invoices/{}/dossier")):
        data = {"csrf": token, "amount": "1,00", "paid_on": "2026-11-20", "kind": "manual", "reason": "raison",
                "name": "x"} if method == "POST" else None
        theirs = visitor.request(method, path.format(story.foreign_invoice), data=data)
        nothing = visitor.request(method, path.format(absent), data=data)
        assert (theirs.status_code, theirs.text) == (404, nothing.text), path
    for page in ("/", "/factures?q=V-1", "/journal?q=V-1", "/journal?q=Voisins", "/relances", "/plateforme",
                 "/encours?q=Voisins", "/encours/postes", "/encours/indicateurs", "/taches"):
        text = visitor.get(page).text.replace('value="Voisins"', "").replace("q=Voisins", "")
        assert "Voisins" not in text, page
        assert story.foreign_invoice not in text, page


def test_every_answer_carries_its_headers(signed_in: Callable[[str], Any], stranger: Any) -> None:
    visitor = signed_in("tous")
    for answer in (visitor.get("/"), visitor.get("/factures/inconnue"), stranger.get("/connexion"),
                   stranger.get("/nulle-part"), stranger.get("/", follow_redirects=False)):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_errors_are_pages_for_people_and_problems_for_programs(stranger: Any) -> None:
    page = stranger.get("/nulle-part")
    assert page.status_code == 404
    assert "Page introuvable" in page.text
    program = stranger.get("/nulle-part", headers={"Accept": "application/json"})
    assert program.headers["content-type"] == "application/problem+json"
    assert stranger.get("/v1/nulle-part").headers["content-type"] == "application/problem+json"


def test_a_form_too_large_is_refused_before_it_is_read(signed_in: Callable[[str], Any]) -> None:
    visitor = signed_in("tous")
    assert visitor.post("/reglages/cles", data={"csrf": visitor.token("/"), "name": "x" * 70_000}).status_code == 413
    streamed = visitor.post("/reglages/cles", content=iter([b"name=x"]),
                            headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert streamed.status_code == 411


def test_a_database_that_is_away_is_said_on_a_page(seeded_deps: Deps, tmp_path: Path) -> None:
    away = Database(f"sqlite:///{tmp_path / 'nowhere' / 'x.sqlite3'}")
    client = TestClient(create_app(replace(seeded_deps, db=away)), base_url="http://passerelle.example",
                        cookies={COOKIE: "x"}, raise_server_exceptions=False)
    page = client.get("/taches", headers={"Accept": "text/html"})
    assert page.status_code == 503
    assert page.headers["content-type"].startswith("text/html")
    assert " / " not in re.sub(r"<[^>]*>", "", page.text).strip()
    assert page.headers["retry-after"]
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert client.get("/v1/invoices").headers["content-type"] == "application/problem+json"
    away.close()
