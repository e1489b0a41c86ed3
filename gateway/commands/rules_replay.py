"""`passerelle rules replay`: judge invoices of the past again, under other rules, and say what would change.

Each kept document is judged twice by the same program: as on the day it came, and under `--rules` or as of `--as-of`;
so a difference is the rules' doing and nobody else's. Where the verdict of its day cannot be reached again (another
version of ours judged it then), the line says what was said. Reads the database and changes nothing.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.engine import make_url

from archive.store import Digest
from gateway.assembly import objects_of
from gateway.clock import wall_clock
from gateway.db import EVERY_TENANT, Database
from gateway.deps import PARIS
from gateway.settings import Settings, UnsafeSetup
from gateway.tables import Document, LegalEntity, Submission, Tenant
from schematron.supply import get_rule_set
from validation.findings import Report
from validation.workshop import Workshop

JUDGED: Final = ("sent", "original")
"""Roles of the document that was judged, the one that counts first."""

PROGRESS_EVERY: Final = 2.0
"""Seconds."""

Finding = tuple[str, str, str]
"""Layer, rule, location."""


@dataclass(frozen=True, slots=True)
class Past:
    """One invoice as it was taken in."""

    id: str
    number: str | None
    day: date
    """In France."""

    verdict: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Change:
    """What the other rules make of one invoice."""

    past: Past
    before: Report
    after: Report

    @property
    def gained(self) -> Counter[Finding]:
        """Findings that would come."""
        return _findings(self.after) - _findings(self.before)

    @property
    def lost(self) -> Counter[Finding]:
        """Findings that would go."""
        return _findings(self.before) - _findings(self.after)

    @property
    def is_none(self) -> bool:
        """Whether nothing would change."""
        return self.before.verdict is self.after.verdict and not self.gained and not self.lost


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `replay`."""
    parser.add_argument("--rules", action="append", default=[], metavar="ID", help="in place of its layer's set")
    parser.add_argument("--as-of", type=date.fromisoformat, metavar="DATE", help="the sets in force that day")
    parser.add_argument("--from", dest="first", type=date.fromisoformat, metavar="DATE", help="default: last month")
    parser.add_argument("--to", dest="last", type=date.fromisoformat, metavar="DATE", help="this day included")
    parser.add_argument("--entity", metavar="SIREN")
    parser.add_argument("--tenant", metavar="NAME", help="default: all")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def replay(settings: Settings, options: argparse.Namespace) -> int:
    """Print what would change; 0 nothing, 1 something, 2 not all could be judged, or nothing to replay with."""
    if not options.rules and options.as_of is None:
        raise UnsafeSetup("replay needs --rules ID or --as-of DATE")
    for name in options.rules:
        get_rule_set(name)
    url = make_url(settings.database)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise UnsafeSetup(f"{url.database} n'existe pas / does not exist")
    first, last = period(options, wall_clock().astimezone(PARIS).date())
    db = Database(settings.database)
    try:
        pasts = invoices(db, options, first, last)
    finally:
        db.close()
    changes = []
    for change in judged(settings, pasts, options):
        changes.append(change)
        if options.format == "json":
            print(json.dumps({"kind": "invoice", **as_json(change)}, ensure_ascii=False), flush=True)
        elif not change.is_none:
            print("\n".join(as_text(change)), flush=True)
    total = summary(changes, first, last)
    if options.format == "json":
        print(json.dumps({"kind": "summary", **total}, ensure_ascii=False))
    else:
        print("\n".join(summary_text(total)))
    if total["not_judged"]:
        return 2
    return 1 if total["changed"] else 0


def period(options: argparse.Namespace, today: date) -> tuple[date, date]:
    """First and last day; without options the calendar month before today's."""
    ended = today.replace(day=1) - timedelta(days=1)
    return options.first or (options.last or ended).replace(day=1), options.last or (today if options.first else ended)


def invoices(db: Database, options: argparse.Namespace, first: date, last: date) -> list[Past]:
    """The submissions received in these days (French days), oldest first, with the document that was judged."""
    starts = datetime(first.year, first.month, first.day, tzinfo=PARIS).astimezone(UTC)
    after = last + timedelta(days=1)
    ends = datetime(after.year, after.month, after.day, tzinfo=PARIS).astimezone(UTC)
    with db.reading(EVERY_TENANT) as session:
        query = select(Submission).where(Submission.received_at >= starts, Submission.received_at < ends)
        if options.entity:
            entities = select(LegalEntity.id).where(LegalEntity.siren == options.entity)
            query = query.where(Submission.legal_entity_id.in_(entities))
        if options.tenant:
            query = query.where(Submission.tenant_id.in_(select(Tenant.id).where(Tenant.name == options.tenant)))
        found = []
        for row in session.scalars(query.order_by(Submission.received_at, Submission.id)):
            documents = {
                document.role: document.sha256
                for document in session.scalars(select(Document).where(Document.submission_id == row.id))
            }
            sha256 = next((documents[role] for role in JUDGED if role in documents), row.sha256)
            found.append(Past(row.id, row.number, row.received_at.astimezone(PARIS).date(), row.verdict, sha256))
        return found


