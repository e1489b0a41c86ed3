"""Every kind of drawn page before veraPDF: PDF/A-3b, PDF/A-3a and PDF/UA-1, bare and with the invoice inside.

And the index of a dossier, which is PDF/A-2b.
"""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "formats"))
sys.path.append(str(Path(__file__).parents[1] / "archive"))
from archive_world import NOW, make_dossier, make_world
from models import complete

from archive.dossier.package import account_of
from archive.dossier.telling import Moment
from formats.facturx import embed
from formats.invoice import AllowanceCharge, Invoice, VatBreakdown
from formats.json_form import read_json
from formats.rendering.appearance import Appearance
from formats.rendering.render import draw, drawn
from formats.syntax import Syntax, write
from validation.faces.dossier_pages import as_pdf

HERE = Path(__file__).parent
MUSTANG = HERE.parents[1] / "oracles" / "Mustang-CLI.jar"
JAVA = shutil.which("java")
FLAVOURS = ("3b", "3a", "ua1")
INDEX = ("2b",)
SVG = (b'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30"><rect width="90" height="30" opacity=".5"/>'
       b'<text x="5" y="20">Logo</text></svg>')

pytestmark = [
    pytest.mark.java,
    pytest.mark.skipif(JAVA is None or not MUSTANG.exists(), reason="Java oracles are absent: make oracles"),
]


def vector(name: str) -> Invoice:
    return read_json((HERE.parent / "vectors" / "rendering" / f"{name}.json").read_bytes())


def variants() -> dict[str, bytes]:
    """What could differ on the page."""
    invoice = vector("invoice")
    first = invoice.lines[0]
    exempt = VatBreakdown(taxable_amount=Decimal("2481.80"), tax_amount=Decimal(0), category="E", rate=Decimal(0),
                          exemption_reason="TVA non applicable, article 293 B du CGI")
    volume = AllowanceCharge(amount=Decimal("121.60"), percentage=Decimal(5), vat_category="S", vat_rate=Decimal(20))
    tree = (replace(first, id="G", subtype="GROUP"), replace(first, id="D", parent="G", subtype="DETAIL"))
    showy = Appearance(logo=SVG, accent="#ffcc00", footer="Siège inventé · 中文")
    pages = {
        "plain": draw(invoice),
        "english": draw(invoice, lang="en"),
        "120-lines": draw(replace(invoice, lines=tuple(replace(first, id=str(n)) for n in range(120)))),
        "credit-note": draw(vector("credit-note")),
        "exempt": draw(replace(invoice, vat_breakdown=(exempt,))),
        "allowances": draw(replace(invoice, allowances=(volume,))),
        "sub-lines": draw(replace(invoice, lines=tree)),
        "every-term": draw(complete()),
        "nothing": draw(Invoice()),
        "showy": draw(invoice, appearance=showy),
        "scripts": draw(replace(invoice, buyer_reference="Мэрия שלום مرحبا Δήμος 中文 한국어 हिन्दी ไทย 😀")),
        "no-glyph": drawn(replace(invoice, buyer_reference="\ue000 \U00013000")).pdf,
    }
    inside = {
        f"factur-x-{name}": embed(pages[name], write(invoice, Syntax.CII), profile="en16931", title="T", author="A",
                                  subject="S", made_at=datetime(2026, 11, 22, tzinfo=UTC))
        for name in ("plain", "showy")
    }
    return pages | inside


def indexes(folder: Path) -> dict[str, bytes]:
    """The printed index of a dossier: as most are, and with more than a page of what is long, foreign or absent."""
    world = make_world(folder)
    dossier = make_dossier(world)
    moments = tuple(Moment("21/11/2026 10:00", f"Étape {number}", "clé 7f3a", "Мэрия 中文 " + "long" * 60)
                    for number in range(120))
    long = replace(dossier, story=replace(dossier.story, timeline=moments, missing=(), facts=()))
    return {name: as_pdf(json.dumps(account_of(one, world.keys, at=NOW)).encode())
            for name, one in (("index", dossier), ("index-long", long))}


def test_every_drawn_page_is_what_it_claims(tmp_path: Path) -> None:
    claims = {name: (pdf, FLAVOURS) for name, pdf in variants().items()}
    claims |= {name: (pdf, INDEX) for name, pdf in indexes(tmp_path).items()}
    for name, (pdf, _) in claims.items():
        (tmp_path / f"{name}.pdf").write_bytes(pdf)
    assert JAVA is not None
    command = [JAVA, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", str(MUSTANG), str(HERE / "DrawnPages.java")]
    asked = "\n".join("\t".join((str(tmp_path / f"{name}.pdf"), *flavours)) for name, (_, flavours) in claims.items())

    answer = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=170, check=True)

    found = [line.split("\t") for line in answer.stdout.splitlines() if line.count("\t") == 2]
    assert len(found) == sum(len(flavours) for _, flavours in claims.values())
    assert [one for one in found if one[2]] == []
