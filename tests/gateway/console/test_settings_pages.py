"""The pages of the settings: what is added, shown once, switched, and said when it does not answer."""

import html
import re
from typing import Any

from sqlalchemy import select

from gateway.accounts.people import create_user
from gateway.accounts.service import create_tenant
from gateway.deps import Deps
from gateway.tables import LegalEntity
from gateway.tables_access import ApiKey


def test_an_entity_is_added_explained_and_switched(visitor: Any, seeded_deps: Deps, story: Any, seed: Any) -> None:
    csrf = visitor.token("/reglages/entites/nouvelle")
    form = {"csrf": csrf, "siren": "123456789", "name": "", "format": "cii", "vat_regime": "simplified",
            "fiscal_year_end": "06-30", "address.city": "Pontville", "address.country": "FR"}
    wrong = visitor.post("/reglages/entites/nouvelle", data=form)
    assert wrong.status_code == 422
    assert "neuf chiffres" in wrong.text
    assert "Ce champ est obligatoire." in wrong.text
    assert "Pontville" in wrong.text

    made = visitor.post("/reglages/entites/nouvelle", data={**form, "siren": seed.siren(400), "name": "Atelier Nord"},
                        follow_redirects=False)
    assert made.status_code == 303
    page = made.headers["location"].split("?")[0]
    assert "06-30" in visitor.get(page).text
    refused = visitor.post(f"{page}/activer", data={"csrf": csrf})
    assert "Choisissez d&#39;abord une plateforme" in refused.text
    with seeded_deps.db.reading(story.tenant_id) as session:
        row = session.scalars(select(LegalEntity).where(LegalEntity.name == "Atelier Nord")).one()
    assert (row.enabled, row.format, row.address["city"]) == (False, "cii", "Pontville")


def test_a_key_is_shown_once(visitor: Any, stranger: Any, seeded_deps: Deps, story: Any) -> None:
    answer = visitor.post("/reglages/cles", data={"csrf": visitor.token("/reglages/cles"), "name": "Caisse",
                                                  "scopes": ["invoices:read", "validate"]})
    key = re.search(r"pas_live_[0-9a-f]{8}_\w+", answer.text)
    assert key is not None
    assert key[0] not in visitor.get("/reglages/cles").text
    with seeded_deps.db.reading(story.tenant_id) as session:
        row = session.scalars(select(ApiKey).where(ApiKey.name == "Caisse")).one()
    assert stranger.get("/v1/invoices", headers={"Authorization": f"Bearer {key[0]}"}).status_code == 200
    assert row.scopes == ["invoices:read", "validate"]
    visitor.post(f"/reglages/cles/{row.id}/revoquer", data={"csrf": visitor.token("/")})
    assert stranger.get("/v1/invoices", headers={"Authorization": f"Bearer {key[0]}"}).status_code == 401


def test_a_platform_that_does_not_answer_says_so(visitor: Any) -> None:
    page = visitor.get("/reglages/plateformes").text
    check = re.search(r'action="(/reglages/plateformes/[^"]+/tester)"', page)
    assert check is not None
    answer = visitor.post(check[1], data={"csrf": visitor.token("/")})
    assert "ne répond pas" in answer.text


def test_the_credentials_of_a_platform_are_typed_anew(visitor: Any) -> None:
    page = visitor.get("/reglages/plateformes").text
    change = re.search(r'action="(/reglages/plateformes/[^"]+/identifiants)"', page)
    assert change is not None
    form = {"csrf": visitor.token("/"), "client_id": "atelier", "client_secret": "un-autre-secret"}
    assert "Les identifiants sont changés" in visitor.post(change[1], data=form).text
    refused = visitor.post(change[1], data={**form, "client_secret": ""})
    assert (refused.status_code, "un-autre-secret" in refused.text) == (422, False)
    assert visitor.post(change[1], data={**form, "csrf": "x"}).status_code == 403


def test_a_person_is_added_and_shut_out(visitor: Any, stranger: Any) -> None:
    csrf = visitor.token("/reglages/personnes")
    form = {"csrf": csrf, "name": "Nadia Petit", "email": "nadia@atelier.example", "roles": ["billing"]}
    for wrong in ("court", "x" * 257):
        page = visitor.post("/reglages/personnes", data={**form, "password": wrong}).text
        assert '<p class="error" id="f-password-erreur">De 12 à 256 caractères.</p>' in page
    assert visitor.post("/reglages/personnes", data={**form, "password": "assez long pour elle"}).status_code == 200
    stranger.sign_in("nadia@atelier.example", "assez long pour elle")
    found = re.findall(r'action="(/reglages/personnes/[^"]+/desactiver)"', visitor.get("/reglages/personnes").text)
    page = visitor.get("/reglages/personnes").text
    assert found
    target = re.search(r'nadia@atelier\.example.*?action="([^"]+/desactiver)"', page, re.DOTALL)
    assert target is not None
    visitor.post(target[1], data={"csrf": csrf})
    assert stranger.get("/", follow_redirects=False).status_code == 303


def test_a_tenant_without_anything_is_told_what_to_do(
    stranger: Any, seeded_deps: Deps, seed: Any
) -> None:
    tenant = create_tenant(seeded_deps, "Tout neuf", "operator:cli")
    create_user(seeded_deps, tenant.id, "neuf@neuf.example", "Nina Neuve", seed.PASSWORD, list(seed.PEOPLE), "x:y")
    stranger.sign_in("neuf@neuf.example", seed.PASSWORD)
    for page, said in (("/", "Rien ne vous attend"), ("/factures", "Aucune facture encore"),
                       ("/journal?type=payment", "Aucune entrée ne correspond"), ("/plateforme", "Rien n'est arrêté"),
                       ("/relances", "Aucune relance prévue"), ("/reglages", "Aucune entité"),
                       ("/reglages/plateformes", "Aucune plateforme"), ("/reglages/cles", "Aucune clé")):
        answer = stranger.get(page)
        assert answer.status_code == 200, page
        assert said in html.unescape(answer.text), page