def judged(settings: Settings, pasts: Sequence[Past], options: argparse.Namespace) -> Iterator[Change]:
    """Each invoice under both rules, in order; progress on standard error."""
    workers = settings.workshop_workers
    with objects_of(settings) as store, ThreadPoolExecutor(workers) as threads, Workshop(
            workers, memory_bytes=settings.workshop_bytes, seconds=settings.workshop_seconds,
            rules=settings.rules) as workshop:

        def change(past: Past) -> Change:
            document = store.get(Digest(past.sha256))
            before = workshop.inspect(document, as_of=past.day, max_findings=0).report
            after = workshop.inspect(document, as_of=options.as_of or past.day, rules=tuple(options.rules),
                                     max_findings=0).report
            return Change(past, before, after)

        said = time.monotonic()
        for count, each in enumerate(threads.map(change, pasts), start=1):
            if time.monotonic() - said > PROGRESS_EVERY or count == len(pasts):
                said = time.monotonic()
                print(f"{count}/{len(pasts)}", file=sys.stderr, flush=True)
            yield each


def as_json(change: Change) -> dict[str, Any]:
    """One invoice, for programs."""
    return {
        "id": change.past.id,
        "number": change.past.number,
        "received": change.past.day.isoformat(),
        "verdict_then": change.past.verdict,
        "before": change.before.verdict.value,
        "after": change.after.verdict.value,
        "rule_sets_before": _sets(change.before),
        "rule_sets_after": _sets(change.after),
        "gained": [_finding_json(finding, count) for finding, count in sorted(change.gained.items())],
        "lost": [_finding_json(finding, count) for finding, count in sorted(change.lost.items())],
    }


def as_text(change: Change) -> Iterator[str]:
    """One invoice that would change, for people."""
    then = change.past.verdict
    kept = f"  (dit alors / said then: {then})" if then != change.before.verdict else ""
    yield f"{change.past.number or change.past.id}  {change.before.verdict} → {change.after.verdict}{kept}"
    for mark, findings in (("+", change.gained), ("-", change.lost)):
        for (layer, rule, location), count in sorted(findings.items()):
            yield f"    {mark} {rule} ({layer}){f' × {count}' if count > 1 else ''}  {location}"


def summary(changes: Sequence[Change], first: date, last: date) -> dict[str, Any]:
    """All of it in figures. `rules`: by rule, in how many invoices it would come or go."""
    gained = Counter(rule for change in changes for rule in {finding[1] for finding in change.gained})
    lost = Counter(rule for change in changes for rule in {finding[1] for finding in change.lost})
    moves = Counter((c.before.verdict.value, c.after.verdict.value) for c in changes)
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "invoices": len(changes),
        "changed": sum(not change.is_none for change in changes),
        "not_judged": sum("error" in (c.before.verdict, c.after.verdict) for c in changes),
        "verdicts": [{"before": a, "after": b, "invoices": count} for (a, b), count in sorted(moves.items())],
        "rules": {rule: {"gained": gained[rule], "lost": lost[rule]} for rule in sorted({*gained, *lost})},
    }


def summary_text(total: dict[str, Any]) -> Iterator[str]:
    """The figures, for people."""
    yield (f"{total['from']} … {total['to']} : {total['invoices']} facture(s), {total['changed']} changerai(en)t / "
           f"invoices, would change")
    for move in total["verdicts"]:
        yield f"    {move['before']} → {move['after']} : {move['invoices']}"
    for rule, count in total["rules"].items():
        yield f"    {rule} : +{count['gained']} -{count['lost']}"
    if total["not_judged"]:
        yield f"    {total['not_judged']} n'ont pas pu être jugées / could not be judged"


def _findings(report: Report) -> Counter[Finding]:
    return Counter((f.layer, f.rule, f.location or "") for f in report.findings)


def _finding_json(finding: Finding, count: int) -> dict[str, Any]:
    return {"layer": finding[0], "rule": finding[1], "location": finding[2] or None, "count": count}


def _sets(report: Report) -> dict[str, str]:
    return {layer.layer: f"{layer.rule_set}@{layer.sha256[:12]}" for layer in report.layers
            if layer.rule_set and layer.sha256}
