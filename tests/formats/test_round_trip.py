"""Written, then read, an invoice is the same in every syntax, and the document is valid by the published schema."""

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from invoices import invoices
from lxml import etree

from formats import order
from formats.conversion import convert
from formats.drafts import PIECE, as_bytes
from formats.errors import CannotWrite
from formats.invoice import Address, Attachment, Invoice, Note, Party, SupportingDocument, Totals
from formats.json_form import from_json, to_json
from formats.loss import NOT_IN_TARGET
from formats.profiles import IDENTIFIERS, ONCE, Profile, carries
from formats.syntax import DIALECTS, Reading, Syntax, draft, read, ubl_syntax_of, write
from formats.terms import only

PROPERTY = settings(
    max_examples=20, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    phases=[Phase.explicit, Phase.generate],  # shrinking invoices of 300 draws takes minutes
)


def xsd_errors(document: bytes, syntax: Syntax) -> list[str]:
    checker = order.judge(DIALECTS[syntax].schema)
    checker.validate(etree.fromstring(document))
    return [entry.message for entry in checker.error_log]


@PROPERTY
@given(invoices())
def test_ubl_written_then_read_is_the_same(invoice: Invoice) -> None:
    syntax = ubl_syntax_of(invoice)
    document = write(invoice, syntax)

    assert xsd_errors(document, syntax) == []
    assert read(document) == Reading(invoice, syntax, unmapped=())


@PROPERTY
@given(invoices())
def test_cii_written_then_read_is_the_same(invoice: Invoice) -> None:
    document = write(invoice, Syntax.CII)

    assert xsd_errors(document, Syntax.CII) == []
    assert read(document) == Reading(invoice, Syntax.CII, unmapped=())


@PROPERTY
@given(invoices())
def test_json_written_then_read_is_the_same(invoice: Invoice) -> None:
    assert read(write(invoice, Syntax.JSON)) == Reading(invoice, Syntax.JSON, unmapped=())
    assert from_json(to_json(invoice)) == invoice


@PROPERTY
@given(invoices())
def test_no_element_is_written_empty(invoice: Invoice) -> None:
    for syntax in (ubl_syntax_of(invoice), Syntax.CII):
        root = etree.fromstring(write(invoice, syntax))
        empty = [element.tag for element in root.iter() if not len(element) and not (element.text or "").strip()]
        demanded = ("ApplicableHeaderTradeDelivery", "ExchangedDocumentContext")  # by the schema, even of nothing
        assert [tag for tag in empty if not str(tag).endswith(demanded)] == []


def small(**terms: object) -> Invoice:
    """The least that is an invoice, with `terms` beside."""
    line = {"id": "1", "net_amount": "10.00", "item": {"name": "Essai"}, "price": {"net": "10"}}
    least = {"number": "F1", "type_code": "380", "currency": "EUR", "lines": from_json({"lines": [line]}).lines}
    return Invoice(**(least | terms))  # type: ignore[arg-type]  # terms are fields


def test_note_without_code_never_follows_the_treatment_note() -> None:
    notes = (Note(subject_code="BAR", text="B2B"), Note(text="Merci"), Note(subject_code="PMT", text="40 EUR"))
    again = read(write(small(notes=notes), Syntax.UBL_INVOICE)).invoice.notes

    assert again == (notes[1], notes[2], notes[0])


def test_order_of_coded_notes_is_kept() -> None:
    notes = (Note(subject_code="BAR", text="B2B"), Note(subject_code="PMT", text="40 EUR"))
    assert read(write(small(notes=notes), Syntax.UBL_INVOICE)).invoice.notes == notes


@pytest.mark.parametrize(
    ("terms", "syntax", "filler"),
    [
        ({"sales_order_reference": "V1"}, Syntax.UBL_INVOICE, "/ubl:Invoice/cac:OrderReference/cbc:ID"),
        ({"project_reference": "P1"}, Syntax.CII,
         ("/rsm:CrossIndustryInvoice/rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeAgreement"
          "/ram:SpecifiedProcuringProject/ram:Name")),
    ],
)
def test_filler_is_listed_and_not_read_as_a_term(terms: dict[str, str], syntax: Syntax, filler: str) -> None:
    written = draft(small(**terms), syntax)
    document, fillers = as_bytes(written), written.fillers

    assert fillers == (filler,)
    assert read(document) == Reading(small(**terms), syntax, unmapped=())


