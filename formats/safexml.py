"""The one hardened XML parser. Stands in until the whole one lands."""

from dataclasses import dataclass

from lxml import etree

from formats.errors import ForbiddenDoctype, LimitExceeded, MalformedXml


@dataclass(frozen=True, slots=True)
class Limits:
    """What a document may cost."""

    size: int = 20_000_000
    """Bytes."""


DEFAULT = Limits()


def parse(document: bytes, limits: Limits = DEFAULT) -> etree._Element:
    """The root of a document without DOCTYPE. Raises MalformedXml, ForbiddenDoctype, LimitExceeded."""
    if len(document) > limits.size:
        raise LimitExceeded(f"XML of {len(document)} bytes; at most {limits.size} are read")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise MalformedXml(str(error)) from None
    if root.getroottree().docinfo.doctype:
        raise ForbiddenDoctype("a DOCTYPE is not allowed")
    return root
