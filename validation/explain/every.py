"""The catalogue: every rule that we can run, by id, with its words, its explanation and a good and a bad example."""

import json
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any, Final

from lxml import etree

from schematron import supply
from schematron.sheet import sheet_of
from validation.explain.catalogue import find_explanation
from validation.findings import Text, text_json
from validation.locations import Place
from validation.published import FLAGS, aliases_of, terms_of
from validation.rules.registry import RULES
from validation.stylesheet import Fired, rule_id

SVRL: Final = "{http://purl.oclc.org/dsdl/svrl}"
XSL: Final = "{http://www.w3.org/1999/XSL/Transform}"


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
        sheet = sheet_of(rule_set)
        for result in sheet.iter(f"{SVRL}failed-assert", f"{SVRL}successful-report"):
            template = next(result.iterancestors(f"{XSL}template"))
            fired = template.find(f".//{SVRL}fired-rule")
            context = (fired.get("context") if fired is not None else template.get("match")) or ""
            text = " ".join("".join(result.find(f"{SVRL}text").itertext()).split())  # type: ignore[union-attr] # is there
            name = rule_id(rule_set.id, _said(result, "id"), text, context, _said(result, "test") or "")
            said = Fired(name, None, text, Place("", None))
            severity = FLAGS.get(_said(result, "flag") or "")
            entry = _entry(said, aliases_of(said, rule_set), context, rule_set.id)
            yield entry | {"severity": severity.value if severity else "fatal"}


def _said(result: etree._Element, name: str) -> str | None:
    found = result.find(f"{XSL}attribute[@name='{name}']")
    return found.text if found is not None else result.get(name)


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
