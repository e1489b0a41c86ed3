"""Large attachments taken out of an XML before it is parsed: else each is there as text, as tree and as string at once.

What is parsed has a mark in the place of each, and reading gives the bytes for the mark (see values.read_value). Only
what is surely an attachment is taken; all else stays for the parser, and with it every refusal.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

LARGE = 1 << 16
"""Bytes of base64 from which on an attachment is taken out."""
MOST = 10_000_000
"""A longer text is left to the parser, which refuses it by name."""
SHOWN = 150
"""So much of the base64 is in the mark, for reports."""

_START = re.compile(rb"<(?:[\w.-]+:)?(?:EmbeddedDocument|Attachment)BinaryObject(?:\s[^<>]*)?>")
_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]*+={0,2}\s*")


@dataclass(frozen=True, slots=True)
class Lifted:
    """A document without its large attachments."""

    document: bytes
    files: dict[str, bytes]
    """Their contents, by the marks that stand for them."""


def lift(document: bytes) -> Lifted:
    """`document` without its large attachments; as it is where there is none. Anything may be given.

    Where comments or CDATA could hide what looks like an attachment nothing is taken.
    """
    if b"BinaryObject" not in document or b"<!" in document:
        return Lifted(document, {})
    files: dict[str, bytes] = {}
    pieces: list[bytes] = []
    done = 0
    for start, end, content in _attachments(document):
        beginning = b"".join(document[start : start + SHOWN].split()).decode("ascii")
        mark = f"{beginning} [{len(files) + 1}]"
        files[mark] = content
        lines = b"\n" * document.count(b"\n", start, end)  # errors name the lines of the document
        pieces += [document[done:start], mark.encode("ascii"), lines]
        done = end
    return Lifted(b"".join((*pieces, document[done:])), files) if files else Lifted(document, {})


def _attachments(document: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Where the base64 of each large attachment begins and ends, and what it is."""
    view = memoryview(document)
    for found in _START.finditer(document):
        start, end = found.end(), document.find(b"<", found.end())
        if LARGE <= end - start <= MOST and _BASE64.fullmatch(view, start, end):
            try:
                yield start, end, binascii.a2b_base64(view[start:end])
            except binascii.Error:
                continue  # reading it says what is wrong, and where
