"""Lines within lines: UBL has them in one another, the model and CII name the line around."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from corpus import CORPUS, needs_corpus
from hypothesis import given
from hypothesis import strategies as st

from formats.conversion import convert
from formats.invoice import Invoice
from formats.json_form import from_json
from formats.loss import NOT_IN_PROFILE
from formats.profiles import IDENTIFIERS, Profile
from formats.syntax import Reading, Syntax, read, write

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SUB = "INFORMATION"
NESTED = "/ubl:Invoice/cac:InvoiceLine[1]/cac:SubInvoiceLine"
CORPUS_FILES = (
    "kosit-validator-config/integration/ubl-cr-646-sub-invoice-lines-cius.xml",
    "kosit-validator-config/integration/ubl-cr-646-sub-invoice-lines-extension.xml",
    "landrix-xrechnung-delphi/TitelPositionsgruppen-ubl-30x.xml",
    "landrix-xrechnung-delphi/TitelPositionsgruppen-ubl-peppol.xml",
)


def invoice(
    *lines: tuple[str, str | None, str | None], profile: Profile = Profile.EN16931, kind: str = "380",
) -> Invoice:
    """With so many lines: id, parent, subtype."""
    return from_json({
        "number": "F1", "type_code": kind, "currency": "EUR", "specification_identifier": IDENTIFIERS[profile],
        "lines": [
            {name: text for name, text in (("id", one), ("parent", parent), ("subtype", subtype)) if text}
            | {"net_amount": "1.00", "quantity": "1", "item": {"name": f"N{one}"}}
            for one, parent, subtype in lines
        ],
    })


TREE = (("1", None, None), ("1.1", "1", SUB), ("1.1.1", "1.1", SUB), ("1.2", "1", SUB), ("2", None, None))


@pytest.mark.parametrize(("kind", "syntax", "element"), [
    ("380", Syntax.UBL_INVOICE, "SubInvoiceLine"), ("381", Syntax.UBL_CREDIT_NOTE, "SubCreditNoteLine"),
])
def test_lines_within_lines_are_written_in_one_another(kind: str, syntax: Syntax, element: str) -> None:
    document = write(invoice(*TREE, kind=kind), syntax)

    assert document.count(f"<cac:{element}>".encode()) == 3
    assert b"DocumentStatusCode" not in document
    assert read(document) == Reading(invoice(*TREE, kind=kind), syntax, ())


@pytest.mark.parametrize("profile", [Profile.EXTENDED, Profile.EXTENDED_CTC_FR], ids=str)
def test_the_french_extension_refers_to_the_line_around(profile: Profile) -> None:
    document = write(invoice(*TREE, profile=profile), Syntax.UBL_INVOICE)

    assert b"SubInvoiceLine" not in document
    assert document.count(b"<cbc:DocumentStatusCode>INFORMATION<") == 3
    assert read(document).invoice == invoice(*TREE, profile=profile)


@given(st.lists(st.tuples(
    st.sampled_from(("1", "2", "3")), st.sampled_from((None, "1", "2", "9")),
    st.sampled_from((None, SUB, "GROUP", "DETAIL")),
), min_size=1, max_size=7))
def test_whatever_refers_to_whatever_comes_back_in_its_order(lines: list[tuple[str, str | None, str | None]]) -> None:
    """Also ids that are there twice, and parents that come later or not at all."""
    assert read(write(invoice(*lines), Syntax.UBL_INVOICE)).invoice == invoice(*lines)


def test_a_target_that_would_count_them_leaves_them_out_by_name() -> None:
    document = write(invoice(*TREE), Syntax.UBL_INVOICE)
    conversion = convert(document, "cii", made_at=NOW)
    left = conversion.loss.not_carried

    assert [line.id for line in read(conversion.document).invoice.lines] == ["1", "2"]
    assert {one.reason for one in left} == {NOT_IN_PROFILE}
    assert all(one.location.startswith(NESTED) for one in left)
    assert Counter(one.term for one in left)["BT-126"] == 3


@pytest.mark.parametrize(("to", "profile"), [("cii", "extended"), ("json", None), ("ubl", None), ("ubl", "extended")])
def test_every_other_target_has_them_all(to: str, profile: str | None) -> None:
    conversion = convert(write(invoice(*TREE), Syntax.UBL_INVOICE), to, profile=profile, made_at=NOW)

    assert conversion.loss.not_carried == ()
    assert read(conversion.document).invoice.lines == invoice(*TREE).lines


def test_what_names_its_line_in_cii_stands_in_it_in_ubl() -> None:
    """Parent and subtype are carried by the place alone."""
    conversion = convert(write(invoice(*TREE), Syntax.CII), "ubl", made_at=NOW)
    carried = {one.term: one.target for one in conversion.loss.carried}

    assert conversion.loss.not_carried == ()
    assert carried["EXT-FR-FE-162"].startswith(NESTED)
    assert carried["EXT-FR-FE-163"].startswith(NESTED)


def test_lines_that_count_in_no_sum_stay_out_of_a_profile_that_would_count_them() -> None:
    lines = (("1", None, "GROUP"), ("1.1", "1", "DETAIL"), ("1.1.1", "1.1", SUB))
    document = write(invoice(*lines, profile=Profile.EXTENDED_CTC_FR), Syntax.CII)
    made = convert(document, "cii", profile="en16931", made_at=NOW).document

    assert [line.id for line in read(made).invoice.lines] == ["1.1"]


@needs_corpus
@pytest.mark.parametrize("path", CORPUS_FILES, ids=lambda path: path.rpartition("/")[2])
def test_those_of_the_corpus_come_back_from_cii(path: str) -> None:
    source = (CORPUS / path).read_bytes()
    reading = read(source)
    there = read(write(reading.invoice, Syntax.CII)).invoice
    back = write(there, Syntax.UBL_INVOICE)

    assert reading.unmapped == ()
    assert there == reading.invoice
    assert read(back).invoice == reading.invoice
    assert back.count(b"<cac:SubInvoiceLine") == source.count(b"<cac:SubInvoiceLine")
