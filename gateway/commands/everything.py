"""`passerelle verify --all`: every journal, seal, event and object that this gateway keeps.

Exit codes: 0 verified; 1 not, the first line says what; 2 could not run.
"""

import sys
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from gateway.assembly import assembled
from gateway.evidence.trust import check_everything
from gateway.settings import Settings, UnsafeSetup


def check() -> int:
    """Check the data that the settings name; one line per fault, then one of figures."""
    settings = Settings()
    url = make_url(settings.database)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        print(f"passerelle: {url.database} n'existe pas / does not exist", file=sys.stderr)
        return 2
    try:
        with assembled(settings) as deps:
            checked = check_everything(deps)
    except (UnsafeSetup, SQLAlchemyError, OSError) as error:
        print(f"passerelle: {error}", file=sys.stderr)
        return 2
    for fault in checked.faults:
        print(f"NON VÉRIFIÉ / NOT VERIFIED : {fault}")
    print(f"{checked.entries} écritures, {checked.seals} scellements, {checked.objects} objets, "
          f"{len(checked.faults)} faute(s) / entries, seals, objects, fault(s)")
    return int(bool(checked.faults))
