"""Every explanation is about a rule that exists, complete in both languages."""

from functools import cache

import pytest
from lxml import etree

from schematron import supply
from schematron.prepare import SVRL, XSL
from validation import container, run
from validation.explain.catalogue import explanations, find_explanation
from validation.locations import Place
from validation.published import aliases_of, finding_of, terms_of, values_of
from validation.rules import registry
from validation.stylesheet import Fired, rule_id

OTHER_OWN = {
    "PAS-DATE-01", "PAS-VALUE-01", "PAS-ENGINE-01", "PAS-ENGINE-02", "PAS-ENGINE-03", "PAS-ENGINE-POISON",
    "PAS-DOC-NOTHING-INSIDE", "PAS-DOC-NOT-AN-INVOICE", "PAS-DOC-MALFORMED-XML", "PAS-DOC-FORBIDDEN-DOCTYPE",
    "PAS-DOC-LIMIT-EXCEEDED", "PAS-DOC-BAD-VALUE", "PAS-DOC-NOT-EXTRACTABLE", "PAS-PDFA-01", "XSD-ELEMENT-CONTENT",
}  # fmt: skip


@cache
def published_rules() -> dict[str, tuple[str, ...]]:
    """Every published rule id, with the other ids of the same rule."""
    found = {}
    for rule_set in supply.rule_sets():
        if rule_set.layer == "xsd":
            continue
        for result in etree.parse(str(supply.entry_path(rule_set))).iter(
            f"{SVRL}failed-assert", f"{SVRL}successful-report"
        ):
            named = result.find(f"{XSL}attribute[@name='id']")
            text = " ".join("".join(result.find(f"{SVRL}text").itertext()).split())  # type: ignore[union-attr]
            rule = rule_id(rule_set.id, named.text if named is not None else None, text, "", result.get("test", ""))
            found[rule] = aliases_of(Fired(rule, None, text, Place("", None)), rule_set)
    return found


def own_rules() -> set[str]:
    codes = {f"PAS-PDF-{code.upper()}" for code in container.FRENCH}
    return {rule.id for rule in registry.RULES} | OTHER_OWN | codes


@pytest.mark.parametrize("rule", sorted(explanations()))
def test_every_explanation_names_an_existing_rule(rule: str) -> None:
    known = {*published_rules(), *(alias for others in published_rules().values() for alias in others), *own_rules()}
    assert any(name == rule or name.startswith((f"{rule}-", f"{rule}_")) for name in known)


@pytest.mark.parametrize("rule", sorted(own_rules()))
def test_every_rule_of_ours_is_explained(rule: str) -> None:
    assert find_explanation(rule) is not None


def test_texts_are_whole_and_not_the_same_in_both_languages() -> None:
    for rule, explanation in explanations().items():
        for text in (explanation.title, explanation.cause, explanation.remedy):
            assert text.fr.strip(), rule
            assert text.en.strip(), rule
        assert explanation.remedy.fr != explanation.remedy.en, rule


def test_the_french_rules_are_explained_without_exception() -> None:
    french = [rule for rule in published_rules() if rule.startswith("BR-FR-")]
    assert len(french) > 200
    assert [rule for rule in french if find_explanation(*published_rules()[rule], rule) is None] == []


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
    assert finding.message.en == "VAT category not allowed in France"


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
