"""What the tests in a real Chromium share: which one, how wide it is, what a well-made page is, the keyboard."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page

CHROMIUM = Path(os.environ.get("PASSERELLE_CHROMIUM", "/usr/bin/chromium"))
IN_CHROMIUM = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM} (PASSERELLE_CHROMIUM names another)"),
]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--no-first-run"]
WIDTHS = {"phone": (390, 844), "desk": (1280, 860)}

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


def go_to(page: Page, selector: str, typed: str = "", key: str = "Enter") -> None:
    """Tab until the focus is on such an element, type, then a key."""
    for _ in range(300):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            page.keyboard.type(typed)
            page.keyboard.press(key)
            return
    raise AssertionError(selector)
