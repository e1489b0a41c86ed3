"""`passerelle verify --all`: every journal, seal, event and object that this gateway keeps.

Exit codes: 0 verified; 1 not, the first line says what; 2 could not run.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from gateway.assembly import assembled
from gateway.deps import Deps
from gateway.evidence.trust import check_everything
from gateway.receivables.lines import differences
from gateway.settings import Settings, UnsafeSetup
from gateway.turns import tenants


def check(published: Sequence[bytes] = ()) -> int:
    """Check the data that the settings name, and against checkpoints kept elsewhere; a line per fault, then figures."""
    settings = Settings()
    url = make_url(settings.database)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        print(f"passerelle: {url.database} n'existe pas / does not exist", file=sys.stderr)
        return 2
    try:
        with assembled(settings) as deps:
            checked = check_everything(deps, published=published)
            faults = [*checked.faults, *_of_ledgers(deps)]
    except (UnsafeSetup, SQLAlchemyError, OSError) as error:
        print(f"passerelle: {error}", file=sys.stderr)
        return 2
    for fault in faults:
        print(f"NON VÉRIFIÉ / NOT VERIFIED : {fault}")
    print(f"{checked.entries} écritures, {checked.seals} scellements, {checked.objects} objets, "
          f"{len(faults)} faute(s) / entries, seals, objects, fault(s)")
    return int(bool(faults))


def _of_ledgers(deps: Deps) -> Iterator[str]:
    """What lists and figures add up, against the documents and payments that it comes from."""
    for tenant_id in tenants(deps.db):
        for submission_id in differences(deps, tenant_id):
            yield f"{tenant_id}: soldes de / balances of {submission_id}"
