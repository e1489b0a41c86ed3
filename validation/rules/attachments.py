"""Supporting documents (BG-24): whether what is attached is what it is called."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import PurePosixPath
from typing import Final

from formats.invoice import Attachment, Invoice
from validation.findings import Severity
from validation.rules.own import OwnRule, Said, said

SHEET: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODS: Final = "application/vnd.oasis.opendocument.spreadsheet"

MAGIC: Final[Mapping[str, tuple[bytes, ...]]] = {
    "application/pdf": (b"%PDF",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    SHEET: (b"PK\x03\x04",),
    ODS: (b"PK\x03\x04",),
    "application/xml": (b"<", b"\xef\xbb\xbf<", b"\xff\xfe<", b"\xfe\xff\x00<"),
    "text/xml": (b"<", b"\xef\xbb\xbf<", b"\xff\xfe<", b"\xfe\xff\x00<"),
}
"""How files of the media types of BR-CL-24 begin. Text (CSV) begins with anything, but with none of the others."""

EXTENSIONS: Final[Mapping[str, frozenset[str]]] = {
    "application/pdf": frozenset({".pdf"}),
    "image/png": frozenset({".png"}),
    "image/jpeg": frozenset({".jpg", ".jpeg"}),
    "text/csv": frozenset({".csv", ".txt"}),
    SHEET: frozenset({".xlsx"}),
    ODS: frozenset({".ods"}),
    "application/xml": frozenset({".xml"}),
    "text/xml": frozenset({".xml"}),
}

WEB: Final = re.compile(r"https?://\S", re.IGNORECASE)
BEGINNING: Final = 1024
"""Readers of PDF look this far for its mark."""


def other_bytes(invoice: Invoice, _: date) -> Iterator[Said]:
    """The bytes of an attachment begin as files of its media type do."""
    for attachment in _attachments(invoice):
        found = _type_of(attachment.content)
        declared = attachment.mime_code or ""
        if declared in MAGIC or declared == "text/csv":
            right = found == declared or (found is not None and MAGIC.get(found) == MAGIC.get(declared))
            if attachment.content and not right and not (declared == "text/csv" and found is None):
                yield said(
                    f"Pièce jointe {attachment.filename} : annoncée {declared}, mais ses octets sont "
                    f"{found or 'd’un autre format'}.",
                    f"Attachment {attachment.filename}: declared as {declared}, but its bytes are "
                    f"{found or 'of another format'}.",
                    "BT-125-1", "BT-125", value=declared, declared=declared, found=found,
                )


def other_extension(invoice: Invoice, _: date) -> Iterator[Said]:
    """The name of an attachment ends as files of its media type do."""
    for attachment in _attachments(invoice):
        suffix = PurePosixPath(attachment.filename or "").suffix.lower()
        usual = EXTENSIONS.get(attachment.mime_code or "")
        if suffix and usual is not None and suffix not in usual:
            yield said(
                f"Pièce jointe {attachment.filename} : son extension ne va pas avec {attachment.mime_code}.",
                f"Attachment {attachment.filename}: its extension does not go with {attachment.mime_code}.",
                "BT-125-2", "BT-125-1", value=attachment.filename, declared=suffix, expected=min(usual),
            )


def same_file_name(invoice: Invoice, _: date) -> Iterator[Said]:
    """No two attachments have the same file name."""
    names = Counter(attachment.filename for attachment in _attachments(invoice) if attachment.filename)
    for name, count in names.items():
        if count > 1:
            yield said(
                f"{count} pièces jointes s'appellent {name}.",
                f"{count} attachments are called {name}.",
                "BT-125-2", value=name, count=str(count),
            )


def unreachable_location(invoice: Invoice, _: date) -> Iterator[Said]:
    """An external document is at an address that the buyer can open too. It is never fetched."""
    for document in invoice.supporting_documents:
        if document.location is not None and not WEB.match(document.location):
            yield said(
                f"« {document.location} » n'est pas une adresse que l'acheteur peut ouvrir.",
                f"{document.location!r} is no address that the buyer can open.",
                "BT-124", value=document.location,
            )


def _attachments(invoice: Invoice) -> list[Attachment]:
    return [document.attachment for document in invoice.supporting_documents if document.attachment is not None]


def _type_of(content: bytes) -> str | None:
    """The media type whose mark the bytes carry, or None."""
    if b"%PDF" in content[:BEGINNING]:
        return "application/pdf"
    return next((mime for mime, marks in MAGIC.items() if content.lstrip()[:16].startswith(marks)), None)


RULES: Final = (
    OwnRule("PAS-ATT-01", Severity.WARNING, other_bytes, "EN 16931-1, BT-125-1"),
    OwnRule("PAS-ATT-02", Severity.WARNING, other_extension, "EN 16931-1, BT-125-2"),
    OwnRule("PAS-ATT-04", Severity.WARNING, same_file_name, "DGFiP, annexe 7, motif IRR_NOM_PJ"),
    OwnRule("PAS-ATT-05", Severity.WARNING, unreachable_location, "EN 16931-1, BT-124"),
)
