"""Run one layer of a pack over a document: findings first, then what became of the layer."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any, Final

from lxml import etree

from formats.syntax import Syntax
from schematron import supply
from validation import own_layers, stylesheet, xsd
from validation.document import Document
from validation.explain.catalogue import explained
from validation.findings import Finding, LayerOutcome, Outcome, Severity, Text
from validation.locations import Place, path_of
from validation.packs import Step
from validation.pointers import pointer_for
from validation.published import advised, finding_of
from validation.refusals import translated

OWN_RULE_SET: Final = "passerelle"
OWN_VERSION: Final = "0.1.0"
"""As pyproject.toml has it; asking for it takes a command longer than it takes to find its rules."""

QUOTED: Final = re.compile(r"\"([^\"]+)\"")


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a layer, with all its findings."""

    outcome: LayerOutcome
    findings: tuple[Finding, ...] = ()
    ours: bool = False
    """It could not finish, and not because of the document."""


@dataclass(frozen=True)
class Subject:
    """What a layer judges: the document, the bytes it came in, and as of when."""

    document: Document
    source: bytes
    as_of: date

    @cached_property
    def tree(self) -> Any:
        """The document as the rule engine holds it, made once for all rule sets. Raises EngineFailure."""
        assert self.document.root is not None  # noqa: S101 - run_unreadable is for documents without one
        return stylesheet.tree_of(self.document.root)


def run_layer(step: Step, subject: Subject, *, blocked_by: str | None) -> Result:
    """Run, skip or give up one layer. Never raises for a bad document."""
    reason = step.skipped or (f"blocked-by:{blocked_by}" if blocked_by and not step.named else None)
    if reason is not None:
        return Result(_outcome(step, Outcome.SKIPPED, reason=reason))
    if step.missing is not None:
        return _given_up(step, step.missing)
    if step.rule_set is None:
        return _run_own(step, subject)
    try:
        return _run_published(step, step.rule_set, subject)
    except supply.RuleSetAltered as error:
        return _given_up(step, str(error), "rule-set-altered")
    except supply.RuleSetError as error:
        return _given_up(step, str(error))


def run_unreadable(steps: Sequence[Step], document: Document) -> list[Result]:
    """The results where nothing can be judged: the first layer that should run says why, the others are skipped."""
    results: list[Result] = []
    for step in steps:
        if any(result.findings for result in results) or step.skipped:
            results.append(Result(_outcome(step, Outcome.SKIPPED, reason=step.skipped or "unreadable")))
        else:
            finding = explained(own_layers.unreadable(step.layer, document))
            results.append(Result(_outcome(step, Outcome.FAILED, reason="unreadable", total=1), (finding,)))
    return results


def _run_published(step: Step, rule_set: supply.RuleSet, subject: Subject) -> Result:
    document, root = subject.document, subject.document.root
    assert root is not None  # noqa: S101 - run_unreadable is for documents without one
    if step.layer == "xsd":
        schema = xsd.loaded(rule_set.key)
        started = time.perf_counter()
        return _judged(step, tuple(map(advised, xsd.run(schema, root))), started)
    rules = stylesheet.compiled(rule_set.key)
    started = time.perf_counter()
    profile, syntax = document.opened.profile.value, document.opened.syntax.value
    try:
        heard = stylesheet.run(rules, root, subject.tree)
        findings = tuple(finding_of(fired, rule_set, profile, syntax) for fired in heard)
    except stylesheet.EngineFailure as failure:
        finding = _engine_failure(step.layer, failure, document)
        outcome = _outcome(step, Outcome.ERROR, reason="dynamic-error", total=1, started=started)
        return Result(outcome, (finding,))
    if document.opened.syntax is Syntax.JSON:
        findings = tuple(
            replace(f, location=pointer_for(document.invoice, f.terms, f.location), line=None) for f in findings
        )
    return _judged(step, findings, started, reason=None if rules.prepared else "published-form")


def _run_own(step: Step, subject: Subject) -> Result:
    if step.layer == "mentions" and subject.document.invoice is None and not step.named:
        return Result(_outcome(step, Outcome.SKIPPED, reason="unreadable"))
    started = time.perf_counter()
    findings = own_layers.findings(step.layer, subject.document, subject.source, subject.as_of)
    return _judged(step, tuple(map(explained, findings)), started)


def _engine_failure(layer: str, failure: stylesheet.EngineFailure, document: Document) -> Finding:
    """The document gave the rules something they cannot compute with; where it stands, if the message quotes it."""
    quoted = QUOTED.findall(str(failure))
    element = None if document.opened.syntax is Syntax.JSON else _first_with_text(document, quoted)
    return explained(
        Finding(
            rule="PAS-ENGINE-01",
            severity=Severity.ERROR,
            layer=layer,
            message=Text(
                fr=f"Les règles n'ont pas pu être calculées sur ce document : {failure}.",
                en=f"The rules could not be computed on this document: {failure}.",
            ),
            location=element.path if element else None,
            line=element.line if element else None,
            values={"value": quoted[0]} if quoted else {},
        )
    )


def _first_with_text(document: Document, texts: Sequence[str]) -> Place | None:
    if not texts or document.root is None:
        return None
    found = next((e for e in document.root.iter(etree.Element) if (e.text or "") == texts[0]), None)
    return Place(path_of(found), found.sourceline) if found is not None else None


def _judged(step: Step, findings: tuple[Finding, ...], started: float, *, reason: str | None = None) -> Result:
    failed = any(finding.severity.blocks and finding.blocks for finding in findings)
    outcome = Outcome.FAILED if failed else Outcome.PASSED
    return Result(_outcome(step, outcome, reason=reason, total=len(findings), started=started), findings)


def _given_up(step: Step, why: str, reason: str = "rule-set-missing") -> Result:
    """We failed: the rule set is missing or altered. Says nothing about the document."""
    what = Text("altéré", "altered") if reason == "rule-set-altered" else Text("indisponible", "unavailable")
    french = translated(why, "rule_set") or why
    finding = explained(
        Finding(
            rule="PAS-ENGINE-02",
            severity=Severity.WARNING,
            layer=step.layer,
            message=Text(fr=f"Jeu de règles {what.fr} : {french}.", en=f"Rule set {what.en}: {why}."),
        )
    )
    return Result(_outcome(step, Outcome.ERROR, reason=reason, total=1), (finding,), ours=True)


def _outcome(
    step: Step, outcome: Outcome, *, reason: str | None = None, total: int = 0, started: float | None = None
) -> LayerOutcome:
    own = step.rule_set is None and outcome is not Outcome.SKIPPED and step.missing is None
    return LayerOutcome(
        layer=step.layer,
        outcome=outcome,
        reason=reason,
        rule_set=OWN_RULE_SET if own else step.rule_set.id if step.rule_set else None,
        version=OWN_VERSION if own else step.rule_set.version if step.rule_set else None,
        sha256=step.rule_set.sha256 if step.rule_set else None,
        findings_total=total,
        duration_ms=(time.perf_counter() - started) * 1000 if started is not None else 0.0,
    )
