"""An e-mail address by itself: in texts, in JSON, and in the files of mails that were sent or came back."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy import select

from gateway.db import EVERY_TENANT
from gateway.deps import Deps
from gateway.outgoing.duplicate import doubled_by
from gateway.problems import Problem
from gateway.tables_channels import ReturnedMail
from gateway.tables_reminders import Decision


def address_in(email: str) -> re.Pattern[str]:
    """The address in any letters: neither the end of a longer one nor its beginning. Raises Problem 422 for none."""
    if "@" not in email:
        raise Problem(422, "invalid-request", "Adresse électronique attendue. / E-mail address expected.")
    return re.compile(rf"(?<![\w.+-]){re.escape(email)}(?![\w-]|\.\w)", re.IGNORECASE)


def names(found: re.Pattern[str], value: object) -> bool:
    """Whether a text names the address, or any text within a value of JSON."""
    if isinstance(value, Mapping):
        return any(names(found, one) for one in value.values())
    if isinstance(value, list | tuple):
        return any(names(found, one) for one in value)
    return isinstance(value, str) and found.search(value) is not None


def erase_spool(deps: Deps, goes: Callable[[Path], bool]) -> int:
    """Remove mails from the spool, and those that came back, that are to go; gives how many."""
    gone, folders = 0, (deps.settings.data / "mail", deps.settings.data / "returned")
    for path in (path for folder in folders for path in folder.glob("*")):
        if path.is_file() and goes(path):
            path.unlink()
            gone += 1
    return gone


def is_of_another(deps: Deps, tenant_id: str, path: Path) -> bool:
    """Whether a mail is known to be another account's: its letter, its double, or one that came back to it."""
    with deps.db.reading(EVERY_TENANT) as session:
        owners = {*session.scalars(select(Decision.tenant_id).where(Decision.message_id == f"<{path.stem}>")),
                  *session.scalars(select(ReturnedMail.tenant_id).where(ReturnedMail.id == path.stem))}
        if double := doubled_by(session, f"<{path.stem}>"):
            owners.add(double.tenant_id)
    return bool(owners) and tenant_id not in owners
