"""The console in a real Chromium: keyboard, phone width, contrast, no script, nothing on the browser's console."""

from collections.abc import Callable
from typing import Any

import pytest
from console_browser import IN_CHROMIUM, PROBE, WELL_MADE, WIDTHS
from playwright.sync_api import Browser, Page

pytestmark = IN_CHROMIUM
PAGES = ("/", "/factures", "/factures?q=zzz", "/valider", "/relances", "/journal", "/journal/2026/5", "/plateforme",
         "/reglages", "/reglages/entites/nouvelle", "/reglages/plateformes", "/reglages/cles", "/reglages/webhooks",
         "/reglages/personnes", "/journal?q=trois+ponts&type=lifecycle", "/journal?q=zzz", "/journal/acces",
         "/journal/scellements", "/journal/controles", "/journal/exports", "/journal/conservation", "/alarmes",
         "/banque", "/encours", "/encours/postes", "/encours/indicateurs", "/encours/client?cle=000001016&tout=1",
         "/taches", "/penalites", "/relances/cas", "/relances/scenarios", "/relances/scenarios/editer",
         "/relances/scenarios/essai")


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
