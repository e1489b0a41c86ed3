"""Raising and clearing alarms. Anybody in the gateway may call; nobody has to look first whether it rings already.

An alarm is known by its kind and its subject. As long as its cause lasts there is one row of it, whoever raises it
however often: only its first sign is told (event, journal, webhook, mail), the later ones count. Once cleared, the next
sign is a new alarm. What an alarm says (`facts`) may name things and stays out of the journal, which has its id.
"""

import uuid
from collections.abc import Mapping

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from gateway.db import EVERY_TENANT
from gateway.deps import Deps
from gateway.problems import not_found
from gateway.record import Change, Work, lock_tenant, record
from gateway.tables import Tenant
from gateway.tables_care import Alarm

log = structlog.get_logger()

TOPIC = "alarm"
Facts = Mapping[str, str | int | None]


def sound(deps: Deps, tenant_id: str, kind: str, subject: str = "", facts: Facts | None = None) -> None:
    """Raise an alarm, or count one more sign of it. Never raises: the log has it even where the database is away.

    `tenant_id` may be EVERY_TENANT for what concerns the whole house (a full disk): each tenant's page then shows it,
    and one mail goes out. `kind` is a key of gateway/alarms/kinds.py; `facts` are short values for people.
    """
    log.error("alarm", kind=kind, subject=subject, tenant=tenant_id, facts=dict(facts or {}))
    try:
        for number, owner in enumerate(_owners(deps, tenant_id)):
            with deps.db.transaction(owner) as session:
                sound_in(deps, session, owner, kind, subject, facts=facts, mailed=number == 0)
    except SQLAlchemyError:
        log.exception("alarm not kept", kind=kind, subject=subject, tenant=tenant_id)


def clear(deps: Deps, tenant_id: str, kind: str, subject: str = "") -> None:
    """The cause is gone. Costs one look where nothing rings. Never raises."""
    try:
        with deps.db.reading(tenant_id) as session:
            owners = session.scalars(select(Alarm.tenant_id).where(
                Alarm.kind == kind, Alarm.subject == subject, Alarm.active.is_(True))).all()
        for number, owner in enumerate(owners):
            with deps.db.transaction(owner) as session:
                clear_in(deps, session, owner, kind, subject, mailed=number == 0)
    except SQLAlchemyError:
        log.exception("alarm not cleared", kind=kind, subject=subject, tenant=tenant_id)


def sound_in(
    deps: Deps, session: Session, tenant_id: str, kind: str, subject: str = "", *, facts: Facts | None = None,
    mailed: bool = True,
) -> Alarm:
    """As `sound`, in the caller's transaction and for one tenant; without the log line."""
    now = deps.now()
    lock_tenant(session, tenant_id)
    alarm = _ringing(session, tenant_id, kind, subject)
    if alarm is not None:
        alarm.count += 1
        alarm.seen_at = now
        alarm.facts = dict(facts) if facts is not None else alarm.facts
        return alarm
    alarm = Alarm(tenant_id=tenant_id, id=str(uuid.uuid4()), kind=kind, subject=subject[:200], facts=dict(facts or {}),
                  count=1, raised_at=now, seen_at=now, active=True, cleared_at=None, acknowledged_at=None,
                  acknowledged_by=None)
    session.add(alarm)
    _tell(deps, session, alarm, "raised", "worker", mailed=mailed)
    return alarm


def clear_in(
    deps: Deps, session: Session, tenant_id: str, kind: str, subject: str = "", *, mailed: bool = True
) -> None:
    """As `clear`, in the caller's transaction and for one tenant."""
    lock_tenant(session, tenant_id)
    alarm = _ringing(session, tenant_id, kind, subject)
    if alarm is not None:
        alarm.active, alarm.cleared_at = None, deps.now()
        _tell(deps, session, alarm, "cleared", "worker", mailed=mailed)


def acknowledge(deps: Deps, tenant_id: str, alarm_id: str, actor: str) -> None:
    """A person takes care of it; the first one counts. Raises Problem 404."""
    with deps.db.transaction(tenant_id) as session:
        lock_tenant(session, tenant_id)
        alarm = session.get(Alarm, (tenant_id, alarm_id))
        if alarm is None:
            raise not_found()
        if alarm.acknowledged_at is None:
            alarm.acknowledged_at, alarm.acknowledged_by = deps.now(), actor
            _tell(deps, session, alarm, "acknowledged", actor, mailed=False)


def _owners(deps: Deps, tenant_id: str) -> list[str]:
    if tenant_id != EVERY_TENANT:
        return [tenant_id]
    with deps.db.reading(EVERY_TENANT) as session:
        return list(session.scalars(select(Tenant.id).order_by(Tenant.created_at, Tenant.id)))


def _ringing(session: Session, tenant_id: str, kind: str, subject: str) -> Alarm | None:
    return session.scalar(select(Alarm).where(
        Alarm.tenant_id == tenant_id, Alarm.kind == kind, Alarm.subject == subject[:200],
        Alarm.active.is_(True)))


def _tell(deps: Deps, session: Session, alarm: Alarm, code: str, actor: str, *, mailed: bool) -> None:
    """Event, journal entry and mails of a change. One entry of work for each address: one that fails stops no other."""
    addresses = deps.settings.alarm_mail if mailed else ()
    record(session, alarm.tenant_id, Change(
        kind="alarm", code=code, actor=actor, subject=f"alarm:{alarm.id}",
        data={"subject": f"alarm:{alarm.id}", "alarm": alarm.kind, "about": alarm.subject},
        then=tuple(Work(topic=TOPIC, subject_id=alarm.id, payload={"to": address, "code": code})
                   for address in addresses),
    ), now=deps.now())
