"""`passerelle directory ask | policy`: is an address reachable, and what an entity does after each answer.

Exit codes: 0 done (ask: reachable); 1 refused, or not reachable; 2 could not run.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from gateway.commands.tenants import ACTOR, Verb, run, verbs_of
from gateway.deps import Deps
from gateway.directory.reachability import CHOOSABLE, Reach
from gateway.directory.schemas import Policy
from gateway.directory.service import entity_of_siren, get_policy, look_up, set_policy


def main(argv: Sequence[str]) -> int:
    """Run `directory ask ADDRESS` or `directory policy`."""
    return run(_parser(), VERBS, argv)


def _parser() -> argparse.ArgumentParser:
    parser, made = verbs_of("passerelle directory", VERBS)
    for one in made.values():
        one.add_argument("--siren", required=True, help="l'entité qui émet / the issuing entity")
    made["ask"].add_argument("address", help="BT-49, par exemple SIREN ou SIREN_SIRET")
    for reach in CHOOSABLE:
        made["policy"].add_argument(f"--{reach.value}", choices=("send", "hold", "ask"), dest=reach.value)
    return parser


def ask(deps: Deps, tenant_id: str, options: argparse.Namespace) -> int:
    """Is an address reachable: print the answer as JSON."""
    answer = look_up(deps, tenant_id, entity_of_siren(deps, tenant_id, options.siren), options.address)
    print(answer.model_dump_json(indent=1))
    return 0 if answer.reach == Reach.REACHABLE.value else 1


def policy(deps: Deps, tenant_id: str, options: argparse.Namespace) -> int:
    """Print the policy in force, after the changes that were asked for."""
    entity_id = entity_of_siren(deps, tenant_id, options.siren)
    chosen = {reach.value: vars(options)[reach.value] for reach in CHOOSABLE if vars(options)[reach.value]}
    current = get_policy(deps, tenant_id, entity_id)
    if chosen:
        try:
            current = set_policy(deps, tenant_id, entity_id, Policy.model_validate({**current.kept(), **chosen}), ACTOR)
        except ValidationError as error:
            print(error, file=sys.stderr)
            return 1
    print(json.dumps(current.kept(), ensure_ascii=False))
    return 0


VERBS: Mapping[str, Verb] = {"ask": ask, "policy": policy}
