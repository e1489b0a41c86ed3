"""The one door: what a document is goes by its bytes."""

import pikepdf
import pytest
from corpus import CORPUS, files, needs_corpus

from formats.errors import BadValue, FormatError, LimitExceeded, MalformedXml, NotExtractable
from formats.opening import open_document
from formats.profiles import Profile, profile_of
from formats.syntax import Syntax, read, read_tree, write

INVOICE = read(
    b'{"number":"F1","currency":"EUR","specification_identifier":"urn:cen.eu:en16931:2017","lines":[{"id":"1"}]}',
).invoice
UBL = write(INVOICE, Syntax.UBL_INVOICE)
CII = write(INVOICE, Syntax.CII)
SBDH = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"


def test_each_syntax_is_recognised() -> None:
    assert open_document(UBL).syntax is Syntax.UBL_INVOICE
    assert open_document(CII).syntax is Syntax.CII
    assert open_document(b"\xef\xbb\xbf \n" + write(INVOICE, Syntax.JSON)).syntax is Syntax.JSON
    assert open_document(b"<Report/>").syntax is Syntax.FLUX10
    assert open_document(b"<Invoice/>").syntax is Syntax.UNKNOWN
    assert open_document(
        b"<a:CrossIndustryDocument xmlns:a='urn:ferd:CrossIndustryDocument:invoice:1p0'/>",
    ).syntax is Syntax.ZUGFERD1
    assert open_document(
        b"<SCRDMCCBDACIOMessageStructure xmlns='urn:un:unece:uncefact:data:SCRDMCCBDACIOMessageStructure:100'/>",
    ).syntax is Syntax.ORDER_X


@pytest.mark.parametrize("document", [UBL, CII, write(INVOICE, Syntax.JSON)], ids=["ubl", "cii", "json"])
def test_profile_and_bt_24_are_seen_without_reading(document: bytes) -> None:
    opened = open_document(document)
    assert (opened.specification_identifier, opened.profile) == ("urn:cen.eu:en16931:2017", Profile.EN16931)


def test_an_envelope_is_taken_off_and_lines_stay_where_they_were() -> None:
    header = f'<x:StandardBusinessDocument xmlns:x="{SBDH}">\n<x:StandardBusinessDocumentHeader/>\n'.encode()
    body = UBL.removeprefix(b"<?xml version='1.0' encoding='UTF-8'?>\n")
    opened = open_document(header + body + b"</x:StandardBusinessDocument>")

    assert opened.syntax is Syntax.UBL_INVOICE
    assert opened.root is not None
    assert read_tree(opened.root).invoice == INVOICE
    assert read(opened.payload).invoice == INVOICE
    number = opened.root.find("{*}ID")
    assert number is not None
    assert number.sourceline == (header + body).split(b"<cbc:ID>")[0].count(b"\n") + 1


def test_a_pdf_without_an_invoice_is_a_pdf(tmp_path: object) -> None:
    with pikepdf.new() as document:
        document.add_blank_page()
        document.save(f"{tmp_path}/blank.pdf")
    with open(f"{tmp_path}/blank.pdf", "rb") as file:  # noqa: PTH123  # one line
        opened = open_document(file.read())
    assert (opened.syntax, opened.payload, opened.root) == (Syntax.PDF, b"", None)


@pytest.mark.parametrize(
    ("document", "error"),
    [
        (b"", MalformedXml),
        (b"facture n 12", MalformedXml),
        (b"PK\x03\x04", MalformedXml),
        (b"junk %PDF-1.7 more junk", NotExtractable),
        (b"{", BadValue),
        (b"[" * 100_000, LimitExceeded),
        (b'{"a": NaN', BadValue),
        (b'{"\xff": 1}', BadValue),
    ],
)
def test_junk_is_refused_by_name(document: bytes, error: type[FormatError]) -> None:
    with pytest.raises(error):
        open_document(document)


@pytest.mark.parametrize(
    ("identifier", "profile"),
    [
        (None, "unknown"),
        ("", "unknown"),
        ("urn:factur-x.eu:1p0:minimum", "minimum"),
        ("urn:zugferd.de:2p0:minimum", "minimum"),
        ("urn:factur-x.eu:1p0:basicwl", "basicwl"),
        ("urn:cen.eu:en16931:2017#compliant#urn:factur-x.eu:1p0:basic", "basic"),
        ("urn:cen.eu:en16931:2017", "en16931"),
        (" urn:cen.eu:en16931:2017\n", "en16931"),
        ("urn:cen.eu:en16931:2017#conformant#urn:factur-x.eu:1p0:extended", "extended"),
        ("urn:cen.eu:en16931:2017#conformant#urn.cpro.gouv.fr:1p0:extended-ctc-fr", "extended-ctc-fr"),
        ("urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0", "cius"),
        ("urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0", "cius"),
        ("urn:cen.eu:en16931:2017#conformant#urn:example.org:else", "unknown"),
        ("1.0", "unknown"),
    ],
)
def test_bt_24_names_a_profile(identifier: str | None, profile: str) -> None:
    assert profile_of(identifier).value == profile


@needs_corpus
def test_a_factur_x_opens_as_its_xml() -> None:
    folder = CORPUS / "facturxdotnet-fnfe"
    opened = [open_document(path.read_bytes()) for path in files(".pdf") if path.is_relative_to(folder)]

    found = [one for one in opened if one.syntax is Syntax.FACTUR_X]
    assert found
    for one in found:
        assert one.attachment is not None
        assert one.attachment.xml == one.payload
        assert one.root is not None
        assert read_tree(one.root).syntax is Syntax.CII