@pytest.mark.parametrize(
    ("stated", "filled"),
    [((None,), "20.00"), (("15.00", None), "5.00"), (("15.00", "5.00"), None), (("15.00", "5.00", None), "0.00")],
)
def test_the_one_vat_amount_that_is_not_stated_is_the_rest(stated: tuple[str | None, ...], filled: str | None) -> None:
    """UBL demands it in each rate, CII does not (BR-CO-14)."""
    invoice = from_json(to_json(small()) | {
        "totals": {"vat": "20.00"},
        "vat_breakdown": [{"category": "S"} | ({"tax_amount": one} if one else {}) for one in stated],
    })
    written = draft(invoice, Syntax.UBL_INVOICE)
    again = read(as_bytes(written)).invoice.vat_breakdown

    assert [where.rpartition("/")[2] for where in written.fillers] == ["cbc:TaxAmount"] * (filled is not None)
    assert [str(one.tax_amount) for one in again] == [one or filled for one in stated]
    assert [one for one in xsd_errors(as_bytes(written), Syntax.UBL_INVOICE) if "Tax" in one] == []


def test_a_line_that_says_nothing_but_its_number_is_valid_in_cii() -> None:
    lines = (*small().lines, replace(small().lines[0], net_amount=None, price=None, item=None))
    assert xsd_errors(write(small(lines=lines), Syntax.CII), Syntax.CII) == xsd_errors(
        write(small(), Syntax.CII), Syntax.CII)
    assert read(write(small(lines=lines), Syntax.CII)).invoice.lines == lines


@pytest.mark.parametrize("syntax", [Syntax.UBL_INVOICE, Syntax.CII])
def test_files_are_written_in_pieces_and_come_back_whole(syntax: Syntax) -> None:
    contents = (bytes(range(256)) * 4000, b"x", b"\x00" * (PIECE + 1))
    beside = tuple(
        SupportingDocument(reference=f"A{number}", attachment=Attachment(
            content=content, mime_code="text/plain", filename=f"{number}.txt"))
        for number, content in enumerate(contents))
    without = replace(small(), notes=(Note(text="file 1"),))  # what a draft marks the first attachment with
    invoice = replace(without, supporting_documents=beside)
    document = write(invoice, syntax)

    assert read(document) == Reading(invoice, syntax, unmapped=())
    assert document.count(b"xmlns:") == write(without, syntax).count(b"xmlns:")
    assert xsd_errors(document, syntax) == xsd_errors(write(without, syntax), syntax)


def test_credit_note_has_its_own_names_and_its_due_date_in_the_payment_means() -> None:
    credit = from_json({
        "number": "A1", "type_code": "381", "currency": "EUR", "due_date": "2026-12-01",
        "payment": {"means_code": "58", "credit_transfers": [{"account": "X"}]},
        "lines": [{"id": "1", "quantity": "1", "unit": "C62"}],
    })
    text = write(credit, ubl_syntax_of(credit)).decode()

    assert "<cbc:CreditNoteTypeCode>381" in text
    assert '<cbc:CreditedQuantity unitCode="C62">1' in text
    assert "<cac:CreditNoteLine>" in text
    assert "<cbc:PaymentDueDate>2026-12-01" in text
    assert "DueDate>" not in text.split("<cac:PaymentMeans>")[0]


def test_several_accounts_each_carry_the_means_and_the_reference() -> None:
    invoice = from_json(to_json(small()) | {"payment": {
        "means_code": "58", "means_text": "Virement", "remittance_information": "REF",
        "credit_transfers": [{"account": "A"}, {"account": "B"}],
    }})
    text = write(invoice, Syntax.UBL_INVOICE).decode()

    assert text.count('<cbc:PaymentMeansCode name="Virement">58') == 1  # UBL-SR-46: the text once
    assert text.count("<cbc:PaymentMeansCode>58") == 1
    assert text.count("<cbc:PaymentID>REF") == 2


