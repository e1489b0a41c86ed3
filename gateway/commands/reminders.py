"""`passerelle reminders preview | try | recheck`: what comes, what a scenario would have done, decisions done again.

Nothing is sent and nothing is changed. Exit codes: 0 done; 1 a decision differs from its record, or refused; 2 could
not run.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from gateway.accounts.service import find_tenant
from gateway.assembly import assembled
from gateway.deps import Deps
from gateway.problems import Problem
from gateway.reminders.planning import Place, preview
from gateway.reminders.scenario import BUILT_IN, BadScenario, Scenario, parse
from gateway.reminders.trying import decided_again, try_out, version_of
from gateway.settings import Settings, UnsafeSetup


def main(argv: Sequence[str]) -> int:
    """Run one verb."""
    options = parser().parse_args(argv)
    try:
        with assembled(Settings()) as deps:
            tenant = find_tenant(deps, options.tenant)
            if tenant is None:
                print(f"passerelle: organisation inconnue / unknown tenant {options.tenant}", file=sys.stderr)
                return 2
            verb: Callable[[Deps, str, argparse.Namespace], int] = options.run
            return verb(deps, tenant.id, options)
    except (Problem, BadScenario) as refused:
        print(refused, file=sys.stderr)
        return 1
    except UnsafeSetup as error:
        print(f"passerelle: {error}", file=sys.stderr)
        return 2


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(prog="passerelle reminders")
    made.add_argument("--tenant", default="default")
    verbs = made.add_subparsers(required=True)
    coming = verbs.add_parser("preview", help="ce qui partira / what comes")
    coming.add_argument("--days", type=int, default=30)
    coming.set_defaults(run=show_preview)
    trial = verbs.add_parser("try", help="un scénario sur le passé / a scenario on the past")
    trial.add_argument("--since", type=date.fromisoformat, required=True)
    trial.add_argument("--until", type=date.fromisoformat)
    trial.add_argument("--segment", default="")
    trial.add_argument("--version", type=int)
    trial.add_argument("--file", type=Path, help="un scénario en JSON / a scenario as JSON")
    trial.add_argument("--built-in", choices=sorted(BUILT_IN))
    trial.set_defaults(run=show_trial)
    again = verbs.add_parser("recheck", help="chaque décision, de nouveau / every decision again")
    again.set_defaults(run=recheck)
    return made


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
    """The scenario that the options name."""
    if options.file is not None:
        definition: dict[str, Any] = json.loads(options.file.read_text(encoding="utf-8"))
        return parse(definition)
    if options.built_in is not None:
        return BUILT_IN[options.built_in]
    return version_of(deps, tenant_id, options.segment, options.version)
