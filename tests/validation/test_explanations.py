"""Every explanation is about a rule that exists, complete in both languages."""

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import validation
from formats.errors import BadValue, ForbiddenDoctype, LimitExceeded, MalformedXml, NotExtractable, NothingInside
from schematron import supply
from schematron.sheet import Assert, asserts_of
from validation import run
from validation.explain.catalogue import Explanation, entries, explained, find_explanation
from validation.findings import Finding, Severity, Text
from validation.locations import Place
from validation.pdf import container
from validation.published import FLAGS, aliases_of, finding_of, terms_of, values_of
from validation.rules import registry
from validation.stylesheet import Fired, rule_id
from validation.workshop import POISON

ROOM = Path(validation.__file__).parent
OWN_ID = re.compile(r"PAS-[A-Z]+-(?:\d\d|[A-Z-]+[A-Z])")
REFUSING = (MalformedXml, ForbiddenDoctype, LimitExceeded, BadValue, NotExtractable, NothingInside)
"""What opening a document may raise; its code is the end of the id."""

OF_SCHEMAS = {"XSD-ELEMENT-CONTENT", "XSD-CVC-DATATYPE-VALID-1-2-1", "XSD-CVC-COMPLEX-TYPE-3-2-1"}


UNFILLED = re.compile(r"[{}]|\(\)|« »|\"\"|\(, |, \)")
"""A place in the words that nothing filled."""


@dataclass(frozen=True)
class Published:
    """One assert or report of a published rule set."""

    rule: str
    names: tuple[str, ...]
    """Its aliases, then its id."""

    text: str
    context: str
    fatal: bool

    @property
    def one(self) -> tuple[str, ...]:
        """What makes it one rule: its id in EN 16931 where it has one, else its words and where it looks."""
        head = [name for name in self.names if not name.startswith(("FX-SCH", "facturx"))]
        return (head[-1],) if head else (self.text, self.context)

    @property
    def explanation(self) -> Explanation | None:
        return find_explanation(*self.names, text=self.text, context=self.context)


@cache
def published() -> tuple[Published, ...]:
    """Every assert and report of the rule sets that come with the packages."""
    return tuple(
        _published(rule_set, each)
        for rule_set in supply.rule_sets()
        if rule_set.layer != "xsd" and rule_set.package
        for each in asserts_of(rule_set)
    )


def _published(rule_set: supply.RuleSet, said: Assert) -> Published:
    rule = rule_id(rule_set.id, said.id, said.text, said.context, said.test)
    names = (*aliases_of(Fired(rule, None, said.text, Place("", None)), rule_set), rule)
    return Published(rule, names, said.text, said.context, said.flag not in FLAGS)


def fatal() -> list[Published]:
    return [rule for rule in published() if rule.fatal]


