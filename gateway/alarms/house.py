"""What is wrong with the house itself, whoever's invoices it keeps: its store of objects, its backups.

Looked at again and again, so that an alarm ends with its cause, whoever was killed in between.
"""

from datetime import timedelta

from sqlalchemy import func, select

from archive.errors import StoreFull, StoreReadOnly, StoreUnavailable
from gateway.alarms.sounding import clear, sound
from gateway.db import EVERY_TENANT
from gateway.deps import Deps
from gateway.tables import Event, Tenant

BACKED_UP = "backed-up"
"""Code of the events that `passerelle backup` adds."""

STORE = (StoreFull, StoreReadOnly, StoreUnavailable)


def watch(deps: Deps) -> None:
    """Regular work."""
    watch_store(deps)
    watch_backups(deps)


def watch_store(deps: Deps) -> None:
    """Whether anything could be kept now. Until it can, nothing is accepted; whoever posts is answered 503."""
    wrong = None
    try:
        deps.store.check_writable()
    except StoreUnavailable as error:
        wrong = error.code
        sound(deps, EVERY_TENANT, wrong, "", {"error": str(error)})
    for kind in STORE:
        if kind.code != wrong:
            clear(deps, EVERY_TENANT, kind.code)


def watch_backups(deps: Deps) -> None:
    """Whether the last `passerelle backup` is too old; the first one may take as long from the first account on."""
    days = deps.settings.backup_days
    with deps.db.reading(EVERY_TENANT) as session:
        last = session.scalar(select(func.max(Event.at)).where(Event.kind == "evidence", Event.code == BACKED_UP))
        since = last or session.scalar(select(func.min(Tenant.created_at)))
    if days and since is not None and deps.now() - since > timedelta(days=days):
        sound(deps, EVERY_TENANT, "backup-old", "", {"since": since.isoformat()})
    else:
        clear(deps, EVERY_TENANT, "backup-old")
