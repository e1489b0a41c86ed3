"""A report for people and programs: text, JSON, SVRL and HTML. The JSON is that of the machine contract."""

import html
import json
import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Final

from lxml import etree

from validation.explain.catalogue import find_explanation
from validation.findings import Finding, LayerOutcome, Outcome, Report, Severity, Text, Verdict

NOT_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SVRL: Final = "http://purl.oclc.org/dsdl/svrl"
VERDICTS: Final[Mapping[Verdict, str]] = {
    Verdict.VALID: "conforme",
    Verdict.INVALID: "non conforme",
    Verdict.ERROR: "contrôle impossible",
}
OUTCOMES: Final[Mapping[Outcome, str]] = {
    Outcome.PASSED: "conforme",
    Outcome.FAILED: "non conforme",
    Outcome.ERROR: "interrompu",
    Outcome.SKIPPED: "non exécuté",
}
SEVERITIES: Final[Mapping[Severity, str]] = {
    Severity.FATAL: "bloquant",
    Severity.ERROR: "bloquant",
    Severity.WARNING: "avertissement",
    Severity.INFO: "information",
}
LAYERS: Final[Mapping[str, str]] = {
    "container": "Conteneur PDF",
    "pdfa": "PDF/A-3",
    "xsd": "Schéma",
    "en16931": "EN 16931",
    "extended": "Profil étendu",
    "br-fr": "Règles françaises BR-FR",
    "mentions": "Mentions légales",
    "business": "Cohérence",
    "cdar": "Message de cycle de vie",
    "flux10": "E-reporting (flux 10)",
}


def as_json(file: str, report: Report) -> str:
    """One line: the object of the machine contract."""
    return json.dumps({"file": file, **report.to_json()}, ensure_ascii=False, separators=(",", ":"))


def as_text(file: str, report: Report) -> str:
    """A page in French: verdict, layers, then the findings of each rule together, the worst first."""
    lines = [f"{file} : {VERDICTS[report.verdict]} ({report.syntax}, {report.profile})"]
    for layer in report.layers:
        rules = f" · {layer.rule_set} {layer.version}" if layer.rule_set else ""
        reason = f" ({layer.reason})" if layer.reason else ""
        lines.append(f"  {LAYERS[layer.layer]:<26} {OUTCOMES[layer.outcome]}{reason}{rules}")
    for rule, findings in _by_rule(report):
        lines += ["", f"  [{SEVERITIES[findings[0].severity]}] {rule}  {_title(findings[0])}"]
        for finding in findings:
            where = f" (ligne {finding.line})" if finding.line else ""
            lines.append(f"    • {finding.message.fr}{where}")
            lines += [f"      {finding.location}"] if finding.location else []
        omitted = sum(int(finding.values.get("omitted", "0")) for finding in findings)
        lines += [f"    … et {omitted} autres"] if omitted else []
        lines += [f"    → {findings[0].remedy.fr}"] if findings[0].remedy else []
        lines += [f"    Remarque : {findings[0].ruling}"] if findings[0].ruling else []
    return "\n".join(lines) + "\n"


def as_svrl(file: str, report: Report) -> str:
    """One SVRL document, with one pattern per layer."""
    root = etree.Element(f"{{{SVRL}}}schematron-output", title=_clean(file), nsmap={"svrl": SVRL})
    for layer in report.layers:
        pattern = etree.SubElement(root, f"{{{SVRL}}}active-pattern", id=layer.layer, role=layer.outcome.value)
        pattern.set("name", _clean(layer.rule_set or layer.reason or layer.layer))
        for finding in (f for f in report.findings if f.layer == layer.layer):
            attributes = {"id": finding.rule, "flag": finding.severity.value, "location": finding.location or ""}
            failed = etree.SubElement(root, f"{{{SVRL}}}failed-assert", {k: _clean(v) for k, v in attributes.items()})
            failed.set("test", "")
            for language, text in (("fr", finding.message.fr), ("en", finding.message.en)):
                element = etree.SubElement(failed, f"{{{SVRL}}}text")
                element.set("{http://www.w3.org/XML/1998/namespace}lang", language)
                element.text = _clean(text)
    return etree.tostring(root, encoding="unicode", pretty_print=True)


