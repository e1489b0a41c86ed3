"""PDFs made for a test, what is put into them, and what another library finds in one."""

import io
from collections.abc import Callable
from datetime import UTC, datetime

import facturx as akretion
import pikepdf

from formats.facturx import embed
from formats.invoice import Invoice
from formats.rendering.render import draw

XML = b'<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"/>'
MADE_AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
PAGE = draw(Invoice(number="F-1"))
WORDS = {"title": "Facture F-1", "author": "Atelier Imaginaire", "subject": "Facture F-1 du 21 novembre 2026"}
DRAWN_WITH_XML = embed(PAGE, XML, profile="en16931", made_at=MADE_AT, **WORDS)


def pdf_with(*files: tuple[str, bytes], change: Callable[[pikepdf.Pdf], None] | None = None) -> bytes:
    """A one-page PDF with these attachments, changed at will."""
    document = pikepdf.new()
    document.add_blank_page()
    for name, content in files:
        document.attachments[name] = pikepdf.AttachedFileSpec(document, content, filename=name, mime_type="text/xml")
        document.attachments[name].relationship = pikepdf.Name.Alternative
    if change is not None:
        change(document)
    return saved(document)


def saved(document: pikepdf.Pdf) -> bytes:
    target = io.BytesIO()
    document.save(target, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    return target.getvalue()


def theirs(pdf: bytes) -> bytes | None:
    """What another library finds; None where it finds nothing or fails."""
    try:
        _, xml = akretion.get_xml_from_pdf(pdf, check_xsd=False)
    except Exception:  # noqa: BLE001 - whatever it raises, it found nothing
        return None
    return bytes(xml) if xml else None
