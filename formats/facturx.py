"""Factur-X: an invoice's XML inside its PDF. Out of a PDF by `extract`, into one by `embed`.

`embed` takes pages that are known to be PDF/A, such as those drawn here; `embed_repaired` takes what a sender has,
makes it PDF/A-3b where that changes nothing that is seen, and says what it changed.
"""

import io
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

import pikepdf

from formats import xmp
from formats.attachment_names import FACTURX_NAME
from formats.errors import CannotWrite, LimitExceeded, NotExtractable, PageRefused
from formats.invoice import Attachment
from formats.pdf.attachments import attach, named, remove_invoices, replace_on_pages
from formats.pdf.changes import Change
from formats.pdf.document import BROKEN, MAX_PDF, NEWEST, opened, reason
from formats.pdf.extraction import Extraction, extract, find
from formats.pdf.metadata import claim_of, describe, kept
from formats.pdf.repair import repair
from formats.pdf.streams import objects

__all__ = ["MAX_PDF", "Embedded", "Extraction", "Words", "embed", "embed_repaired", "extract", "find"]

WITHOUT_LINES = frozenset({"minimum", "basicwl"})
"""Profiles that are no whole invoice: their XML is Data beside the page, not an Alternative to it."""

TOOL = "Passerelle"
ROOM = 300_000
"""Bytes that metadata, a colour profile and fonts add to a PDF, with some to spare."""


def embed(
    pdf: bytes, xml: bytes, *, profile: str, title: str, author: str, subject: str, made_at: datetime,
    lang: str = "fr", attachments: tuple[Attachment, ...] = (),
) -> bytes:
    """A Factur-X: the PDF/A with this XML attached as factur-x.xml. Same arguments, same bytes.

    An invoice that is attached already is replaced; other attachments stay. Document information and XMP are
    replaced by `title`, `author`, `subject` and `made_at` (aware). `profile` is a word of the machine contract.
    Not checked: that the PDF is the PDF/A it claims to be, that page and XML agree, that the XML is of the profile.

    Raises:
        PageRefused: the PDF is unreadable, encrypted, signed or does not claim PDF/A-1 to -3.
        CannotWrite: the profile has no place in Factur-X; a text holds characters that XML cannot.
    """
    metadata = described(profile=profile, title=title, author=author, subject=subject, made_at=made_at, lang=lang)
    with opened_for_writing(pdf) as document:
        try:
            claim = claim_of(document)
            if claim is None or claim[0] not in {"1", "2", "3"}:
                raise PageRefused("not-pdfa")
            put(document, xml, profile, attachments, made_at)
            describe(document, metadata, claim[1] if claim[1] in {"A", "U"} else "B")
            return saved(document, len(pdf) + len(xml))
        except BROKEN as error:
            raise CannotWrite(f"nothing can be attached to the page: {reason(error)}") from error


class Words(TypedDict):
    """What a Factur-X says of itself, as `embed` and `embed_repaired` take it."""

    profile: str
    title: str
    author: str
    subject: str
    lang: str


@dataclass(frozen=True, slots=True)
class Embedded:
    """A Factur-X made of somebody's own PDF."""

    document: bytes
    changes: tuple[Change, ...]
    """What is otherwise than in the PDF that was given, the invoice inside it aside."""


def embed_repaired(
    pdf: bytes, xml: bytes, *, profile: str, title: str, author: str, subject: str, made_at: datetime,
    lang: str = "fr", attachments: tuple[Attachment, ...] = (),
) -> Embedded:
    """A Factur-X of a sender's own PDF, repaired to PDF/A-3b. Same arguments, same bytes.

    Pages, their language, attachments and what the document information says (title, author, subject, keywords,
    program, date) stay, other metadata does not; `title`, `author` and `subject` fill what it does not say. An invoice
    that is attached already is replaced. Conformance is level B whatever the PDF claims. Not checked: that page and
    XML agree.

    Raises:
        PageRefused: the PDF is unreadable, encrypted or signed, or cannot become PDF/A-3b unseen; the code says why.
        CannotWrite: the profile has no place in Factur-X; a text holds characters that XML cannot.
    """
    metadata = described(profile=profile, title=title, author=author, subject=subject, made_at=made_at, lang=lang)
    with opened_for_writing(pdf) as document:
        try:
            changes = repair(document)
            replaced = put(document, xml, profile, attachments, made_at)
            describe(document, kept(document, metadata), "B")
            made = saved(document, len(pdf) + len(xml))
        except BROKEN as error:
            raise CannotWrite(f"nothing can be attached to the page: {reason(error)}") from error
    told = [*changes, *(Change("invoice-replaced", name) for name in replaced), Change("metadata-rewritten")]
    return Embedded(made, tuple(told))


