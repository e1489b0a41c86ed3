"""PDFs as programs of the field write them: reportlab, fpdf2, Pillow, Typst here; cairo and Chromium as processes."""

import io
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import fpdf
import reportlab
import typst
from PIL import Image
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

FONTS = Path(reportlab.__file__).parent / "fonts"
CHROMIUM = Path(os.environ.get("PASSERELLE_CHROMIUM", "/usr/bin/chromium"))
CAIRO = shutil.which("pdftocairo")
HTML = """<html lang="fr"><body><h1>Facture 12</h1><p>é € <a href="https://a.invalid">lien</a> <a href="#fin">bas</a>
<b style="opacity:.5">gras</b></p><div style="width:9em;height:3em;background:linear-gradient(red,blue);
box-shadow:2px 2px 5px #000"></div><table><tr><td>a<td>12,00</table><p id="fin">fin</p></body></html>"""
TYPST = b"""#set document(title: "Facture")
= Facture
$ sum x^2 $ #link("https://a.invalid")[lien] #rect(fill: gradient.linear(red, blue))"""


def canvas(draw: Callable[[Canvas], None]) -> bytes:
    """A page of reportlab."""
    target = io.BytesIO()
    made = Canvas(target, invariant=True)
    draw(made)
    made.showPage()
    made.save()
    return target.getvalue()


def reportlab_standard() -> bytes:
    """The standard fonts, not embedded, in all accents of French."""
    def draw(page: Canvas) -> None:
        for number, font in enumerate(("Helvetica", "Helvetica-BoldOblique", "Times-Roman", "Times-BoldItalic",
                                       "Courier", "Courier-Bold")):
            page.setFont(font, 11)
            page.drawString(50, 700 - 20 * number, "Facture n° 12 : Ÿ œ Œ « é » – 12,00 € à échéance · ½ ² µ")
    return canvas(draw)


def reportlab_truetype() -> bytes:
    """An embedded TrueType subset, a link, a bookmark and a colour."""
    pdfmetrics.registerFont(TTFont("Vera", str(FONTS / "Vera.ttf")))

    def draw(page: Canvas) -> None:
        page.setFont("Vera", 12)
        page.setTitle("Facture du vendeur")
        page.drawString(50, 700, "Facture n° 12 – é è ç")
        page.setFillColorRGB(1, 0, 0)
        page.rect(10, 10, 30, 30, fill=1)
        page.bookmarkPage("a")
        page.addOutlineEntry("A", "a")
        page.linkURL("https://a.invalid", (50, 50, 100, 100))
    return canvas(draw)


def reportlab_type1() -> bytes:
    """An embedded Type 1 font."""
    face = pdfmetrics.EmbeddedType1Face(str(FONTS / "DarkGardenMK.afm"), str(FONTS / "DarkGardenMK.pfb"))
    pdfmetrics.registerTypeFace(face)
    pdfmetrics.registerFont(pdfmetrics.Font("DarkGardenMK", face.name, "WinAnsiEncoding"))

    def draw(page: Canvas) -> None:
        page.setFont("DarkGardenMK", 12)
        page.drawString(50, 700, "Facture")
    return canvas(draw)


def reportlab_cmyk() -> bytes:
    """Ink colours without a profile."""
    def draw(page: Canvas) -> None:
        page.setFillColorCMYK(0, 0, 0, 1)
        page.rect(10, 10, 30, 30, fill=1)
    return canvas(draw)


def fpdf_standard() -> bytes:
    """A standard font, written by the widest spread library of small shops."""
    page = fpdf.FPDF()
    page.add_page()
    page.set_font("helvetica", size=12)
    page.cell(text="Facture 12 é")
    return bytes(page.output())


def fpdf_truetype() -> bytes:
    """A font of two bytes a character."""
    page = fpdf.FPDF()
    page.add_page()
    page.add_font("Vera", "", str(FONTS / "Vera.ttf"))
    page.set_font("Vera", size=12)
    page.cell(text="Facture 12 é")
    return bytes(page.output())


def pillow() -> bytes:
    """A scanned page: one picture."""
    target = io.BytesIO()
    Image.new("RGB", (300, 400), "white").save(target, "PDF")
    return target.getvalue()


def typst_plain() -> bytes:
    """Typst without PDF/A."""
    return bytes(typst.compile({"main.typ": TYPST}, format="pdf"))  # type: ignore[call-overload]  # see render


def cairo() -> bytes:
    """What cairo makes of the page with a TrueType subset, by poppler."""
    assert CAIRO is not None
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.pdf"), Path(folder, "out.pdf")
        source.write_bytes(reportlab_truetype())
        subprocess.run([CAIRO, "-pdf", str(source), str(target)], check=True, timeout=60, capture_output=True)
        return target.read_bytes()


def chromium() -> bytes:
    """A web page, printed by Chromium."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.html"), Path(folder, "out.pdf")
        source.write_text(HTML, encoding="utf-8")
        command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile",
                   f"--print-to-pdf={target}", source.as_uri()]
        subprocess.run(command, check=True, timeout=120, capture_output=True)
        return target.read_bytes()


HERE: dict[str, Callable[[], bytes]] = {
    each.__name__: each for each in (reportlab_standard, reportlab_truetype, reportlab_type1, fpdf_standard,
                                     fpdf_truetype, pillow, typst_plain)}
"""Made in this process, all of them fit to be repaired where the fonts of the system are there."""

PROCESSES: dict[str, Callable[[], bytes]] = {
    **({"cairo": cairo} if CAIRO else {}), **({"chromium": chromium} if CHROMIUM.exists() else {})}
"""Made by other programs, where they are installed."""
