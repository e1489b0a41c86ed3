"""How each service of each platform connection does, remembered for every worker and for the console.

`admit` before a call, `succeeded` or `failed` after it; `watched` says which after any. A success writes only when it
is news, so that a busy connection costs no write per invoice.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from gateway.db import plain
from gateway.deps import Deps
from gateway.outbox import RetryLater
from gateway.platforms.circuit import PROBE, Circuit, after_failure, is_open, needs_probe
from gateway.platforms.port import Rejected, Unavailable, Unknown
from gateway.tables import PlatformConnection
from gateway.tables_platforms import ConnectionHealth

FLOWS, DIRECTORY = "flows", "directory"
"""The two services of a platform: either may be away alone."""

NEWS_AFTER = timedelta(seconds=60)
ERROR_CHARS = 500
SPREAD_S = 2.0
"""Work that waits for a platform does not all come back in the same instant."""


@dataclass(frozen=True, slots=True)
class Health:
    """What is remembered of one service of a connection."""

    failures: int = 0
    open_until: datetime | None = None
    succeeded_at: datetime | None = None


UNHEARD_OF: Final = Health()
REMEMBERED: Final = select(
    ConnectionHealth.failures, ConnectionHealth.open_until, ConnectionHealth.succeeded_at,
).where(ConnectionHealth.tenant_id == bindparam("tenant"), ConnectionHealth.id == bindparam("connection"),
        ConnectionHealth.service == bindparam("service"))


def health_of(session: Session, connection: PlatformConnection, service: str) -> Health:
    """How a service does."""
    row = plain(session, connection.tenant_id, REMEMBERED, connection=connection.id, service=service).one_or_none()
    return UNHEARD_OF if row is None else Health(*row)


def admit(
    deps: Deps, connection: PlatformConnection, service: str, known: Health | None = None
) -> datetime | None:
    """None when the caller may try now; else when to come back. `known`: what the caller has just read.

    After a pause exactly one caller is let through to try; the others come back a little later.
    """
    now = deps.now()
    seen = _read(deps, connection, service) if known is None else known
    circuit = Circuit(seen.failures, seen.open_until)
    if is_open(circuit, now):
        return circuit.open_until
    if not needs_probe(circuit, now):
        return None
    with deps.db.transaction(connection.tenant_id) as session:
        row = _find(session, connection, service)
        if row is None or row.failures == 0:
            return None
        if row.open_until is not None and now < row.open_until:  # another caller is trying
            return row.open_until
        row.open_until = now + PROBE
    return None


def admit_work(
    deps: Deps, connection: PlatformConnection, service: str, reason: str | None = None, known: Health | None = None
) -> None:
    """As `admit`, for an entry of the outbox. Raises RetryLater, which costs the entry no attempt."""
    until = admit(deps, connection, service, known)
    if until is not None:
        late = timedelta(seconds=random.uniform(0, SPREAD_S))  # noqa: S311 - jitter needs no secrecy
        raise RetryLater(reason or "circuit-open : la plateforme est laissée au repos.", at=until + late, patient=True)


@contextmanager
def watched(deps: Deps, connection: PlatformConnection, service: str) -> Iterator[None]:
    """Remember how the calls inside went; what they raise goes on.

    Who refuses a question works. A Precondition speaks of our rights or of one document and says nothing of the
    service: nobody else needs to wait for it.
    """
    try:
        yield
    except Rejected:
        succeeded(deps, connection, service)
        raise
    except (Unavailable, Unknown) as error:
        asked = error.retry_after_s if isinstance(error, Unavailable) else None
        failed(deps, connection, service, str(error), retry_after_s=asked)
        raise
    succeeded(deps, connection, service)


def succeeded(
    deps: Deps, connection: PlatformConnection, service: str, known: Health | None = None
) -> None:
    """The service answered like one that works. `known`: what the caller read before it asked the service."""
    now = deps.now()
    seen = _read(deps, connection, service) if known is None else known
    if seen.failures or seen.succeeded_at is None or now - seen.succeeded_at >= NEWS_AFTER:
        _write(deps, connection, service, succeeded_at=now, failures=0, open_until=None)


def failed(
    deps: Deps, connection: PlatformConnection, service: str, error: str, *, retry_after_s: float | None = None
) -> None:
    """The service did not answer, or said that it is not well."""
    now = deps.now()
    seen = _read(deps, connection, service)
    after = after_failure(Circuit(seen.failures, seen.open_until), now, retry_after_s)
    _write(deps, connection, service, failed_at=now, error=error[:ERROR_CHARS], failures=after.failures,
           open_until=after.open_until)


def _read(deps: Deps, connection: PlatformConnection, service: str) -> Health:
    with deps.db.reading(connection.tenant_id) as session:
        return health_of(session, connection, service)


def _find(session: Session, connection: PlatformConnection, service: str) -> ConnectionHealth | None:
    """The row, locked."""
    key = {"tenant_id": connection.tenant_id, "id": connection.id, "service": service}
    return session.get(ConnectionHealth, key, with_for_update=True)


def _write(deps: Deps, connection: PlatformConnection, service: str, **values: object) -> None:
    """Set these columns; the row is made when missing. Two first writers at once: the second one's news can wait."""
    try:
        with deps.db.transaction(connection.tenant_id) as session:
            row = _find(session, connection, service)
            if row is None:
                row = ConnectionHealth(tenant_id=connection.tenant_id, id=connection.id, service=service, failures=0)
                session.add(row)
            for name, value in values.items():
                setattr(row, name, value)
            session.flush()
    except IntegrityError:
        return
