"""The printed report: a PDF by Typst, in French or English. Belongs into a workshop process, as all that draws."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from validation.faces import words
from validation.faces.typesetting import printable, typeset
from validation.faces.words import Block, label, said
from validation.findings import Report

PLACES: Final = 10
LONG_WORD: Final = re.compile(r"([/_.:])(?=\S)")


def as_pdf(reports: Sequence[tuple[str, Report]], language: str = "fr") -> bytes:
    """One PDF for all reports. Raises CannotWrite where Typst refuses."""
    data = {
        "lang": language,
        "title": label("report", language),
        "todo": label("todo", language),
        "ruling": label("ruling", language),
        "layers": label("layers", language),
        "heads": [label(name, language) for name in ("layer", "outcome", "rule_set", "findings")],
        "files": [_file(name, report, language) for name, report in reports],
    }
    return typeset("report.typ", data, "the report")


def _file(name: str, report: Report, language: str) -> dict[str, Any]:
    return {
        "name": _printable(Path(name).name or name),
        "verdict": report.verdict.value,
        "verdict_word": said(words.VERDICTS[report.verdict], language),
        "summary": " · ".join((
            f"{report.syntax}, {label('profile', language)} {report.profile}", words.summary(report, language),
        )),
        "problems": [_problem(block, language) for block in words.blocks(report)],
        "layers": [
            [
                said(words.LAYERS[layer.layer], language),
                " – ".join(
                    filter(None, (said(words.OUTCOMES[layer.outcome], language), words.reason(layer, language)))
                ),
                f"{layer.rule_set} {layer.version}" if layer.rule_set else "–",
                str(layer.findings_total),
            ]
            for layer in report.layers
        ],
    }


def _problem(block: Block, language: str) -> dict[str, Any]:
    findings = [finding for _, found in block.rules for finding in found]
    left = max(len(findings) - PLACES, 0) + words.omitted(findings)
    remedies = dict.fromkeys(said(found[0].remedy, language) for _, found in block.rules if found[0].remedy)
    return {
        "title": _printable(said(block.problem.title, language)),
        "severity": block.problem.severity.value,
        "severity_word": said(words.SEVERITIES[block.problem.severity], language),
        "rules": ", ".join(block.problem.rules),
        "findings": [
            {
                "message": _printable(said(finding.message, language)),
                "where": _printable(" · ".join(filter(None, (
                    f"{label('line', language)} {finding.line}" if finding.line else "", finding.location or "")))),
            }
            for finding in findings[:PLACES]
        ],
        "more": f"… + {left} {label('others', language)}" if left else "",
        "remedies": [_printable(remedy) for remedy in remedies],
        "ruling": _printable(block.ruling or ""),
    }


def _printable(text: str) -> str:
    return printable(text, LONG_WORD)
