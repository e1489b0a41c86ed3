"""`passerelle directory ask | policy`: is an address reachable, and what an entity does after each answer.

Exit codes: 0 done (ask: reachable); 1 refused, or not reachable; 2 could not run.
"""

import argparse
import json
import sys
from collections.abc import Sequence

from pydantic import ValidationError

from gateway.accounts.service import find_tenant
from gateway.assembly import assembled
from gateway.deps import Deps
from gateway.directory.reachability import CHOOSABLE, Reach
from gateway.directory.schemas import Policy
from gateway.directory.service import entity_of_siren, get_policy, look_up, set_policy
from gateway.problems import Problem
from gateway.settings import Settings, UnsafeSetup

ACTOR = "operator:cli"


def main(argv: Sequence[str]) -> int:
    """Run `directory ask ADDRESS` or `directory policy`."""
    options = parser().parse_args(argv)
    try:
        with assembled(Settings()) as deps:
            tenant = find_tenant(deps, options.tenant)
            if tenant is None:
                print(f"{options.tenant} : organisation inconnue / no such organisation", file=sys.stderr)
                return 1
            entity_id = entity_of_siren(deps, tenant.id, options.siren)
            return ACTIONS[options.verb](deps, tenant.id, entity_id, options)
    except Problem as problem:
        print(f"{problem.code}: {problem.detail}", file=sys.stderr)
        return 1
    except UnsafeSetup as error:
        print(f"passerelle: {error}", file=sys.stderr)
        return 2


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(prog="passerelle directory")
    verbs = made.add_subparsers(dest="verb", required=True)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--siren", required=True, help="l'entité qui émet / the issuing entity")
    shared.add_argument("--tenant", default="default")
    asking = verbs.add_parser("ask", parents=[shared], help="une adresse est-elle joignable / is it reachable")
    asking.add_argument("address", help="BT-49, par exemple SIREN ou SIREN_SIRET")
    policy = verbs.add_parser("policy", parents=[shared], help="montrer ou changer / show or change")
    for reach in CHOOSABLE:
        policy.add_argument(f"--{reach.value}", choices=("send", "hold", "ask"), dest=reach.value)
    return made


def ask(deps: Deps, tenant_id: str, entity_id: str, options: argparse.Namespace) -> int:
    """Print the answer as JSON."""
    answer = look_up(deps, tenant_id, entity_id, options.address)
    print(answer.model_dump_json(indent=1))
    return 0 if answer.reach == Reach.REACHABLE.value else 1


def policy(deps: Deps, tenant_id: str, entity_id: str, options: argparse.Namespace) -> int:
    """Print the policy in force, after the changes that were asked for."""
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


ACTIONS = {"ask": ask, "policy": policy}
