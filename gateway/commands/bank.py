"""`passerelle bank import FILE...`: take in CAMT.053 files. What they pay is confirmed in the console or over the API.

Exit codes: 0 all files are in; 1 one was refused; 2 could not run.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from gateway.auth import Permission, Principal
from gateway.bank.files import take_in
from gateway.commands.tenants import ACTOR, Verb, run, verbs_of
from gateway.deps import Deps
from gateway.problems import Problem


def main(argv: Sequence[str]) -> int:
    """Run `bank import`."""
    verbs: Mapping[str, Verb] = {"import": import_files}
    parser, made = verbs_of("passerelle bank", verbs)
    made["import"].add_argument("files", nargs="+", type=Path, help="relevés CAMT.053 / CAMT.053 statements")
    return run(parser, verbs, argv)


def import_files(deps: Deps, tenant_id: str, options: argparse.Namespace) -> int:
    """Take in each file; one that is refused does not stop the next. 1 if one was."""
    principal = Principal(tenant_id=tenant_id, actor=ACTOR, name="passerelle bank",
                          permissions=frozenset({Permission.PAYMENTS_WRITE}))
    refused = 0
    for file in options.files:
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
