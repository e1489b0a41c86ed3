"""The catalogue: every rule that we can run, by id, with its words, its explanation and a good and a bad example."""

import json
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

from schematron import supply
from schematron.sheet import asserts_of
from validation.explain.catalogue import find_explanation
from validation.findings import Text, text_json
from validation.locations import Place
from validation.published import FLAGS, aliases_of, terms_of
from validation.rules.registry import RULES
from validation.stylesheet import Fired, rule_id


@cache
def examples() -> dict[str, dict[str, str]]:
    """Rule to an example that keeps it and one that breaks it, made by tests/campaigns/examples.py."""
    path = resources.files("validation.explain").joinpath("examples.json")
    found: dict[str, dict[str, str]] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return found


@cache
def every_rule() -> list[dict[str, Any]]:
    """One entry per rule id, in the order of the ids."""
    entries: dict[str, dict[str, Any]] = {}
    for entry in (*_own(), *_published()):
        known = entries.setdefault(entry["rule"], entry)
        known["rule_sets"] = sorted({*known["rule_sets"], *entry["rule_sets"]})
    return [entry | {"example": examples().get(rule)} for rule, entry in sorted(entries.items())]


def _own() -> Iterator[dict[str, Any]]:
    for rule in RULES:
        said = Fired(rule.id, None, "", Place("", None))
        yield _entry(said, (), "", "passerelle") | {"severity": rule.severity.value, "source": rule.source}


def _published() -> Iterator[dict[str, Any]]:
    for rule_set in supply.rule_sets():
        if rule_set.layer == "xsd" or not rule_set.package:
            continue
        for each in asserts_of(rule_set):
            name = rule_id(rule_set.id, each.id, each.text, each.context, each.test)
            said = Fired(name, None, each.text, Place("", None))
            severity = FLAGS.get(each.flag or "")
            entry = _entry(said, aliases_of(said, rule_set), each.context, rule_set.id)
            yield entry | {"severity": severity.value if severity else "fatal"}


def _entry(said: Fired, aliases: tuple[str, ...], context: str, rule_set: str) -> dict[str, Any]:
    explanation = find_explanation(*aliases, said.rule, text=said.text, context=context)
    nothing = text_json(Text("", ""))
    return {
        "rule": said.rule,
        "aliases": list(aliases),
        "rule_sets": [rule_set],
        "text": said.text,
        "title": text_json(explanation.title) if explanation else nothing,
        "cause": text_json(explanation.cause) if explanation else nothing,
        "remedy": text_json(explanation.remedy) if explanation else nothing,
        "terms": list(terms_of(said) or (explanation.terms if explanation else ())),
        "source": "",
    }
