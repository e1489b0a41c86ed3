"""Every invoice of the corpus: which rules of our own speak, and whether one blocks what the published rules accept.

Prints the count per rule (findings, documents) and every document that the published rules accept and one of our
errors refuses; those of tests/vectors/validation/defended.toml are known, with the reason. Exits 1 on another.
"""

import os
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from validation.findings import Report, Severity
from validation.packs import OWN_LAYERS
from validation.rules import registry
from validation.run import Options, validate

ROOT = Path(__file__).parents[2]
CORPUS = Path(os.environ.get("PASSERELLE_CORPUS", ROOT.parent / "shared" / "corpus"))
DEFENDED = ROOT / "tests" / "vectors" / "validation" / "defended.toml"
AS_OF = date(2026, 11, 21)
INVOICES = {"ubl-invoice", "ubl-credit-note", "cii", "factur-x"}
ELSEWHERE = {"cen-unit", "phive-france-cdar"}
"""Fragments and lifecycle messages: no invoices."""

OURS = {rule.id for rule in registry.RULES}
STAND_INS = {rule.id for rule in registry.RULES if getattr(rule, "aliases", ())}
"""They say what published rules say that did not run, and refuse what those refuse."""


@dataclass(frozen=True)
class Judged:
    """One document of the corpus with its report."""

    name: str
    report: Report

    @property
    def accepted(self) -> bool:
        """Whether the schema and the published rules have nothing against it."""
        return not any(f.severity.blocks and f.blocks for f in self.report.findings if f.layer not in OWN_LAYERS)

    @property
    def blocking(self) -> set[str]:
        """Our rules that refuse it."""
        return {f.rule for f in self.report.findings if f.rule in OURS - STAND_INS and f.severity is Severity.ERROR}


def judged(corpus: Path) -> Iterator[Judged]:
    """Every invoice outside bad-*, all findings."""
    for path in sorted(corpus.rglob("*")):
        inside = path.relative_to(corpus)
        if path.suffix.lower() not in {".xml", ".pdf"} or inside.parts[0].startswith("bad-"):
            continue
        if inside.parts[0] in ELSEWHERE:
            continue
        report = validate(path.read_bytes(), Options(AS_OF, max_findings=0))
        if report.syntax in INVOICES:
            yield Judged(str(inside), report)


def defended() -> dict[str, dict[str, str]]:
    """Document to rule to the reason why our error stands although the published rules accept the document."""
    return tomllib.loads(DEFENDED.read_text("utf-8"))


def main() -> int:
    if not CORPUS.is_dir():
        print(f"no corpus at {CORPUS}: nothing done")
        return 0
    started, known, open_cases = time.perf_counter(), defended(), 0
    findings: Counter[str] = Counter()
    documents: Counter[str] = Counter()
    accepted_documents: Counter[str] = Counter()
    total = Counter[str]()
    for each in judged(CORPUS):
        total["documents"] += 1
        total["accepted by the published rules"] += each.accepted
        ours = [f.rule for f in each.report.findings if f.rule in OURS]
        findings.update(ours)
        documents.update(set(ours))
        accepted_documents.update(set(ours) if each.accepted else ())
        for rule in sorted(each.blocking) if each.accepted else ():
            reason = known.get(each.name, {}).get(rule)
            open_cases += reason is None
            print(f"{'defended' if reason else 'UNDEFENDED'} {rule} {each.name}: {reason or ''}")
    severities = {rule.id: rule.severity.value for rule in registry.RULES}
    print(f"{'rule':<16}{'severity':<10}{'findings':>9}{'documents':>10}{'accepted':>9}")
    for rule, severity in severities.items():
        print(f"{rule:<16}{severity:<10}{findings[rule]:>9}{documents[rule]:>10}{accepted_documents[rule]:>9}")
    for label, count in total.items():
        print(f"{label:<40}{count}")
    print(f"{'errors of ours without a defence':<40}{open_cases}")
    print(f"{'seconds':<40}{time.perf_counter() - started:.1f}")
    return 1 if open_cases else 0


if __name__ == "__main__":
    sys.exit(main())