def as_html(reports: Iterator[tuple[str, Report]]) -> Iterator[str]:
    """One self-contained page for all reports: no script, nothing fetched."""
    yield _PAGE_START
    for file, report in reports:
        yield f"<section><h2>{_e(file)} <b class={report.verdict.value}>{VERDICTS[report.verdict]}</b></h2>"
        yield "<table><tr><th>Couche<th>Résultat<th>Règles<th>Constats</tr>"
        for layer in report.layers:
            reason = f" ({layer.reason})" if layer.reason else ""
            rules = f"{layer.rule_set} {layer.version}" if layer.rule_set else "–"
            cells = (LAYERS[layer.layer], OUTCOMES[layer.outcome] + reason, rules, str(layer.findings_total))
            yield "<tr>" + "".join(f"<td>{_e(cell)}" for cell in cells) + "</tr>"
        yield "</table>"
        for rule, findings in _by_rule(report):
            yield from _rule_html(rule, findings)
        yield "</section>"
    yield "</body></html>\n"


def _rule_html(rule: str, findings: list[Finding]) -> Iterator[str]:
    first = findings[0]
    yield f"<article class={first.severity.value}><h3><code>{_e(rule)}</code> {_e(_title(first))}</h3><ul>"
    for finding in findings:
        line = f" <small>ligne {finding.line}</small>" if finding.line else ""
        where = f"<br><code>{_e(finding.location)}</code>" if finding.location else ""
        yield f"<li>{_e(finding.message.fr)}{line}{where}</li>"
    yield "</ul>"
    explanation = find_explanation(*first.aliases, rule)
    yield f"<p>{_e(explanation.cause.fr)}</p>" if explanation else ""
    yield f"<p><b>À faire :</b> {_e(first.remedy.fr)}</p>" if first.remedy else ""
    yield f"<p><b>Remarque :</b> {_e(first.ruling)}</p>" if first.ruling else ""
    yield "</article>"


def unreadable(why: str) -> Report:
    """The report on a file that could not be opened: we know nothing about it."""
    finding = Finding(
        rule="PAS-ENGINE-03",
        severity=Severity.WARNING,
        layer="container",
        message=Text(fr=f"Fichier illisible : {why}.", en=f"The file cannot be read: {why}."),
    )
    layer = LayerOutcome(layer="container", outcome=Outcome.ERROR, reason="unreadable-file", findings_total=1)
    return Report(
        verdict=Verdict.ERROR,
        syntax="unknown",
        profile="unknown",
        specification_identifier=None,
        layers=(layer,),
        findings=(finding,),
    )


def _by_rule(report: Report) -> Iterator[tuple[str, list[Finding]]]:
    weights = list(Severity)
    ordered = sorted(report.findings, key=lambda f: (weights.index(f.severity), f.layer, f.rule))
    for _, group in groupby(ordered, key=lambda f: (f.layer, f.rule)):
        findings = list(group)
        yield findings[0].rule, findings


def _title(finding: Finding) -> str:
    explanation = find_explanation(*finding.aliases, finding.rule)
    return explanation.title.fr if explanation else ""


def _clean(text: str) -> str:
    """XML cannot hold control characters and lone surrogates; file names can."""
    return NOT_XML.sub("\ufffd", text)


def _e(text: str | None) -> str:
    return html.escape(text or "")


_PAGE_START: Final = """<!DOCTYPE html>
<html lang="fr"><head><meta charset="utf-8"><title>Rapport de contrôle</title><style>
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a2e}
h2 b{font-size:.8rem;padding:.2rem .6rem;border-radius:1rem;color:#fff;vertical-align:middle}
b.valid{background:#18753c}b.invalid{background:#ce0500}b.error{background:#716043}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #ddd}
article{border-left:4px solid #999;padding:.1rem 1rem;margin:1rem 0}article.fatal,article.error{border-color:#ce0500}
article.warning{border-color:#b34000}code{font-size:.85em;overflow-wrap:anywhere}
</style></head><body>
"""
