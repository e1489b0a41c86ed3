"""`passerelle reminders preview | try | recheck`: what comes, what a scenario would have done, decisions done again.

Nothing is sent and nothing is changed. Exit codes: 0 done; 1 a decision differs from its record, or refused; 2 could
not run.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from gateway.commands.tenants import Verb, run, verbs_of
from gateway.deps import Deps
from gateway.problems import Problem
from gateway.reminders.planning import Place, preview
from gateway.reminders.scenario import BUILT_IN, Scenario, parse
from gateway.reminders.trying import decided_again, try_out, version_of


def main(argv: Sequence[str]) -> int:
    """Run one verb."""
    verbs: Mapping[str, Verb] = {"preview": show_preview, "try": show_trial, "recheck": recheck}
    parser, made = verbs_of("passerelle reminders", verbs)
    made["preview"].add_argument("--days", type=int, default=30)
    trial = made["try"]
    trial.add_argument("--since", type=date.fromisoformat, required=True)
    trial.add_argument("--until", type=date.fromisoformat)
    trial.add_argument("--segment", default="")
    trial.add_argument("--version", type=int)
    trial.add_argument("--file", type=Path, help="un scénario en JSON / a scenario as JSON")
    trial.add_argument("--built-in", choices=sorted(BUILT_IN))
    return run(parser, verbs, argv)


def show_preview(deps: Deps, tenant_id: str, options: argparse.Namespace) -> int:
    """One line of JSON for each letter to come."""
    place: Place | None = None
    while True:
        page = preview(deps, tenant_id, options.days, place)
        for letter in page.letters:
            print(json.dumps(asdict(letter), default=str, ensure_ascii=False))
        place = page.after
        if place is None:
            return 0


def show_trial(deps: Deps, tenant_id: str, options: argparse.Namespace) -> int:
    """The trial as one object of JSON."""
    until = options.until or deps.today()
    scenario = scenario_for(deps, tenant_id, options)
    trial = try_out(deps, tenant_id, scenario, options.since, until)
    print(json.dumps(asdict(trial), default=str, ensure_ascii=False, indent=2))
    return 0


def recheck(deps: Deps, tenant_id: str, _: argparse.Namespace) -> int:
    """Decide every kept decision again from its record; those that differ are printed."""
    count, differing = decided_again(deps, tenant_id)
    for one in differing:
        print(json.dumps(asdict(one), ensure_ascii=False))
    print(json.dumps({"decisions": count, "differ": len(differing)}))
    return 1 if differing else 0


def scenario_for(deps: Deps, tenant_id: str, options: argparse.Namespace) -> Scenario:
    """The scenario that the options name. Raises Problem 422 bad-scenario."""
    if options.file is not None:
        try:
            definition: dict[str, Any] = json.loads(options.file.read_text(encoding="utf-8"))
            return parse(definition)
        except ValueError as error:  # no JSON, or no scenario
            raise Problem(422, "bad-scenario", str(error)) from error
    if options.built_in is not None:
        return BUILT_IN[options.built_in]
    return version_of(deps, tenant_id, options.segment, options.version)
