"""`passerelle rules replay`: judge invoices of the past again, under other rules, and say what would change.

Each kept document is judged twice, as on the day it came, and under `--rules` or as of `--as-of`; see
gateway/replay/changes.py. The console has the same (/regles/rejeux). Reads the database and changes nothing.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any, Final

from sqlalchemy.engine import make_url

from gateway.assembly import objects_of
from gateway.clock import PARIS, wall_clock
from gateway.db import EVERY_TENANT, Database
from gateway.replay.changes import Change, Past, invoices, judge, period, summary
from gateway.settings import Settings, UnsafeSetup
from schematron.supply import get_rule_set
from validation.workshop import Workshop

PROGRESS_EVERY: Final = 2.0
"""Seconds."""


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
    first, last = period(options.first, options.last, wall_clock().astimezone(PARIS).date())
    db = Database(settings.database)
    try:
        with db.reading(EVERY_TENANT) as session:
            pasts = invoices(session, first, last, entity=options.entity or "", tenant=options.tenant or "")
    finally:
        db.close()
    changes = []
    for change in judged(settings, pasts, options):
        changes.append(change)
        if options.format == "json":
            print(json.dumps({"kind": "invoice", **change.to_json()}, ensure_ascii=False), flush=True)
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


def judged(settings: Settings, pasts: Sequence[Past], options: argparse.Namespace) -> Iterator[Change]:
    """Each invoice under both rules, in order; progress on standard error."""
    workers = settings.workshop_workers
    with objects_of(settings) as store, ThreadPoolExecutor(workers) as threads, Workshop(
            workers, memory_bytes=settings.workshop_bytes, seconds=settings.workshop_seconds,
            rules=settings.rules) as workshop:

        def change(past: Past) -> Change:
            return judge(store, workshop, past, as_of=options.as_of, rules=tuple(options.rules))

        said = time.monotonic()
        for count, each in enumerate(threads.map(change, pasts), start=1):
            if time.monotonic() - said > PROGRESS_EVERY or count == len(pasts):
                said = time.monotonic()
                print(f"{count}/{len(pasts)}", file=sys.stderr, flush=True)
            yield each


def as_text(change: Change) -> Iterator[str]:
    """One invoice that would change, for people."""
    then = change.past.verdict
    kept = f"  (dit alors / said then: {then})" if then != change.before else ""
    yield f"{change.past.number or change.past.id}  {change.before} → {change.after}{kept}"
    for mark, findings in (("+", change.gained), ("-", change.lost)):
        for (layer, rule, location), count in sorted(findings.items()):
            yield f"    {mark} {rule} ({layer}){f' × {count}' if count > 1 else ''}  {location}"


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
