"""Corrections are proposed only where they are certain, are proved, and touch no other byte."""

import json
import re
from pathlib import Path

import jsonpatch
import pytest
from samples import AS_OF

from formats import json_form, syntax
from formats.errors import FormatError
from validation import run
from validation.findings import Outcome, patch_json
from validation.repair import proposals

VECTORS = Path(__file__).parents[1] / "vectors" / "validation"
UBL = (VECTORS / "whole-ubl.xml").read_bytes()
CII = (VECTORS / "whole-cii.xml").read_bytes()
JSON = json_form.write_json(syntax.read(CII).invoice)
OPTIONS = run.Options(as_of=AS_OF)


def blocking(document: bytes) -> set[tuple[str, str | None]]:
    report = run.validate(document, OPTIONS)
    return {(finding.rule, finding.location) for finding in report.findings if finding.severity.blocks}


def spoiled(document: bytes, pattern: str, new: str) -> bytes:
    made = re.sub(pattern.encode(), new.encode(), document)
    assert made != document
    return made


@pytest.mark.parametrize(
    ("document", "pattern", "new", "edits"),
    [
        (UBL, "<cbc:IdentificationCode>FR<", "<cbc:IdentificationCode> fr<", {(" fr", "FR")}),
        (UBL, 'unitCode="HUR"', 'unitCode="hur"', {("hur", "HUR")}),
        (UBL, r"<cbc:IssueDate>(\d+)-(\d+)-(\d+)", r"<cbc:IssueDate>\1\2\3", {("20261103", "2026-11-03")}),
        (UBL, r'(<cbc:TaxInclusiveAmount currencyID="EUR">)[\d.]+', r"\g<1>1.00", {("1.00", "340.00")}),
        (UBL, r'(<cbc:PayableAmount currencyID="EUR">[\d.]+)', r"\g<1>00", {("300.0000", "300.00")}),
        (UBL, r'(<cbc:PayableAmount currencyID="EUR">)[\d.]+', r"\g<1>3000.00", {("3000.00", "300.00")}),
        (CII, "<ram:CountryID>FR<", "<ram:CountryID>fr<", {("fr", "FR")}),
        (CII, r"<ram:GrandTotalAmount>[\d.]+", "<ram:GrandTotalAmount>1.00", {("1.00", "340.00")}),
    ],
)
def test_what_is_certain_is_proposed_and_helps(
    document: bytes, pattern: str, new: str, edits: set[tuple[str, str]]
) -> None:
    wrong = spoiled(document, pattern, new)
    patches = proposals.propose(wrong, OPTIONS)
    assert edits <= {(edit.old, edit.new) for patch in patches for edit in patch.edits}
    for patch in patches:
        mended = proposals.applied(wrong, patch)
        assert blocking(mended) < blocking(wrong)
        assert patch.rules
        for edit in patch.edits:
            assert wrong.splitlines()[edit.line - 1].find(edit.old.encode()) >= 0


@pytest.mark.parametrize(
    ("pattern", "new", "edits"),
    [
        ('"country": "FR"', '"country": "fr"', {("fr", "FR")}),
        ('"unit": "HUR"', '"unit": "hur"', {("hur", "HUR")}),
        ('"issue_date": "2026-11-03"', '"issue_date": "20261103"', {("20261103", "2026-11-03")}),
        ('"net": "50"', '"net": 50.00', {("50.00", '"50.00"')}),
        ('"(net_amount|lines_net)": "([0-9]+)[.]', r'"\1": "\2,', {("200,00", "200.00"), ("300,00", "300.00")}),
        ('"with_vat": "340.00"', '"with_vat": "1.00"', {("1.00", "340.00")}),
        ('"due": "300.00"', '"due": "300.0000"', {("300.0000", "300.00")}),
        ('"value": "000000018",\n *"scheme": "0002"', '"value": "000 000 018"',
         {("000 000 018", "000000018"), ("", ', "scheme": "0002"')}),
    ],
)
def test_our_json_is_corrected_as_a_json_patch_too(pattern: str, new: str, edits: set[tuple[str, str]]) -> None:
    wrong = spoiled(JSON, pattern, new)
    patches = proposals.propose(wrong, OPTIONS)
    assert edits <= {(edit.old, edit.new) for patch in patches for edit in patch.edits}
    for patch in patches:
        mended = proposals.applied(wrong, patch)
        assert len(blocking(mended)) < len(blocking(wrong))
        by_pointer = jsonpatch.apply_patch(json.loads(wrong), patch_json(patch)["json_patch"])
        assert by_pointer == json.loads(mended)


