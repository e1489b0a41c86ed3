"""The words of a report in French and English, and a report arranged for reading: problems first, then their findings.

Shared by the text, the page and the printed report, so that they say the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from formats.pdf.faults import READING
from validation.findings import Finding, LayerOutcome, Outcome, Problem, Report, Severity, Text, Verdict

VERDICTS: Final[Mapping[Verdict, Text]] = {
    Verdict.VALID: Text("conforme", "valid"),
    Verdict.INVALID: Text("non conforme", "invalid"),
    Verdict.ERROR: Text("contrôle impossible", "could not be checked"),
}
OUTCOMES: Final[Mapping[Outcome, Text]] = {
    Outcome.PASSED: Text("conforme", "passed"),
    Outcome.FAILED: Text("non conforme", "failed"),
    Outcome.ERROR: Text("interrompu", "interrupted"),
    Outcome.SKIPPED: Text("non exécuté", "not run"),
}
SEVERITIES: Final[Mapping[Severity, Text]] = {
    Severity.FATAL: Text("bloquant", "blocking"),
    Severity.ERROR: Text("bloquant", "blocking"),
    Severity.WARNING: Text("avertissement", "warning"),
    Severity.INFO: Text("information", "information"),
}
LAYERS: Final[Mapping[str, Text]] = {
    "container": Text("Conteneur PDF", "PDF container"),
    "pdfa": Text("PDF/A-3", "PDF/A-3"),
    "xsd": Text("Schéma", "Schema"),
    "en16931": Text("EN 16931", "EN 16931"),
    "extended": Text("Profil étendu", "Extended profile"),
    "br-fr": Text("Règles françaises BR-FR", "French rules BR-FR"),
    "mentions": Text("Mentions légales", "Legal mentions"),
    "business": Text("Cohérence", "Coherence"),
    "cdar": Text("Message de cycle de vie", "Lifecycle message"),
    "flux10": Text("E-reporting (flux 10)", "E-reporting (flow 10)"),
}
REASONS: Final[Mapping[str, Text]] = {
    "blocked-by:xsd": Text("le schéma n'est pas respecté", "the schema is broken"),
    "seller-not-french": Text("le vendeur n'est pas français", "the seller is not French"),
    "replaced-by:extended": Text("remplacé par le profil étendu", "replaced by the extended profile"),
    "rule-set-missing": Text("jeu de règles indisponible", "rule set unavailable"),
    "rule-set-altered": Text("jeu de règles altéré", "rule set altered"),
    "dynamic-error": Text("valeur incalculable", "value that cannot be computed with"),
    "published-form": Text("forme publiée, plus lente", "published form, slower"),
    "unreadable": Text("document illisible", "unreadable document"),
    "unreadable-file": Text("fichier illisible", "unreadable file"),
    "poison": Text("hors des limites", "out of limits"),
    "not-an-invoice": Text("pas une facture", "no invoice"),
    "malformed-xml": Text("XML illisible", "unreadable XML"),
    "forbidden-doctype": Text("DOCTYPE interdit", "forbidden DOCTYPE"),
    "limit-exceeded": Text("limite dépassée", "limit exceeded"),
    "bad-value": Text("contenu illisible", "unreadable content"),
}
"""Why a layer did not run, in words; another reason is shown as it is."""

UNRUN: Final = ("blocked-by", "unreadable", "poison")
"""Beginnings of the reasons for which a layer that should have spoken did not."""

LABELS: Final[Mapping[str, Text]] = {
    "todo": Text("À faire", "To do"),
    "why": Text("Pourquoi", "Why"),
    "where": Text("Où", "Where"),
    "line": Text("ligne", "line"),
    "ruling": Text("Notre avis", "Our ruling"),
    "layers": Text("Contrôles effectués", "Checks made"),
    "layer": Text("Couche", "Layer"),
    "outcome": Text("Résultat", "Outcome"),
    "rule_set": Text("Jeu de règles", "Rule set"),
    "findings": Text("Constats", "Findings"),
    "report": Text("Rapport de contrôle", "Validation report"),
    "nothing": Text("Aucune anomalie.", "Nothing to report."),
    "not_all": Text("tous les contrôles n'ont pas pu être menés", "not every check could be made"),
    "others": Text("autres", "others"),
    "profile": Text("profil", "profile"),
    "patches": Text("Corrections certaines, vérifiées", "Certain corrections, checked"),
}


def said(text: Text | None, language: str) -> str:
    """One language of a text; empty for none."""
    return "" if text is None else text.en if language == "en" else text.fr


def label(name: str, language: str) -> str:
    """A word of the report itself."""
    return said(LABELS[name], language)


def reason(layer: LayerOutcome, language: str) -> str:
    """Why a layer did not run or gave up."""
    code = layer.reason or ""
    fault = READING.get(code)
    known = Text(fault.fr, fault.en) if fault else REASONS.get(code)
    return said(known, language) if known else code


def summary(report: Report, language: str) -> str:
    """`3 problèmes, 11 règles` or what stands for nothing; and whether a layer that should have run did not."""
    return _counted(report, language) + (f" · {label('not_all', language)}" if not_run(report) else "")


def _counted(report: Report, language: str) -> str:
    if not report.problems:
        return label("nothing", language)
    problems, rules = len(report.problems), len({rule for each in report.problems for rule in each.rules})
    if language == "en":
        return f"{problems} {'problem' if problems == 1 else 'problems'}, {rules} {'rule' if rules == 1 else 'rules'}"
    return f"{problems} {'problème' if problems == 1 else 'problèmes'}, {rules} {'règle' if rules == 1 else 'règles'}"


def not_run(report: Report) -> tuple[LayerOutcome, ...]:
    """The layers that should have spoken and did not."""
    return tuple(
        layer for layer in report.layers
        if layer.outcome is Outcome.ERROR
        or (layer.outcome is Outcome.SKIPPED and (layer.reason or "").startswith(UNRUN))
    )


@dataclass(frozen=True, slots=True)
class Block:
    """One problem with its findings, by rule."""

    problem: Problem
    rules: tuple[tuple[str, tuple[Finding, ...]], ...]

    @property
    def ruling(self) -> str | None:
        """Our word on a known defect, if one of the findings has it."""
        return next((finding.ruling for _, found in self.rules for finding in found if finding.ruling), None)


def blocks(report: Report) -> tuple[Block, ...]:
    """The problems of a report, the worst first, each with the findings that it is made of."""
    gathered: dict[str, dict[str, list[Finding]]] = {}
    for finding in report.findings:
        gathered.setdefault(finding.group or finding.rule, {}).setdefault(finding.rule, []).append(finding)
    return tuple(
        Block(problem, tuple((rule, tuple(found)) for rule, found in gathered.get(problem.id, {}).items()))
        for problem in report.problems
    )


def omitted(findings: Sequence[Finding]) -> int:
    """How many findings of a rule were not kept."""
    return sum(int(finding.values.get("omitted", "0")) for finding in findings)
