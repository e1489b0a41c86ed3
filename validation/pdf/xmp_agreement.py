"""The metadata packet (XMP) of a Factur-X PDF against the XML attached: profile, file name, kind of document.

Archives and readers that do not open the XML go by the packet, so a packet that says something else misleads them. A
warning: the platforms go by the XML.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from lxml import etree

from formats import xmp
from formats.errors import FormatError
from formats.opening import Opened
from formats.safexml import parse
from validation.findings import Finding, Severity, Text

NAMESPACES: Final = tuple(
    f"{{{namespace}}}"
    for namespace in (
        "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#",
        "urn:zugferd:pdfa:CrossIndustryDocument:invoice:2p0#",
        "urn:ferd:pdfa:CrossIndustryDocument:invoice:1p0#",
        "urn:factur-x:pdfa:CrossIndustryDocument:1p0#",
    )
)
"""Of Factur-X, ZUGFeRD 2 and 1, Order-X."""

ALSO: Final[Mapping[str, frozenset[str]]] = {
    "cius": frozenset({"XRECHNUNG"}),
    "en16931": frozenset({"COMFORT"}),
    "extended-ctc-fr": frozenset({"EXTENDEDCTCFR"}),
}
"""Other names of a level, bare: of national specifications, and of ZUGFeRD before Factur-X."""


def claims(packet: bytes) -> dict[str, str]:
    """The Factur-X properties of a packet, elements or attributes, by local name; empty for a broken packet."""
    try:
        root = parse(packet.strip(b"\x00 \t\r\n"))
    except FormatError:
        return {}
    found: dict[str, str] = {}
    elements: Iterator[etree._Element] = root.iter(etree.Element)
    for element in elements:
        written = [(str(element.tag), element.text), *((str(name), str(text)) for name, text in element.attrib.items())]
        for name, text in written:
            space = next((space for space in NAMESPACES if name.startswith(space)), None)
            if space is not None:
                found.setdefault(name.removeprefix(space), (text or "").strip())
    return found


def findings(claimed: Mapping[str, str], opened: Opened) -> Iterator[Finding]:
    """Where the claims of a packet differ from the document inside. An unknown profile is PAS-PROF-02."""
    profile, level = opened.profile.value, claimed.get("ConformanceLevel")
    expected = xmp.LEVELS.get(profile)
    if level is not None and expected is not None and _bare(level) not in {_bare(expected), *ALSO.get(profile, ())}:
        yield _finding("PAS-XMP-01", "ConformanceLevel", level, expected)
    name = opened.attachment.filename if opened.attachment is not None else None
    if name is not None and (declared := claimed.get("DocumentFileName")) is not None and declared != name:
        yield _finding("PAS-XMP-02", "DocumentFileName", declared, name)
    kind = claimed.get("DocumentType")
    if kind is not None and kind != "INVOICE":
        yield _finding("PAS-XMP-03", "DocumentType", kind, "INVOICE")


def _bare(level: str) -> str:
    return "".join(character for character in level.upper() if character.isalnum())


def _finding(rule: str, name: str, declared: str, expected: str) -> Finding:
    return Finding(
        rule=rule,
        severity=Severity.WARNING,
        layer="pdfa",
        message=Text(
            fr=f"Métadonnées XMP : fx:{name} = « {declared} », mais le XML joint demande « {expected} ».",
            en=f"XMP metadata: fx:{name} = {declared!r}, but the XML attached asks for {expected!r}.",
        ),
        terms=("BT-24",) if rule == "PAS-XMP-01" else (),
        values={"declared": declared, "expected": expected},
    )
