"""Document information and XMP packet of a Factur-X: one and the same description, and the PDF/A claim."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pikepdf

from formats import xmp
from formats.pdf.document import pdf_date

PDF_DATE = re.compile(r"D:([1-9]\d{3})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:([+\-Z])(\d\d)?'?(\d\d)?)?")
LANGUAGE = re.compile("[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def claim_of(document: pikepdf.Pdf) -> tuple[str, str] | None:
    """(part, conformance) of the PDF/A that the file says it is; None without a claim."""
    metadata = document.Root.get("/Metadata")
    return xmp.pdfa_claim(metadata.read_bytes()) if isinstance(metadata, pikepdf.Stream) else None


def describe(document: pikepdf.Pdf, metadata: xmp.Metadata, conformance: str) -> None:
    """Replace document information and XMP by one and the same description; a language of the pages stays.

    Pages that conform to PDF/A-3a and say that they conform to PDF/UA-1 go on saying so: attachments change no page.
    Raises ValueError: see xmp.packet.
    """
    before = document.Root.get("/Metadata")
    if conformance == "A" and isinstance(before, pikepdf.Stream):
        metadata = replace(metadata, accessible=xmp.claims_accessibility(before.read_bytes()))
    stream = document.make_stream(xmp.packet(metadata, conformance))
    stream.Type, stream.Subtype = pikepdf.Name.Metadata, pikepdf.Name.XML
    document.Root.Metadata = stream
    said = document.Root.get("/Lang")
    if not isinstance(said, pikepdf.String) or not LANGUAGE.fullmatch(str(said)):
        document.Root.Lang = metadata.lang
    created, moment = metadata.created_at or metadata.made_at, metadata.made_at
    document.trailer.Info = document.make_indirect(pikepdf.Dictionary(
        Title=metadata.title, Author=metadata.author, Subject=metadata.subject,
        Creator=metadata.creator or metadata.tool, Producer=metadata.tool, CreationDate=pdf_date(created),
        ModDate=pdf_date(moment)))
    if metadata.keywords:
        document.trailer.Info.Keywords = metadata.keywords


def kept(document: pikepdf.Pdf, metadata: xmp.Metadata) -> xmp.Metadata:
    """The metadata with what the sender's PDF says of itself in its document information, where it says something."""
    info = document.trailer.get("/Info")
    if not isinstance(info, pikepdf.Dictionary):
        return metadata
    said = {key: str(value).strip() for key, value in info.items() if isinstance(value, pikepdf.String)}
    said = {key: value for key, value in said.items() if value and not NOT_IN_XML.search(value)}
    return replace(
        metadata,
        title=said.get("/Title", metadata.title), author=said.get("/Author", metadata.author),
        subject=said.get("/Subject", metadata.subject), keywords=said.get("/Keywords", ""),
        creator=said.get("/Creator", said.get("/Producer", "")), created_at=moment_of(said.get("/CreationDate", "")),
    )


def moment_of(text: str) -> datetime | None:
    """A time as PDF writes it (ISO 32000-1, 7.9.4), in UTC if it names no zone; None for what is none."""
    found = PDF_DATE.match(text)
    if found is None:
        return None
    year, month, day = (int(part or 1) for part in found.group(1, 2, 3))
    hour, minute, second = (int(part or 0) for part in found.group(4, 5, 6))
    sign, hours, minutes = found.group(7, 8, 9)
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=timezone(offset)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
