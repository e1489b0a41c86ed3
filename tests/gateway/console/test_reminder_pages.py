"""The walk of somebody who has never seen it: write a scenario, try it, understand why a client was not written to."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from lxml.html import fromstring as html_of
from sqlalchemy import select

from gateway.auth import Principal
from gateway.console.scenario_form import TEXTS, values_of
from gateway.deps import Deps
from gateway.reminders.people import current_scenario, save_scenario
from gateway.reminders.scenario import DEFAULT
from gateway.tables import Submission
from gateway.tables_reminders import Decision


def form_of(visitor: Any, segment: str, **changes: str) -> dict[str, str]:
    """What a browser sends of the form when nothing but `changes` is touched."""
    values = values_of(DEFAULT)
    fields = {name: str(value) for name, value in values.items() if name != "stages" and value not in {True, False}}
    for n, stage in enumerate(values["stages"]):
        fields |= {f"s{n}.{name}": str(stage[name]) for name in TEXTS}
    path = f"/relances/scenarios/editer?segment={segment}"
    return {**fields, "working_days_only": "oui", "csrf": visitor.token(path), "segment": segment, **changes}


def test_a_scenario_is_written_tried_and_put_in_force(visitor: Any) -> None:
    own = {"s2.offset": "12", "s2.text_fr": "Facture {{ numero }}, merci."}
    fields = form_of(visitor, "essai", name="Douce", **own)
    tried = visitor.post("/relances/scenarios/editer", data={**fields, "essayer": "oui"})
    assert tried.status_code == 200
    assert "Rien n'a été envoyé ni enregistré" in unescape(tried.text)
    saved = visitor.post("/relances/scenarios/editer", data=fields)
    assert "La nouvelle version est en vigueur" in saved.text
    assert "Segment « essai »" in saved.text
    form = visitor.get("/relances/scenarios/editer?segment=essai").text
    assert 'value="12"' in form
    assert "Facture {{ numero }}, merci." in form
    again = visitor.post("/relances/scenarios/editer", data={**fields, "s2.offset": "14"})
    assert again.status_code == 200
    first = visitor.get("/relances/scenarios/editer?segment=essai&version=1").text
    assert 'value="12"' in first
    assert 'value="14"' not in first, "a new version is never a change of an old one"
    trial = visitor.get("/relances/scenarios/essai?segment=essai&version=1")
    assert "Essai de « Douce [essai], version 1 »" in trial.text


def test_a_long_scenario_comes_back_from_its_form_whole(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    person = Principal(tenant_id=story.tenant_id, actor="operator:cli", name="", permissions=frozenset())
    stages = [{"key": f"e{n}", "offset": n * 5, "tone": "friendly", "fr": f"Étape {n}", "en": f"Stage {n}",
               "text_fr": "é" * 4000, "text_en": "e" * 4000} for n in range(16)]
    save_scenario(seeded_deps, person, {"name": "Longue", "stages": stages}, "long")
    path = "/relances/scenarios/editer?segment=long"
    page = visitor.get(path).text
    inputs = re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', page)
    fields = {name: unescape(value) for name, value in inputs}
    fields |= {name: unescape(text) for name, text in re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>([^<]*)<', page)}
    for n in range(16):
        fields |= {f"s{n}.channel": "mail", f"s{n}.tone": "friendly"}
    saved = visitor.post("/relances/scenarios/editer", data={**fields, "s0.fr": "Autre nom"})
    assert saved.status_code == 200, saved.status_code
    scenario = current_scenario(seeded_deps, story.tenant_id, "long")
    assert [(stage.fr, len(stage.text_fr)) for stage in scenario.stages] == [
        ("Autre nom" if n == 0 else f"Étape {n}", 4000) for n in range(16)]


def test_why_a_client_was_not_written_to(visitor: Any) -> None:
    """From the trial to the invoice that was in dispute, by links alone."""
    trial = visitor.get("/relances/scenarios/essai").text
    held = re.search(r'<th scope="row">en litige \(207\)<span class="under"><a href="([^"#]+)#relances">', trial)
    assert held is not None
    invoice = unescape(visitor.get(held[1]).text)
    assert "En litige (207) depuis le" in invoice
    assert "une approbation (205) lèvera l'arrêt" in invoice


@pytest.mark.parametrize(("changes", "says"), [
    ({"s2.text_fr": "Bonjour {{ montant }}"}, "Étape « Relance amicale » : le champ {{ montant }} n'existe pas."),
    ({"s3.offset": "10"}, "tombent le même jour (10)"),
    ({"s3.offset": "11"}, "se chevauchent"),
    ({"s2.offset": "bientôt"}, "Étape « Relance amicale », jour : valeur refusée"),
    ({"largest": "beaucoup"}, "Demander l'accord d'une personne à partir de : valeur refusée"),
    ({"name": ""}, "Nom : valeur refusée"),
    ({"region": "Atlantide"}, "La région Atlantide n'est pas connue."),
])
def test_what_makes_no_scenario_is_said_and_kept_in_the_form(visitor: Any, changes: dict[str, str], says: str) -> None:
    page = visitor.post("/relances/scenarios/editer", data=form_of(visitor, "refus", **changes))
    assert page.status_code == 422
    assert says in unescape(page.text)
    assert "Relance ferme" in page.text
    assert "refus" not in visitor.get("/relances/scenarios").text


def test_a_client_is_settled_and_says_what_is_wrong(visitor: Any, story: Any) -> None:
    invoice_id = next(iter(story.invoices.values()))
    path = f"/relances/clients/{invoice_id}"
    fields = {"csrf": visitor.token(path), "hold": "insolvency", "hold_reason": "Jugement du 3 novembre", "mine": "oui"}
    assert visitor.post(path, data={**fields, "email": "nowhere"}).status_code == 422
    assert visitor.post(path, data={**fields, "hold_reason": ""}).status_code == 422
    assert "enregistré" in visitor.post(path, data=fields).text
    shown = visitor.get(path).text
    assert "Jugement du 3 novembre" in shown
    assert re.search(r'name="mine"[^>]*checked', shown)
    visitor.post(path, data={"csrf": visitor.token(path)})


def test_the_cases_page_lists_what_is_open(visitor: Any) -> None:
    page = visitor.get("/relances/cas")
    assert page.status_code == 200
    assert visitor.get("/relances/cas?fermes=1").status_code == 200
    assert visitor.get("/relances/cas?genre=approval").status_code == 200


def test_reading_is_not_deciding(signed_in: Callable[[str], Any]) -> None:
    officer = signed_in("officer")
    assert officer.get("/relances/cas").status_code == 200
    fields = {"csrf": officer.token("/relances/scenarios"), "segment": "x"}
    assert officer.post("/relances/scenarios/editer", data=fields).status_code == 403


def test_a_letter_about_several_says_so_and_why_it_has_no_code(visitor: Any, story: Any, seeded_deps: Deps) -> None:
    with seeded_deps.db.transaction(story.tenant_id) as session:
        row = session.scalars(select(Decision).where(Decision.outcome == "sent")).first()
        assert row is not None
        number = session.get_one(Submission, (story.tenant_id, row.submission_id)).number
        row.facts = {**row.facts, "together": ["F-<b>7", number], "to_pay": [{"why": "le code ne vaut qu'en euros"}]}
    page = visitor.get(f"/factures/{row.submission_id}").text
    assert "Avec F-&lt;b&gt;7." in page
    assert "Sans code de paiement : le code ne vaut qu&#39;en euros." in page


def test_a_name_keeps_its_commas_and_an_amount_its_thousands(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    changes = {"name": "Douce, sans hâte", "smallest": "1,50", "largest": "10 000,00 €"}
    saved = visitor.post("/relances/scenarios/editer", data=form_of(visitor, "virgule", **changes))
    assert saved.status_code == 200, re.findall(r"<li>.*?</li>", saved.text, re.DOTALL)
    scenario = current_scenario(seeded_deps, story.tenant_id, "virgule")
    assert scenario.name == "Douce, sans hâte [virgule], version 1"
    assert (str(scenario.smallest), str(scenario.largest)) == ("1.50", "10000.00")


def test_a_new_stage_may_have_any_name(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    page = html_of(visitor.get("/relances/scenarios/editer?segment=noms").text)
    empty = len(page.xpath("//fieldset")) - 2
    added = {f"s{empty}.fr": "最後通告", f"s{empty}.offset": "200", f"s{empty}.tone": "notice",
             f"s{empty}.channel": "notice"}
    saved = visitor.post("/relances/scenarios/editer", data=form_of(visitor, "noms", **added))
    assert saved.status_code == 200, re.findall(r"<li>.*?</li>", saved.text, re.DOTALL)
    assert current_scenario(seeded_deps, story.tenant_id, "noms").stages[-1].fr == "最後通告"


def test_a_trial_shows_what_went_out_under_stages_that_it_has_not(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    person = Principal(tenant_id=story.tenant_id, actor="operator:cli", name="", permissions=frozenset())
    stages = [{"key": "autre", "offset": 15, "tone": "friendly", "fr": "Autre", "en": "Other"}]
    save_scenario(seeded_deps, person, {"name": "Autre", "stages": stages}, "autre")
    page = html_of(visitor.get("/relances/scenarios/essai?segment=autre").text)
    rows = page.xpath("//section[@aria-labelledby='etapes']//tbody/tr")
    told = {row[0].text_content(): int(row[2].text_content()) for row in rows}
    assert told["Relance amicale"] > 0, "a letter of the scenario that was in force then"
    assert "tous les clients" in unescape(visitor.get("/relances/scenarios/essai?segment=autre").text)


@pytest.mark.parametrize(("asked", "moved"), [
    ("", False), ("du=2026-10-01&au=2026-10-31", False), ("du=2026-10-31&au=2026-10-01", True),
    ("du=2026-12-01", True), ("du=2026-10-01&au=2026-12-31", True), ("du=2024-01-01&au=2026-10-31", True),
])
def test_a_period_that_cannot_be_tried_is_said(visitor: Any, asked: str, *, moved: bool) -> None:
    page = unescape(visitor.get(f"/relances/scenarios/essai?{asked}").text)
    assert ("La période demandée" in page) == moved


def test_a_version_that_a_colleague_saved_meanwhile_is_not_replaced_unseen(
    visitor: Any, seeded_deps: Deps, story: Any
) -> None:
    opened = form_of(visitor, "deux", name="La mienne", vue=seen_in(visitor, "deux"))
    tried = visitor.post("/relances/scenarios/editer", data={**opened, "essayer": "oui"}).text
    assert visitor.post("/relances/scenarios/editer", data=form_of(
        visitor, "deux", name="La sienne", vue=seen_in(visitor, "deux"))).status_code == 200
    for fields in (opened, {**opened, "vue": html_of(tried).xpath("//input[@name='vue']/@value")[0]}):
        late = visitor.post("/relances/scenarios/editer", data=fields)
        assert late.status_code == 422
        assert "La sienne [deux], version 1" in unescape(late.text)
        assert 'value="La mienne"' in late.text
    assert current_scenario(seeded_deps, story.tenant_id, "deux").name == "La sienne [deux], version 1"
    again = {**opened, "vue": html_of(late.text).xpath("//input[@name='vue']/@value")[0]}
    assert visitor.post("/relances/scenarios/editer", data=again).status_code == 200
    assert current_scenario(seeded_deps, story.tenant_id, "deux").name == "La mienne [deux], version 2"


def seen_in(visitor: Any, segment: str) -> str:
    page = html_of(visitor.get(f"/relances/scenarios/editer?segment={segment}").text)
    return next(iter(page.xpath("//input[@name='vue']/@value")), "")
