"""Findings by cause: what one mistake makes several rules say is one problem.

Which rules belong together is data (explain/causes.toml). Beyond that, blocking rules about the same term at the same
place are one problem, since the same value has to change. The outcome depends on the findings only, not their order
in time; ids are stable from one run to the next.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from validation.explain.catalogue import find_explanation
from validation.explain.data import data
from validation.findings import Finding, Problem, Severity, Text

WEIGHTS: Final = tuple(Severity)
SCOPE: Final = re.compile(r"^(.*?/(?:cac:(?:Invoice|CreditNote)Line|cac:TaxSubtotal|cac:AllowanceCharge|"
                          r"ram:IncludedSupplyChainTradeLineItem|ram:ApplicableTradeTax|ram:SpecifiedTradeAllowanceCharge)\[\d+\])")
POINTER: Final = re.compile(r"^(/(?:lines|vat_breakdown|allowances|charges)/\d+)")


@dataclass(frozen=True, slots=True)
class Cause:
    """One line of causes.toml."""

    id: str
    by: str
    rules: tuple[re.Pattern[str], ...]
    title: Text


@cache
def causes() -> tuple[Cause, ...]:
    """All causes, in the order in which they are tried."""
    return tuple(
        Cause(each["id"], each["by"], tuple(re.compile(rule) for rule in each["rules"]), Text(each["fr"], each["en"]))
        for each in data("causes.toml")["cause"]
    )


def grouped(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings with their group; one that stands alone keeps what it had, mostly None."""
    keys = [_key(finding) for finding in findings]
    figures = _components([finding for finding, key in zip(findings, keys, strict=True) if key == "amounts"])
    named = [
        f"amounts:{figures[_figure_terms(finding)]}" if key == "amounts" else key
        for finding, key in zip(findings, keys, strict=True)
    ]
    rules: dict[str, set[str]] = {}
    for finding, key in zip(findings, named, strict=True):
        if key is not None:
            rules.setdefault(key, set()).add(finding.rule)
    return tuple(
        replace(finding, group=key) if key is not None and len(rules[key]) > 1 else finding
        for finding, key in zip(findings, named, strict=True)
    )


def problems(findings: Iterable[Finding]) -> tuple[Problem, ...]:
    """The problems that the findings make, the worst first, then in the order in which they appear."""
    gathered: dict[str, list[Finding]] = {}
    for finding in findings:
        gathered.setdefault(finding.group or finding.rule, []).append(finding)
    made = [_problem(name, found) for name, found in gathered.items()]
    return tuple(sorted(made, key=lambda problem: WEIGHTS.index(problem.severity)))


def _problem(name: str, findings: Sequence[Finding]) -> Problem:
    worst = min(findings, key=lambda finding: WEIGHTS.index(finding.weight))
    rules = tuple(dict.fromkeys(finding.rule for finding in findings))
    cause = next((cause for cause in causes() if name.partition(":")[0] == cause.id), None)
    title = cause.title if cause and len(rules) > 1 else worst.title or worst.message
    count = sum(1 + int(finding.values.get("omitted", "0")) for finding in findings)
    return Problem(id=name, title=title, severity=worst.weight, rules=rules, findings=count, remedy=worst.remedy)


def _key(finding: Finding) -> str | None:
    """What a finding may share with others: a cause, else its term and place."""
    if finding.group is not None:
        return finding.group
    names = (finding.rule, *finding.aliases)
    for cause in causes():
        if any(pattern.search(name) for pattern in cause.rules for name in names):
            if cause.by == "figures":
                return cause.id
            return cause.id if cause.by == "document" else f"{cause.id}:{_scope(finding)}"
    explanation = find_explanation(*finding.aliases, finding.rule)
    terms = finding.terms or (explanation.terms if explanation else ())
    if not terms or not finding.location or not finding.severity.blocks:
        return None
    return f"{terms[0]}:{finding.location}"


def _scope(finding: Finding) -> str:
    location = finding.location or ""
    found = SCOPE.match(location) or POINTER.match(location)
    return found.group(1) if found else location


def _figure_terms(finding: Finding) -> tuple[str, ...]:
    return tuple(sorted({term for term in finding.terms if term.startswith("BT-") and term != "BT-118"}))


def _components(findings: Sequence[Finding]) -> Mapping[tuple[str, ...], str]:
    """Sets of terms to the smallest term of all sets that hang together with them."""
    sets = sorted({_figure_terms(finding) for finding in findings})
    groups: list[set[str]] = []
    for terms in sets:
        touching = [group for group in groups if group & set(terms)]
        groups = [group for group in groups if group not in touching] + [set(terms).union(*touching)]
    smallest = {term: min(group, key=_number) for group in groups for term in group}
    return {terms: smallest[terms[0]] if terms else "" for terms in sets}


def _number(term: str) -> tuple[int, str]:
    digits = re.search(r"\d+", term)
    return (int(digits.group()) if digits else 0, term)
