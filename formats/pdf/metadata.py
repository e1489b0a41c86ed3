"""Document information and XMP packet of a Factur-X: one and the same description, and the PDF/A claim."""

import pikepdf

from formats import xmp
from formats.pdf.document import pdf_date


def claim_of(document: pikepdf.Pdf) -> tuple[str, str] | None:
    """(part, conformance) of the PDF/A that the file says it is; None without a claim."""
    metadata = document.Root.get("/Metadata")
    return xmp.pdfa_claim(metadata.read_bytes()) if isinstance(metadata, pikepdf.Stream) else None


def describe(document: pikepdf.Pdf, metadata: xmp.Metadata, conformance: str) -> None:
    """Replace document information and XMP by one and the same description. Raises ValueError: see xmp.packet."""
    stream = document.make_stream(xmp.packet(metadata, conformance))
    stream.Type, stream.Subtype = pikepdf.Name.Metadata, pikepdf.Name.XML
    document.Root.Metadata = stream
    document.Root.Lang = metadata.lang
    moment = pdf_date(metadata.made_at)
    document.trailer.Info = document.make_indirect(pikepdf.Dictionary(
        Title=metadata.title, Author=metadata.author, Subject=metadata.subject, Creator=metadata.tool,
        Producer=metadata.tool, CreationDate=moment, ModDate=moment))
