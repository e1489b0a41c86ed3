"""What a Factur-X PDF says of itself against the XML in it."""

from datetime import UTC, datetime

import pytest
from lxml import etree
from own_vectors import base

from formats import xmp
from formats.attachment_names import FACTURX_NAME
from formats.facturx import Extraction
from formats.opening import Opened
from formats.profiles import IDENTIFIERS, Profile
from formats.syntax import Syntax
from validation.pdf import xmp_agreement

METADATA = xmp.Metadata(
    title="Essai", author="Atelier Imaginaire", subject="Essai", lang="fr", tool="Essai",
    made_at=datetime(2026, 11, 3, tzinfo=UTC), filename=FACTURX_NAME, level="EN 16931",
)  # fmt: skip


def inside(profile: Profile, filename: str = FACTURX_NAME) -> Opened:
    return Opened(
        syntax=Syntax.FACTUR_X, profile=profile, specification_identifier=IDENTIFIERS.get(profile), payload=b"",
        root=None, attachment=Extraction(xml=b"", filename=filename, relationship="Alternative"),
    )  # fmt: skip


def packet(**changes: str) -> bytes:
    """Our own packet with some of its Factur-X properties changed."""
    root = etree.fromstring(xmp.packet(METADATA, "B"))
    for name, text in changes.items():
        for element in root.iter(f"{{{xmp.NS['fx']}}}{name}"):
            element.text = text
    return etree.tostring(root)


def heard(document: bytes, opened: Opened) -> list[str]:
    return [finding.rule for finding in xmp_agreement.findings(xmp_agreement.claims(document), opened)]


def test_our_own_packet_agrees() -> None:
    assert base("base")["specification_identifier"] == IDENTIFIERS[Profile.EN16931]
    assert heard(packet(), inside(Profile.EN16931)) == []


@pytest.mark.parametrize(
    ("changes", "profile", "filename", "expected"),
    [
        ({"ConformanceLevel": "EXTENDED"}, Profile.EN16931, FACTURX_NAME, ["PAS-XMP-01"]),
        ({"ConformanceLevel": "BASIC WL"}, Profile.BASIC, FACTURX_NAME, ["PAS-XMP-01"]),
        ({"DocumentFileName": "zugferd-invoice.xml"}, Profile.EN16931, FACTURX_NAME, ["PAS-XMP-02"]),
        ({}, Profile.EN16931, "xrechnung.xml", ["PAS-XMP-02"]),
        ({"DocumentType": "ORDER"}, Profile.EN16931, FACTURX_NAME, ["PAS-XMP-03"]),
        ({"ConformanceLevel": "EN16931"}, Profile.EN16931, FACTURX_NAME, []),
        ({"ConformanceLevel": "BASIC WL"}, Profile.BASIC_WL, FACTURX_NAME, []),
        ({"ConformanceLevel": "XRECHNUNG"}, Profile.CIUS, FACTURX_NAME, []),
        ({"ConformanceLevel": "EXTENDED"}, Profile.EXTENDED_CTC_FR, FACTURX_NAME, []),
        ({"ConformanceLevel": "EXTENDED"}, Profile.UNKNOWN, FACTURX_NAME, []),
    ],
)
def test_each_claim_is_compared(changes: dict[str, str], profile: Profile, filename: str, expected: list[str]) -> None:
    assert heard(packet(**changes), inside(profile, filename)) == expected


def test_claims_are_read_from_attributes_too() -> None:
    root = etree.fromstring(packet())
    for block in list(root.iter(f"{{{xmp.NS['rdf']}}}Description")):
        for child in list(block):
            if str(child.tag).startswith(f"{{{xmp.NS['fx']}}}"):
                block.set(child.tag, child.text or "")
                block.remove(child)
    assert xmp_agreement.claims(etree.tostring(root)) == xmp_agreement.claims(packet())


def test_a_broken_packet_claims_nothing() -> None:
    assert xmp_agreement.claims(b"<x") == {}
    assert heard(b"", inside(Profile.EN16931)) == []
