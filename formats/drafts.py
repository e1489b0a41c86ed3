"""From a tree to the bytes of a document, each attachment in memory once as bytes and once in the document."""

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from formats.paths import clark

PIECE = 3 << 14
"""Bytes of an attachment that are written at once: a multiple of three, so that base64 has no end within."""
SLACK = 1 << 10
HOLDERS = frozenset({clark("cbc:EmbeddedDocumentBinaryObject"), clark("ram:AttachmentBinaryObject")})
"""The elements that hold attachments. What reads like a mark elsewhere, in a note say, is a text of the invoice."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A UBL or CII document that is written and not yet bytes: as small as the invoice without its attachments."""

    root: etree._Element
    fillers: tuple[str, ...]
    """Locations of the fillers that it took."""

    files: dict[str, bytes]
    """The contents of attachments, by the mark that stands for each until the document becomes bytes."""


def as_bytes(written: Draft) -> bytes:
    """The document, with its attachments in it."""
    if not written.files:
        return etree.tostring(written.root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    etree.indent(written.root)
    packed = sum(4 * len(content) // 3 + 4 for content in written.files.values())
    # As large as it will be: a buffer that grows is there twice when it moves.
    document = io.BytesIO(bytes(len(etree.tostring(written.root)) + packed + SLACK))
    with etree.xmlfile(document, encoding="UTF-8", buffered=False) as file:
        file.write_declaration()
        _copy(written.root, file, written.files, written.root.nsmap)
    document.truncate()
    return document.getvalue()


def _copy(
    element: etree._Element, file: Any, files: Mapping[str, bytes], nsmap: dict[str | None, str] | None = None,
) -> None:
    """Element by element into an xmlfile, an attachment in pieces: as base64 it is in memory in the document alone."""
    text = element.text or ""
    content = files.get(text, b"") if element.tag in HOLDERS else b""
    with file.element(element.tag, element.attrib, nsmap):
        if not content:
            file.write(text)
        for start in range(0, len(content), PIECE):
            file.write(base64.b64encode(content[start : start + PIECE]).decode("ascii"))
        for child in element:
            _copy(child, file, files)
            file.write(child.tail or "")
