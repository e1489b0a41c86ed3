"""What validation says: findings, the outcome of each layer, and the report as the machine contract has it.

Pure and dependency-free, so that the service may hold reports without an XML library.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding weighs."""

    FATAL = "fatal"
    """Published flag fatal, or a published assert or report without a flag."""

    ERROR = "error"
    """A blocking rule of our own."""

    WARNING = "warning"
    """Published flag warning, or a warning of our own. Blocks nothing."""

    INFO = "info"
    """Blocks nothing."""

    @property
    def blocks(self) -> bool:
        """Whether a finding of this severity makes a document invalid."""
        return self in {Severity.FATAL, Severity.ERROR}


class Outcome(StrEnum):
    """What became of a layer."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


class Verdict(StrEnum):
    """What became of a document. ERROR means that we failed, not the document."""

    VALID = "valid"
    INVALID = "invalid"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Text:
    """A text for people, in French and in English."""

    fr: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a rule says about a document."""

    rule: str
    """The published id, else the first bracketed code of its text, else `<rule_set>#<12 hex>`."""

    severity: Severity
    layer: str
    message: Text
    terms: tuple[str, ...] = ()
    """Business terms concerned, e.g. ("BT-131",)."""

    aliases: tuple[str, ...] = ()
    """Other ids of the same rule."""

    location: str | None = None
    """XPath with the prefixes rsm ram udt qdt ubl cn cac cbc; JSON pointer for JSON."""

    line: int | None = None
    """Line in the XML or JSON text, 1-based."""

    title: Text | None = None
    """What the rule is about, in a few words."""

    cause: Text | None = None
    """Why it fires, with the figures of this document where there are some."""

    remedy: Text | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    """What the document says and what was expected, text to text."""

    group: str | None = None
    """Findings with the same group have one cause."""

    ruling: str | None = None
    """Our word on a known defect of a published rule."""

    blocks: bool = True
    """False where a ruling lowers what this finding does to the verdict."""

    @property
    def weight(self) -> Severity:
        """The severity as it counts here: what a ruling lets pass only warns."""
        return Severity.WARNING if self.severity.blocks and not self.blocks else self.severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Findings that have one cause: to be read, and mended, as one."""

    id: str
    """The `group` of its findings, or the rule where a rule stands alone."""

    title: Text
    severity: Severity
    """The worst of its findings, as they count here."""

    rules: tuple[str, ...]
    findings: int
    remedy: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One replacement in the source bytes."""

    offset: int
    """In bytes, from 0."""

    line: int
    old: str
    new: str
    location: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of a JSON Patch (RFC 6902): `test`, `replace` or `add` of a text."""

    op: str
    path: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """A correction that is certain, proved by validating the corrected document."""

    id: str
    """Stable for the same bytes: the rule that it cures, or `sum:` and the term of a total."""

    title: Text
    rules: tuple[str, ...]
    """The rules that speak no longer."""

    edits: tuple[Edit, ...]
    operations: tuple[Operation, ...] = ()
    """The same as a JSON Patch, for a document in our JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerOutcome:
    """What became of one layer: `container pdfa xsd en16931 extended br-fr mentions business cdar flux10`."""

    layer: str
    outcome: Outcome
    reason: str | None = None
    rule_set: str | None = None
    version: str | None = None
    sha256: str | None = None
    findings_total: int = 0
    duration_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The answer about one document."""

    verdict: Verdict
    syntax: str
    profile: str
    specification_identifier: str | None
    layers: tuple[LayerOutcome, ...]
    findings: tuple[Finding, ...]
    elapsed_ms: float = 0.0
    problems: tuple[Problem, ...] = ()
    """The findings by cause, the worst first."""

    def rules(self, *severities: Severity) -> set[str]:
        """The ids of the rules that fired, of these severities or of all."""
        return {f.rule for f in self.findings if not severities or f.severity in severities}

    def to_json(self) -> dict[str, object]:
        """The object of the machine contract, without `file` (the caller knows how it was typed)."""
        return {
            "verdict": self.verdict.value,
            "syntax": self.syntax,
            "profile": self.profile,
            "specification_identifier": self.specification_identifier,
            "layers": [layer_json(layer) for layer in self.layers],
            "findings": [finding_json(finding) for finding in self.findings],
            "problems": [problem_json(problem) for problem in self.problems],
            "elapsed_ms": round(self.elapsed_ms, 3),
        }


def layer_json(layer: LayerOutcome) -> dict[str, object]:
    """One entry of `layers` in the machine contract."""
    return {
        "layer": layer.layer,
        "outcome": layer.outcome.value,
        "reason": layer.reason,
        "rule_set": layer.rule_set,
        "version": layer.version,
        "sha256": layer.sha256,
        "findings_total": layer.findings_total,
        "duration_ms": round(layer.duration_ms, 3),
    }


def finding_json(finding: Finding) -> dict[str, object]:
    """One entry of `findings` in the machine contract."""
    return {
        "rule": finding.rule,
        "aliases": list(finding.aliases),
        "severity": finding.severity.value,
        "layer": finding.layer,
        "terms": list(finding.terms),
        "location": finding.location,
        "line": finding.line,
        "message": text_json(finding.message),
        "title": text_json(finding.title) if finding.title is not None else None,
        "cause": text_json(finding.cause) if finding.cause is not None else None,
        "remedy": text_json(finding.remedy) if finding.remedy is not None else None,
        "values": dict(finding.values),
        "group": finding.group,
        "ruling": finding.ruling,
        "blocks": finding.severity.blocks and finding.blocks,
    }


def problem_json(problem: Problem) -> dict[str, object]:
    """One entry of `problems`."""
    return {
        "id": problem.id,
        "title": text_json(problem.title),
        "severity": problem.severity.value,
        "rules": list(problem.rules),
        "findings": problem.findings,
        "remedy": text_json(problem.remedy) if problem.remedy is not None else None,
    }


def patch_json(patch: Patch) -> dict[str, object]:
    """One entry of `patches`."""
    return {
        "id": patch.id,
        "title": text_json(patch.title),
        "rules": list(patch.rules),
        "edits": [
            {"offset": each.offset, "line": each.line, "old": each.old, "new": each.new, "location": each.location}
            for each in patch.edits
        ],
        "json_patch": [{"op": each.op, "path": each.path, "value": each.value} for each in patch.operations] or None,
    }


def text_json(text: Text) -> dict[str, str]:
    """A bilingual text as `{fr, en}`."""
    return {"fr": text.fr, "en": text.en}
