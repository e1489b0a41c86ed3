"""The service renews hashes by itself, ahead of the day on which one falls (`PASSERELLE_ALGORITHM_ENDS`).

So it does before the token of a renewal runs out. When is in watch.py, which rings where it does not succeed; how, in
renewal.py.
"""

from sqlalchemy import select

from archive.errors import ArchiveError, StoreUnavailable, TimestampRefused, TimestampUnavailable
from gateway import outbox
from gateway.deps import Deps
from gateway.evidence.renewal import renew
from gateway.evidence.watch import standings
from gateway.outbox import Entry, Park, RetryLater
from gateway.record import lock_tenant
from gateway.tables import OutboxEntry
from gateway.turns import for_each_tenant

TOPIC = "renew-hash"


def renew_due(deps: Deps) -> None:
    """Regular work: have the logs renewed whose time has come, each by the worker, since it reads all their objects."""
    for_each_tenant(deps, _renew_due)


def _renew_due(deps: Deps, tenant_id: str) -> None:
    now = deps.now()
    with deps.db.reading(tenant_id) as session:
        due = {one.log for one in standings(deps, session, tenant_id) if one.is_due(now)}
    for name in sorted(due):
        with deps.db.transaction(tenant_id) as session:
            lock_tenant(session, tenant_id)
            waiting = session.scalar(select(OutboxEntry.id).where(
                OutboxEntry.topic == TOPIC, OutboxEntry.subject_id == name, OutboxEntry.state != "done").limit(1))
            if waiting is None:
                outbox.put(session, tenant_id, TOPIC, name, now=now)


def handle_renewal(deps: Deps, entry: Entry) -> None:
    """Renew one log.

    Raises:
        RetryLater: the authority or the store is away. Park: an object is not what it was, or gone.
    """
    try:
        renew(deps, entry.tenant_id, entry.subject_id, "worker")
    except (TimestampUnavailable, TimestampRefused, StoreUnavailable) as error:
        raise RetryLater(f"{error.code}: {error}") from error
    except ArchiveError as error:
        raise Park(f"{error.code}: {error}") from error
