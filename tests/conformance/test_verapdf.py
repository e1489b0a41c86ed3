"""Our Factur-X before foreign judges: veraPDF for PDF/A-3b, Mustang for Factur-X.

Fetched by `make oracles`. Java starts once for the whole batch, and once for a control that must fail.
"""

import io
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pytest
from lxml import etree

from formats.facturx import embed
from formats.invoice import Attachment, Invoice
from formats.json_form import read_json
from formats.rendering.appearance import PLAIN, Appearance
from formats.rendering.render import draw
from formats.syntax import Syntax, write

PROJECT = Path(__file__).parents[2]
MUSTANG = PROJECT / "oracles" / "Mustang-CLI.jar"
VECTORS = PROJECT / "tests" / "vectors" / "rendering"
JAVA = shutil.which("java")
QUICK_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")
LOGO = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="3"><rect width="9" height="3" opacity=".5"/></svg>'
SHOWY = Appearance(logo=LOGO, accent="#ffcc00", footer="Siège inventé · 中文")

pytestmark = [
    pytest.mark.java,
    pytest.mark.skipif(JAVA is None or not MUSTANG.exists(), reason="Java oracles are absent: make oracles"),
]


def vector(name: str) -> Invoice:
    return read_json((VECTORS / f"{name}.json").read_bytes())


def facturx(invoice: Invoice, *, lang: str = "fr", appearance: Appearance = PLAIN,
            attachments: tuple[Attachment, ...] = ()) -> bytes:
    """An invoice as the gateway sends it."""
    return embed(draw(invoice, lang=lang, appearance=appearance), write(invoice, Syntax.CII), profile="en16931",
                 title=f"Facture {invoice.number} & <co>", author=str(invoice.seller.name), subject="é – 中文",
                 made_at=datetime(2026, 11, 21, 9, 30, tzinfo=UTC), lang=lang, attachments=attachments)


def mustang(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    assert JAVA is not None
    command = [JAVA, *QUICK_START, "-jar", str(MUSTANG), "--no-notices", "--disable-file-logging", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=170, check=False, cwd=folder)


def variants() -> dict[str, bytes]:
    """What could differ in the container: language, logo, pages, attachments, other scripts, a second embedding."""
    invoice, credit = vector("invoice"), vector("credit-note")
    many = replace(invoice, lines=tuple(replace(line, id=f"{n}-{line.id}") for n in range(8) for line in invoice.lines))
    scripts = replace(invoice, buyer=replace(invoice.buyer, name="Мэрия שלום Δήμος 中文 😀"))
    plan = Attachment(content=b"a plan", mime_code="text/plain", filename="plan coté.txt")
    later = datetime(2026, 11, 22, tzinfo=UTC)
    pages = embed(draw(many), write(invoice, Syntax.CII), profile="en16931", title="T", author="A", subject="S",
                  made_at=later)
    return {
        "credit": facturx(credit, lang="en"),
        "everything": facturx(scripts, appearance=SHOWY, attachments=(plan,)),
        "again": embed(pages, write(invoice, Syntax.CII), profile="en16931", title="T", author="A", subject="S",
                       made_at=later),
    }


def test_every_variant_is_pdfa_3b_and_a_valid_facturx(tmp_path: Path) -> None:
    for name, pdf in variants().items():
        (tmp_path / f"{name}.pdf").write_bytes(pdf)

    answer = mustang("--action", "validateExpectValid", "-d", str(tmp_path), folder=tmp_path)

    verdicts = [line for line in answer.stderr.splitlines() if "Parsed PDF" in line]
    assert len(verdicts) == 3
    assert [line for line in verdicts if "Parsed PDF:valid XML:valid" not in line] == []
    assert answer.returncode == 0


def test_the_judge_sees_what_is_wrong(tmp_path: Path) -> None:
    """A control: a script in the PDF and a wrong total must fail in both parts."""
    invoice = vector("invoice")
    wrong = replace(invoice, totals=replace(invoice.totals, due=invoice.totals.with_vat))
    with pikepdf.open(io.BytesIO(facturx(wrong))) as document:
        document.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="1")
        document.save(tmp_path / "wrong.pdf")

    answer = mustang("--action", "validate", "--source", "wrong.pdf", folder=tmp_path)

    report = etree.fromstring(answer.stdout.encode())
    assert report.find("pdf/summary").get("status") == "invalid"
    assert report.find("xml/summary").get("status") == "invalid"
    assert "BR-CO-16" in answer.stdout
