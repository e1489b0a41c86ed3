"""The annex of a conversion: what has no place in the target goes along, comes home, and is never trusted."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from random import Random

import pytest
from annexed import grown, texts_of
from corpus import CORPUS, needs_corpus
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from invoices import invoices
from lxml import etree

from formats import annex, conversion, order, placing
from formats.annex import Row
from formats.conversion import Conversion
from formats.invoice import Invoice, SupportingDocument
from formats.json_form import from_json
from formats.loss import NOT_IN_TARGET
from formats.opening import open_document
from formats.passage import ANNEX
from formats.profiles import IDENTIFIERS, Profile
from formats.syntax import DIALECTS, Syntax, read, syntax_of, ubl_syntax_of, write
from formats.terms import lost
from formats.texts import NO_TERM

convert = partial(conversion.convert, made_at=datetime(2026, 11, 22, tzinfo=UTC))
INVOICE = from_json({
    "number": "FA-2026-9", "issue_date": "2026-11-21", "type_code": "380", "currency": "EUR",
    "specification_identifier": "urn:cen.eu:en16931:2017", "business_process": "S1",
    "seller": {"name": "Atelier Imaginaire SAS", "address": {"country": "FR"}},
    "buyer": {"name": "Client Inventé SARL", "address": {"country": "FR"}},
    "totals": {"lines_net": "100.00", "without_vat": "100.00", "vat": "20.00", "with_vat": "120.00", "due": "120.00"},
    "vat_breakdown": [{"taxable_amount": "100.00", "tax_amount": "20.00", "category": "S", "rate": "20"}],
    "supporting_documents": [{"reference": "PJ-1", "attachment": {"content": "Zg==", "mime_code": "text/csv"}}],
    "lines": [{"id": str(number), "quantity": "2", "unit": "C62", "net_amount": "50.00", "price": {"net": "25.00"},
               "vat_category": "S", "vat_rate": "20", "item": {"name": "Conseil"}} for number in (1, 2)],
})
PLAIN = write(INVOICE, Syntax.UBL_INVOICE)
ODD = PLAIN.replace(b"<cbc:IssueDate>", b"<cbc:UUID>=1+1</cbc:UUID><cbc:IssueDate>", 1).replace(
    b"<cbc:InvoiceTypeCode>", b"<cbc:InvoiceTypeCode languageID='fr'>").replace(
    b"<cac:TaxTotal>", b'<cac:TaxTotal><cbc:TaxAmount currencyID="USD">1.00</cbc:TaxAmount></cac:TaxTotal>'
                       b"<cac:TaxTotal>", 1)
THERE = convert(ODD, "cii", annex=True)
ROOT = "/ubl:Invoice"
LINE = ROOT + "/cac:InvoiceLine[2]"


def schema_errors(document: bytes) -> list[str]:
    root = etree.fromstring(document)
    judge = order.judge(DIALECTS[syntax_of(root)].schema)
    judge.validate(root)
    return [entry.message for entry in judge.error_log]


def annex_of(made: Conversion) -> SupportingDocument:
    root = open_document(made.document).root
    invoice = read(made.document if root is None else etree.tostring(root)).invoice
    return invoice.supporting_documents[-1]


def xml_texts() -> st.SearchStrategy[str]:
    """Anything XML can hold."""
    never = "".join(map(chr, {*range(32)} - {9, 10, 13})) + "\ufffe\uffff"
    usual = st.characters(codec="utf-8", exclude_characters=never)
    return st.sampled_from(("", *"=+-@\t\r\n'\";", "''", "\ufeff", "＝")).flatmap(
        lambda start: st.text(usual | st.sampled_from("\"';\r\n\t="), max_size=12).map(start.__add__))


@settings(max_examples=60, deadline=None)
@given(st.lists(xml_texts(), min_size=1, max_size=4))
def test_any_text_comes_back_out_of_the_csv(texts: list[str]) -> None:
    rows = tuple(Row(LINE, "cbc:UUID[1]/@schemeID", text) for text in texts)
    content = annex.written(rows, Syntax.UBL_INVOICE)

    assert annex.read(content, Syntax.UBL_INVOICE) == rows
    cells = content.decode("utf-8-sig").split('";"')
    assert not any(cell.startswith(tuple("=+-@\t\r\n")) for cell in cells)


def test_what_has_no_place_goes_along_and_comes_home() -> None:
    file, back = annex_of(THERE), convert(THERE.document, "ubl", annex=True)

    assert (THERE.loss.not_carried, {one.reason for one in THERE.loss.annexed}) == ((), {NO_TERM})
    assert [one.location for one in THERE.loss.annexed] == list(back.loss.put_back)
    assert (file.description, file.attachment and file.attachment.mime_code) == ("DOCUMENT_ANNEXE", "text/csv")
    assert file.attachment is not None
    assert f'"ubl-invoice";"{ROOT}";"cbc:UUID[1]";"\'=1+1"\r\n'.encode() in file.attachment.content
    assert texts_of(back.document) == texts_of(ODD)
    assert (back.loss.not_carried, back.loss.annexes_left) == ((), ())
    assert {one.reason for one in back.loss.set_aside} == {ANNEX}
    assert schema_errors(THERE.document) == schema_errors(back.document) == []
    assert convert(ODD, "cii", annex=True).document == THERE.document


@pytest.mark.parametrize("way", ["json", "factur-x"])
def test_every_target_takes_it_along(way: str) -> None:
    there = convert(ODD, way, annex=True)
    assert texts_of(convert(there.document, "ubl", annex=True).document) == texts_of(ODD)


def test_without_the_option_nothing_is_different() -> None:
    plain, kept = convert(ODD, "cii"), convert(THERE.document, "ubl")

    assert len(plain.loss.not_carried) == len(THERE.loss.annexed)
    assert read(plain.document).invoice == INVOICE
    assert read(kept.document).invoice.supporting_documents == (*INVOICE.supporting_documents, annex_of(THERE))
    assert (kept.loss.not_carried, kept.loss.put_back, kept.loss.annexes_left) == ((), (), ())
    assert convert(PLAIN, "cii", annex=True).document == convert(PLAIN, "cii").document


def test_another_target_keeps_it_as_an_attachment() -> None:
    as_json = convert(THERE.document, "json", annex=True)

    assert (as_json.loss.put_back, as_json.loss.annexes_left) == ((), ())
    assert texts_of(convert(as_json.document, "ubl", annex=True).document) == texts_of(ODD)


@pytest.mark.parametrize("profile", ["minimum", "basicwl", "basic"])
def test_a_target_without_room_for_it_gets_none(profile: str) -> None:
    made = convert(ODD, "cii", profile=profile, annex=True)

    assert made.document == convert(ODD, "cii", profile=profile).document
    assert made.loss == convert(ODD, "cii", profile=profile).loss


def test_a_term_that_the_target_cannot_say_goes_along_too() -> None:
    """The total of a line with VAT: CII alone has it (EXT-FR-FE-...)."""
    first = replace(INVOICE.lines[0], amount_with_vat=INVOICE.lines[0].net_amount)
    source = write(replace(INVOICE, lines=(first, INVOICE.lines[1])), Syntax.CII)
    there = convert(source, "ubl", annex=True)

    assert (there.loss.not_carried, [one.reason for one in there.loss.annexed]) == ((), [NOT_IN_TARGET])
    assert convert(there.document, "cii", annex=True).document == source


def test_whole_elements_of_the_annex_s_own_stand_where_they_stood() -> None:
    """Before those of the invoice, and with the texts in them that do have a term."""
    first = b"<cac:PaymentTerms><cbc:ID>Z</cbc:ID></cac:PaymentTerms><cac:PaymentTerms><cbc:Note>30 jours</cbc:Note>"
    source = ODD.replace(b"<cac:TaxTotal>", first + b"</cac:PaymentTerms><cac:TaxTotal>", 1)
    there = convert(source, "cii", annex=True)

    assert there.loss.not_carried == ()
    assert texts_of(convert(there.document, "ubl", annex=True).document) == texts_of(source)


def test_what_the_model_has_once_does_not_come_home_twice() -> None:
    """Of two totals of VAT the second is left over; put back with its parts, the invoice would have those twice."""
    [total] = re.findall(rb"<cac:TaxTotal>.*</cac:TaxTotal>", PLAIN, re.DOTALL)
    source = PLAIN.replace(total, total + total.replace(b"20.00<", b"0<").replace(b"100.00<", b"0<"), 1)
    back = convert(convert(source, "cii", annex=True).document, "ubl", annex=True)
    said = read(source).invoice.vat_breakdown

    assert read(back.document).invoice.vat_breakdown == said


# --- what is not put back


def tampered(content: bytes, invoice: Invoice = INVOICE, reference: str | None = None) -> bytes:
    """CII of `invoice`, with an annex of that content that says that it is one to INVOICE."""
    file = annex_of(THERE)
    assert file.attachment is not None
    file = replace(file, reference=reference or file.reference, attachment=replace(file.attachment, content=content))
    return write(replace(invoice, supporting_documents=(*INVOICE.supporting_documents, file)), Syntax.CII)


def rows(*given: tuple[str, str, str]) -> Callable[[], bytes]:
    return lambda: annex.written([Row(*one) for one in given], Syntax.UBL_INVOICE)


TOTALS = ROOT + "/cac:LegalMonetaryTotal[1]"
UUID = (ROOT, "cbc:UUID[1]", "x")
GOOD = rows(UUID)()
HOLDER = "cac:AdditionalDocumentReference[1]/cac:Attachment[1]/cbc:EmbeddedDocumentBinaryObject[1]"
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "no mark of its encoding": (lambda: GOOD[3:], annex.MALFORMED),
    "another encoding": (lambda: GOOD.replace(b'"x"', b'"\xe9"'), annex.MALFORMED),
    "commas": (lambda: GOOD.replace(b";", b","), annex.MALFORMED),
    "a cell more": (lambda: GOOD.replace(b'"x"', b'"x";"y"'), annex.MALFORMED),
    "no quotes": (lambda: GOOD.replace(b'"x"', b"x"), annex.MALFORMED),
    "an open quote": (lambda: GOOD + b'"', annex.MALFORMED),
    "a formula": (lambda: GOOD.replace(b'"x"', b'"=x"'), annex.MALFORMED),
    "a zero byte": (lambda: GOOD.replace(b'"x"', b'"\0"'), placing.UNFIT),
    "rows of another syntax": (lambda: annex.written([Row(*UUID)], Syntax.CII), annex.MALFORMED),
    "nothing": (lambda: b" ", annex.MALFORMED),
    "no rows": (rows(), annex.MALFORMED),
    "too many rows": (rows(*[UUID] * 10_001), annex.TOO_LARGE),
    "too many bytes": (lambda: b"x" * 1_000_001, annex.TOO_LARGE),
    "a cell too long": (rows((ROOT, "cbc:UUID[1]", "x" * 200_000)), annex.MALFORMED),
    "any place": (rows((ROOT, "//*", "x")), annex.MALFORMED),
    "a condition": (rows((ROOT + "[1=1]", "cbc:UUID[1]", "x")), annex.MALFORMED),
    "a place above": (rows((ROOT, "../cbc:UUID[1]", "x")), annex.MALFORMED),
    "a number zero": (rows((ROOT, "cbc:UUID[0]", "x")), annex.MALFORMED),
    "an attribute of a namespace": (rows((ROOT, "@xml:lang", "x")), annex.MALFORMED),
    "a namespace declared": (rows((ROOT, "@xmlns", "x")), placing.UNFIT),
    "an unknown prefix": (rows((ROOT, "xyz:UUID[1]", "x")), placing.NO_PLACE),
    "an unknown element": (rows((ROOT, "cbc:Uuid[1]", "x")), placing.NO_PLACE),
    "an element elsewhere": (rows((LINE, "cbc:IssueDate[1]", "2026-11-21")), placing.NO_PLACE),
    "an absent place": (rows((ROOT + "/cac:InvoiceLine[3]", "cbc:UUID[1]", "x")), placing.NO_PLACE),
    "another root": (rows(("/cn:CreditNote", "cbc:UUID[1]", "x")), placing.NO_PLACE),
    "a gap": (rows((ROOT, "cbc:Note[3]", "x")), placing.NO_PLACE),
    "twice the same": (rows(UUID, UUID), placing.OCCUPIED),
    "a text that is there": (rows((ROOT + "/cbc:ID[1]", "", "x")), placing.OCCUPIED),
    "an attribute that is there": (rows((LINE + "/cbc:LineExtensionAmount[1]", "@currencyID", "USD")),
                                   placing.OCCUPIED),
    "no text": (rows((ROOT, "cbc:UUID[1]", "")), placing.OCCUPIED),
    "a second number": (rows((ROOT, "cbc:ID[2]", "x")), placing.UNFIT),
    "a first number": (rows((ROOT, "cbc:ID[1]", "x")), placing.UNFIT),
    "an attribute unknown there": (rows((LINE, "@id", "x")), placing.UNFIT),
    "a bad date": (rows((ROOT, "cbc:TaxPointDate[1]", "hier")), placing.UNFIT),
    "text between elements": (rows((LINE + "/cac:Price[1]", "", "x")), placing.UNFIT),
    "a number that costs": (rows((ROOT, "cbc:UUID[1]", "1" * 101)), placing.UNFIT),
    "the mark of an attachment": (rows((ROOT, HOLDER, "file 1")), placing.UNFIT),
    "another total before": (rows((ROOT, "cac:TaxTotal[1]/cbc:TaxAmount[1]", "1.00"),
                                  (ROOT, "cac:TaxTotal[1]/cbc:TaxAmount[1]/@currencyID", "EUR")), placing.CHANGES),
    # What CII says openly has no business in an annex to a CII.
    "an account to pay to": (rows((ROOT, "cac:PaymentMeans[1]/cbc:PaymentMeansCode[1]", "30"),
                                  (ROOT, "cac:PaymentMeans[1]/cac:PayeeFinancialAccount[1]/cbc:ID[1]", "FR7600")),
                             placing.CHANGES),
    "another payee": (rows((ROOT, "cac:PayeeParty[1]/cac:PartyName[1]/cbc:Name[1]", "Autre")), placing.CHANGES),
    "a part paid already": (rows((TOTALS, "cbc:PrepaidAmount[1]", "100.00"),
                                 (TOTALS, "cbc:PrepaidAmount[1]/@currencyID", "EUR")), placing.CHANGES),
    "a due date": (rows((ROOT, "cbc:DueDate[1]", "2026-11-22")), placing.CHANGES),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_annex_stays_an_attachment(name: str) -> None:
    make, reason = HOSTILE[name]
    document = tampered(make())
    made = convert(document, "ubl", annex=True)

    assert [one.reason for one in made.loss.annexes_left] == [reason], made.loss.annexes_left
    assert made.document == convert(document, "ubl").document
    assert made.loss.put_back == ()


def test_the_same_with_a_sound_row_is_put_back() -> None:
    """What makes the ones above fail is what their names say."""
    made = convert(tampered(GOOD), "ubl", annex=True)
    assert (made.loss.put_back, made.loss.annexes_left) == ((f"{ROOT}/cbc:UUID",), ())


def test_an_annex_of_another_invoice_stays_an_attachment() -> None:
    changed = replace(INVOICE, lines=INVOICE.lines[::-1])
    made = convert(tampered(GOOD, changed), "ubl", annex=True)
    assert [one.reason for one in made.loss.annexes_left] == [annex.OTHER_INVOICE]


def test_of_two_annexes_neither_is_put_back() -> None:
    invoice = read(THERE.document).invoice
    twice = replace(invoice, supporting_documents=(*invoice.supporting_documents, annex_of(THERE)))
    made = convert(write(twice, Syntax.CII), "ubl", annex=True)

    assert [one.reason for one in made.loss.annexes_left] == [annex.SEVERAL] * 2
    assert read(made.document).invoice == twice


# --- made up and real


def unnumbered(location: str) -> str:
    return re.sub(r"\[\d+\]", "", location)


@settings(
    max_examples=4, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
@given(invoice=invoices(), random=st.randoms(use_true_random=False), cii=st.booleans())
def test_whatever_the_schema_allows_goes_there_and_back(*, invoice: Invoice, random: Random, cii: bool) -> None:
    here = Syntax.CII if cii else ubl_syntax_of(invoice)
    whole = replace(invoice, specification_identifier=IDENTIFIERS[Profile.EXTENDED_CTC_FR])  # no line is left out
    source = grown(write(whole, here), random)
    there = convert(source, "ubl" if cii else "cii", annex=True)
    back = convert(there.document, "cii" if cii else "ubl", annex=True)

    assert back.loss.annexes_left == ()
    # A text stays with its element, which the model may have put before or behind another of the same name.
    after = {(unnumbered(where), text) for where, text in texts_of(back.document)}
    assert {(unnumbered(one.location), one.text) for one in there.loss.annexed} <= after
    if there.loss.not_carried == ():
        assert lost(read(source).invoice, read(back.document).invoice) == []
    assert schema_errors(there.document) == schema_errors(back.document) == []


@needs_corpus
def test_a_real_invoice_goes_there_and_back() -> None:
    """All of them: `make campaign-conversion`."""
    source = (CORPUS / "oca-edi/account_invoice_import_ubl/tests/files/UBLInvoice-multitankcard-line_adjust.xml")
    there = convert(source.read_bytes(), "cii", annex=True)
    back = convert(there.document, "ubl", annex=True)

    annexed = {(one.location, one.text) for one in there.loss.annexed}
    assert (there.loss.not_carried, len(annexed)) == ((), 56)
    assert annexed <= texts_of(back.document).keys()
