"""`passerelle restitute TENANT -o FOLDER | --import FOLDER`: everything of one tenant, out of here and in elsewhere.

`TENANT` is its id or its name; it may be left out where there is only one. Run again, an interrupted export goes on.
The import wants a gateway that does not know the tenant; its platform accounts, keys and passwords must be set anew.
Exit codes: 0 done; 1 refused, what was handed in is not whole or the tenant is here already; 2 could not run.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from archive.errors import ArchiveError
from gateway.assembly import assembled
from gateway.db import EVERY_TENANT
from gateway.deps import Deps
from gateway.dossiers.restitution import hand_out, take_in
from gateway.settings import Settings, UnsafeSetup
from gateway.tables import Tenant


def main(argv: Sequence[str]) -> int:
    """Run the command; gives the exit code."""
    options = _parser().parse_args(argv)
    if (options.source is None) == (options.out is None):
        print("passerelle: -o FOLDER, ou / or --import FOLDER", file=sys.stderr)
        return 2
    try:
        with assembled(Settings()) as deps:
            if options.source is not None:
                lines = take_in(deps, options.source)
            else:
                tenant_id = find_tenant(deps, options.tenant)
                if tenant_id is None:
                    print("passerelle: quel compte ? / which tenant?", file=sys.stderr)
                    return 1
                lines = hand_out(deps, tenant_id, options.out)
            for line in lines:
                print(line, flush=True)
    except ArchiveError as error:
        print(f"passerelle: {error.code}: {error}", file=sys.stderr)
        return 1
    except (UnsafeSetup, SQLAlchemyError, OSError) as error:
        print(f"passerelle: {error}", file=sys.stderr)
        return 2
    return 0


def find_tenant(deps: Deps, word: str | None) -> str | None:
    """The tenant of that id or name, or the only one."""
    with deps.db.reading(EVERY_TENANT) as session:
        known = session.scalars(select(Tenant)).all()
    found = [tenant.id for tenant in known if word is None or word in {tenant.id, tenant.name}]
    return found[0] if len(found) == 1 else None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="passerelle restitute", description="Restituer ou reprendre un compte. / "
                                     "Hand out or take in a tenant.")
    parser.add_argument("tenant", nargs="?", metavar="TENANT")
    parser.add_argument("-o", dest="out", type=Path, metavar="FOLDER")
    parser.add_argument("--import", dest="source", type=Path, metavar="FOLDER")
    return parser
