"""The one hardened XML parser. Bytes from outside become a tree here or nowhere.

Nothing outside the bytes is ever read: no DTD, no entity, no network, no file. Cost is bounded before the tree
is built: the bytes are counted first, and libxml2 itself (huge_tree off) stops at a depth of 256 and at a text
of 10,000,000 bytes.
"""

import re
from dataclasses import dataclass

from lxml import etree

from formats.errors import ForbiddenDoctype, LimitExceeded, MalformedXml

# Encodings in which "<" is the byte 0x3C and nothing else is, so that the count below is a bound. UTF-16 is
# recognised by its first bytes. Others (UTF-7, EBCDIC, UTF-32 ...) hide markup from scanners: refused by name.
ENCODINGS = frozenset(
    {"utf-8", "utf8", "us-ascii", "ascii", "utf-16", "utf-16le", "utf-16be", "latin1"}
    | {f"iso-8859-{part}" for part in range(1, 17)}
    | {f"windows-125{page}" for page in range(9)}
)
UTF16_STARTS = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")

_DECLARED = re.compile(rb"""\s*<\?xml\s[^>]*?encoding\s*=\s*["']([^"'>]*)["']""")
# Only white space, comments and processing instructions may come before a DOCTYPE.
_DOCTYPE = re.compile(rb"(?:\s++|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)
_NUMBER = re.compile(r"[\s+\-.0-9]+")
_CROWDED = etree.XPath("boolean(descendant-or-self::*[count(@*) > $most])")
_LONG_TEXTS = etree.XPath(
    "descendant-or-self::*/text()[string-length() > $most]"
    "[translate(substring(., 1, $most), '+-.0123456789 \t\r\n', '') = '']"
)
"""Long texts that begin like a number: an attachment is none, and is not brought into Python to be looked at."""
_TOO_DEEP_OR_LONG = {"XML_ERR_RESOURCE_LIMIT", "ERR_RESOURCE_LIMIT", "ERR_NAME_TOO_LONG"}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one document may cost. Depth (256) and the length of one text (10 MB) are libxml2's own limits."""

    max_bytes: int = 20_000_000
    max_nodes: int = 1_000_000
    """Elements, attributes, comments and processing instructions, counted generously from the bytes."""

    max_attributes: int = 200
    """Of one element: libxml2 and the XML parser in Saxon look attributes up one by one."""

    max_number: int = 100
    """Characters of a text that is a number and nothing else: what engines compute with it costs their square."""


DEFAULT_LIMITS = Limits()


def parse(document: bytes, limits: Limits = DEFAULT_LIMITS) -> etree._Element:
    """The root element of `document`: UTF-8 or UTF-16 with or without BOM, or a declared one-byte encoding.

    Comments and processing instructions are left out, so that the text of an element is one text. CDATA becomes
    text. Says nothing about schema, syntax or business content.

    Raises:
        LimitExceeded: too many bytes, nodes or attributes, too deep, or one text or number too long; the text
            names the limit.
        ForbiddenDoctype: there is a DOCTYPE, of whatever kind.
        MalformedXml: not well-formed, or in an encoding that we do not read.
    """
    if len(document) > limits.max_bytes:
        raise LimitExceeded(f"{len(document)} bytes of XML, at most {limits.max_bytes} are read")
    _refuse_strange_encoding(document)
    nodes = _nodes_at_most(document)
    if nodes > limits.max_nodes:
        raise LimitExceeded(f"about {nodes} XML nodes, at most {limits.max_nodes} are read")
    if _DOCTYPE.match(_prolog_view(document)):
        raise ForbiddenDoctype("the document carries a DOCTYPE; invoices have none")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        raise _named(error, parser) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise ForbiddenDoctype("the document carries a DOCTYPE; invoices have none")
    _refuse_costly(root, limits)
    return root


def _refuse_costly(root: etree._Element, limits: Limits) -> None:
    """What parses quickly and is slow to work with."""
    if _CROWDED(root, most=limits.max_attributes):
        raise LimitExceeded(f"an element with more than {limits.max_attributes} attributes")
    for text in _LONG_TEXTS(root, most=limits.max_number):
        if _NUMBER.fullmatch(text) and len(text.strip()) > limits.max_number:
            raise LimitExceeded(f"a number of {len(text.strip())} characters, at most {limits.max_number} are read")


def _nodes_at_most(document: bytes) -> int:
    """An upper bound of the nodes, whatever the encoding: every start has a byte '<', every attribute a '='."""
    ends = document.count(b"<\x00/") if document.startswith(UTF16_STARTS) else document.count(b"</")
    return document.count(b"<") - ends + document.count(b"=")


def _refuse_strange_encoding(document: bytes) -> None:
    if document.startswith(UTF16_STARTS) and b"\x00\x00" not in document[:4]:
        return
    if b"\x00" in document[:64]:
        raise MalformedXml("neither UTF-8 nor UTF-16 nor a one-byte encoding")
    declared = _DECLARED.match(document.removeprefix(b"\xef\xbb\xbf")[:256])
    if declared is not None:
        name = declared[1].decode("ascii", "replace")
        if name.lower() not in ENCODINGS:
            raise MalformedXml(f"the declared encoding {name!r} is not one that is read here")


def _prolog_view(document: bytes) -> bytes:
    """The bytes with ASCII where the document has ASCII characters, good enough to meet a DOCTYPE."""
    if not document.startswith(UTF16_STARTS):
        return document.removeprefix(b"\xef\xbb\xbf")
    return document.removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff").replace(b"\x00", b"")


def _named(error: etree.XMLSyntaxError, parser: etree.XMLParser) -> MalformedXml | LimitExceeded:
    """libxml2's error as ours."""
    entries = list(parser.error_log)
    for entry in entries:
        if entry.type_name in _TOO_DEEP_OR_LONG or "xcessive depth" in entry.message or "too long" in entry.message:
            return LimitExceeded(f"line {entry.line}: depth over 256 or a text over 10,000,000 bytes ({_short(entry)})")
    if entries:
        return MalformedXml(f"line {entries[0].line}, column {entries[0].column}: {_short(entries[0])}")
    return MalformedXml(str(error.msg or "no XML document"))


def _short(entry: etree._LogEntry) -> str:
    """libxml2's words, without the page of input that it sometimes quotes."""
    return entry.message.strip()[:200]