def described(*, profile: str, title: str, author: str, subject: str, made_at: datetime, lang: str) -> xmp.Metadata:
    """What the packet will say. Raises CannotWrite for a profile without a place in Factur-X."""
    if profile not in xmp.LEVELS:
        raise CannotWrite(f"profile {profile!r} has no place in Factur-X")
    return xmp.Metadata(title=title, author=author, subject=subject, lang=lang, tool=TOOL, made_at=made_at,
                        filename=FACTURX_NAME, level=xmp.LEVELS[profile])


def opened_for_writing(pdf: bytes) -> pikepdf.Pdf:
    """Open a PDF that may be changed. Raises PageRefused for one that is unreadable, encrypted or signed."""
    try:
        document = opened(pdf)
    except NotExtractable as error:
        raise PageRefused(error.code, error.detail) from error
    except LimitExceeded as error:
        raise PageRefused("pdf-too-big", str(error)) from error
    if not isinstance(document.trailer.get("/Root"), pikepdf.Dictionary):
        raise PageRefused("pdf-damaged", "no catalog")
    if document.is_encrypted:
        raise PageRefused("pdf-protected")
    try:
        signed = is_signed(document, pdf)
    except BROKEN as error:
        raise PageRefused("pdf-damaged", reason(error)) from error
    if signed:
        raise PageRefused("pdf-signed")
    return document


def is_signed(document: pikepdf.Pdf, pdf: bytes) -> bool:
    """Whether a signature covers the file: by what the catalog or the form says, or by a signature field with a value.

    A signature of usage rights (Reader extensions) counts as one. Every object is looked at where there is a form or
    the bytes say what a signature covers: that stands in them as it is, since it counts them (ISO 32000-1, 12.8.1).
    """
    form = document.Root.get("/AcroForm")
    flags = form.get("/SigFlags", 0) if isinstance(form, pikepdf.Dictionary) else 0
    if "/Perms" in document.Root or "/DSS" in document.Root or (isinstance(flags, int) and flags & 1):
        return True
    if form is None and b"/ByteRange" not in pdf:
        return False
    return any(
        "/ByteRange" in each or each.get("/Type") == pikepdf.Name.Sig
        or (each.get("/FT") == pikepdf.Name.Sig and "/V" in each)
        for each in objects(document)
    )


def put(document: pikepdf.Pdf, xml: bytes, profile: str, attachments: tuple[Attachment, ...],
        made_at: datetime) -> list[str]:
    """Attach the invoice in place of any other, then the other files; the names of the invoices that went."""
    relationship = pikepdf.Name.Data if profile in WITHOUT_LINES else pikepdf.Name.Alternative
    replaced = remove_invoices(document)
    attach(document, Attachment(content=xml, mime_code="text/xml", filename=FACTURX_NAME), relationship, made_at)
    replaced = sorted({*replaced, *replace_on_pages(document, FACTURX_NAME)})
    for number, attachment in enumerate(attachments, start=1):
        attach(document, named(attachment, number, document), pikepdf.Name.Supplement, made_at)
    return replaced


def saved(document: pikepdf.Pdf, about: int) -> bytes:
    """The bytes, the same each time. Room for `about` as many is taken at once: growing would cost them twice."""
    target = io.BytesIO(bytes(about + ROOM))
    document.save(target, deterministic_id=True, stream_decode_level=pikepdf.StreamDecodeLevel.none,
                  force_version=NEWEST if document.pdf_version > NEWEST else "")
    target.truncate()
    return target.getvalue()
