"""Work to do after a commit: the row is the queue, everything else is a doorbell.

An entry is added in the transaction of the state change that causes it. A worker claims one in a short
transaction (lease), acts outside any transaction, then records the result. A worker renews its lease while it acts
(gateway/worker.py); one that dies leaves a lease that expires, and whoever lost the entry that way records nothing
about it any more. An entry that keeps failing is parked for a person, with its reason.
"""

import random
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, cast

from sqlalchemy import Select, Table, bindparam, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from gateway.db import EVERY_TENANT, NEW_WORK, Database, change_rows, insert_rows
from gateway.tables import OutboxEntry

LEASE = timedelta(minutes=2)
RENEW_SECONDS = 30.0
DONE: Final = {"state": "done", "lease_until": None, "reason": None}
TABLE: Final = cast("Table", OutboxEntry.__table__)
MOST_ATTEMPTS = 40
"""With the backoff below between two and three and a half days of trying: a platform may be away for a weekend."""


class RetryLater(Exception):
    """Raised while handling an entry: try again, at a time or after the usual backoff."""

    def __init__(self, reason: str, *, at: datetime | None = None, patient: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.at = at
        self.patient = patient
        """True where waiting is the normal course (not a failure): attempts do not count."""


class Park(Exception):
    """Raised while handling an entry: a person must decide."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A claimed entry."""

    tenant_id: str
    id: str
    topic: str
    subject_id: str
    payload: Mapping[str, Any]
    attempts: int
    """How many times it was claimed since it was last revived, this one included, patient ones not."""

    claims: int
    """How many times it was ever claimed. Names the claim: no later one has the same number."""


def put(
    session: Session,
    tenant_id: str,
    topic: str,
    subject_id: str,
    *,
    now: datetime,
    due_at: datetime | None = None,
    payload: Mapping[str, Any] | None = None,
) -> str:
    """Add work in the caller's transaction; returns the entry's id."""
    row = _row(tenant_id, topic, subject_id, now=now, due_at=due_at or now, payload=dict(payload or {}))
    insert_rows(session, OutboxEntry, [row])
    if row["due_at"] <= now:
        session.info.setdefault(NEW_WORK, []).append(row["id"])
    return str(row["id"])


def _row(tenant_id: str, topic: str, subject_id: str, *, now: datetime, **values: Any) -> dict[str, Any]:
    return {"tenant_id": tenant_id, "id": str(uuid.uuid4()), "topic": topic, "subject_id": subject_id, "payload": {},
            "created_at": now, "due_at": now, "lease_until": None, "attempts": 0, "claims": 0, "state": "pending",
            "reason": None, **values}


def wait(session: Session, tenant_id: str, topic: str, subject_id: str, reason: str, *, now: datetime) -> None:
    """Let a person decide about a subject, where nothing of it is parked yet. Inside the caller's transaction."""
    withdraw(session, topic, [subject_id])
    parked = select(OutboxEntry.id).where(
        OutboxEntry.topic == topic, OutboxEntry.subject_id == subject_id, OutboxEntry.state == "parked")
    if session.scalar(parked.limit(1)) is None:
        insert_rows(session, OutboxEntry, [_row(tenant_id, topic, subject_id, now=now, state="parked", reason=reason)])


def is_due(db: Database, now: datetime, *, only: Collection[str] = (), without: Collection[str] = ()) -> bool:
    """Whether `claim` would find anything: a look that keeps no writer waiting."""
    with db.reading(EVERY_TENANT) as session:
        due = _due(frozenset(only), frozenset(without)).limit(1)
        return session.connection().execute(due, {"now": now}).first() is not None


def claim(
    db: Database, now: datetime, *, lease: timedelta = LEASE, only: Collection[str] = (),
    without: Collection[str] = (), entry_id: str | None = None,
) -> Entry | None:
    """The next due entry, leased to the caller; None when nothing is due. `only` and `without` are topics.

    With `entry_id` that entry or none: it may be done, taken, or not due any more. The lease of a worker that lost
    its power may be lost with it; what the worker did before that is not.
    """
    values = {"now": now, "ends": now + lease}
    statement = _claiming(frozenset(only), frozenset(without), by_id=entry_id is not None)
    with db.fleeting(EVERY_TENANT) as session:
        named = values if entry_id is None else {**values, "wanted": entry_id}
        found = session.connection().execute(statement, named).mappings().one_or_none()
    return None if found is None else Entry(**found)


@lru_cache(maxsize=64)
def _claiming(only: frozenset[str], without: frozenset[str], *, by_id: bool) -> ReturningUpdate[Any]:
    """The statement that leases the next due entry and gives its columns."""
    due = _due(only, without)
    if by_id:
        due = due.where(TABLE.c.id == bindparam("wanted"))
    one = due.order_by(TABLE.c.due_at, TABLE.c.created_at).limit(1).with_for_update(skip_locked=True).cte("one")
    return (
        update(TABLE).where(TABLE.c.tenant_id == one.c.tenant_id, TABLE.c.id == one.c.id)
        .values(lease_until=bindparam("ends"), attempts=TABLE.c.attempts + 1, claims=TABLE.c.claims + 1)
        .returning(*(TABLE.c[field.name] for field in fields(Entry)))
    )


@lru_cache(maxsize=64)
def _due(only: frozenset[str], without: frozenset[str]) -> Select[str, str]:
    """The keys of entries that may be claimed at `now`."""
    wanted = [TABLE.c.topic.in_(sorted(only))] if only else []
    wanted += [TABLE.c.topic.not_in(sorted(without))] if without else []
    free = or_(TABLE.c.lease_until.is_(None), TABLE.c.lease_until < bindparam("now"))
    return select(TABLE.c.tenant_id, TABLE.c.id).where(
        TABLE.c.state == "pending", TABLE.c.due_at <= bindparam("now"), free, *wanted)


def renew(db: Database, entry: Entry, now: datetime) -> None:
    """Keep the entry while its worker still acts."""
    _set(db, entry, lease_until=now + LEASE)


def holds(session: Session, entry: Entry) -> bool:
    """Whether the entry is still the caller's. Inside the transaction that relies on it."""
    return session.connection().execute(HELD, _named(entry)).first() is not None


def finish(session: Session, entry: Entry) -> None:
    """The work is finished, together with what the caller's transaction says of it. The handler returns True then."""
    session.connection().execute(FINISH, _named(entry))


def done(db: Database, entry: Entry) -> None:
    """The work is finished. After a power cut it may be done again, as after a crash in front of this."""
    with db.fleeting(entry.tenant_id) as session:
        finish(session, entry)


def again(db: Database, entry: Entry, error: RetryLater, now: datetime) -> None:
    """Try later; park what has failed too often."""
    if entry.attempts >= MOST_ATTEMPTS and not error.patient:
        park(db, entry, f"{error.reason} ({entry.attempts} essais)")
        return
    _set(db, entry, lease_until=None, reason=error.reason, due_at=error.at or now + backoff(entry.attempts),
         **({"attempts": entry.attempts - 1} if error.patient else {}))


def park(db: Database, entry: Entry, reason: str) -> None:
    """Wait for a person."""
    _set(db, entry, state="parked", lease_until=None, reason=reason)


def withdraw(session: Session, topic: str, subjects: Select[str] | Sequence[str]) -> None:
    """No more work about these subjects, whoever holds it. Inside the caller's transaction."""
    session.execute(
        update(OutboxEntry)
        .where(OutboxEntry.topic == topic, OutboxEntry.state == "pending", OutboxEntry.subject_id.in_(subjects))
        .values(DONE)
        .execution_options(synchronize_session=False)
    )


def is_pending(session: Session, topic: str, subject_id: str) -> bool:
    """Whether there is work about a subject, waiting or at hand. Inside the transaction that relies on it."""
    return session.scalar(select(OutboxEntry.id).where(
        OutboxEntry.topic == topic, OutboxEntry.state == "pending", OutboxEntry.subject_id == subject_id,
    ).limit(1)) is not None


def revive(session: Session, entry_id: str, now: datetime) -> bool:
    """Put a parked entry back to work; False when it is not parked. Inside the caller's transaction."""
    changed = change_rows(session, (
        update(OutboxEntry)
        .where(OutboxEntry.id == entry_id, OutboxEntry.state == "parked")
        .values(state="pending", attempts=0, due_at=now, lease_until=None)
    ))
    session.info.setdefault(NEW_WORK, []).append(entry_id)
    return changed > 0


def close(session: Session, entry_id: str, reason: str) -> bool:
    """Give a parked entry up, for a reason; False when it is not parked. Inside the caller's transaction."""
    return change_rows(session, (
        update(OutboxEntry)
        .where(OutboxEntry.id == entry_id, OutboxEntry.state == "parked")
        .values(state="closed", reason=reason, lease_until=None)
    )) > 0


def backoff(attempts: int) -> timedelta:
    """Exponential with full jitter, from about two seconds to three hours."""
    ceiling = min(3 * 3600.0, 2.0 * 2.0**attempts)
    return timedelta(seconds=random.uniform(ceiling / 2, ceiling))  # noqa: S311 - jitter needs no secrecy


def _set(db: Database, entry: Entry, **values: Any) -> None:
    """Change the entry, if it is still ours: a worker that was taken for dead must not undo what came after."""
    with db.transaction(entry.tenant_id) as session:
        session.connection().execute(update(TABLE).where(*OURS).values(**values), _named(entry))


def _named(entry: Entry) -> dict[str, object]:
    """What OURS compares with."""
    return {"of": entry.tenant_id, "claimed": entry.id, "turn": entry.claims}


OURS: Final = (TABLE.c.tenant_id == bindparam("of"), TABLE.c.id == bindparam("claimed"), TABLE.c.state == "pending",
               TABLE.c.claims == bindparam("turn"), TABLE.c.lease_until.is_not(None))
"""A claimed entry that is still the claimer's."""

HELD: Final = select(TABLE.c.id).where(*OURS).with_for_update()
FINISH: Final = update(TABLE).where(*OURS).values(DONE)
