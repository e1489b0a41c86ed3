"""The metadata packet (XMP) of a Factur-X PDF: what it is, who made it when, and which invoice is inside.

Built as elements, so that no title or name can break out of its place. The packet replaces whatever
metadata the PDF had.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from lxml import etree

from formats import safexml
from formats.errors import FormatError

NS = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "pdf": "http://ns.adobe.com/pdf/1.3/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "pdfuaid": "http://www.aiim.org/pdfua/ns/id/",
    "pdfaid": "http://www.aiim.org/pdfa/ns/id/",
    "pdfaExtension": "http://www.aiim.org/pdfa/ns/extension/",
    "pdfaSchema": "http://www.aiim.org/pdfa/ns/schema#",
    "pdfaProperty": "http://www.aiim.org/pdfa/ns/property#",
    "fx": "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#",
}
ABOUT = f"{{{NS['rdf']}}}about"
PARSE_TYPE = f"{{{NS['rdf']}}}parseType"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
PACKET_ID = "W5M0MpCehiHzreSzNTczkc9d"
"""The fixed mark of every XMP packet (ISO 16684-1, 7.3.2)."""

LEVELS = {
    "minimum": "MINIMUM", "basicwl": "BASIC WL", "basic": "BASIC", "en16931": "EN 16931", "cius": "EN 16931",
    "extended": "EXTENDED", "extended-ctc-fr": "EXTENDED",
}
"""fx:ConformanceLevel per profile of the machine contract."""

PROPERTIES = (
    ("DocumentFileName", "The name of the embedded XML document"),
    ("DocumentType", "The type of the embedded document, INVOICE for invoices and credit notes"),
    ("Version", "The version of the Factur-X schema of the embedded document"),
    ("ConformanceLevel", "The profile of the embedded document"),
)
"""The four properties of the Factur-X extension schema, which PDF/A wants described in the packet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What the packet says."""

    title: str
    author: str
    subject: str
    lang: str
    """Language of title and subject, BCP 47."""

    tool: str
    """The program that made the PDF."""

    made_at: datetime
    """Aware; written in UTC."""

    filename: str
    """Of the embedded XML."""

    level: str
    """Factur-X conformance level, e.g. "EN 16931"."""

    creator: str = ""
    """The program with which the pages were written, where it is not `tool`."""

    created_at: datetime | None = None
    """Of the pages, where it is not `made_at`; aware."""

    keywords: str = ""
    accessible: bool = False
    """Whether the pages conform to PDF/UA-1 (ISO 14289-1)."""


def packet(metadata: Metadata, conformance: str) -> bytes:
    """The XMP packet in UTF-8, which claims this level ("B", "U" or "A") of PDF/A-3.

    Raises ValueError for texts that XML cannot hold.
    """
    root = etree.Element(etree.QName(NS["x"], "xmpmeta"), nsmap={"x": NS["x"]})
    rdf = etree.SubElement(root, etree.QName(NS["rdf"], "RDF"), nsmap={"rdf": NS["rdf"]})
    add_identity(rdf, conformance)
    if metadata.accessible:
        add(about(rdf, "pdfuaid"), "pdfuaid:part", "1")
    add_description(rdf, metadata)
    add_facturx(rdf, metadata)
    add_extension_schemas(rdf, accessible=metadata.accessible)
    etree.indent(root)
    root.addprevious(etree.ProcessingInstruction("xpacket", f'begin="\ufeff" id="{PACKET_ID}"'))
    root.addnext(etree.ProcessingInstruction("xpacket", 'end="r"'))
    return etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=False)


def add_identity(rdf: etree._Element, conformance: str) -> None:
    """PDF/A-3 with its level."""
    block = about(rdf, "pdfaid")
    add(block, "pdfaid:part", "3")
    add(block, "pdfaid:conformance", conformance)


def add_description(rdf: etree._Element, metadata: Metadata) -> None:
    """Title, author, subject, tool and dates."""
    core = about(rdf, "dc")
    add(core, "dc:format", "application/pdf")
    add_in_languages(add(core, "dc:title"), metadata.title, metadata.lang)
    add(add(add(core, "dc:creator"), "rdf:Seq"), "rdf:li", metadata.author)
    add_in_languages(add(core, "dc:description"), metadata.subject, metadata.lang)
    production = about(rdf, "pdf")
    add(production, "pdf:Producer", metadata.tool)
    if metadata.keywords:
        add(production, "pdf:Keywords", metadata.keywords)
    history = about(rdf, "xmp")
    add(history, "xmp:CreatorTool", metadata.creator or metadata.tool)
    moments = {"CreateDate": metadata.created_at or metadata.made_at, "ModifyDate": metadata.made_at,
               "MetadataDate": metadata.made_at}
    for name, moment in moments.items():
        add(history, f"xmp:{name}", f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")


def add_facturx(rdf: etree._Element, metadata: Metadata) -> None:
    """Which invoice is inside."""
    block = about(rdf, "fx")
    add(block, "fx:DocumentType", "INVOICE")
    add(block, "fx:DocumentFileName", metadata.filename)
    add(block, "fx:Version", "1.0")
    add(block, "fx:ConformanceLevel", metadata.level)


def add_extension_schemas(rdf: etree._Element, *, accessible: bool) -> None:
    """What further properties mean: PDF/A refuses those that nobody described (ISO 19005-3, 6.6.2.3)."""
    schemas = add(add(about(rdf, "pdfaExtension", "pdfaSchema", "pdfaProperty"), "pdfaExtension:schemas"), "rdf:Bag")
    facturx = tuple((name, "Text", "external", description) for name, description in PROPERTIES)
    add_schema(schemas, "Factur-X PDFA Extension Schema", "fx", facturx)
    if accessible:
        part = ("part", "Integer", "internal", "The part of ISO 14289 to which the pages conform")
        add_schema(schemas, "PDF/UA Universal Accessibility Schema", "pdfuaid", (part,))


def add_schema(
    schemas: etree._Element, name: str, prefix: str, described: tuple[tuple[str, str, str, str], ...]
) -> None:
    """One schema: its properties with type, category and description."""
    schema = add(schemas, "rdf:li")
    schema.set(PARSE_TYPE, "Resource")
    add(schema, "pdfaSchema:schema", name)
    add(schema, "pdfaSchema:namespaceURI", NS[prefix])
    add(schema, "pdfaSchema:prefix", prefix)
    properties = add(add(schema, "pdfaSchema:property"), "rdf:Seq")
    for one in described:
        item = add(properties, "rdf:li")
        item.set(PARSE_TYPE, "Resource")
        for field, text in zip(("name", "valueType", "category", "description"), one, strict=True):
            add(item, f"pdfaProperty:{field}", text)


def about(rdf: etree._Element, *prefixes: str) -> etree._Element:
    """A new description of this document that declares these prefixes."""
    block = etree.SubElement(rdf, etree.QName(NS["rdf"], "Description"), nsmap={p: NS[p] for p in prefixes})
    block.set(ABOUT, "")
    return block


def add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    """A new last child."""
    prefix, _, local = name.partition(":")
    child = etree.SubElement(parent, etree.QName(NS[prefix], local))
    child.text = text
    return child


def add_in_languages(parent: etree._Element, text: str, lang: str) -> None:
    """A text as the default and, since PDF/A readers look it up, under its language."""
    alternatives = add(parent, "rdf:Alt")
    for language in ("x-default", lang):
        add(alternatives, "rdf:li", text).set(XML_LANG, language)


def claims_accessibility(document: bytes) -> bool:
    """Whether a packet claims PDF/UA-1. Never raises."""
    try:
        root = safexml.parse(document.strip(b"\x00 \t\r\n"))
    except FormatError:
        return False
    qualified = f"{{{NS['pdfuaid']}}}part"
    return any((block.get(qualified) or block.findtext(qualified)) == "1"
               for block in root.iter(f"{{{NS['rdf']}}}Description"))


def pdfa_claim(document: bytes) -> tuple[str, str] | None:
    """(part, conformance) that a packet claims, e.g. ("3", "B"); None without a claim or for a broken packet.

    Reads both forms, elements and attributes. Never raises.
    """
    try:
        root = safexml.parse(document.strip(b"\x00 \t\r\n"))
    except FormatError:
        return None
    found = {}
    for block in root.iter(f"{{{NS['rdf']}}}Description"):
        for name in ("part", "conformance"):
            qualified = f"{{{NS['pdfaid']}}}{name}"
            value = block.get(qualified) or block.findtext(qualified)
            if value and value.strip():
                found[name] = value.strip().upper()
    return (found["part"], found.get("conformance", "")) if "part" in found else None
