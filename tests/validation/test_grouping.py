"""One mistake that makes several rules speak is one problem; its figures are those of the document."""

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from samples import AS_OF, INVOICE

from formats.opening import open_document
from formats.profiles import IDENTIFIERS, Profile
from formats.syntax import Syntax, write
from validation import run
from validation.document import read_document
from validation.explain import figures
from validation.explain.grouping import grouped, problems
from validation.faces import pages, printed, words
from validation.faces.output import as_text
from validation.findings import Finding, Report, Severity, Text

VECTORS = Path(__file__).parents[1] / "vectors" / "validation"
UBL = (VECTORS / "whole-ubl.xml").read_bytes()
CII = (VECTORS / "whole-cii.xml").read_bytes()


def judged(document: bytes, pattern: str, new: str) -> Report:
    made = re.sub(pattern.encode(), new.encode(), document)
    assert made != document
    return run.validate(made, run.Options(as_of=AS_OF))


def found(rule: str, *terms: str, location: str = "/a", severity: Severity = Severity.FATAL) -> Finding:
    return Finding(rule=rule, severity=severity, layer="en16931", message=Text(rule, rule), terms=terms,
                   location=location)


def test_a_wrong_total_is_one_problem_with_its_figures() -> None:
    for document, pattern in ((UBL, r'(<cbc:TaxInclusiveAmount currencyID="EUR">)[\d.]+'),
                              (CII, r"(<ram:GrandTotalAmount>)[\d.]+")):
        report = judged(document, pattern, r"\g<1>341.00")
        assert {"BR-CO-15", "BR-CO-16"} <= set(report.problems[0].rules)
        said = next(finding for finding in report.findings if finding.rule == "BR-CO-15")
        assert said.values["declared"] == "341.00"
        assert said.values["computed"] == "340.00"
        assert "341.00" in said.message.fr
        assert said.cause is not None
        assert "declared 341.00; computed 340.00" in said.cause.en


def test_the_sum_of_the_lines_leaves_out_headings_and_remarks() -> None:
    line = INVOICE.lines[0]
    lines = (replace(line, subtype="GROUP"), replace(line, id="1.1", parent="1", subtype="DETAIL"),
             replace(line, id="1.2", parent="1", subtype="INFORMATION"))
    invoice = replace(INVOICE, specification_identifier=IDENTIFIERS[Profile.EXTENDED_CTC_FR], lines=lines,
                      totals=replace(INVOICE.totals, lines_net=Decimal("110.00")))
    for syntax in (Syntax.UBL_INVOICE, Syntax.CII):
        report = run.validate(write(invoice, syntax), run.Options(as_of=AS_OF))
        said = next(finding for finding in report.findings if finding.rule == "BR-FREXT-CO-10")
        assert said.values["computed"] == "100.00"


def test_the_figures_of_a_category_with_two_rows_are_not_told() -> None:
    row = replace(INVOICE.vat_breakdown[0], category="E", rate=Decimal(0))
    invoice = replace(INVOICE, vat_breakdown=(row, row))
    read = replace(read_document(open_document(CII)), invoice=invoice)
    finding = replace(found("BR-FREXT-E-08", "BT-116"), location="/x/ram:ApplicableTradeTax[2]")
    assert figures.told(finding, read) == finding


def test_totals_that_share_no_figure_are_two_problems() -> None:
    findings = grouped([found("BR-CO-10", "BT-106", "BT-131"), found("BR-CO-16", "BT-115", "BT-112"),
                        found("BR-CO-13", "BT-109", "BT-106", "BT-107")])
    assert findings[0].group == findings[2].group is not None
    assert findings[1].group is None
    assert [problem.rules for problem in problems(findings)] == [("BR-CO-10", "BR-CO-13"), ("BR-CO-16",)]


def test_one_missing_number_is_one_problem() -> None:
    findings = grouped([found("BR-S-02", "BT-31"), found("BR-S-03", "BT-31"),
                        found("BR-CO-26", "BT-29", location="/b")])
    assert {finding.group for finding in findings} == {"seller-tax-number"}


def test_the_same_value_at_the_same_place_is_one_problem() -> None:
    findings = grouped([found("BR-DEC-23", "BT-131"), found("BR-FR-DEC-01_BT-131", "BT-131"),
                        found("BR-DEC-24", "BT-136", location="/c")])
    assert findings[0].group == findings[1].group == "BT-131:/a"
    assert findings[2].group is None


def test_groups_do_not_depend_on_the_order() -> None:
    findings = [found("BR-CO-10", "BT-106", "BT-131"), found("BR-S-08", "BT-116", "BT-131"), found("BR-S-02", "BT-31"),
                found("BR-CO-26", "BT-29")]
    forth, back = grouped(findings), grouped(findings[::-1])
    assert {f.rule: f.group for f in forth} == {f.rule: f.group for f in back}


def test_a_code_shows_what_was_read_and_what_is_near() -> None:
    report = judged(UBL, 'unitCode="HUR"', 'unitCode="HURR"')
    said = next(finding for finding in report.findings if finding.rule == "BR-CL-23")
    assert said.values["value"] == "HURR"
    assert "HUR" in said.values["near"].split(", ")


def test_every_face_counts_problems_and_rules_the_same_way() -> None:
    report = judged(UBL, r'(<cbc:TaxInclusiveAmount currencyID="EUR">)[\d.]+', r"\g<1>341.00")
    for language in ("fr", "en"):
        counted = words.summary(report, language)
        assert counted in as_text("x", report, language)
        assert counted in "".join(pages.as_html(iter([("x", report)]), language))
        assert printed.as_pdf((("x", report),), language).startswith(b"%PDF-1.")
    assert "\x1b[31;1m" in as_text("x", report, colour=True)
    assert "\x1b" not in as_text("x\x1b[2J", report)


def test_what_a_document_says_is_never_markup() -> None:
    report = judged(UBL, 'unitCode="HUR"', 'unitCode="&lt;b&gt;#x*_["')
    page = "".join(pages.as_html(iter([("<i>x</i>", report)])))
    assert "<b>#x" not in page
    assert "<i>x" not in page
    assert printed.as_pdf((("#panic()", report),)).startswith(b"%PDF-1.")
