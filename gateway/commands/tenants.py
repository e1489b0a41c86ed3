"""How a command of one tenant runs: `VERB --tenant NAME …`, and what it says where it cannot.

Exit codes: those of the verb; 1 refused, the code of the problem is printed; 2 could not run.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.exc import SQLAlchemyError

from archive.errors import ArchiveError
from gateway.accounts.service import find_tenant
from gateway.assembly import assembled
from gateway.deps import Deps
from gateway.problems import Problem
from gateway.settings import Settings, UnsafeSetup

ACTOR = "operator:cli"
"""Whoever has a shell on the machine of the gateway."""

Verb = Callable[[Deps, str, argparse.Namespace], int]
"""Of a tenant's id and the options; gives the exit code."""


def verbs_of(
    program: str, verbs: Mapping[str, Verb]
) -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """A parser of these verbs, described by their docstrings, and that of each verb, to which options are added."""
    parser = argparse.ArgumentParser(prog=program)
    added = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    made = {name: added.add_parser(name, description=verb.__doc__) for name, verb in verbs.items()}
    for one in made.values():
        one.add_argument("--tenant", default="default", help="organisation")
    return parser, made


def run(parser: argparse.ArgumentParser, verbs: Mapping[str, Verb], argv: Sequence[str]) -> int:
    """Do what `argv` asks for, on the data that the settings name."""
    options = parser.parse_args(argv)
    try:
        with assembled(Settings()) as deps:
            tenant = find_tenant(deps, options.tenant)
            if tenant is None:
                print(f"passerelle: organisation inconnue / unknown tenant: {options.tenant}", file=sys.stderr)
                return 2
            return verbs[options.verb](deps, tenant.id, options)
    except Problem as problem:
        print(f"{problem.code}: {problem.detail}", file=sys.stderr)
        return 1
    except (ArchiveError, UnsafeSetup, SQLAlchemyError, OSError) as error:
        print(f"passerelle: {error}", file=sys.stderr)
        return 2
