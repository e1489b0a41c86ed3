"""The contract of validate(): layers, outcomes, verdicts, caps, order."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from importlib import metadata

import pytest
from samples import AS_OF, BUYER, CII, INVOICE, JSON, UBL, many_lines

from formats.invoice import Address, Identifier
from formats.syntax import Syntax, write
from schematron import supply
from validation import layers
from validation.faces.words import reason, summary
from validation.findings import Outcome, Severity, Verdict
from validation.run import Options, check_options, inspect, validate

OPTIONS = Options(AS_OF)


def outcomes(document: bytes, options: Options = OPTIONS) -> dict[str, tuple[str, str | None]]:
    return {o.layer: (o.outcome.value, o.reason) for o in validate(document, options).layers}


@pytest.mark.parametrize(
    ("document", "syntax", "expected"),
    [
        (UBL, "ubl-invoice", ["xsd", "en16931", "br-fr", "mentions", "business"]),
        (CII, "cii", ["xsd", "en16931", "br-fr", "mentions", "business"]),
        (JSON, "json", ["en16931", "br-fr", "mentions", "business"]),
    ],
)
def test_a_right_invoice_is_valid_in_every_syntax(document: bytes, syntax: str, expected: list[str]) -> None:
    report = validate(document, OPTIONS)
    assert report.verdict is Verdict.VALID
    assert report.syntax == syntax
    assert report.specification_identifier == "urn:cen.eu:en16931:2017"
    assert [o.layer for o in report.layers] == expected
    assert {o.outcome for o in report.layers} == {Outcome.PASSED}
    assert not report.rules(Severity.FATAL, Severity.ERROR)


def test_inspection_has_report_and_invoice_of_one_parse() -> None:
    inspection = inspect(CII, OPTIONS)
    assert inspection.invoice is not None
    assert inspection.invoice.number == INVOICE.number
    assert inspection.unmapped == ()


def test_a_failed_schema_skips_the_rules_after_it() -> None:
    broken = UBL.replace(b"<cbc:IssueDate>", b"<cbc:Nonsense/><cbc:IssueDate>")
    assert outcomes(broken) == {
        "xsd": ("failed", None),
        "en16931": ("skipped", "blocked-by:xsd"),
        "br-fr": ("skipped", "blocked-by:xsd"),
        "mentions": ("skipped", "blocked-by:xsd"),
        "business": ("skipped", "blocked-by:xsd"),
    }


def test_a_named_layer_runs_whatever_the_schema_says() -> None:
    broken = UBL.replace(b"<cbc:IssueDate>", b"<cbc:Nonsense/><cbc:IssueDate>")
    said = outcomes(broken, replace(OPTIONS, layers=("xsd", "en16931")))
    assert said == {"xsd": ("failed", None), "en16931": ("passed", None)}


def foreign() -> bytes:
    seller = replace(
        INVOICE.seller,
        legal_registration=Identifier(value="HRB 0"),
        vat_identifier="DE111111125",
        address=Address(line_1="Musterweg 1", city="Musterstadt", post_code="00000", country="DE"),
    )
    return write(replace(INVOICE, seller=seller), Syntax.UBL_INVOICE)


def test_french_layers_are_skipped_for_a_foreign_seller_unless_named() -> None:
    said = outcomes(foreign())
    assert said["br-fr"] == said["mentions"] == ("skipped", "seller-not-french")
    named = outcomes(foreign(), replace(OPTIONS, layers=("br-fr", "mentions")))
    assert named["br-fr"] == ("failed", None)
    assert named["mentions"] == ("passed", None)


def test_a_seller_with_a_siren_is_french_wherever_it_lives() -> None:
    seller = replace(INVOICE.seller, address=replace(INVOICE.seller.address, country="MC"))  # type: ignore[type-var]
    assert outcomes(write(replace(INVOICE, seller=seller), Syntax.CII))["br-fr"][0] != "skipped"


EXTENDED = "urn:cen.eu:en16931:2017#conformant#urn.cpro.gouv.fr:1p0:extended-ctc-fr"


@pytest.mark.parametrize("syntax", [Syntax.UBL_INVOICE, Syntax.CII])
def test_an_extended_profile_has_its_own_rules_instead(syntax: Syntax) -> None:
    document = write(replace(INVOICE, specification_identifier=EXTENDED), syntax)
    said = outcomes(document)
    assert said["en16931"] == ("skipped", "replaced-by:extended")
    assert said["extended"] == ("passed", None)
    assert "extended" not in outcomes(UBL)
    assert outcomes(document, replace(OPTIONS, layers=("en16931",)))["en16931"][0] != "skipped"


def test_a_layer_of_another_syntax_does_not_apply() -> None:
    said = outcomes(UBL, replace(OPTIONS, layers=("cdar", "en16931")))
    assert said == {"en16931": ("passed", None), "cdar": ("skipped", "not-for-syntax:ubl-invoice")}


def test_a_rule_set_by_name_replaces_that_of_its_layer() -> None:
    report = validate(CII, replace(OPTIONS, rules=("facturx-basic", "en16931-ubl")))
    assert [o.rule_set for o in report.layers if o.layer == "en16931"] == ["facturx-basic"]


def test_nothing_in_force_is_an_error_that_names_the_nearest() -> None:
    report = validate(UBL, Options(date(2020, 1, 1)))
    assert report.verdict is Verdict.ERROR
    failed = next(o for o in report.layers if o.layer == "en16931")
    assert (failed.outcome, failed.reason) == (Outcome.ERROR, "rule-set-missing")
    finding = next(f for f in report.findings if f.layer == "en16931")
    assert "le plus proche est en16931-ubl 1.3.16" in finding.message.fr
    assert not finding.severity.blocks


def test_an_altered_rule_set_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    layers.stylesheet.compiled_edition.cache_clear()
    altered = [replace(r, sha256="0" * 64) if r.id == "en16931-ubl" else r for r in supply.rule_sets()]
    monkeypatch.setattr(supply, "rule_sets", lambda: tuple(altered))
    report = validate(UBL, OPTIONS)
    layers.stylesheet.compiled_edition.cache_clear()
    assert report.verdict is Verdict.ERROR
    outcome = next(o for o in report.layers if o.layer == "en16931")
    assert (outcome.outcome, outcome.reason) == (Outcome.ERROR, "rule-set-altered")
    finding = next(f for f in report.findings if f.rule == "PAS-ENGINE-02")
    assert finding.message.fr.startswith("Jeu de règles altéré : en16931-ubl : ")
    assert f"et non {'0' * 64}" in finding.message.fr


def test_an_invalid_document_is_invalid_even_if_a_layer_could_not_run() -> None:
    document = UBL.replace(BUYER.encode(), b"900000028")
    assert validate(document, Options(date(2020, 1, 1))).verdict is Verdict.INVALID


def test_the_cius_ruling_keeps_the_finding_and_lowers_its_effect() -> None:
    cius = CII.replace(b"urn:cen.eu:en16931:2017", b"urn:cen.eu:en16931:2017#compliant#urn:example:cius")
    report = validate(cius, OPTIONS)
    finding = next(f for f in report.findings if f.rule == "FX-SCH-A-000556")
    assert report.profile == "cius"
    assert report.verdict is Verdict.VALID
    assert finding.severity is Severity.FATAL
    assert finding.ruling
    unknown = CII.replace(b"urn:cen.eu:en16931:2017", b"urn:example:unknown")
    assert validate(unknown, OPTIONS).verdict is Verdict.VALID  # judged as EN 16931, which has no list for BT-24
    assert validate(unknown, OPTIONS).profile == "unknown"


def test_what_the_rules_cannot_compute_is_an_invalid_document() -> None:
    document = CII.replace(b">100.00<", b">100,00<")
    report = validate(document, replace(OPTIONS, layers=("en16931",)))
    assert report.verdict is Verdict.INVALID
    assert [(o.outcome, o.reason) for o in report.layers] == [(Outcome.ERROR, "dynamic-error")]
    finding = report.findings[0]
    assert finding.values == {"value": "100,00"}
    assert finding.location is not None
    assert finding.line is not None


def test_a_date_that_does_not_exist_is_found_with_its_place() -> None:
    report = validate(CII.replace(b">20261103<", b">20260230<"), replace(OPTIONS, layers=("business",)))
    finding = next(f for f in report.findings if f.rule == "PAS-DATE-01")
    assert finding.terms == ("BT-2",)
    assert finding.values == {"value": "20260230"}
    assert (
        finding.location
        == "/rsm:CrossIndustryInvoice[1]/rsm:ExchangedDocument[1]/ram:IssueDateTime[1]/udt:DateTimeString[1]"
    )


def test_findings_are_capped_per_rule_and_counted_whole() -> None:
    document = write(many_lines(150, vat_category="Q"), Syntax.UBL_INVOICE)
    whole = validate(document, replace(OPTIONS, layers=("en16931",), max_findings=0))
    capped = validate(document, replace(OPTIONS, layers=("en16931",), max_findings=10))
    rule = "BR-CL-18"
    assert sum(f.rule == rule for f in whole.findings) == 150
    kept = [f for f in capped.findings if f.rule == rule]
    assert len(kept) == 10
    assert kept[-1].values["omitted"] == "140"
    assert not any("omitted" in f.values for f in kept[:-1])
    assert capped.layers[0].findings_total == whole.layers[0].findings_total == len(whole.findings)
    assert kept[0].location == "/ubl:Invoice[1]/cac:InvoiceLine[1]/cac:Item[1]/cac:ClassifiedTaxCategory[1]/cbc:ID[1]"


def test_a_finding_on_json_is_a_pointer() -> None:
    lines = (INVOICE.lines[0], replace(INVOICE.lines[0], id="2", net_amount=Decimal("33.00")))
    document = write(replace(INVOICE, lines=lines), Syntax.JSON)
    report = validate(document, OPTIONS)
    places = {f.rule: f.location for f in report.findings}
    assert places["PAS-LINE-02"] == "/lines/1/net_amount"
    assert places["BR-CO-10"] == "/totals/lines_net"
    assert all(f.line is None for f in report.findings)


@pytest.mark.parametrize(
    ("document", "rule", "syntax"),
    [
        (b"", "PAS-DOC-NOT-XML", "unknown"),
        (b"Bonjour", "PAS-DOC-NOT-XML", "unknown"),
        (b"<a>\xe9</a>", "PAS-DOC-WRONG-ENCODING", "unknown"),
        (b'<?xml version="1.0" encoding="UTF-16"?><a></a>\n', "PAS-DOC-WRONG-ENCODING", "unknown"),
        (b'<?xml version="1.0" encoding="UTF-7"?><a/>', "PAS-DOC-WRONG-ENCODING", "unknown"),
        (b"<a", "PAS-DOC-MALFORMED-XML", "unknown"),
        (b"<!DOCTYPE a><a/>", "PAS-DOC-FORBIDDEN-DOCTYPE", "unknown"),
        (b"<a/>", "PAS-DOC-NOT-AN-INVOICE", "unknown"),
        (b"{", "PAS-DOC-BAD-VALUE", "unknown"),
        (b"%PDF-1.7 nonsense", "PAS-DOC-NOT-EXTRACTABLE", "pdf"),
        (b"<a>" * 300 + b"</a>" * 300, "PAS-DOC-LIMIT-EXCEEDED", "unknown"),
    ],
)
def test_what_is_no_invoice_is_invalid_and_says_why(document: bytes, rule: str, syntax: str) -> None:
    report = validate(document, OPTIONS)
    assert (report.verdict, report.syntax, [f.rule for f in report.findings]) == (Verdict.INVALID, syntax, [rule])
    (finding,) = report.findings
    assert finding.remedy is not None
    assert finding.message.fr != finding.message.en
    assert report.layers[0].outcome is Outcome.FAILED
    assert [layer.layer for layer in report.layers[-4:]] == ["en16931", "br-fr", "mentions", "business"]
    assert {layer.outcome for layer in report.layers[1:]} == {Outcome.SKIPPED}
    assert all(reason(layer, "fr") != layer.reason for layer in report.layers)


def test_a_limit_is_told_in_french_and_a_place_has_its_line() -> None:
    deep = validate(b"<a>\n" + b"<a>" * 300, OPTIONS).findings[0]
    assert "plus de 256 niveaux" in deep.message.fr
    assert validate(b"<a>\n\n<b", OPTIONS).findings[0].line == 3
    unknown = validate(b'{"nombre": "1"}', OPTIONS).findings[0]
    assert "n'est pas un champ que notre JSON connaît" in unknown.message.fr


def test_what_the_schema_refuses_says_what_to_do() -> None:
    report = validate(UBL.replace(b">100.00<", b">100,00<"), OPTIONS)
    assert all(finding.remedy is not None and "100.00" in finding.remedy.fr for finding in report.findings)
    assert "tous les contrôles n'ont pas pu être menés" in summary(report, "fr")
    assert "not every check" not in summary(validate(UBL, OPTIONS), "en")


def test_what_a_ruling_lets_pass_is_not_shown_as_blocking() -> None:
    report = validate(CII.replace(b"urn:cen.eu:en16931:2017", b"urn:exemple:autre"), OPTIONS)
    assert report.verdict is Verdict.VALID
    assert "FX-SCH-A-000556" in report.rules(Severity.FATAL)
    assert {problem.severity for problem in report.problems} <= {Severity.WARNING, Severity.INFO}
    assert not any(finding["blocks"] for finding in report.to_json()["findings"])  # type: ignore[attr-defined] # a list


@pytest.mark.parametrize("layers", [(), ("en16931",), ("br-fr",), ("mentions",), ("business",)])
def test_an_unreadable_json_is_never_valid(layers: tuple[str, ...]) -> None:
    report = validate(JSON.replace(b"2026-11-03", b"2026-02-30"), replace(OPTIONS, layers=layers))
    assert report.verdict is Verdict.INVALID
    assert [(f.rule, f.terms, f.location) for f in report.findings] == [("PAS-DATE-01", ("BT-2",), "/issue_date")]


@pytest.mark.parametrize("layers", [("mentions",), ("business",)])
def test_an_unreadable_xml_is_never_valid_for_rules_over_the_model(layers: tuple[str, ...]) -> None:
    report = validate(CII.replace(b">20261103<", b">20260230<"), replace(OPTIONS, layers=layers))
    assert (report.verdict, [f.rule for f in report.findings]) == (Verdict.INVALID, ["PAS-DATE-01"])


def test_unknown_names_are_refused_before_anything_runs() -> None:
    check_options(replace(OPTIONS, layers=("xsd",), rules=("flux10",)))
    with pytest.raises(ValueError, match="no layer 'nope'"):
        check_options(replace(OPTIONS, layers=("nope",)))
    with pytest.raises(ValueError, match="no rule set 'nope'"):
        check_options(replace(OPTIONS, rules=("nope",)))


def test_the_same_document_gets_the_same_report() -> None:
    document = UBL.replace(b"120.00", b"121.00")
    first, second = (validate(document, OPTIONS) for _ in range(2))
    assert first.findings == second.findings
    assert [replace(o, duration_ms=0) for o in first.layers] == [replace(o, duration_ms=0) for o in second.layers]


def test_our_version_is_that_of_the_package() -> None:
    assert metadata.version("passerelle") == layers.OWN_VERSION
