"""The published stylesheets run directly, as their authors mean it: from their files, on the file, by plain SaxonC."""

import re
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree
from saxonche import PySaxonApiError, PySaxonProcessor

from schematron import supply
from validation import stylesheet
from validation.locations import rewrite
from validation.stylesheet import rule_id

SVRL = "{http://purl.oclc.org/dsdl/svrl}"
ENGINE_ERROR = "engine error"

Said = tuple[str, str, str, str]
"""Rule, severity, location in the contract's prefixes, text."""

FiredWords = tuple[str, str | None, str, str]
"""Rule, flag as published, location in the contract's prefixes, text."""


@cache
def processor() -> PySaxonProcessor:
    return PySaxonProcessor(license=False)


@cache
def published(rule_set: str) -> Any:
    path = supply.entry_path(supply.get_rule_set(rule_set))
    return processor().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(path))


def run_published(rule_set: str, file: Path) -> list[Said] | str:
    """Everything the published form says about a file, in its order; ENGINE_ERROR if it stops."""
    found = fired_by_published(rule_set, file)
    if isinstance(found, str):
        return found
    return [(rule, {"warning": "warning"}.get(flag or "", "fatal"), place, text) for rule, flag, place, text in found]


def fired_by_published(rule_set: str, file: Path) -> list[FiredWords] | str:
    """The same with its flags as they stand."""
    try:
        return fired_words(rule_set, published(rule_set).transform_to_string(source_file=str(file)))
    except PySaxonApiError:
        return ENGINE_ERROR


def fired_words(rule_set: str, svrl: str) -> list[FiredWords]:
    found: list[FiredWords] = []
    context = ""
    for element in etree.fromstring(svrl.encode()):
        if element.tag == f"{SVRL}fired-rule":
            context = element.get("context", "")
        elif element.tag in {f"{SVRL}failed-assert", f"{SVRL}successful-report"}:
            text = re.sub(r"\s+", " ", "".join(element.find(f"{SVRL}text").itertext())).strip()
            rule = rule_id(rule_set, element.get("id"), text, context, element.get("test", ""))
            found.append((rule, element.get("flag"), rewrite(element.get("location", "")), text))
    return found


def of_report(report: dict[str, Any], layer: str, language: str) -> list[Said] | str:
    """The same of a report of ours."""
    outcome = next(entry["outcome"] for entry in report["layers"] if entry["layer"] == layer)
    if outcome == "error":
        return ENGINE_ERROR
    return [
        (finding["rule"], finding["severity"], finding["location"] or "", finding["message"][language])
        for finding in report["findings"]
        if finding["layer"] == layer
    ]


def fired_by_us(rules: stylesheet.Compiled, root: etree._Element) -> list[FiredWords] | str:
    """The same of the form that we run."""
    try:
        return [(each.rule, each.flag, each.place.path, each.text) for each in stylesheet.run(rules, root)]
    except stylesheet.EngineFailure:
        return ENGINE_ERROR
