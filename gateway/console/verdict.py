"""A validation report arranged for reading: one block per cause, blocking ones first. Works on the kept JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.console.words import SEVERITIES, VERDICTS, Word

VALUES = {"value": "Valeur", "declared": "Déclaré", "expected": "Attendu", "computed": "Calculé"}
"""The names of values, as the reader sees them; others show as they are."""

UNRUN = ("blocked-by", "unreadable", "poison")
"""Beginnings of the reasons for which a layer that should have spoken did not."""

WEIGHT = {"fatal": 0, "error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True, slots=True)
class Cause:
    """Findings that have one cause, usually one rule."""

    word: Word
    severity: str
    findings: Sequence[Mapping[str, Any]]
    title: str = ""
    """What several rules have in common; empty where one rule speaks."""

    @property
    def first(self) -> Mapping[str, Any]:
        """The finding that speaks for all."""
        return self.findings[0]

    @property
    def message(self) -> str:
        """What is wrong, in French."""
        return self.title or text(self.first.get("message"))

    @property
    def why(self) -> str:
        """Why it fires, in French; may be empty."""
        return text(self.first.get("cause"))

    @property
    def steps(self) -> list[tuple[str, str, str]]:
        """Rule, message and remedy of each rule, where several have this cause."""
        firsts = {finding["rule"]: finding for finding in reversed(self.findings)}
        return [(rule, text(firsts[rule].get("message")), text(firsts[rule].get("remedy"))) for rule in self.rules]

    @property
    def remedy(self) -> str:
        """What to change, in French; may be empty."""
        return text(self.first.get("remedy"))

    @property
    def values(self) -> Mapping[str, str]:
        """What the document says and what was expected, unless the message quotes it anyway."""
        found = {name: value for name, value in (self.first.get("values") or {}).items() if name != "omitted"}
        quoted = all(value in self.message for value in found.values())
        return {} if quoted else {VALUES.get(name, name): value for name, value in found.items()}

    @property
    def rules(self) -> list[str]:
        """The ids of the rules that fired, each once."""
        return list(dict.fromkeys(finding["rule"] for finding in self.findings))

    @property
    def terms(self) -> list[str]:
        """The business terms concerned, each once."""
        return list(dict.fromkeys(term for finding in self.findings for term in finding.get("terms") or ()))


@dataclass(frozen=True, slots=True)
class Reading:
    """A report ready for the page."""

    word: Word
    report: Mapping[str, Any]
    causes: Sequence[Cause]

    @property
    def blocking(self) -> int:
        """How many causes block."""
        return sum(WEIGHT[cause.severity] == 0 for cause in self.causes)

    @property
    def rules(self) -> int:
        """How many rules have spoken."""
        return len({rule for cause in self.causes for rule in cause.rules})

    @property
    def silent(self) -> list[Mapping[str, Any]]:
        """The layers that should have spoken and did not."""
        return [layer for layer in self.report["layers"]
                if layer["outcome"] == "error" or str(layer.get("reason") or "").startswith(UNRUN)]

    @property
    def warnings(self) -> int:
        """How many causes only warn."""
        return sum(cause.severity == "warning" for cause in self.causes)


def arrange(report: Mapping[str, Any]) -> Reading:
    """Group the findings of a report (machine contract) by cause, the worst first."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for finding in report["findings"]:
        groups.setdefault(finding.get("group") or finding["rule"], []).append(finding)
    titles = {problem["id"]: text(problem["title"]) for problem in report.get("problems") or ()}
    causes = []
    for name, found in groups.items():
        severity = min(map(weight, found), key=lambda each: WEIGHT.get(each, 3))
        several = len({finding["rule"] for finding in found}) > 1
        causes.append(
            Cause(SEVERITIES.get(severity, Word(severity)), severity, found, titles.get(name, "") if several else "")
        )
    causes.sort(key=lambda cause: WEIGHT.get(cause.severity, 3))
    return Reading(VERDICTS.get(report["verdict"], Word(report["verdict"])), report, causes)


def weight(finding: Mapping[str, Any]) -> str:
    """The severity as it counts: what our ruling lets pass only warns. Reports of former days do not say it."""
    severity = str(finding["severity"])
    return "warning" if WEIGHT.get(severity) == 0 and finding.get("blocks") is False else severity


def text(value: Any) -> str:
    """The French of a bilingual text."""
    return str(value.get("fr") or value.get("en") or "") if isinstance(value, Mapping) else ""
