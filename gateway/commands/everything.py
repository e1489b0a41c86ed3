"""`passerelle verify --all`: every journal, seal, event and object that this gateway keeps.

Exit codes: 0 verified; 1 not, the first line says what; 2 could not run.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from gateway.assembly import assembled
from gateway.evidence.trust import check_everything
from gateway.settings import Settings, UnsafeSetup


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
    except (UnsafeSetup, SQLAlchemyError, OSError) as error:
        print(f"passerelle: {error}", file=sys.stderr)
        return 2
    for fault in checked.faults:
        print(f"NON VÉRIFIÉ / NOT VERIFIED : {fault}")
    print(f"{checked.entries} écritures, {checked.seals} scellements, {checked.objects} objets, "
          f"{len(checked.faults)} faute(s) / entries, seals, objects, fault(s)")
    return int(bool(checked.faults))
