"""`passerelle retention …`: how long, what is past its time, holds, destructions by two persons, erasure of an address.

    retention years N                        how long from the close of the fiscal year (10; at least 6)
    retention show INVOICE                   until when an invoice is kept, what holds it, whether it is gone
    retention due                            what is past its time and under no hold
    retention hold SUBJECT --reason TEXT     an invoice's id or number, object:SHA256, or all
    retention holds | lift HOLD --reason TEXT
    retention propose INVOICE... --reason TEXT --email PERSON
    retention approve|decline DESTRUCTION --email PERSON [--reason TEXT]
    retention destructions | certificate DESTRUCTION
    retention erase ADDRESS                  an e-mail address, wherever no duty keeps it

Who proposes or approves gives the password of the account on the terminal, or in PASSERELLE_PASSWORD.
Exit codes: 0 done; 1 refused; 2 could not run.
"""

import argparse
import getpass
import os
from collections.abc import Mapping, Sequence

from gateway.accounts.service import set_retention_years
from gateway.commands.tenants import ACTOR, Verb, run, verbs_of
from gateway.deps import Deps
from gateway.keeping import destruction, erasure, holds, retention
from gateway.keeping.persons import acting
from gateway.tables import Submission


def main(argv: Sequence[str]) -> int:
    """Run `argv[0]`."""
    return run(_parser(), VERBS, argv)


def years(deps: Deps, tenant_id: str, options: argparse.Namespace) -> int:
    """How long invoices are kept."""
    set_retention_years(deps, tenant_id, options.years, ACTOR)
    return 0


def show(deps: Deps, tenant_id: str, options: argparse.Namespace) -> int:
    """Until when one invoice is kept."""
    with deps.db.reading(tenant_id) as session:
        submission = session.get_one(Submission, (tenant_id, _find(deps, tenant_id, options.what)))
        row = retention.reckoned(session, submission)
        held = retention.standing(session, tenant_id, {submission.id})
    print(f"{row.until} {row.rule} {submission.id}")
    for hold in held:
        print(f"gel / hold {hold.id} {hold.set_at:%Y-%m-%d} {hold.set_by}: {hold.reason}")
    if row.destroyed_at is not None:
        print(f"détruite le / destroyed on {row.destroyed_at:%Y-%m-%d}, certificat / certificate {row.destruction_id}")
    return 0


def due(deps: Deps, tenant_id: str, _: argparse.Namespace) -> int:
    """What is past its time."""
    retention.count_due(deps)
    with deps.db.reading(tenant_id) as session:
        for row in retention.due(session, tenant_id, deps.today()):
            print(f"{row.until} {row.submission_id}")
        for file, until in retention.due_statements(session, tenant_id, deps.today()):
            print(f"{until} {retention.OBJECT}{file.sha256} {file.name}")
    return 0


def hold(deps: Deps, tenant_id: str, options: argparse.Namespace) -> int:
    """Set a hold."""
    print(holds.set_hold(deps, tenant_id, ACTOR, _find(deps, tenant_id, options.what), options.reason).id)
    return 0


def lift(deps: Deps, tenant_id: str, options: argparse.Namespace) -> int:
    """Lift a hold."""
    holds.lift_hold(deps, tenant_id, options.what, ACTOR, options.reason)
    return 0


def list_holds(deps: Deps, tenant_id: str, _: argparse.Namespace) -> int:
    """Every hold."""
    for row in holds.holds(deps, tenant_id):
        ended = f"levé / lifted {row.lifted_at:%Y-%m-%d}" if row.lifted_at else "en vigueur / stands"
        print(f"{row.id} {row.subject} {row.set_at:%Y-%m-%d} {ended}: {row.reason}")
    return 0


def propose(deps: Deps, tenant_id: str, options: argparse.Namespace) -> int:
    """Propose a destruction."""
    subjects = [_find(deps, tenant_id, what) for what in options.what]
    print(destruction.propose(deps, tenant_id, _person(deps, tenant_id, options), subjects, options.reason).id)
    return 0


def approve(deps: Deps, tenant_id: str, options: argparse.Namespace) -> int:
    """Approve one; the running service does it."""
    destruction.approve(deps, tenant_id, _person(deps, tenant_id, options), options.what)
    return 0


def decline(deps: Deps, tenant_id: str, options: argparse.Namespace) -> int:
    """Decline one."""
    destruction.decline(deps, tenant_id, _person(deps, tenant_id, options), options.what, options.reason)
    return 0


def list_destructions(deps: Deps, tenant_id: str, _: argparse.Namespace) -> int:
    """The newest ones."""
    for row in destruction.destructions(deps, tenant_id):
        print(f"{row.id} {row.state} {row.proposed_at:%Y-%m-%d} {row.proposed_by}: {row.reason}")
    return 0


def certificate(deps: Deps, tenant_id: str, options: argparse.Namespace) -> int:
    """Print a certificate."""
    print(destruction.certificate_of(deps, tenant_id, options.what).decode(), end="")
    return 0


def erase(deps: Deps, tenant_id: str, options: argparse.Namespace) -> int:
    """Erase an address."""
    for name, count in erasure.erase_contact(deps, tenant_id, ACTOR, options.what).items():
        print(f"{name}: {count}")
    return 0


def _find(deps: Deps, tenant_id: str, what: str) -> str:
    """A subject as it was typed; the number of one invoice becomes its id."""
    if what == retention.EVERYTHING or what.startswith(retention.OBJECT):
        return what
    with deps.db.reading(tenant_id) as session:
        return holds.invoice_called(session, tenant_id, what)


def _person(deps: Deps, tenant_id: str, options: argparse.Namespace) -> str:
    password = os.environ.get("PASSERELLE_PASSWORD") or getpass.getpass(f"{options.email}: ")
    return acting(deps, tenant_id, options.email, password)


VERBS: Mapping[str, Verb] = {
    "years": years, "show": show, "due": due, "hold": hold, "holds": list_holds, "lift": lift, "propose": propose,
    "approve": approve, "decline": decline, "destructions": list_destructions, "certificate": certificate,
    "erase": erase,
}


def _parser() -> argparse.ArgumentParser:
    parser, made = verbs_of("passerelle retention", VERBS)
    made["years"].add_argument("years", type=int, metavar="N")
    made["propose"].add_argument("what", nargs="+", metavar="INVOICE")
    for name in ("show", "hold", "lift", "approve", "decline", "certificate", "erase"):
        made[name].add_argument("what", metavar="WHAT")
    for name in ("hold", "lift", "propose", "decline"):
        made[name].add_argument("--reason", required=True, metavar="TEXT")
    for name in ("propose", "approve", "decline"):
        made[name].add_argument("--email", required=True, metavar="PERSON")
    return parser
