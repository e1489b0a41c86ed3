"""Which of the files inside a PDF is the invoice, its bytes as attached, and what is odd about the container."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pikepdf

from formats.attachment_names import FACTURX_NAME, NAMES, bare, is_invoice_name, rank
from formats.errors import LimitExceeded, NotExtractable, NothingInside
from formats.invoice import Attachment
from formats.pdf.attachments import EmbeddedFile, decoded, embedded_files
from formats.pdf.document import BROKEN, dictionary, entries, opened, reason
from formats.pdf.interaction import PAGE_TURNS

MAX_ATTACHMENTS = 100_000_000
"""All attachments together, decoded."""

ORDER_X = re.compile(rb"<(\w+:)?SCRDMCCBDACIOMessageStructure\b")
ZUGFERD_1 = re.compile(rb"<(\w+:)?CrossIndustryDocument\b")
BUSINESS = re.compile(
    rb"<(\w+:)?(CrossIndustry(Invoice|Document)|SCRDMCCBDACIOMessageStructure)\b"
    rb"|urn:oasis:names:specification:ubl:schema:xsd:(Invoice|CreditNote)-2")
BEGINNING = 4000
"""Bytes in which the root element of a business document begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """What was found in a PDF."""

    xml: bytes
    """As attached, not parsed."""

    filename: str
    """As written in the PDF. Never use it as a path."""

    relationship: str | None
    """AFRelationship: "Alternative", "Data", "Source" ..., or None."""

    others: tuple[Attachment, ...] = ()
    """All other attachments that could be decoded. Their file names are as written in the PDF."""

    remarks: tuple[str, ...] = ()
    """What is odd about the container, each as `code: text`. Codes: name, several, relationship, not-in-af, zugferd1,
    encrypted, damaged, attachment, active-content."""


def extract(pdf: bytes) -> Extraction:
    """The invoice XML of a Factur-X or ZUGFeRD PDF, and what else is attached. As find, but no Order-X.

    Raises:
        NothingInside: a sound PDF without an invoice in it.
        NotExtractable: not a PDF, needs a password, broken beyond reading, or the attachment is; or it is an order.
        LimitExceeded: the PDF, an attachment, all of them or the structure is too big.
    """
    found = find(pdf)
    if ORDER_X.search(found.xml[:BEGINNING]):
        raise NotExtractable("order-x", repr(found.filename))
    return found


def find(pdf: bytes) -> Extraction:
    """The business document inside a PDF: an invoice, or an order (Order-X).

    The name decides, letter case aside (see NAMES); without a known name, an attachment that begins as CII, UBL,
    ZUGFeRD 1 or Order-X. With several candidates the best name wins, then the first in the file, and a remark says
    so. Files are looked for in the name tree, in /AF and in annotations. Not checked: whether the PDF is PDF/A-3,
    its XMP, whether page and XML agree. Raises as extract, without the order.
    """
    with opened(pdf) as document:
        try:
            return extraction(document)
        except BROKEN as error:
            raise NotExtractable("pdf-damaged", reason(error)) from error


def extraction(document: pikepdf.Pdf) -> Extraction:
    """The invoice among the attachments of an open PDF. Raises as find."""
    files = list(embedded_files(document))
    candidates = sorted((file for file in files if is_invoice_name(file.name)), key=lambda file: rank(file.name))
    candidates = candidates or [file for file in files if is_business_document(file)]
    if not candidates:
        names = ", ".join(repr(file.name) for file in files[:10])
        raise NothingInside(f"attachments: {names or 'none'}")
    chosen = candidates[0]
    xml = decoded(chosen)
    others, troubles = decoded_others([file for file in files if file is not chosen], MAX_ATTACHMENTS - len(xml))
    remarks = (*remarks_on(document, chosen, xml), *remarks_on_rivals(candidates), *troubles)
    return Extraction(xml=xml, filename=chosen.name, relationship=chosen.relationship, others=others, remarks=remarks)


def decoded_others(files: list[EmbeddedFile], budget: int) -> tuple[tuple[Attachment, ...], list[str]]:
    """The other attachments, and a remark on each that cannot be unpacked. Raises LimitExceeded."""
    others, troubles = [], []
    for file in files:
        try:
            content = decoded(file)
        except NotExtractable as error:
            troubles.append(f"attachment: {error}")
            continue
        budget -= len(content)
        if budget < 0:
            raise LimitExceeded(f"the attachments are over {MAX_ATTACHMENTS} bytes together")
        others.append(Attachment(content=content, mime_code=file.mime, filename=file.name))
    return tuple(others), troubles


def is_business_document(file: EmbeddedFile) -> bool:
    """Whether an attachment with a name of its own begins as CII, UBL, ZUGFeRD 1 or Order-X."""
    if not (bare(file.name).lower().endswith(".xml") or (file.mime or "").endswith("xml")):
        return False
    try:
        return BUSINESS.search(decoded(file)[:BEGINNING]) is not None
    except NotExtractable:
        return False


def remarks_on(document: pikepdf.Pdf, chosen: EmbeddedFile, xml: bytes) -> Iterator[str]:
    """What is odd about the container and the chosen attachment."""
    if chosen.name not in NAMES:
        yield f"name: the invoice is attached as {chosen.name!r}, not as {FACTURX_NAME!r}"
    if chosen.relationship not in {"Data", "Source", "Alternative"}:
        yield f"relationship: AFRelationship is {chosen.relationship or 'absent'}, not Data, Source or Alternative"
    if not chosen.in_af:
        yield f"not-in-af: the catalog's /AF does not list {chosen.name!r}"
    if ZUGFERD_1.search(xml[:BEGINNING]):
        yield ("zugferd1: the XML is ZUGFeRD 1.0 of 2014, older than EN 16931: it is no electronic invoice in France, "
               "and its sender must issue Factur-X")
    if document.is_encrypted:
        yield "encrypted: the PDF is encrypted with an empty password, which PDF/A forbids"
    if warnings := document.get_warnings():
        yield f"damaged: {reason(Exception(warnings[0]))}"
    if is_active(document):
        yield "active-content: the PDF carries actions or scripts that run when it is opened"


def remarks_on_rivals(candidates: list[EmbeddedFile]) -> Iterator[str]:
    """A word on every further candidate: readers may disagree about which one is the invoice."""
    for rival in candidates[1:]:
        yield f"several: {rival.name!r} is also attached; {candidates[0].name!r} is taken"


def is_active(document: pikepdf.Pdf) -> bool:
    """Whether the catalog starts a script or another program. Pages and fields are not searched.

    Opening at a page is no program (ISO 19005-3, 6.5.1), nor is an empty list of scripts.
    """
    action = dictionary(document.Root, "/OpenAction")
    kind = action.get("/S")
    turns_pages = kind == pikepdf.Name.Named and str(action.get("/N")) in PAGE_TURNS
    scripts = dictionary(dictionary(document.Root, "/Names"), "/JavaScript")
    return (
        bool(entries(scripts, "/Names") or entries(scripts, "/Kids"))
        or "/AA" in document.Root
        or "/Next" in action
        or (kind is not None and kind != pikepdf.Name.GoTo and not turns_pages)
    )
