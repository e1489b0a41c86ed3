"""The console in a real Chromium: keyboard, phone width, contrast, no script, nothing on the browser's console."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sqlalchemy import update

from archive.verify import verify_dossier
from gateway.app import create_app
from gateway.deps import Deps
from gateway.dossiers.periods import handle_export
from gateway.jobs import handle_job
from gateway.keeping import retention
from gateway.keeping.destroying import handle_destruction
from gateway.tables_retention import Retention
from gateway.worker import relay

CHROMIUM = Path(os.environ.get("PASSERELLE_CHROMIUM", "/usr/bin/chromium"))
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM} (PASSERELLE_CHROMIUM names another)"),
]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--no-first-run"]
WIDTHS = {"phone": (390, 844), "desk": (1280, 860)}
PAGES = ("/", "/factures", "/factures?q=zzz", "/valider", "/relances", "/journal", "/journal/2026/5", "/plateforme",
         "/reglages", "/reglages/entites/nouvelle", "/reglages/plateformes", "/reglages/cles", "/reglages/webhooks",
         "/reglages/personnes", "/journal?q=trois+ponts&type=lifecycle", "/journal?q=zzz", "/journal/acces",
         "/journal/scellements", "/journal/controles", "/journal/exports", "/journal/conservation", "/alarmes",
         "/banque", "/encours", "/encours/postes", "/encours/indicateurs", "/encours/client?cle=000001016&tout=1",
         "/taches", "/penalites", "/relances/cas", "/relances/scenarios", "/relances/scenarios/editer",
         "/relances/scenarios/essai")

WELL_MADE = {"headings": 1, "overflow": 0, "unlabelled": [], "nameless": [], "doubled": [], "main": 1, "language": "fr",
             "faint": []}
PROBE = """() => {
  const visible = (e) => e.getClientRects().length > 0;
  const rgb = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
    return .2126 * x + .7152 * y + .0722 * z;
  };
  const ground = (e) => {
    for (let at = e; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) { return colour; }
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !visible(e) || e.closest("option, .away, .skip")) { continue; }
    const pair = [light(rgb(getComputedStyle(e).color)), light(ground(e))].sort((a, b) => b - a);
    const ratio = (pair[0] + .05) / (pair[1] + .05);
    if (ratio < 4.5) { faint.push(`${e.tagName}.${e.className}: ${ratio.toFixed(2)}`); }
  }
  const fields = [...document.querySelectorAll("input:not([type=hidden]), select, textarea")];
  return {
    headings: document.querySelectorAll("h1").length,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    unlabelled: fields.filter((f) => !f.labels.length).map((f) => f.outerHTML),
    nameless: [...document.querySelectorAll("button, a, summary")].filter((b) => !b.textContent.trim())
      .map((b) => b.outerHTML),
    doubled: [...document.querySelectorAll("[id]")].map((e) => e.id).filter((id, i, all) => all.indexOf(id) !== i),
    main: document.querySelectorAll("main").length,
    language: document.documentElement.lang,
    faint,
  };
}"""


@pytest.fixture(scope="module")
def address(world: tuple[Deps, object]) -> Iterator[str]:
    """The whole application on a free port of this machine."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(world[0]), log_level="error", ws="none", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(timeout=20)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def opened(chromium: Browser, address: str, signed_in: Callable[[str], Any]) -> Iterator[Callable[..., Page]]:
    """A page of somebody (with every role), at a width, with or without scripts; complaints of the browser fail."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def make(width: str, *, scripts: bool = True, role: str = "tous") -> Page:
        wide, high = WIDTHS[width]
        cookie = signed_in(role).cookies["passerelle_session"]
        context = chromium.new_context(viewport={"width": wide, "height": high}, java_script_enabled=scripts)
        context.add_cookies([{"name": "passerelle_session", "value": cookie, "url": address}])
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_is_well_made(opened: Callable[..., Page], address: str, story: Any, width: str) -> None:
    page = opened(width)
    numbers = ("F-2026-0415", "F-2026-0448", "F-2026-0421", "F-2026-0436")
    invoices = [f"/factures/{story.invoices[number]}" for number in numbers]
    for path in (*PAGES, *invoices):
        answer = page.goto(address + path)
        assert answer is not None
        assert answer.status == 200, path
        for details in page.locator("details:not(.menu)").all():
            details.evaluate("(element) => { element.open = true; }")
        found = page.evaluate(PROBE)
        assert found == WELL_MADE, path


def test_the_sign_in_page_is_well_made_and_leads_in(chromium: Browser, address: str, seed: Any) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(address + "/factures?retard=1")
    assert page.evaluate(PROBE) == WELL_MADE
    page.keyboard.type(seed.EVERYONE[0])  # the first field has the focus
    page.keyboard.press("Tab")
    page.keyboard.type(seed.PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/factures?retard=1")
    page.locator(".menu > summary").click()
    page.locator(".menu button").click()
    page.wait_for_url("**/connexion")
    context.close()


def test_the_keyboard_reaches_everything_and_one_sees_where(opened: Callable[..., Page], address: str) -> None:
    page = opened("desk")
    for path in ("/", "/factures", "/encours", "/plateforme", "/reglages/cles"):
        page.goto(address + path)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "contenu"
        page.goto(address + path)
        wanted = page.evaluate("""() => [...document.querySelectorAll(
            "a[href], button, input:not([type=hidden]), select, summary"
        )].filter((e) => e.checkVisibility()).length""")
        reached, unseen = set(), []
        for _ in range(wanted + 20):
            page.keyboard.press("Tab")
            here = page.evaluate("""() => {
              const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
              return [e.tagName, e.outerHTML.slice(0, 200) + box.x + "," + (box.y + scrollY),
                      style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2];
            }""")
            if here[0] == "BODY":
                break
            reached.add(here[1])
            if not here[2]:
                unseen.append(here[1])
        assert unseen == [], path
        assert len(reached) >= wanted - 2, path  # a date field counts once and holds the focus three times


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


def go_to(page: Page, selector: str, typed: str = "", key: str = "Enter") -> None:
    """Tab until the focus is on such an element, type, then a key."""
    for _ in range(300):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            page.keyboard.type(typed)
            page.keyboard.press(key)
            return
    raise AssertionError(selector)


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
    assert "une approbation (205) ou un complément (209) lèvera l'arrêt" in why
    page.click("text=Transports Morvan Express")
    arrived("Transports Morvan Express")
    assert "En litige (207) depuis le" in page.locator("main").inner_text()


def test_the_slash_jumps_to_the_search(opened: Callable[..., Page], address: str) -> None:
    page = opened("desk")
    page.goto(address + "/factures")
    page.keyboard.press("/")
    page.keyboard.type("0415")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=0415**")
    assert page.locator("tbody tr").count() == 1


def test_everything_works_without_scripts(opened: Callable[..., Page], address: str) -> None:
    page = opened("phone", scripts=False)
    page.goto(address + "/factures")
    page.fill("#q", "Trois Ponts")
    page.click("text=Filtrer")
    assert page.locator("tbody tr").count() >= 3
    page.click("text=F-2026-0415")
    assert page.locator("h1").inner_text() == "F-2026-0415"
    page.goto(address + "/valider")
    page.set_input_files("#document", {"name": "essai.xml", "mimeType": "application/xml", "buffer": b"<rien/>"})
    page.click("text=Lire le verdict")
    assert "Non conforme" in page.locator("#contenu").inner_text()


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


def test_a_dropped_file_is_chosen(opened: Callable[..., Page], address: str) -> None:
    page = opened("desk")
    page.goto(address + "/valider")
    page.evaluate("""() => {
      const data = new DataTransfer();
      data.items.add(new File(["<rien/>"], "depot.xml", {type: "application/xml"}));
      document.querySelector("[data-depot]").dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true}));
    }""")
    assert page.evaluate("document.querySelector('#document').files[0].name") == "depot.xml"


def test_at_double_size_nothing_is_cut_off(opened: Callable[..., Page], address: str, story: Any) -> None:
    page = opened("desk")
    page.set_viewport_size({"width": 640, "height": 430})  # 1280 wide at 200 %
    for path in ("/", "/factures", "/encours", f"/factures/{story.invoices['F-2026-0415']}", "/plateforme"):
        page.goto(address + path)
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0, path


def test_an_invoice_prints(opened: Callable[..., Page], address: str, story: Any) -> None:
    page = opened("desk")
    page.goto(f"{address}/factures/{story.invoices['F-2026-0415']}")
    page.emulate_media(media="print")
    assert not page.locator(".side").is_visible()
    assert not page.locator("text=Enregistrer un paiement").is_visible()
    assert page.pdf().startswith(b"%PDF")
