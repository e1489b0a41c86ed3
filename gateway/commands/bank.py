"""`passerelle bank import FILE...`: take in CAMT.053 files. What they pay is confirmed in the console or over the API.

Exit codes: 0 all files are in; 1 one was refused; 2 could not run.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from gateway.accounts.service import find_tenant
from gateway.assembly import assembled
from gateway.auth import Permission, Principal
from gateway.bank.files import take_in
from gateway.deps import Deps
from gateway.problems import Problem
from gateway.settings import Settings, UnsafeSetup


def main(argv: Sequence[str]) -> int:
    """Run `bank import`."""
    options = parser().parse_args(argv)
    try:
        with assembled(Settings()) as deps:
            tenant = find_tenant(deps, options.tenant)
            if tenant is None:
                print(f"{options.tenant} : organisation inconnue / no such organisation", file=sys.stderr)
                return 1
            return import_files(deps, tenant.id, options.files)
    except UnsafeSetup as error:
        print(f"passerelle: {error}", file=sys.stderr)
        return 2


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(prog="passerelle bank")
    verbs = made.add_subparsers(dest="verb", required=True)
    importing = verbs.add_parser("import", help="relevés CAMT.053 / CAMT.053 statements")
    importing.add_argument("files", nargs="+", type=Path)
    importing.add_argument("--tenant", default="default")
    return made


def import_files(deps: Deps, tenant_id: str, files: Sequence[Path]) -> int:
    """Take in each file; one that is refused does not stop the next. 1 if one was."""
    principal = Principal(tenant_id=tenant_id, actor="operator:cli", name="passerelle bank",
                          permissions=frozenset({Permission.PAYMENTS_WRITE}))
    refused = 0
    for file in files:
        try:
            told = take_in(deps, principal, file.read_bytes(), file.name)
        except Problem as problem:
            print(f"{file} : {problem.code}: {problem.detail}", file=sys.stderr)
            refused = 1
            continue
        except OSError as error:
            print(f"{file} : {error.strerror}", file=sys.stderr)
            refused = 1
            continue
        known = "déjà importé / already imported; " if told.already_known else ""
        print(f"{file} : {known}{told.added} nouveau(x) / new, {told.repeated} déjà connu(s) / known")
        for remark in told.remarks:
            print(f"  {remark}")
    return refused
