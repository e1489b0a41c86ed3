"""Findings of the two deciding layers equal those of the published stylesheets run directly.

In CI every UBL and CII file of the corpus outside bad-*, elsewhere a seeded sample; tests/campaigns/rules.py also
does the invoices inside PDFs and the status messages. Then every rule set of the manifest on changed documents;
tests/campaigns/equality.py does 20,000.
"""

import os
import random
from pathlib import Path

import pytest
from mutants import mutant, origins
from published_oracle import fired_by_published, fired_by_us, of_report, run_published
from samples import AS_OF, CII, UBL, many_lines

from formats.errors import FormatError
from formats.opening import open_document
from formats.safexml import parse
from formats.syntax import Syntax, write
from schematron import prepare, supply
from validation import stylesheet
from validation.findings import Verdict
from validation.run import Options, validate

SAMPLE = 1_000_000 if os.environ.get("CI") else 120
MUTANTS = 504
STYLESHEETS = [each for each in supply.rule_sets() if each.layer != "xsd"]
JUDGED = {"ubl-invoice", "ubl-credit-note", "cii"}


def assert_equal(document: bytes, file: Path, layer: str) -> None:
    opened = open_document(document)
    rule_set = supply.choose(layer, opened.syntax.value, opened.profile.value, AS_OF)
    report = validate(document, Options(AS_OF, layers=(layer,), max_findings=0))
    assert of_report(report.to_json(), layer, rule_set.language) == run_published(rule_set.id, file)


@pytest.mark.parametrize("layer", ["en16931", "br-fr"])
@pytest.mark.parametrize(
    "document",
    [
        UBL,
        CII,
        UBL.replace(b"120.00", b"121.00"),
        CII.replace(b"20.00", b"21.00"),
        UBL.replace(b"#PMT#", b"#AAI#").replace(b">S1<", b">X1<"),
        CII.replace(b">EUR<", b">EUX<").replace(b">FR<", b">XX<"),
        write(many_lines(50, vat_category="Q"), Syntax.CII),
        write(many_lines(50, unit="??"), Syntax.UBL_INVOICE),
    ],
    ids=["ubl", "cii", "ubl-total", "cii-tax", "ubl-notes", "cii-codes", "cii-lines", "ubl-lines"],
)
def test_our_own_invoices(document: bytes, layer: str, tmp_path: Path) -> None:
    file = tmp_path / "invoice.xml"
    file.write_bytes(document)
    assert_equal(document, file, layer)


@pytest.mark.corpus
@pytest.mark.timeout(600)
def test_the_corpus(corpus: Path) -> None:
    files = sorted(f for f in corpus.rglob("*.xml") if not f.relative_to(corpus).parts[0].startswith("bad-"))
    random.Random(20261121).shuffle(files)
    judged = 0
    for file in files:
        document = file.read_bytes()
        try:
            syntax = open_document(document).syntax.value
        except FormatError:
            continue
        if syntax in JUDGED:
            judged += 1
            for layer in ("en16931", "br-fr"):
                assert_equal(document, file, layer)
        if judged == SAMPLE:
            return
    assert judged > 900


@pytest.mark.parametrize("rule_set", STYLESHEETS, ids=lambda r: r.id)
def test_mutants(rule_set: supply.RuleSet, tmp_path: Path) -> None:
    """Rule, flag, location and text of every finding, in their order, and whether the engine stops."""
    among = [each for each in origins() if each.syntax in rule_set.syntaxes]
    rules = stylesheet.compiled(rule_set.id)
    findings = 0
    for number in range(MUTANTS // len(STYLESHEETS)):
        changed = mutant(20261122, number, among)
        file = tmp_path / "mutant.xml"
        file.write_bytes(changed.document)
        theirs = fired_by_published(rule_set.id, file)
        assert fired_by_us(rules, parse(changed.document)) == theirs, changed.name
        findings += len(theirs) if isinstance(theirs, list) else 1
    assert findings > 0
    assert rules.prepared


def test_an_engine_that_stops_is_a_finding() -> None:
    """Two currencies where the rules want one."""
    twice = UBL.replace(b"<cbc:DocumentCurrencyCode>", b"<cbc:DocumentCurrencyCode/><cbc:DocumentCurrencyCode>")
    report = validate(twice, Options(AS_OF, layers=("en16931",)))
    assert [f.rule for f in report.findings] == ["PAS-ENGINE-01"]
    assert report.layers[0].reason == "dynamic-error"
    assert report.verdict is Verdict.INVALID


@pytest.mark.parametrize(("rule_set", "document"), [("facturx-en16931", CII), ("br-fr-flux2-ubl", UBL)])
def test_the_published_form_is_the_fallback_and_gives_the_same(
    rule_set: str, document: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later edition of a shape that cannot be prepared runs as published, and the report says so."""

    def refuse(*_: object) -> str:
        raise prepare.NotPreparable("a new shape")

    broken = document.replace(b">EUR<", b">EUX<").replace(b"#PMT#", b"#AAI#")
    broken = broken.replace(b">S1<", b">X1<")
    options = Options(AS_OF, rules=(rule_set,), layers=(supply.get_rule_set(rule_set).layer,))
    prepared = validate(broken, options)
    monkeypatch.setattr(prepare, "prepare", refuse)
    stylesheet.compiled_edition.cache_clear()
    published = validate(broken, options)
    stylesheet.compiled_edition.cache_clear()

    assert len(published.findings) > 1
    language = supply.get_rule_set(rule_set).language
    assert [(f.rule, f.severity, f.location, getattr(f.message, language)) for f in published.findings] == [
        (f.rule, f.severity, f.location, getattr(f.message, language)) for f in prepared.findings
    ]
    assert published.layers[0].reason == "published-form"