@cache
def own_rules() -> frozenset[str]:
    """Every id of ours that a finding can have: those of the registry, those written in the code, those made of one."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in ROOM.rglob("*.py")]
    texts = {node.value for tree in trees for node in ast.walk(tree)
             if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    written = {text for text in texts if OWN_ID.fullmatch(text)}
    made = {f"PAS-PDF-{code.upper()}" for code in container.FRENCH} | {
        f"PAS-DOC-{kind.code.upper()}" for kind in REFUSING}
    return frozenset({rule.id for rule in registry.RULES} | written | made | OF_SCHEMAS)


@pytest.mark.parametrize("rule", sorted(set(entries()) - {"PAS-PDF", "PAS-PDFA", "XSD"}))
def test_every_entry_is_about_a_rule_that_exists(rule: str) -> None:
    known = {name for rule in published() for name in rule.names} | own_rules()
    assert rule.startswith("PAS-") or any(
        name == rule or name.startswith((f"{rule}-", f"{rule}_", f"{rule}#")) for name in known
    )


def test_the_ids_in_the_code_are_found() -> None:
    assert {POISON, "PAS-ENGINE-02", "PAS-DOC-NOT-AN-INVOICE", "PAS-VALUE-01", "PAS-PDFA-05"} <= own_rules()


@pytest.mark.parametrize("rule", sorted(own_rules()))
def test_every_finding_of_ours_has_a_title_and_a_remedy(rule: str) -> None:
    """In both languages, and under its own id or that of its kind."""
    bare = Finding(rule=rule, severity=Severity.WARNING, layer="container", message=Text("x", "x"))
    told = explained(bare)
    for text in (told.title, told.cause, told.remedy):
        assert text is not None
        assert min(len(text.fr), len(text.en)) > 3
        assert text.fr != text.en


def test_every_fatal_rule_is_explained_in_both_languages() -> None:
    assert len(fatal()) > 2000
    missing = [rule.names for rule in fatal() if rule.explanation is None]
    assert missing == []
    for rule in fatal():
        assert rule.explanation is not None
        for text in (rule.explanation.title, rule.explanation.cause, rule.explanation.remedy):
            for language in (text.fr, text.en):
                assert len(language) > 3, rule.names
                assert not UNFILLED.search(language), (rule.names, language)
        assert rule.explanation.remedy.fr != rule.explanation.remedy.en, rule.names


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_remedy_is_the_rules_own(language: str) -> None:
    """Shared by five rules at most, and not in the words of the rule."""
    sharing: dict[str, set[tuple[str, ...]]] = {}
    for rule in fatal():
        assert rule.explanation is not None
        remedy = getattr(rule.explanation.remedy, language)
        assert remedy not in rule.text, rule.names
        sharing.setdefault(remedy, set()).add(rule.one)
    assert {remedy: rules for remedy, rules in sharing.items() if len(rules) > 5} == {}


def test_a_place_is_that_of_the_syntax() -> None:
    ubl, cii, both = (find_explanation("BR-06", syntax=syntax) for syntax in ("ubl-invoice", "cii", None))
    assert ubl is not None
    assert cii is not None
    assert both is not None
    assert "cac:AccountingSupplierParty/cac:Party/cac:PartyLegalEntity/cbc:RegistrationName" in ubl.remedy.fr
    assert "ram:SellerTradeParty/ram:Name" in cii.remedy.fr
    assert "cac:" not in cii.remedy.fr
    assert "UBL /ubl:Invoice" in both.remedy.en
    assert "CII /rsm:CrossIndustryInvoice" in both.remedy.en


def fired(rule: str, text: str, flag: str | None = "fatal") -> Fired:
    return Fired(rule, flag, text, Place("/ubl:Invoice[1]", 3))


def test_a_published_text_stays_in_its_language() -> None:
    said = fired("BR-CO-15", "[BR-CO-15]-Invoice total amount with VAT (BT-112) = BT-109 + BT-110.")
    finding = finding_of(said, supply.get_rule_set("en16931-ubl"), "en16931")
    assert finding.message.en == said.text
    assert finding.message.fr == "Total TTC faux"
    assert finding.terms == ("BT-112", "BT-109", "BT-110")
    assert finding.remedy is not None
    said = fired("BR-FR-12_BT-49", '[BR-FR-12/BT-49] : Le BT-49 est obligatoire. Valeur actuelle : BT-49=" ".')
    finding = finding_of(said, supply.get_rule_set("br-fr-flux2-ubl"), "en16931")
    assert finding.message.fr == said.text
    assert finding.message.en == "Electronic address of the buyer absent"
    assert finding.aliases == ("BR-FR-12",)


def test_a_misnamed_rule_is_explained_by_what_its_text_says() -> None:
    said = fired("BR-FR-08_BT-151-2", "[BR-FR-15/BT-151] : Les codes 'L' et 'M' ne sont pas pertinents en France.")
    finding = finding_of(said, supply.get_rule_set("br-fr-flux2-ubl"), "en16931")
    assert finding.aliases == ("BR-FR-15",)
    assert finding.message.en == "Category L or M on a line"


@pytest.mark.parametrize(
    ("flag", "severity"), [("fatal", "fatal"), (None, "fatal"), ("error", "fatal"), ("warning", "warning")]
)
def test_a_flag_becomes_a_severity(flag: str | None, severity: str) -> None:
    assert finding_of(fired("BR-01", "x", flag), supply.get_rule_set("en16931-ubl"), "en16931").severity == severity


@pytest.mark.parametrize(
    ("published", "text", "expected"),
    [
        ("BR-01", "[BR-02] x", "BR-01"),
        (None, "[G1.104] L'identifiant", "G1.104"),
        (None, "[BR-FXEXT-04]-To ensure", "BR-FXEXT-04"),
        (None, "Attribute @schemeID' marked as not used.", "set#b3a8e0e1f9ab"),
        (None, "Element 'ram:X[ram:TypeCode=\"916\"]' is not used.", "set#b3a8e0e1f9ab"),
    ],
)
def test_the_name_of_a_rule(published: str | None, text: str, expected: str) -> None:
    assert rule_id("set", published, text, "c", "t")[:4] == expected[:4]
    if "#" not in expected:
        assert rule_id("set", published, text, "c", "t") == expected
    else:
        assert rule_id("set", published, text, "c", "t") == rule_id("set", None, "", "c", "t")
        assert rule_id("set", published, text, "c", "t") != rule_id("set", None, "", "c", "other")


def test_terms_and_values_come_from_the_words() -> None:
    said = fired("BR-FR-09_BT-29", '[BR-FR-09/BT-29] EXT-FR-FE-06. Valeur actuelle : "12 3". Voir BT-29-1.')
    assert terms_of(said) == ("BT-29", "EXT-FR-FE-06", "BT-29-1")
    assert values_of(said.text) == {"value": "12 3"}
    assert run.capped([], 3) == []
