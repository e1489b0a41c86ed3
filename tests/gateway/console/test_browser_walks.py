"""From the first page to what was wanted, in a real Chromium: officers, a credit controller, somebody new."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from console_browser import IN_CHROMIUM, PROBE, WELL_MADE, WIDTHS, go_to
from playwright.sync_api import Page
from sqlalchemy import update

from archive.verify import verify_dossier
from gateway.deps import Deps
from gateway.dossiers.periods import handle_export
from gateway.jobs import handle_job
from gateway.keeping import retention
from gateway.keeping.destroying import handle_destruction
from gateway.tables_retention import Retention
from gateway.worker import relay

pytestmark = IN_CHROMIUM


def test_who_owes_most_is_found_on_a_phone_without_scripts(opened: Callable[..., Page], address: str) -> None:
    page = opened("phone", scripts=False)
    page.goto(address + "/encours")
    page.get_by_label("Trier par").select_option("-total")
    page.get_by_role("button", name="Afficher").click()
    page.wait_for_url("**/encours?**tri=-total**")
    first = page.locator("table.ledger tbody tr").first
    name = first.locator("th a").inner_text()
    first.locator("th a").click()
    page.wait_for_url("**/encours/client?cle=**")
    assert page.get_by_role("heading", level=1).inner_text() == name
    with page.expect_download() as download:
        page.get_by_role("link", name="XLSX").click()
    assert download.value.suggested_filename == "client-2026-11-23.xlsx"


@pytest.fixture
def outdated(seeded_deps: Deps, story: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of an invoice whose time to be kept is over."""
    retention.count_due(seeded_deps)
    invoice: str = story.invoices["F-2026-0443"]
    with seeded_deps.db.transaction(story.tenant_id) as session:
        session.execute(update(Retention).where(Retention.submission_id == invoice).values(until=date(2026, 1, 1)))
    monkeypatch.setattr(retention, "retain_until", lambda *_: date(2026, 1, 1))
    return invoice


def test_officers_export_hold_and_destroy_by_keyboard(
    opened: Callable[..., Page], address: str, seeded_deps: Deps, outdated: str
) -> None:
    page, here = opened("desk", role="officer"), "/journal/conservation"
    page.goto(f"{address}/journal/exports")
    go_to(page, "#f-from", "11052026", "Tab")  # month, day, year: the browser speaks American
    go_to(page, "#f-to", "11052026")
    page.wait_for_url("**/journal/exports**fait=export**")
    relay(seeded_deps, {"export": handle_export}, only=("export",))
    page.goto(f"{address}/journal/exports")
    with page.expect_download() as fetched:
        go_to(page, "a[href$='/fichier']")
    assert fetched.value.suggested_filename.endswith(".tar")

    page.goto(address + here)
    go_to(page, "section[aria-labelledby='gels'] > details > summary")
    go_to(page, "#f-invoice", "F-2026-0443", "Tab")
    go_to(page, "#f-reason", "contrôle fiscal")
    page.wait_for_url("**fait=gel**")
    page.goto(address + here)
    assert page.locator(f"input[name=subject][value='{outdated}']").count() == 0  # nothing under a hold may go
    go_to(page, "section[aria-labelledby='gels'] td details > summary")
    go_to(page, "form[action$='/lever'] input[name=reason]", "contrôle clos")
    page.wait_for_url("**fait=leve**")

    go_to(page, f"input[name=subject][value='{outdated}']", key="Space")
    go_to(page, "#f-why", "dix années sont passées")
    page.wait_for_url("**fait=propose**")
    assert page.locator("form[action$='/approuver']").count() == 0  # not by the same person
    second = opened("desk")
    second.goto(address + here)
    go_to(second, "form[action$='/approuver'] button")
    second.wait_for_url("**fait=approuve**")
    relay(seeded_deps, {"destroy": handle_destruction}, only=("destroy",))
    second.goto(address + here)
    go_to(second, "a[href$='/certificat']", key="Shift")  # reached; a text has no icon, and the browser complains of it
    certificate = second.request.get(second.evaluate("document.activeElement.href"))
    assert "dix années sont passées" in certificate.text()


def test_an_officer_finds_checks_and_sees_who_looked_by_keyboard(
    opened: Callable[..., Page], address: str, story: Any, seeded_deps: Deps
) -> None:
    page, invoice = opened("desk"), f"/factures/{story.invoices['F-2026-0415']}"
    page.goto(address + "/journal")
    page.keyboard.press("/")
    page.keyboard.type("F-2026-0415")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=F-2026-0415**")
    go_to(page, f"a[href='{invoice}']")
    page.wait_for_url("**" + invoice)
    go_to(page, "form[action='/journal/controles'] button")
    page.wait_for_url("**/journal/controles/*")
    assert page.locator("progress").is_visible()
    relay(seeded_deps, {"job": handle_job}, only=("job",))
    page.wait_for_selector("#points")  # the page asks again by itself
    assert page.locator(".notice.tone-bad").count() == 0
    go_to(page, f"a[href='{invoice}']")
    page.wait_for_url("**" + invoice)
    with page.expect_download() as fetched:
        go_to(page, "a[href$='/dossier']")
    assert verify_dossier(fetched.value.path(), None).ok
    go_to(page, "a[href^='/journal/acces']")
    page.wait_for_url("**/journal/acces?facture=*")
    assert page.locator("tbody tr").count() >= 2


