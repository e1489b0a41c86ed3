"""The examples of the catalogue are what they say: about rules that exist, one side kept, the other broken."""

import random
import sys
from pathlib import Path

import pytest

from formats.safexml import parse
from schematron import supply
from schematron.sheet import asserts_of
from validation.explain.every import every_rule, examples
from validation.stylesheet import rule_id

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "campaigns"))

from aimed_examples import Aim, example  # noqa: E402 - after the path is set


def test_every_example_is_about_a_rule_and_shows_two_sides() -> None:
    rules = {entry["rule"]: entry for entry in every_rule()}
    assert all(rule in rules or rule.startswith(("PAS-", "XSD-")) for rule in examples())
    for rule, shown in examples().items():
        assert shown["good"] != shown["bad"], rule
        assert shown["syntax"] in {"json", "cii", "ubl-invoice", "ubl-credit-note", "cdar", "flux10"}, rule
        assert shown["location"].startswith("/") or rule.startswith("PAS-"), rule


@pytest.mark.parametrize("severity", ["fatal", "error"])
def test_most_rules_that_block_have_an_example(severity: str) -> None:
    blocking = [entry for entry in every_rule() if entry["severity"] == severity]
    without = [entry["rule"] for entry in blocking if entry["example"] is None]
    assert len(without) < len(blocking) / 4, without[:20]


def test_examples_of_structure_rules_can_be_made_again() -> None:
    """Twenty of them, judged: the rule speaks of one side and not of the other. A few others only a spoiling found."""
    sample = parse((ROOT / "tests" / "vectors" / "validation" / "whole-cii.xml").read_bytes())
    rule_set = supply.get_rule_set("facturx-en16931")
    aims = [Aim(name, rule_set.id, each.text, each.context, each.test) for each in asserts_of(rule_set)
            if (name := rule_id(rule_set.id, each.id, each.text, each.context, each.test)) in examples()
            and each.text.startswith(("Element '", "Attribute "))]
    drawn = random.Random(20261122).sample(aims, 24)
    assert sum(example(aim, sample, "cii") is not None for aim in drawn) >= 20
