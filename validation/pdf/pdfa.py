"""A cheap and honest look at PDF/A-3 and Factur-X: what the file claims, and the clauses that break most often.

Not a PDF/A validator: a file that passes here may still fail veraPDF, which tests run on what we write ourselves.
"""

from collections.abc import Iterator
from typing import Final

import pikepdf

from formats import xmp
from formats.errors import FormatError, PageRefused
from formats.opening import Opened
from formats.pdf.colours import Palette, settle_output_intent
from formats.pdf.document import BROKEN, opened, reason
from formats.pdf.drawing import Drawing
from validation.findings import Finding, Severity, Text
from validation.pdf import xmp_agreement

DEVICE_COLOUR: Final = "g G rg RG k K"
COLOUR_SPACE: Final = "cs CS"
PAINTING: Final = "Tj TJ ' \" f F f* B B* b b* S s"
PAGES_LOOKED_AT: Final = 3
LARGEST_DRAWING: Final = 500_000
"""Bytes of a page's drawing that is looked at: operators cost a thousand times what the bytes cost that hold them."""


def findings(pdf: bytes, inside: Opened) -> Iterator[Finding]:
    """What in the file contradicts PDF/A-3, Factur-X or the XML inside. Never raises: a broken PDF is a finding."""
    try:
        with opened(pdf) as document:
            yield from _metadata(document, inside)
            yield from _output_intent(document)
            yield from _fonts(document)
    except (FormatError, pikepdf.PdfError, ValueError, TypeError, AttributeError) as error:
        why = reason(error)
        yield _finding("PAS-PDFA-00", f"structure illisible ({why})", f"unreadable structure ({why})")


def _metadata(document: pikepdf.Pdf, inside: Opened) -> Iterator[Finding]:
    stream = document.Root.get("/Metadata")
    packet = stream.read_bytes() if isinstance(stream, pikepdf.Stream) else b""
    claim = xmp.pdfa_claim(packet)
    if claim is None:
        yield _finding("PAS-PDFA-01", "le PDF ne se déclare pas PDF/A", "the PDF does not claim to be PDF/A")
    elif claim[0] != "3":
        part = "".join(claim)
        yield _finding("PAS-PDFA-02", f"le PDF se déclare PDF/A-{part}", f"the PDF claims to be PDF/A-{part}")
    claims = xmp_agreement.claims(packet)
    if "ConformanceLevel" not in claims:
        yield _finding("PAS-PDFA-05", "métadonnées XMP Factur-X absentes", "no Factur-X metadata in the XMP packet")
    yield from xmp_agreement.findings(claims, inside)


def _output_intent(document: pikepdf.Pdf) -> Iterator[Finding]:
    intents = document.Root.get("/OutputIntents")
    kinds = [str(each.get("/S")) for each in intents] if isinstance(intents, pikepdf.Array) else []
    if "/GTS_PDFA1" not in kinds and any(_uses_device_colour(page) for page in document.pages[:PAGES_LOOKED_AT]):
        yield _finding("PAS-PDFA-03", "aucun profil de couleur de sortie (OutputIntent)", "no output intent")


def _uses_device_colour(page: pikepdf.Page) -> bool:
    """Colours without a profile of their own: allowed only with an output intent or a default colour space."""
    resources = page.obj.get("/Resources")
    spaces = resources.get("/ColorSpace") if isinstance(resources, pikepdf.Dictionary) else None
    if isinstance(spaces, pikepdf.Dictionary) and any(str(name).startswith("/Default") for name in spaces):
        return False
    if _is_large(page.obj.get("/Contents")):
        return False
    for instruction in pikepdf.parse_content_stream(page, operators=f"{DEVICE_COLOUR} {COLOUR_SPACE} {PAINTING}"):
        name = str(instruction.operator)
        if name in COLOUR_SPACE.split():
            return False
        if name in DEVICE_COLOUR.split() or name in PAINTING.split():  # painting without a colour is DeviceGray
            return True
    return False


def _is_large(drawing: pikepdf.Object | None) -> bool:
    looked_at = 0
    for piece in drawing if isinstance(drawing, pikepdf.Array) else [drawing]:
        looked_at += len(piece.read_bytes()) if isinstance(piece, pikepdf.Stream) else 1
        if looked_at > LARGEST_DRAWING:
            return True
    return False


def _fonts(document: pikepdf.Pdf) -> Iterator[Finding]:
    missing = {name for page in document.pages for name in _not_embedded(page.obj.get("/Resources"))}
    if missing and (named := sorted(missing & _seen(document, missing))):
        names = ", ".join(named)
        yield _finding("PAS-PDFA-04", f"polices non incorporées : {names}", f"fonts not embedded: {names}")


def _seen(document: pikepdf.Pdf, unless: set[str]) -> set[str]:
    """The fonts in which something is seen: one only listed, or under a scanned page, needs no program (6.2.11.4.1).

    `unless` where the drawing is too large to be walked, or broken. The document is changed, and must not be saved.
    """
    try:
        drawing = Drawing(document, Palette(settle_output_intent(document)[0]))
        drawing.bytes_left = LARGEST_DRAWING
        drawing.walk()
    except (PageRefused, *BROKEN):
        return unless
    return {_name(shown.font) for shown in drawing.fonts.values() if shown.visible}


def _name(font: pikepdf.Object) -> str:
    return str(font.get("/BaseFont", "?")).lstrip("/")


def _not_embedded(resources: pikepdf.Object | None) -> Iterator[str]:
    fonts = resources.get("/Font") if isinstance(resources, pikepdf.Dictionary) else None
    if not isinstance(fonts, pikepdf.Dictionary):
        return
    for font in fonts.values():
        if font.get("/Subtype") == pikepdf.Name.Type3:
            continue
        below = font.get("/DescendantFonts")
        described = below[0] if isinstance(below, pikepdf.Array) and len(below) else font
        descriptor = described.get("/FontDescriptor")
        files = ("/FontFile", "/FontFile2", "/FontFile3")
        if descriptor is None or not any(file in descriptor for file in files):
            yield _name(font)


def _finding(rule: str, fr: str, en: str) -> Finding:
    message = Text(fr=f"PDF/A-3 : {fr}.", en=f"PDF/A-3: {en}.")
    return Finding(rule=rule, severity=Severity.ERROR, layer="pdfa", message=message)
