"""`passerelle archive …`: checkpoints to keep and to check, the close of the fiscal year, what runs out, hash renewal.

    archive checkpoint                 prints the newest checkpoint, to be kept elsewhere
    archive check FILE...              holds kept checkpoints against the journal
    archive year --close MM-DD         when the fiscal year, and the journal with it, closes
    archive standing                   until when what is sealed stands, and what is wrong with the seals
    archive renew-hash --log 2026      a log and its objects under SHA-512 once more

Exit codes: 0 good; 1 not (a checkpoint that does not fit, something that needs care); 2 could not run.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from gateway.accounts.service import set_fiscal_year
from gateway.commands.tenants import ACTOR, Verb, run, verbs_of
from gateway.deps import Deps
from gateway.evidence import checkpoints, renewal, watch


def main(argv: Sequence[str]) -> int:
    """Run `argv[0]`."""
    return run(_parser(), VERBS, argv)


def checkpoint(deps: Deps, tenant_id: str, options: argparse.Namespace) -> int:
    """Print the newest checkpoint."""
    print(checkpoints.note_of(deps, tenant_id, options.log).decode(), end="")
    return 0


def check(deps: Deps, tenant_id: str, options: argparse.Namespace) -> int:
    """Hold kept checkpoints against the journal, one line each."""
    worst = 0
    for path in options.files:
        held = checkpoints.hold_against(deps, tenant_id, path.read_bytes())
        said = WORDS[held.reason]
        print(f"{path}: {held.log}, {held.size} -> {held.now_size} : {said}")
        worst = max(worst, int(not held.consistent))
    return worst


def year(deps: Deps, tenant_id: str, options: argparse.Namespace) -> int:
    """Set when the fiscal year closes."""
    set_fiscal_year(deps, tenant_id, options.close, ACTOR)
    print(options.close)
    return 0


def standing(deps: Deps, tenant_id: str, _: argparse.Namespace) -> int:
    """What runs out when, and what is wrong."""
    with deps.db.reading(tenant_id) as session:
        ends = list(watch.standings(deps, session, tenant_id))
        worries = list(watch.worries(deps, session, tenant_id, deps.now()))
    for one in ends:
        print(f"{one.ends:%Y-%m-%d} {one.subject}")
    for worry in worries:
        print(f"À TRAITER / TO DO: {worry.kind} {worry.subject} {worry.since:%Y-%m-%d} {worry.detail}")
    return int(bool(worries))


def renew_hash(deps: Deps, tenant_id: str, options: argparse.Namespace) -> int:
    """Renew the hashes of one log."""
    row = renewal.renew(deps, tenant_id, options.log, ACTOR)
    print(f"{row.log}: {row.size} écritures / entries, sha512, {row.ends_at:%Y-%m-%d}")
    return 0


WORDS = {
    "consistent": "conforme, rien d'antérieur n'a changé / consistent",
    "rolled-back": "NON : le journal est plus court qu'alors / NO: rolled back",
    "split-view": "NON : c'était un autre journal / NO: another history",
}
VERBS: Mapping[str, Verb] = {
    "checkpoint": checkpoint, "check": check, "year": year, "standing": standing, "renew-hash": renew_hash,
}


def _parser() -> argparse.ArgumentParser:
    parser, made = verbs_of("passerelle archive", VERBS)
    made["checkpoint"].add_argument("--log", help="exercice / fiscal year, e.g. 2026")
    made["check"].add_argument("files", nargs="+", type=Path, metavar="FILE")
    made["year"].add_argument("--close", required=True, metavar="MM-DD")
    made["renew-hash"].add_argument("--log", required=True, help="exercice / fiscal year, e.g. 2026")
    return parser
