"""The verdict page and the catalogue of rules, without a script."""

import html
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pikepdf import Pdf

from gateway.console.verdict import arrange

VECTORS = Path(__file__).parents[2] / "vectors" / "validation"


@pytest.fixture
def visitor(signed_in: Callable[[str], Any]) -> Any:
    return signed_in("tous")


def test_every_rule_has_a_page(visitor: Any) -> None:
    listing = visitor.get("/regles")
    assert listing.status_code == 200
    assert "règles" in listing.text
    found = visitor.get("/regles?q=bt-112").text
    assert "BR-CO-15" in found
    assert "Aucune règle" in visitor.get("/regles?q=zzzzzz").text
    assert visitor.get("/regles?page=99").status_code == 200
    assert visitor.get("/regles/XX-1").status_code == 404


def test_a_rule_says_what_to_do_and_shows_both_examples(visitor: Any) -> None:
    page = visitor.get("/regles/BR-CO-15").text
    assert "À faire" in page
    assert "1000.00 + 200.00 = 1200.00" in page
    for word in ("Accepté", "Refusé", "en16931-ubl"):
        assert word in page
    hashed = re.search(r'href="(/regles/facturx-basic%23[0-9a-f]{12})"', visitor.get("/regles?q=facturx-basic%23").text)
    assert hashed is not None
    assert visitor.get(hashed.group(1)).status_code == 200


def test_the_report_of_a_file_as_pdf(visitor: Any) -> None:
    answer = visitor.post("/valider", data={"csrf": visitor.token("/valider"), "forme": "pdf"},
                          files={"document": ("facture.xml", b"<pas-une-facture/>", "application/xml")})
    assert answer.headers["content-type"] == "application/pdf"
    assert len(Pdf.open(io.BytesIO(answer.content)).pages) == 1


def test_a_correction_of_our_json_is_shown_as_a_json_patch(visitor: Any) -> None:
    document = (VECTORS / "base.json").read_bytes().replace(b'"unit": "HUR"', b'"unit": "hur"')
    page = visitor.post("/valider", data={"csrf": visitor.token("/valider"), "date": "2026-11-20"},
                        files={"document": ("facture.json", document, "application/json")}).text
    shown = re.search(r"<pre[^>]*><code>(\[.*?\])</code>", page, re.DOTALL)
    assert shown is not None
    operations = json.loads(html.unescape(shown.group(1)))
    assert [(each["op"], each["value"]) for each in operations] == [("test", "hur"), ("replace", "HUR")]
    assert operations[0]["path"] in page


def test_a_layer_that_did_not_run_is_said() -> None:
    layers = [{"layer": "xsd", "outcome": "failed", "reason": None},
              {"layer": "en16931", "outcome": "skipped", "reason": "blocked-by:xsd"},
              {"layer": "br-fr", "outcome": "skipped", "reason": "seller-not-french"}]
    reading = arrange({"verdict": "invalid", "findings": [], "layers": layers})
    assert [layer["layer"] for layer in reading.silent] == ["en16931"]