def test_vat_in_accounting_currency_is_written_in_that_currency() -> None:
    invoice = from_json(to_json(small()) | {"currency": "USD", "vat_currency": "EUR", "totals": {
        "vat": "20.00", "vat_in_accounting_currency": "18.40",
    }})
    assert '<cbc:TaxAmount currencyID="EUR">18.40' in write(invoice, Syntax.UBL_INVOICE).decode()
    assert '<ram:TaxTotalAmount currencyID="EUR">18.40' in write(invoice, Syntax.CII).decode()


def test_a_transport_charge_of_factur_x_extended_is_a_charge() -> None:
    """BG-X-42: named by the rules among the charges, so that BT-108 remains the sum of what is written."""
    charged = from_json(to_json(small()) | {"charges": [
        {"amount": "5.00", "reason": "Emballage", "vat_category": "S", "vat_rate": "20"},
        {"amount": "9.00", "reason": "Port", "vat_category": "S", "vat_rate": "20"},
    ]})
    root = etree.fromstring(write(charged, Syntax.CII))
    ram = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"
    second = list(root.iter(f"{ram}SpecifiedTradeAllowanceCharge"))[1]
    second.remove(second.find(f"{ram}ChargeIndicator"))  # type: ignore[arg-type]  # it is there
    second.tag = f"{ram}SpecifiedLogisticsServiceCharge"
    renamed = {"ActualAmount": "AppliedAmount", "Reason": "Description", "CategoryTradeTax": "AppliedTradeTax"}
    for old, new in renamed.items():
        second.find(ram + old).tag = ram + new  # type: ignore[union-attr]  # it is there
    reading = read(etree.tostring(root))

    assert reading == Reading(charged, Syntax.CII, unmapped=())


@pytest.mark.parametrize(
    ("terms", "pointer"),
    [
        ({"seller": {"name": "A", "tax_registration": "1", "tax_registration_scheme": "GST"}},
         "/ubl:Invoice/cac:AccountingSupplierParty/cac:Party/cac:PartyTaxScheme/cac:TaxScheme/cbc:ID"),
        ({"lines": [to_json(small())["lines"][0] | {"amount_with_vat": "12.00"}]},
         ("/rsm:CrossIndustryInvoice/rsm:SupplyChainTradeTransaction/ram:IncludedSupplyChainTradeLineItem"
          "/ram:SpecifiedLineTradeSettlement/ram:SpecifiedTradeSettlementLineMonetarySummation/ram:GrandTotalAmount")),
    ],
    ids=["scheme", "total"],
)
def test_what_a_syntax_has_no_place_for_is_reported(terms: dict[str, object], pointer: str) -> None:
    invoice = from_json(to_json(small()) | terms)
    here, there = (Syntax.UBL_INVOICE, "cii") if pointer.startswith("/ubl") else (Syntax.CII, "ubl")
    loss = convert(write(invoice, here), there, made_at=None).loss  # type: ignore[arg-type]  # no PDF is made

    assert [(one.location, one.reason) for one in loss.not_carried] == [(pointer, NOT_IN_TARGET)]


@pytest.mark.parametrize("word", ["TAX", "Tax", "FC", "LOC"])
def test_words_that_only_say_that_a_number_is_not_vat_are_no_scheme(word: str) -> None:
    seller = Party(name="A", tax_registration="1")
    document = write(small(seller=seller), Syntax.UBL_INVOICE).replace(b"<cbc:ID>TAX<", f"<cbc:ID>{word}<".encode())
    assert read(document) == Reading(small(seller=seller), Syntax.UBL_INVOICE, unmapped=())


@pytest.mark.parametrize(("old", "new"), [(b">2026-01-02<", b">soon<"), (b">12.00<", b">12,00<")])
def test_a_bad_value_of_an_extension_term_leaves_the_invoice_readable(old: bytes, new: bytes) -> None:
    line = to_json(small())["lines"][0] | {"vat_amount": "12.00", "delivery": {"actual_date": "2026-01-02"}}
    document = write(from_json(to_json(small()) | {"lines": [line]}), Syntax.UBL_INVOICE)
    reading = read(document.replace(old, new))

    assert reading.invoice.number == "F1"
    assert len([where for where in reading.unmapped if not where.endswith("/@currencyID")]) == 1


