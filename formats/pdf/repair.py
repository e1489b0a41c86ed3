"""An ordinary PDF made PDF/A-3b where that is honest: nothing that a page shows changes, and what did is told.

Each room looks at one part of ISO 19005-3. What it cannot put right, or does not know, it refuses by name. This is
no validator of everything: tests run veraPDF on what comes out, over PDFs of many programs.
"""

from collections.abc import Iterator

import pikepdf

from formats.attachment_names import is_invoice_name
from formats.errors import LimitExceeded, NotExtractable, PageRefused
from formats.pdf.attachments import EmbeddedFile, embedded_files
from formats.pdf.changes import Change
from formats.pdf.colours import Palette, settle_output_intent
from formats.pdf.document import BROKEN, NEWEST, entries, reason
from formats.pdf.drawing import Drawing
from formats.pdf.fonts import settle_font
from formats.pdf.interaction import settle_interaction
from formats.pdf.streams import objects, settle_streams

SMALLEST, LARGEST = 3, 14_400
MAX_PAGES = 5_000
LONGEST_STRING = 32_767
LONGEST_NAME = 127


def repair(document: pikepdf.Pdf) -> tuple[Change, ...]:
    """Make an open PDF satisfy PDF/A-3b, aside from metadata and an invoice inside, which are replaced afterwards.

    Gives what was changed. Raises PageRefused.
    """
    try:
        check_pages(document)
        check_limits(document)
        changes = {*settle_version(document), *settle_streams(document)}
        changes |= set(settle_interaction(document))
        output, made = settle_output_intent(document)
        changes |= set(made)
        drawing = Drawing(document, Palette(output))
        drawing.walk()
        changes |= drawing.changes
        for shown in drawing.fonts.values():
            if shown.codes:
                changes |= set(settle_font(document, shown))
        changes |= set(settle_attachments(document))
        if document.get_warnings():
            changes.add(Change("structure-rebuilt"))
    except BROKEN as error:
        raise PageRefused("pdf-damaged", reason(error)) from error
    return tuple(sorted(changes))


def settle_version(document: pikepdf.Pdf) -> Iterator[Change]:
    """PDF/A-3 is made of PDF 1.7 at most (6.1.2); the header follows when the file is saved."""
    said = str(document.Root.get("/Version", "")).lstrip("/")
    if said > NEWEST:
        del document.Root["/Version"]
    if max(said, document.pdf_version) > NEWEST:
        yield Change("version-lowered")


def check_pages(document: pikepdf.Pdf) -> None:
    """Not too many pages, of a size that PDF/A takes (6.1.13)."""
    if len(document.pages) > MAX_PAGES:
        raise PageRefused("pdf-too-big", f"{len(document.pages)} pages")
    for page in document.pages:
        for box in (page.mediabox, page.cropbox):
            edges = [float(edge) for edge in box]
            if not all(SMALLEST <= abs(edges[at + 2] - edges[at]) <= LARGEST for at in (0, 1)):
                raise PageRefused("page-size", " × ".join(f"{abs(edges[at + 2] - edges[at]):.0f}" for at in (0, 1)))


def check_limits(document: pikepdf.Pdf) -> None:
    """Names and texts no longer than PDF/A allows (6.1.13)."""
    for thing in objects(document):
        for key, value in thing.items():
            is_long = isinstance(value, pikepdf.String) and len(bytes(value)) > LONGEST_STRING
            if is_long or len(key) > LONGEST_NAME + 1:
                raise PageRefused("drawing-too-complex", key[:40])


def settle_attachments(document: pikepdf.Pdf) -> Iterator[Change]:
    """Every file inside but an invoice is named, typed, related and listed (6.8); its bytes are not looked at.

    Raises PageRefused for too many.
    """
    try:
        files = [file for file in embedded_files(document) if not is_invoice_name(file.name)]
    except (NotExtractable, LimitExceeded) as error:
        raise PageRefused("too-many-attachments", str(error)) from error
    for file in files:
        if describe_attachment(document, file):
            yield Change("attachment-described", file.name)


def describe_attachment(document: pikepdf.Pdf, file: EmbeddedFile) -> bool:
    """Complete the description of one file; whether that was needed."""
    spec = file.spec
    untyped = [each for each in spec.EF.values() if "/" not in str(each.get("/Subtype", "")).lstrip("/")]
    is_whole = {"/Type", "/F", "/UF", "/AFRelationship"} <= set(spec.keys()) and "/F" in spec.EF
    spec.Type = pikepdf.Name.Filespec
    spec.F = spec.get("/F", file.name)
    spec.UF = spec.get("/UF", file.name)
    if "/AFRelationship" not in spec:
        spec.AFRelationship = pikepdf.Name.Unspecified
    if "/F" not in spec.EF:
        spec.EF.F = file.stream
    for each in untyped:
        each.Subtype = pikepdf.Name("/application/octet-stream")
    if not file.in_af:
        listed = entries(document.Root, "/AF")
        document.Root.AF = pikepdf.Array([*listed, spec if spec.is_indirect else document.make_indirect(spec)])
    return bool(untyped) or not is_whole or not file.in_af
