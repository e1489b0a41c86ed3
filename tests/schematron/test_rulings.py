"""Each ruling on a published rule: a document that fires the rule, the word beside the finding, and the verdict."""

import json
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import pytest
from lxml import etree
from samples import CII, INVOICE, UBL

from formats.invoice import Identifier, Note
from formats.syntax import Syntax, write
from schematron import supply
from schematron.rule_set import Ruling, described, from_entry
from validation import stylesheet
from validation.findings import Report, Verdict
from validation.run import Options, validate

AS_OF = date(2026, 11, 21)
RULINGS = [(each.id, number) for each in supply.rule_sets() for number in range(len(each.rulings))]


def ruling_of(rule_set: str, number: int) -> Ruling:
    return supply.get_rule_set(rule_set).rulings[number]


@pytest.mark.parametrize(("rule_set", "number"), RULINGS)
def test_a_ruling_says_what_and_why_in_both_languages_about_rules_that_exist(rule_set: str, number: int) -> None:
    ruling = ruling_of(rule_set, number)
    published = supply.check(supply.get_rule_set(rule_set)).read_text(encoding="utf-8")
    assert ruling.text
    assert ruling.text_en
    assert ruling.source
    for rule in (*ruling.rules, *ruling.unless):
        named = rule.rstrip("*")
        assert f'name="id">{named}' in published or "#" in rule, rule


@dataclass(frozen=True)
class Case:
    """A document made from a sample, and the rule that it has to fire."""

    rule: str
    document: bytes

    def __str__(self) -> str:
        return self.rule


def with_notes(*notes: tuple[str, str], syntax: Syntax) -> bytes:
    made = tuple(Note(subject_code=code, text=text) for code, text in notes)
    return write(replace(INVOICE, notes=(*INVOICE.notes[:3], *made)), syntax)


def changed(document: bytes, before: bytes, after: bytes) -> bytes:
    assert before in document
    return document.replace(before, after)


def price(syntax: Syntax) -> bytes:
    line = replace(INVOICE.lines[0], price=replace(INVOICE.lines[0].price, net=Decimal(-50)))
    return write(replace(INVOICE, lines=(line,)), syntax)


def address(syntax: Syntax) -> bytes:
    seller = replace(INVOICE.seller, electronic_address=Identifier(value="900000019_a b", scheme="0225"))
    return write(replace(INVOICE, seller=seller), syntax)


def member(syntax: Syntax) -> bytes:
    seller = replace(INVOICE.seller, identifiers=(Identifier(value="900000027", scheme="0231"),))
    return write(replace(INVOICE, seller=seller), syntax)


def spaced(syntax: Syntax) -> bytes:
    return write(replace(INVOICE, number="ESSAI 2026"), syntax)


U, C = Syntax.UBL_INVOICE, Syntax.CII
CASES = {
    "br-fr-flux2-ubl": [
        Case("BR-FR-02_BT-1", spaced(U)),
        Case("BR-FR-30_BT-21", with_notes(("BAR", "B2B"), ("BAR", "B2C"), syntax=U)),
        Case("BR-FR-MV-BD_BT-3", changed(UBL, b">S1<", b">S9<")),
        Case("BR-FR-20_BT-21", changed(UBL, b"#BAR#B2B", b"#BAR# B2B")),
        Case("BR-FR-16_BT-119", changed(UBL, b">20</cbc:Percent>", b">20.000</cbc:Percent>")),
        Case("BR-FR-23_BT-34", address(U)),
        Case("BR-FR-DEC-03_BT-146", price(U)),
        Case("BR-FR-01_BT-1-2", spaced(U)),
        Case("BR-FR-CO-14_BT-29-1", member(U)),
    ],
    "br-fr-flux2-cii": [
        Case("BR-FR-31_BT-21", with_notes(("BAR", "B2B"), ("BAR", "B2B"), syntax=C)),
        Case("BR-FR-16_BT-119", changed(CII, b">20</ram:RateApp", b">20.000</ram:RateApp")),
        Case("BR-FR-23_BT-34", address(C)),
        Case("BR-FR-DEC-03_BT-146", price(C)),
        Case("BR-FR-02_BT-1", spaced(C)),
        Case("BR-FR-CO-14_BT-29-1", member(C)),
    ],
}


@pytest.mark.parametrize("rule_set", CASES)
def test_every_ruling_on_a_french_rule_has_a_case(rule_set: str) -> None:
    told = supply.get_rule_set(rule_set)
    seen = [told.find_ruling(case.rule, "", "en16931") for case in CASES[rule_set]]
    assert seen == list(told.rulings)


@pytest.mark.parametrize(("rule_set", "case"), [(s, c) for s, cs in CASES.items() for c in cs], ids=str)
def test_the_ruling_stands_beside_the_finding_and_the_rule_still_counts(rule_set: str, case: Case) -> None:
    report = judged(case.document, rule_set)
    found = [finding for finding in report.findings if finding.rule == case.rule]
    told = supply.get_rule_set(rule_set).find_ruling(case.rule, "", "en16931")
    assert told is not None
    assert found
    assert {finding.ruling for finding in found} == {f"{told.text} / {told.text_en}"}
    assert report.verdict is Verdict.INVALID


def judged(document: bytes, rule_set: str) -> Report:
    layer = supply.get_rule_set(rule_set).layer
    return validate(document, Options(AS_OF, rules=(rule_set,), layers=(layer,)))