def test_an_attribute_with_a_code_alone_gets_a_name_in_ubl() -> None:
    line = to_json(small())["lines"][0]
    attributes = [{"code": "AAA", "value": "1"}, {"name": "NA", "value": "1"}]
    coded = line | {"item": {"name": "Essai", "attributes": attributes}}
    invoice = from_json(to_json(small()) | {"lines": [coded]})
    written = draft(invoice, Syntax.UBL_INVOICE)
    document, fillers = as_bytes(written), written.fillers

    assert read(document).invoice == invoice
    assert [where.rpartition("/")[2] for where in fillers] == ["cbc:Name"]


FACTUR_X = [Profile.MINIMUM, Profile.BASIC_WL, Profile.BASIC, Profile.EN16931, Profile.EXTENDED]


@pytest.mark.parametrize("profile", FACTUR_X, ids=str)
@settings(PROPERTY, max_examples=6)
@given(invoices())
def test_what_a_profile_carries_obeys_its_schema(profile: Profile, invoice: Invoice) -> None:
    """But for elements that a schema demands as the last of their parent and a made-up invoice lacks."""
    assume(invoice.vat_breakdown)
    demanded, once = as_demanded(invoice), ONCE.get(profile, frozenset())
    carried = only(demanded, lambda term: carries(profile, term), once).invoice
    checker = profile_schema(profile)
    checker.validate(etree.fromstring(write(carried, Syntax.CII)))
    assert [entry.message for entry in checker.error_log if "Missing child element" not in entry.message] == []


def as_demanded(invoice: Invoice) -> Invoice:
    """With a country in each address, a VAT category in each allowance, a code in delivery terms, a file name."""
    whole = to_json(invoice)
    _demand(whole)
    return from_json(whole)


def _demand(value: Any) -> None:
    if isinstance(value, list):
        for one in value:
            _demand(one)
    for name, below in value.items() if isinstance(value, dict) else ():
        if name == "address":
            below.setdefault("country", "FR")
        elif name in {"allowances", "charges"} and isinstance(below, list):
            for one in below:
                one.setdefault("vat_category", "S")
        elif name == "delivery_terms":
            below.setdefault("code", "DAP")
        elif name == "attachment":
            below.setdefault("filename", "a.pdf")
        _demand(below)


@cache
def profile_schema(profile: Profile) -> etree.XMLSchema:
    name = f"facturx-{profile.value}/Factur-X_{profile.value.upper()}.xsd"
    return etree.XMLSchema(file=str(order.schema_file(name)))


@pytest.mark.parametrize(
    "invoice",
    [
        small(currency=None),
        small(lines=()),
        small(number="\x00"),
        small(number="\ud800"),
        from_json(to_json(small()) | {"totals": {"vat_in_accounting_currency": "1"}}),
    ],
)
def test_what_cannot_be_written_is_named(invoice: Invoice) -> None:
    with pytest.raises(CannotWrite):
        write(invoice, Syntax.UBL_INVOICE)


def test_an_invoice_of_nothing_is_still_cii() -> None:
    empty = Invoice(seller=Party(address=Address()), totals=Totals())
    assert read(write(empty, Syntax.CII)).invoice == Invoice()


@PROPERTY
@given(invoices())
def test_nothing_is_lost_between_the_two_syntaxes(invoice: Invoice) -> None:
    """In a profile that knows sub-lines; where it does not, see test_sub_lines."""
    invoice = replace(invoice, specification_identifier=IDENTIFIERS[Profile.EXTENDED_CTC_FR])
    made_at = None  # no PDF is made
    first = convert(write(invoice, ubl_syntax_of(invoice)), "cii", made_at=made_at)  # type: ignore[arg-type]  # see above
    second = convert(first.document, "ubl", made_at=made_at)  # type: ignore[arg-type]  # see above

    assert first.loss.not_carried == second.loss.not_carried == ()
    assert read(second.document).invoice == invoice
