"""validate() and inspect(): open a document once, run the layers of its pack in order, say what they found.

Neither raises for a bad document. Both belong into a workshop process: the engines below cannot be interrupted.
"""

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from formats.errors import FormatError, NothingInside
from formats.opening import open_document
from formats.syntax import Syntax
from schematron.rule_set import ADDED
from schematron.supply import RuleSetError, RuleSetMissing, get_rule_set, rule_sets
from validation import refusals, stylesheet, xsd
from validation.document import Document, read_document
from validation.explain import figures, grouping
from validation.findings import Finding, Outcome, Report, Verdict
from validation.layers import Result, Subject, run_layer, run_unreadable
from validation.packs import APPLICABLE, LAYERS, Step, plan
from validation.packs import Subject as Pack
from validation.wire import Inspection

USUAL: Final = ("en16931-ubl", "facturx-en16931", "br-fr-flux2-cii", "br-fr-flux2-ubl")
USUAL_SCHEMAS: Final = ("ubl-2.1-invoice", "ubl-2.1-credit-note", "cii-d22b", "facturx-en16931-xsd")


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for."""

    as_of: date
    rules: tuple[str, ...] = ()
    """Ids of rule sets, each in place of the one that would decide its layer."""

    layers: tuple[str, ...] = ()
    """Only these layers, in the order of the contract, whatever another layer, BT-24 or the country says."""

    max_findings: int = 100
    """Kept per rule; 0 keeps all."""


def validate(document: bytes, options: Options) -> Report:
    """The report on a document of any kind."""
    return inspect(document, options).report


def inspect(document: bytes, options: Options) -> Inspection:
    """The report and the invoice, from one parse."""
    started = time.perf_counter()
    try:
        opened = open_document(document)
    except FormatError as error:
        return Inspection(refusals.refused(document, error, _since(started)), None)
    if opened.syntax is Syntax.PDF:
        return Inspection(refusals.refused(document, NothingInside(), _since(started)), None)
    if opened.syntax.value not in APPLICABLE:
        return Inspection(refusals.not_ours(opened, _since(started)), None)
    read = read_document(opened)
    elapsed = _since(started)
    results = _run_layers(read, document, options)
    elapsed += sum(result.outcome.duration_ms for result in results)
    kept = capped((f for result in results for f in result.findings), options.max_findings)
    findings = grouping.grouped([figures.told(finding, read) for finding in kept])
    report = Report(
        verdict=_verdict(results),
        syntax=opened.syntax.value,
        profile=opened.profile.value,
        specification_identifier=opened.specification_identifier,
        layers=tuple(result.outcome for result in results),
        findings=findings,
        problems=grouping.problems(findings),
        elapsed_ms=elapsed,
    )
    return Inspection(report, read.invoice, read.unmapped)


def check_options(options: Options) -> None:
    """Refuse names that do not exist, before any document is read.

    Raises:
        ValueError: an unknown layer or rule set; the text names it.
    """
    for layer in options.layers:
        if layer not in LAYERS:
            raise ValueError(f"no layer {layer!r}; there are {', '.join(LAYERS)}")
    for rule_set in options.rules:
        try:
            get_rule_set(rule_set)
        except RuleSetMissing as missing:
            raise ValueError(str(missing)) from missing


def warm() -> None:
    """Compile the rule sets that nearly every document needs, and those that an operator added."""
    for schema in USUAL_SCHEMAS:
        xsd.loaded(schema)
    for rule_set in USUAL:
        stylesheet.compiled(rule_set)
    for added in (each for each in rule_sets() if each.origin == ADDED):
        with suppress(RuleSetError):  # whoever it decides for is told
            stylesheet.compiled(added.key)


def capped(findings: Iterable[Finding], most: int) -> list[Finding]:
    """At most so many findings of each rule and layer, in their order; the last one kept says how many are not."""
    kept: list[Finding] = []
    last: dict[tuple[str, str], int] = {}
    seen: dict[tuple[str, str], int] = {}
    for finding in findings:
        key = (finding.layer, finding.rule)
        seen[key] = seen.get(key, 0) + 1
        if not most or seen[key] <= most:
            last[key] = len(kept)
            kept.append(finding)
    for key, count in seen.items():
        if most and count > most:
            final = kept[last[key]]
            kept[last[key]] = replace(final, values={**final.values, "omitted": str(count - most)})
    return kept


def _run_layers(read: Document, source: bytes, options: Options) -> list[Result]:
    opened = read.opened
    pack = Pack(opened.syntax.value, opened.profile.value, read.seller_is_french, opened.attachment is not None)
    subject = Subject(read, source, options.as_of)
    steps = plan(pack, layers=options.layers, rules=options.rules, on=options.as_of)
    if read.unreadable is not None and read.root is None:
        return run_unreadable(steps, read)
    results: list[Result] = []
    blocked_by = None
    for step in steps:
        if step.rule_set is not None and step.rule_set.key in stylesheet.BESIDE and blocked_by is None:
            _compile_meanwhile(steps)
        results.append(run_layer(step, subject, blocked_by=blocked_by))
        if step.layer == "xsd" and results[-1].outcome.outcome is Outcome.FAILED:
            blocked_by = "xsd"
    return results


def _compile_meanwhile(steps: Sequence[Step]) -> None:
    """Compile what this process has to run itself, while the one beside it still compiles. Failures are told later."""
    for step in steps:
        if step.rule_set is not None and step.layer != "xsd" and step.rule_set.key not in stylesheet.BESIDE:
            with suppress(RuleSetError):
                stylesheet.compiled(step.rule_set.key)


def _verdict(results: Sequence[Result]) -> Verdict:
    """Invalid as soon as one blocking finding stands; else error if we could not finish; else valid."""
    if any(finding.severity.blocks and finding.blocks for result in results for finding in result.findings):
        return Verdict.INVALID
    return Verdict.ERROR if any(result.ours for result in results) else Verdict.VALID


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
