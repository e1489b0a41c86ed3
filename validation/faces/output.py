"""A report for people and programs: text and JSON, as the machine contract has it. Loads no XML library."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from validation.faces import words
from validation.faces.words import Block, label, said
from validation.findings import Patch, Report, patch_json

CONTROL: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")
"""What could command a terminal."""

COLOURS: Final[Mapping[str, str]] = {
    "valid": "32", "passed": "32", "invalid": "31;1", "failed": "31", "error": "33", "skipped": "2", "fatal": "31;1",
    "warning": "33", "info": "36", "dim": "2", "bold": "1",
}
PLACES: Final = 5
"""So many places of a rule are shown in the text."""


def as_json(file: str, report: Report, patches: Sequence[Patch] | None = None) -> str:
    """One line: the object of the machine contract, with `patches` where they were asked for."""
    more = {} if patches is None else {"patches": [patch_json(patch) for patch in patches]}
    return json.dumps({"file": file, **report.to_json(), **more}, ensure_ascii=False, separators=(",", ":"))


def as_text(file: str, report: Report, language: str = "fr", *, colour: bool = False) -> str:
    """A page: verdict, layers, then the problems, the worst first, each with its rules and what to do."""

    def paint(text: str, name: str) -> str:
        return f"\x1b[{COLOURS[name]}m{text}\x1b[0m" if colour and name in COLOURS else text

    verdict = paint(said(words.VERDICTS[report.verdict], language), report.verdict.value)
    lines = [f"{file} : {verdict} ({report.syntax}, {report.profile}) · {words.summary(report, language)}"]
    for layer in report.layers:
        rules = f" · {layer.rule_set} {layer.version}" if layer.rule_set else ""
        why = f" ({words.reason(layer, language)})" if layer.reason else ""
        outcome = paint(said(words.OUTCOMES[layer.outcome], language), layer.outcome.value)
        lines.append(f"  {said(words.LAYERS[layer.layer], language):<26} {outcome}{why}{paint(rules, 'dim')}")
    for block in words.blocks(report):
        severity = block.problem.severity
        mark = paint(f"[{said(words.SEVERITIES[severity], language)}]", severity.value)
        title = paint(said(block.problem.title, language), "bold")
        lines += ["", f"  {mark} {', '.join(block.problem.rules)}  {title}"]
        lines += [f"    {line}" for line in _block_lines(block, language)]
    return CONTROL.sub("�", "\n".join(lines)) + "\n" if not colour else "\n".join(map(_safe, lines)) + "\n"


def _safe(line: str) -> str:
    return re.sub("[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]|\x1b(?!\\[[0-9;]+m)", "�", line)


def _block_lines(block: Block, language: str) -> Iterator[str]:
    for rule, findings in block.rules:
        for finding in findings[:PLACES]:
            where = f" ({label('line', language)} {finding.line})" if finding.line else ""
            name = f"{rule} : " if len(block.rules) > 1 else ""
            yield f"• {name}{said(finding.message, language)}{where}"
            if finding.location:
                yield f"  {finding.location}"
        more = len(findings) - PLACES
        left = max(more, 0) + words.omitted(findings)
        if left:
            yield f"… + {left} {label('others', language)}"
        if findings[0].remedy:
            yield f"→ {said(findings[0].remedy, language)}"
    if block.ruling:
        yield f"{label('ruling', language)} : {block.ruling}"


def patches_text(patches: Sequence[Patch], language: str = "fr") -> str:
    """The corrections that were proposed, under the report."""
    lines = [f"  {label('patches', language)}"] if patches else []
    for patch in patches:
        lines.append(f"    {patch.id}  {said(patch.title, language)} ({', '.join(patch.rules)})")
        for edit in patch.edits[:PLACES]:
            where = f", {edit.location}" if patch.operations else ""
            lines.append(f"      {label('line', language)} {edit.line}{where} : « {edit.old} » → « {edit.new} »")
    return CONTROL.sub("�", "\n".join(lines)) + "\n" if lines else ""
