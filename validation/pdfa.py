"""A cheap and honest look at PDF/A-3: what the file claims, and the few clauses that break most often.

Not a PDF/A validator: a file that passes here may still fail veraPDF, which tests run on what we write ourselves.
"""

from collections.abc import Iterator

import pikepdf

from formats import facturx, xmp
from formats.errors import FormatError
from validation.findings import Finding, Severity, Text


def findings(pdf: bytes) -> Iterator[Finding]:
    """What in the file contradicts PDF/A-3 (ISO 19005-3). Never raises; `container` reports an unreadable PDF."""
    try:
        with facturx.opened(pdf) as document:
            yield from _claim(document)
            yield from _output_intent(document)
            yield from _fonts(document)
    except (FormatError, pikepdf.PdfError, ValueError, TypeError, AttributeError) as error:
        yield _finding("PAS-PDFA-00", f"structure illisible ({error})", f"unreadable structure ({error})")


def _claim(document: pikepdf.Pdf) -> Iterator[Finding]:
    metadata = document.Root.get("/Metadata")
    claim = xmp.pdfa_claim(metadata.read_bytes()) if isinstance(metadata, pikepdf.Stream) else None
    if claim is None:
        yield _finding("PAS-PDFA-01", "le PDF ne se déclare pas PDF/A", "the PDF does not claim to be PDF/A")
    elif claim[0] != "3":
        part = "".join(claim)
        yield _finding("PAS-PDFA-02", f"le PDF se déclare PDF/A-{part}, pas PDF/A-3",
                       f"the PDF claims to be PDF/A-{part}, not PDF/A-3")


def _output_intent(document: pikepdf.Pdf) -> Iterator[Finding]:
    intents = document.Root.get("/OutputIntents")
    kinds = [str(each.get("/S")) for each in intents] if isinstance(intents, pikepdf.Array) else []
    if "/GTS_PDFA1" not in kinds:
        yield _finding("PAS-PDFA-03", "aucun profil de couleur de sortie (OutputIntent GTS_PDFA1)",
                       "no output intent (GTS_PDFA1)")


def _fonts(document: pikepdf.Pdf) -> Iterator[Finding]:
    missing = sorted({name for page in document.pages for name in _not_embedded(page.obj.get("/Resources"))})
    if missing:
        yield _finding("PAS-PDFA-04", f"polices non incorporées : {', '.join(missing)}",
                       f"fonts not embedded: {', '.join(missing)}")


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
            yield str(font.get("/BaseFont", "?")).lstrip("/")


def _finding(rule: str, fr: str, en: str) -> Finding:
    severity = Severity.ERROR if rule in {"PAS-PDFA-01", "PAS-PDFA-02"} else Severity.WARNING
    message = Text(fr=f"PDF/A-3 : {fr}.", en=f"PDF/A-3: {en}.")
    return Finding(rule=rule, severity=severity, layer="pdfa", message=message)