@pytest.mark.parametrize(("syntax", "rule"), [(U, "BR-FR-30_BT-21"), (C, "BR-FR-31_BT-21")])
def test_two_equal_bar_notes_are_refused_as_the_rulings_say(syntax: Syntax, rule: str) -> None:
    rule_set = f"br-fr-flux2-{'cii' if syntax is C else 'ubl'}"
    assert rule in judged(with_notes(("BAR", "B2B"), ("BAR", "B2B"), syntax=syntax), rule_set).rules()


def test_a_price_of_zero_and_a_plus_in_an_address_pass_as_the_rulings_say() -> None:
    free = replace(INVOICE.lines[0], price=replace(INVOICE.lines[0].price, net=Decimal(0)))
    seller = replace(INVOICE.seller, electronic_address=Identifier(value="900000019_a+b", scheme="0225"))
    document = write(replace(INVOICE, lines=(free,), seller=seller), U)
    assert not {rule[:9] for rule in judged(document, "br-fr-flux2-ubl").rules()} & {"BR-FR-DEC", "BR-FR-23_"}


@pytest.mark.parametrize("text", ["20", "20.0", "20.00"])
def test_rates_that_the_ruling_recommends_pass(text: str) -> None:
    document = changed(UBL, b">20</cbc:Percent>", f">{text}</cbc:Percent>".encode())
    assert judged(document, "br-fr-flux2-ubl").verdict is Verdict.VALID


CIUS = changed(CII, b">urn:cen.eu:en16931:2017<", b">urn:cen.eu:en16931:2017#compliant#urn:example.com:cius_1.0<")


def test_a_specification_identifier_of_a_cius_does_not_make_a_cii_invalid() -> None:
    report = judged(CIUS, "facturx-en16931")
    finding = next(f for f in report.findings if f.rule == "FX-SCH-A-000556")
    assert finding.ruling is not None
    assert report.verdict is Verdict.VALID


NOTE = b"<ram:SubjectCode>BAR</ram:SubjectCode>"


@pytest.mark.parametrize(
    ("rule", "before", "after", "verdict"),
    [
        ("facturx-en16931#9865b706c05a", NOTE, NOTE.replace(b"<ram:SubjectCode>", b'<ram:SubjectCode listID="x">'),
         Verdict.VALID),  # Factur-X alone says so
        ("FX-SCH-A-000555", b">380<", b">999<", Verdict.INVALID),  # a code list of EN 16931
    ],
)  # fmt: skip
def test_what_a_structure_rule_of_factur_x_does_to_a_plain_cii(
    rule: str, before: bytes, after: bytes, verdict: Verdict
) -> None:
    report = judged(changed(CII, before, after), "facturx-en16931")
    assert rule in report.rules()
    assert report.verdict is verdict


def test_a_condition_that_en_16931_only_warns_of_does_not_make_a_cii_invalid() -> None:
    settlement = b"</ram:ApplicableHeaderTradeSettlement>"
    terms = CII[CII.index(b"<ram:SpecifiedTradePaymentTerms>") :]
    terms = terms[: terms.index(b"</ram:SpecifiedTradePaymentTerms>") + len(b"</ram:SpecifiedTradePaymentTerms>")]
    report = judged(CII.replace(terms, terms + terms, 1), "facturx-en16931")
    finding = next(f for f in report.findings if f.rule == "FX-SCH-A-000174")
    assert settlement in CII
    assert "CII-SR-452" in finding.aliases
    assert finding.ruling is not None
    assert report.verdict is Verdict.VALID


def test_inside_a_factur_x_the_same_finding_counts() -> None:
    rule_set = supply.get_rule_set("facturx-en16931")
    assert rule_set.find_ruling("FX-SCH-A-000174", "factur-x", "en16931") is None
    assert rule_set.find_ruling("facturx-en16931#9865b706c05a", "factur-x", "en16931") is None


def test_every_alias_of_factur_x_is_of_a_rule_that_its_stylesheet_has() -> None:
    rule_set = supply.get_rule_set("facturx-en16931")
    root = etree.fromstring(supply.check(rule_set).read_bytes())
    svrl, xsl = "{http://purl.oclc.org/dsdl/svrl}", "{http://www.w3.org/1999/XSL/Transform}"
    known = set()
    for template in root.iter(f"{xsl}template"):
        fired = template.find(f"{svrl}fired-rule")
        for finding in template.iter(f"{svrl}failed-assert", f"{svrl}successful-report"):
            identifier = next((a.text for a in finding.findall(f"{xsl}attribute[@name='id']")), None)
            context = fired.get("context", "") if fired is not None else ""
            known.add(stylesheet.rule_id(rule_set.id, identifier, "", context, finding.get("test", "")))
    assert len(rule_set.aliases) > 120
    assert set(rule_set.aliases) <= known
    listed = {rule for ruling in rule_set.rulings for rule in (*ruling.rules, *ruling.unless) if "*" not in rule}
    assert listed <= known


@pytest.mark.parametrize("rule_set", supply.rule_sets(), ids=lambda r: r.id)
def test_an_entry_written_down_reads_the_same(rule_set: supply.RuleSet) -> None:
    assert from_entry(json.loads(described(rule_set, supply.files_of(rule_set)))) == rule_set
