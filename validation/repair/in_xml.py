"""Leaves and edits of an invoice in XML: only UTF-8, byte by byte, so that all else stays as it was."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import escape

from lxml import etree

from formats.syntax import Syntax
from validation.document import Document
from validation.findings import Edit, Finding, Operation
from validation.locations import path_of
from validation.repair.leaves import Leaf

TAG: Final = re.compile(rb"<[^\s/>]+(?:[^>\"']|\"[^\"]*\"|'[^']*')*>")
DECLARED: Final = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml[^>]*encoding=[\"']([\w-]+)")
IDENTIFIERS: Final = frozenset({"CompanyID", "ID"})


@dataclass(frozen=True, slots=True)
class Span:
    """Where the start tag of an element is in the bytes, and where its content ends."""

    tag: tuple[int, int]
    end: int


@dataclass(frozen=True)
class XmlForm:
    """A document in XML and the bytes that it came in."""

    document: Document
    source: bytes

    def of_finding(self, finding: Finding) -> Sequence[Leaf]:
        """As Form."""
        place = self.document.element_at(finding.location or "")
        if place is None:
            return ()
        if not len(place):
            return (_leaf(place),)
        elements = [element for term in finding.terms for element in self._saying(term)]
        return [_leaf(element) for element in elements if place in element.iterancestors()]

    def of_term(self, term: str) -> Sequence[Leaf]:
        """As Form."""
        return list(map(_leaf, self._saying(term)))

    def _saying(self, term: str) -> list[etree._Element]:
        paths = dict.fromkeys(node.location() for node, _ in self.document.terms.get(term, ()))
        found = map(self.document.element_at, paths)
        return [element for element in found if element is not None and not len(element)]

    def edit(self, leaf: Leaf, new: str, attribute: str | None) -> Edit | None:
        """As Form. A text with an entity or with elements in it is not touched."""
        element = self.document.element_at(leaf.where)
        if element is None:
            return None
        source, span = self.source, self._spans[element]
        begin, end = span.tag
        written = escape(new, {'"': "&quot;"})
        if attribute is None:
            old = source[end : span.end]
            if b"<" in old or b"&" in old or source[end - 2 : end] == b"/>":
                return None
            return self._at(end, old, written, leaf.where)
        where = f"{leaf.where}/@{attribute}"
        name = re.escape(attribute.encode())
        found = re.compile(rb"\s" + name + rb"\s*=\s*(?:\"([^\"&]*)\"|'([^'&]*)')").search(source, begin, end)
        if found is None:
            after = end - (2 if source[end - 2 : end] == b"/>" else 1)
            return self._at(after, b"", f' {attribute}="{written}"', where)
        side = 1 if found.group(1) is not None else 2
        return self._at(found.start(side), found.group(side), written, where)

    def _at(self, offset: int, old: bytes, new: str, where: str) -> Edit:
        line = self.source.count(b"\n", 0, offset) + 1
        return Edit(offset=offset, line=line, old=old.decode(), new=new, location=where)

    def operations(self, _leaf: Leaf, _new: str, _attribute: str | None, /) -> tuple[Operation, ...]:
        """As Form: XML has none."""
        return ()

    def day(self, year: int, month: int, day: int) -> str:
        """As Form."""
        real = date(year, month, day)
        return real.strftime("%Y%m%d") if self.document.opened.syntax is Syntax.CII else real.isoformat()

    @cached_property
    def _spans(self) -> Mapping[etree._Element, Span]:
        """Both parsers give the elements in the same order."""
        root = self.document.root
        elements = root.iter(etree.Element) if root is not None else ()
        return dict(zip(elements, _spans(self.source), strict=True))


def is_editable(source: bytes) -> bool:
    """Whether the bytes are UTF-8 and do not say otherwise."""
    try:
        source.decode("utf-8")
    except UnicodeDecodeError:
        return False
    declared = DECLARED.match(source)
    return declared is None or declared.group(1).lower() in {b"utf-8", b"us-ascii"}


def _leaf(element: etree._Element) -> Leaf:
    attributes = {str(name): str(value) for name, value in element.attrib.items()}
    takes_scheme = etree.QName(element).localname in IDENTIFIERS
    return Leaf(path_of(element), element.text or "", attributes, takes_scheme)


def _spans(source: bytes) -> list[Span]:
    """Where each element is, in document order. The bytes have been read by the hardened parser before."""
    found: list[Span] = []
    open_: list[int] = []
    parser = expat.ParserCreate()

    def start(_: str, __: Mapping[str, str]) -> None:
        begin = parser.CurrentByteIndex
        tag = TAG.match(source, begin)
        open_.append(len(found))
        found.append(Span((begin, tag.end() if tag else begin), -1))

    def end(_: str) -> None:
        number = open_.pop()
        found[number] = replace(found[number], end=parser.CurrentByteIndex)

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(source, True)
    return found
