"""The alarm of the 24 hours: a compulsory status that waits becomes an event, and so reaches feed and webhooks.

Once when somebody should look (it is parked or refused, or little time is left), once more when the time is over.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.clock import PARIS
from gateway.deps import Deps
from gateway.lifecycle.duties import Duty, open_duties
from gateway.record import Change, lock_tenant, record
from gateway.tables import Event
from gateway.turns import for_each_tenant

DUE, LATE = "status-due", "status-late"
IN_LINE = "Il est encore en file d'envoi."


def tell_deadlines(deps: Deps) -> None:
    """Regular work: the alarms of every tenant that were not given yet."""
    for_each_tenant(deps, _tell_tenant)


def _tell_tenant(deps: Deps, tenant_id: str) -> None:
    with deps.db.reading(tenant_id) as session:
        news = _news(session, deps.now())
    if news:
        _tell(deps, tenant_id)


def _tell(deps: Deps, tenant_id: str) -> None:
    now = deps.now()
    with deps.db.transaction(tenant_id) as session:
        lock_tenant(session, tenant_id)  # two workers at once: one alarm
        for duty in _news(session, now):
            record(session, tenant_id, Change(
                kind="transmission", code=_stage(duty, now), actor="worker", submission_id=duty.submission.id,
                reason=_words(duty, now),
                data={"status": duty.code, "tracking_id": duty.id, "state": duty.state,
                      "until": duty.until.isoformat()},
            ), now=now)


def _news(session: Session, now: datetime) -> list[Duty]:
    """The duties whose alarm was not given yet."""
    alarming = [duty for duty in open_duties(session) if duty.is_alarming(now)]
    given = {(event.data.get("tracking_id"), event.code) for event in session.scalars(select(Event).where(
        Event.submission_id.in_({duty.submission.id for duty in alarming}), Event.kind == "transmission",
        Event.code.in_((DUE, LATE))))} if alarming else set()
    return [duty for duty in alarming if not given & {(duty.id, _stage(duty, now)), (duty.id, LATE)}]


def _stage(duty: Duty, now: datetime) -> str:
    return LATE if duty.is_late(now) else DUE


def _words(duty: Duty, now: datetime) -> str:
    until = f"{duty.until.astimezone(PARIS):%d/%m/%Y à %H:%M}"
    limit = f"devait partir avant le {until}" if duty.is_late(now) else f"à transmettre avant le {until}"
    return f"Statut {duty.code} : {limit}. {duty.reason or IN_LINE}"
