"""One state change, told three times in one transaction: event, journal entry, work that follows.

Every service changes state only through `record`, inside its own transaction, so that there is no change
without an entry and no entry without a change.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, bindparam, select
from sqlalchemy.orm import Session

from gateway import outbox
from gateway.db import insert_rows, plain, together
from gateway.evidence import saying
from gateway.evidence.cards import admit
from gateway.evidence.ledger import CALENDAR_YEAR, CLOSE, Kept, write_entry
from gateway.searchable import make_searchable
from gateway.tables import Event, Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Something to do once the change is committed."""

    topic: str
    subject_id: str
    after: timedelta = timedelta(0)
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happened. Only ids, codes and hashes reach the journal; of the words an HMAC does (evidence/saying.py)."""

    kind: str
    """submission, transmission, lifecycle, payment, reminder, access, setting, evidence."""

    code: str
    """What exactly: "accepted", "deposited", "207", "sent" ..."""

    actor: str
    """`key:<prefix>`, `user:<id>`, `worker`, `platform:<connection id>`."""

    submission_id: str | None = None
    subject: str | None = None
    """What it is about when it is no invoice, e.g. `user:<id>`."""

    reason: str | None = None
    platform_at: datetime | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    objects: tuple[Kept, ...] = ()
    """Kept objects that belong to the change; the first one shows it."""

    rule_sets: tuple[str, ...] = ()
    """`id@sha256` of the rule sets that decided."""

    then: tuple[Work, ...] = ()


TENANT = bindparam("tenant", type_=String())
LOCK = select(Tenant.fiscal_year_end).where(Tenant.id == TENANT).with_for_update(key_share=True)
LAST_EVENT = select(Event.position, Event.at).where(Event.tenant_id == TENANT).order_by(Event.position.desc()).limit(1)

LOCKED, LAST = "tenant-locked", "event-last"
"""Keys in a session's `info`, with the tenant: its row is locked; position and time of the event it added last."""


def lock_tenant(session: Session, tenant_id: str) -> None:
    """One writer per tenant from here to the end of the transaction.

    On PostgreSQL `FOR NO KEY UPDATE`: whoever adds a row that refers to the tenant holds a weak lock on it, and two who
    had each added one would wait for each other for ever with the stronger lock.
    """
    if (LOCKED, tenant_id) not in session.info:
        close = plain(session, tenant_id, LOCK).scalar()
        session.info[LOCKED, tenant_id] = True
        session.info[CLOSE, tenant_id] = close or CALENDAR_YEAR


def record(session: Session, tenant_id: str, change: Change, *, now: datetime) -> Event:
    """Add event, journal entry and work to the caller's transaction, after what waits in it; returns the event.

    The event is not one of the session's objects: nobody changes it. A clock that was set back does not take the
    journal back with it: an event is never dated before the one it follows, but at the same moment, until the clock
    has caught up. `gateway/evidence/watch.py` tells of it; the work that follows is due by the clock as it is.
    """
    with together(session):
        lock_tenant(session, tenant_id)  # one writer per tenant: positions without gaps
        last = session.info.get((LAST, tenant_id)) or plain(session, tenant_id, LAST_EVENT).one_or_none()
        position, at = (last[0] + 1, max(now, last[1])) if last is not None else (1, now)
        session.info[LAST, tenant_id] = position, at
        told: dict[str, Any] = {
            "tenant_id": tenant_id, "id": str(uuid.uuid4()), "position": position,
            "submission_id": change.submission_id, "at": at, "platform_at": change.platform_at, "kind": change.kind,
            "code": change.code, "actor": change.actor, "reason": change.reason, "data": dict(change.data),
            "sha256": change.objects[0].sha256 if change.objects else None,
        }
        event = Event(**told)
        insert_rows(session, Event, [told])
        make_searchable(session, event)
        subject = change.submission_id or change.subject or tenant_id
        write_entry(session, tenant_id, now=at, kind=change.kind, code=change.code, subject=subject,
                    actor=change.actor, cause=event.id, objects=change.objects, rule_sets=change.rule_sets,
                    said=saying.vouch(session, tenant_id, subject, event))
        admit(session, tenant_id, change.objects, change.actor, at)
        for work in change.then:
            outbox.put(session, tenant_id, work.topic, work.subject_id, now=now, due_at=now + work.after,
                       payload=work.payload)
    return event