@pytest.mark.parametrize("width", WIDTHS)
def test_somebody_new_writes_a_scenario_tries_it_and_sees_why_a_client_was_not_written_to(
    opened: Callable[..., Page], address: str, width: str
) -> None:
    page, segment = opened(width, scripts=width == "desk"), f"marche-{width}"

    def arrived(title: str) -> None:
        assert page.locator("h1").inner_text() == title
        assert page.evaluate(PROBE) == WELL_MADE, title

    page.goto(address)
    if width == "phone":
        page.click("header summary")
    page.click("nav:visible >> text=Relances")
    page.click("main >> text=Scénarios")
    arrived("Scénarios de relance")
    page.fill("#f-segment", segment)
    page.click("text=Écrire ce scénario")
    arrived(f"Scénario du segment « {segment} »")
    page.fill("#f-name", "Plus douce")
    day = page.locator("fieldset", has=page.locator("legend", has_text="Relance amicale")).get_by_label("Jour")
    day.fill("11")
    page.click("text=Essayer sur les 90 derniers jours")
    page.wait_for_selector("text=Modifier encore")
    page.click("text=Modifier encore")
    assert page.locator(".notice.tone-bad, [role=alert]").count() == 0
    assert day.input_value() == "11", "a trial loses nothing of what was written"
    day.fill("15")
    page.click("text=Essayer sur les 90 derniers jours")
    arrived("Essai de « Plus douce »")
    assert "Rien n'a été envoyé ni enregistré." in page.locator("header .sub").last.inner_text()
    page.click("text=Enregistrer cette version")
    page.wait_for_selector("text=La nouvelle version est en vigueur.")
    own = page.locator("main section", has=page.locator("h2", has_text=f"« {segment} »"))
    assert "en vigueur" in own.locator("tbody tr").inner_text()
    own.locator("tbody >> text=Essayer").click()
    arrived(f"Essai de « Plus douce [{segment}], version 1 »")
    held = page.locator("tr", has_text="en litige (207)")
    assert "F-2026-0421 Transports Morvan Express" in held.inner_text()
    held.locator("text=F-2026-0421").click()
    page.wait_for_url("**#relances")
    why = page.locator("section[aria-labelledby=relances]").inner_text()
    assert "En litige (207) depuis le 3 oct. 2026" in why.replace("\u00a0", " ")
    assert "une approbation (205) lèvera l'arrêt" in why
    page.click("text=Transports Morvan Express")
    arrived("Transports Morvan Express")
    assert "En litige (207) depuis le" in page.locator("main").inner_text()


def test_rules_are_replayed_on_a_phone_without_scripts_by_keyboard(
    opened: Callable[..., Page], address: str, seeded_deps: Deps
) -> None:
    page = opened("phone", scripts=False)
    page.goto(f"{address}/regles/rejeux")
    page.focus("#f-jeu")
    page.keyboard.type("Norme EN 16931 : facturx-minimum")
    for _ in range(20):
        if page.evaluate("document.activeElement.textContent.trim()") == "Rejouer":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/regles/rejeux/*")
    assert page.locator("progress").count() == 1
    relay(seeded_deps, {"job": handle_job}, only=("job",))
    page.wait_for_selector("text=inscrit au journal")  # the page asks again by itself
    assert page.locator("h1").inner_text() == "facturx-minimum"
    rules = ("BR-CO-15", "BR-47", "facturx-en16931%23f070e7e6cf22", "FX-SCH-A-000386")
    for path in ("", "/rejeux", "?q=bt-112", *(f"/{rule}" for rule in rules)):
        if path:
            page.goto(f"{address}/regles{path}")
        assert page.evaluate(PROBE) == WELL_MADE, path


def test_a_status_is_set_without_scripts(opened: Callable[..., Page], address: str, story: Any) -> None:
    page = opened("phone", scripts=False)
    page.goto(f"{address}/factures/{story.invoices['F-2026-0442']}")
    page.click("summary:has-text('changement de compte')")
    page.fill("#f-account-iban", "FR76 0000 0000 0000 0000 0000 000")
    page.click("button:has-text('changement de compte')")
    assert "en file d'envoi" in page.locator("[role=status]").inner_text()
    assert page.locator("summary:has-text('changement de compte')").count() == 0
