"""The PDF container: what goes in, and what it says about itself."""

import io
from dataclasses import replace

import pikepdf
import pytest
from lxml import etree
from made_here import DRAWN_WITH_XML, MADE_AT, PAGE, WORDS, XML, pdf_with, saved, theirs

from formats import xmp
from formats.errors import CannotWrite
from formats.facturx import embed, extract
from formats.invoice import Attachment


def test_the_xml_comes_out_as_it_went_in() -> None:
    found = extract(DRAWN_WITH_XML)

    assert (found.xml, found.filename, found.relationship) == (XML, "factur-x.xml", "Alternative")
    assert (found.others, found.remarks) == ((), ())
    assert theirs(DRAWN_WITH_XML) == XML


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert embed(PAGE, XML, profile="en16931", made_at=MADE_AT, **WORDS) == DRAWN_WITH_XML
    assert embed(PAGE, XML, profile="en16931", made_at=MADE_AT.replace(year=2027), **WORDS) != DRAWN_WITH_XML


@pytest.mark.parametrize(("profile", "relationship", "level"), [
    ("minimum", "Data", "MINIMUM"), ("basicwl", "Data", "BASIC WL"), ("basic", "Alternative", "BASIC"),
    ("en16931", "Alternative", "EN 16931"), ("extended", "Alternative", "EXTENDED"),
    ("extended-ctc-fr", "Alternative", "EXTENDED"),
])
def test_the_profile_decides_relationship_and_level(profile: str, relationship: str, level: str) -> None:
    pdf = embed(PAGE, XML, profile=profile, made_at=MADE_AT, **WORDS)

    assert extract(pdf).relationship == relationship
    assert packet_of(pdf).findtext(".//{*}ConformanceLevel") == level


def packet_of(pdf: bytes) -> etree._Element:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        return etree.fromstring(document.Root.Metadata.read_bytes())


def test_the_metadata_says_what_it_is() -> None:
    hostile = replace_words(title="</rdf:li> & <x/>", author='"Atelier" ]]>', subject="é – 中文 😀")

    pdf = embed(PAGE, XML, profile="en16931", made_at=MADE_AT, **hostile)

    packet = packet_of(pdf)
    assert [node.text for node in packet.iterfind(".//{*}title//{*}li")] == [hostile["title"]] * 2
    assert packet.findtext(".//{*}creator//{*}li") == hostile["author"]
    assert packet.findtext(".//{*}CreateDate") == "2026-11-21T09:30:00Z"
    assert packet.findtext(".//{*}DocumentFileName") == "factur-x.xml"
    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert xmp.pdfa_claim(document.Root.Metadata.read_bytes()) == xmp.pdfa_claim(claimed(PAGE))
        assert {key: str(value) for key, value in document.docinfo.items()} == {
            "/Title": hostile["title"], "/Author": hostile["author"], "/Subject": hostile["subject"],
            "/Creator": "Passerelle", "/Producer": "Passerelle",
            "/CreationDate": "D:20261121093000+00'00'", "/ModDate": "D:20261121093000+00'00'"}
        spec = document.Root.AF[0]
        assert str(spec.EF.F.Subtype) == "/text/xml"
        assert str(spec.EF.F.Params.ModDate) == "D:20261121093000+00'00'"
        assert int(spec.EF.F.Params.Size) == len(XML)


def claimed(pdf: bytes) -> bytes:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        return document.Root.Metadata.read_bytes()


def replace_words(**words: str) -> dict[str, str]:
    return {**WORDS, **words}


def test_other_attachments_stay_and_the_invoice_is_replaced() -> None:
    plan = Attachment(content=b"a plan", mime_code="text/plain", filename="plan.txt")
    first = embed(PAGE, b"<old/>", profile="minimum", made_at=MADE_AT, attachments=(plan,), **WORDS)

    second = embed(first, XML, profile="en16931", made_at=MADE_AT, attachments=(
        plan, replace(plan, filename="../../etc/passwd\x00"), replace(plan, filename=None)), **WORDS)

    found = extract(second)
    assert (found.xml, found.relationship, found.remarks) == (XML, "Alternative", ())
    assert [other.filename for other in found.others] == ["1-plan.txt", "document-3", "passwd", "plan.txt"]
    assert {other.content for other in found.others} == {b"a plan"}
    with pikepdf.open(io.BytesIO(second)) as document:
        assert sorted(str(spec.AFRelationship) for spec in document.Root.AF) == ["/Alternative"] + ["/Supplement"] * 4


def test_what_must_not_be_changed_is_refused() -> None:
    document = pikepdf.open(io.BytesIO(PAGE))
    locked = io.BytesIO()
    document.save(locked, encryption=pikepdf.Encryption(owner="o", user=""))
    document.Root.AcroForm = pikepdf.Dictionary(SigFlags=3, Fields=[])
    signed = saved(document)

    for pdf, message in [(locked.getvalue(), "encrypted"), (signed, "signed"), (pdf_with(), "PDF/A"),
                         (b"?", "not a PDF")]:
        with pytest.raises(CannotWrite, match=message):
            embed(pdf, XML, profile="en16931", made_at=MADE_AT, **WORDS)


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(CannotWrite, match="'cdar'"):
        embed(PAGE, XML, profile="cdar", made_at=MADE_AT, **WORDS)
    with pytest.raises(CannotWrite, match="XML compatible"):
        embed(PAGE, XML, profile="basic", made_at=MADE_AT, **replace_words(title="a\x00b"))


ATTRIBUTES = (b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><r:Description '
              b'xmlns:p="http://www.aiim.org/pdfa/ns/id/" p:part="2" p:conformance="u"/></r:RDF>')


@pytest.mark.parametrize(("packet", "claim"), [
    (b"", None), (b"<x/>", None), (b"not xml", None), (b"<!DOCTYPE x []><x/>", None), (ATTRIBUTES, ("2", "U")),
])
def test_a_claim_is_read_in_both_forms(packet: bytes, claim: tuple[str, str] | None) -> None:
    assert xmp.pdfa_claim(packet) == claim