def test_values_of_our_json_that_are_no_terms_or_doubtful_stay() -> None:
    wrong = spoiled(JSON, '"issue_date": "2026-11-03"', '"issue_date": "03/11/2026"')
    assert proposals.propose(wrong, OPTIONS) == ()
    escaped = spoiled(JSON, '"unit": "HUR"', r'"unit": "h\\u0075r"')
    assert proposals.propose(escaped, OPTIONS) == ()
    numbered = spoiled(spoiled(JSON, '"net": "50"', '"net": 50'), '"number": "[^"]*"', '"number": "20261103"')
    (patch,) = proposals.propose(numbered, OPTIONS)
    assert {edit.location.rpartition("/")[2] for edit in patch.edits} == {"net"}


def test_all_corrections_together_give_back_the_same_bytes() -> None:
    wrong = spoiled(UBL, "<cbc:IdentificationCode>FR<", "<cbc:IdentificationCode>fr<")
    for _ in range(3):
        for patch in proposals.propose(wrong, OPTIONS)[:1]:
            wrong = proposals.applied(wrong, patch)
    assert wrong == UBL


@pytest.mark.parametrize(
    ("pattern", "new"),
    [
        ("<cbc:IdentificationCode>FR<", "<cbc:IdentificationCode>France<"),
        (r"<cbc:IssueDate>2026-11-03", "<cbc:IssueDate>03/11/2026"),
        (r"<cbc:IssueDate>2026-11-03", "<cbc:IssueDate>2026-02-31"),
        (r'(<cbc:PayableAmount currencyID="EUR">)[\d.]+', r"\g<1>0.00"),  # or BT-113 is 340.00: all is paid
        (r'(<cbc:PayableAmount currencyID="EUR">)[\d.]+', r"\g<1>340.00"),  # or nothing is paid yet
    ],
)
def test_what_could_be_meant_otherwise_is_not_proposed(pattern: str, new: str) -> None:
    assert proposals.propose(spoiled(UBL, pattern, new), OPTIONS) == ()


def test_two_totals_that_contradict_are_left_to_people() -> None:
    wrong = spoiled(UBL, r'(<cbc:TaxInclusiveAmount currencyID="EUR">)[\d.]+', r"\g<1>1.00")
    total = r'(<cbc:LineExtensionAmount currencyID="EUR">)[\d.]+(</cbc:LineExtensionAmount>\s*<cbc:TaxE)'
    wrong = spoiled(wrong, total, r"\g<1>2.00\2")
    assert [patch for patch in proposals.propose(wrong, OPTIONS) if patch.id.startswith("sum:")] == []


def test_a_valid_or_unreadable_document_gets_nothing() -> None:
    assert proposals.propose(UBL, OPTIONS) == ()
    assert proposals.propose(UBL[:500], OPTIONS) == ()
    assert proposals.propose(b"%PDF-1.7 nothing", OPTIONS) == ()


def test_a_patch_for_other_bytes_is_refused() -> None:
    wrong = spoiled(UBL, 'unitCode="HUR"', 'unitCode="hur"')
    patch = proposals.propose(wrong, OPTIONS)[0]
    with pytest.raises(FormatError):
        proposals.applied(b" " + wrong, patch)


def test_a_schema_that_passes_again_lets_the_others_speak() -> None:
    wrong = spoiled(UBL, r"<cbc:IssueDate>(\d+)-(\d+)-(\d+)", r"<cbc:IssueDate>\1\2\3")
    mended = proposals.applied(wrong, proposals.propose(wrong, OPTIONS)[0])
    assert all(layer.outcome is not Outcome.SKIPPED for layer in run.validate(mended, OPTIONS).layers)
