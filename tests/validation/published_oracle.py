"""The published stylesheets run directly, as their authors mean it: from their files, on the file, by plain SaxonC."""

import re
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree
from saxonche import PySaxonApiError, PySaxonProcessor

from schematron import supply
from validation.locations import rewrite
from validation.stylesheet import rule_id

SVRL = "{http://purl.oclc.org/dsdl/svrl}"
ENGINE_ERROR = "engine error"

Said = tuple[str, str, str, str]
"""Rule, severity, location in the contract's prefixes, text."""


@cache
def processor() -> PySaxonProcessor:
    return PySaxonProcessor(license=False)


@cache
def published(rule_set: str) -> Any:
    path = supply.entry_path(supply.get_rule_set(rule_set))
    return processor().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(path))


def run_published(rule_set: str, file: Path) -> list[Said] | str:
    """Everything the published form says about a file, in its order; ENGINE_ERROR if it stops."""
    try:
        return said(rule_set, published(rule_set).transform_to_string(source_file=str(file)))
    except PySaxonApiError:
        return ENGINE_ERROR


def said(rule_set: str, svrl: str) -> list[Said]:
    found: list[Said] = []
    context = ""
    for element in etree.fromstring(svrl.encode()):
        if element.tag == f"{SVRL}fired-rule":
            context = element.get("context", "")
        elif element.tag in {f"{SVRL}failed-assert", f"{SVRL}successful-report"}:
            text = re.sub(r"\s+", " ", "".join(element.find(f"{SVRL}text").itertext())).strip()
            rule = rule_id(rule_set, element.get("id"), text, context, element.get("test", ""))
            severity = {"warning": "warning"}.get(element.get("flag", ""), "fatal")
            found.append((rule, severity, rewrite(element.get("location", "")), text))
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
