"""Alarmes: what rings, since when, who takes care of it; and what rang before."""

from typing import Annotated

from fastapi import APIRouter, Response
from sqlalchemy import select

from gateway.alarms.kinds import FACTS, kind_of
from gateway.alarms.sounding import acknowledge
from gateway.auth import Permission
from gateway.console import people, queries
from gateway.console.page import Act, Does, Page, Sees, Visit, go
from gateway.tables_care import Alarm

router = APIRouter(route_class=Page, include_in_schema=False)
MOST_PAST = 100


@router.get("/alarmes")
def show_alarms(visit: Annotated[Visit, Sees(Permission.AUDIT_READ)]) -> Response:
    """Those that last, the ones nobody took first; then those that ended."""
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        ringing = session.scalars(select(Alarm).where(Alarm.active.is_(True)).order_by(
            Alarm.acknowledged_at.is_not(None), Alarm.raised_at.desc())).all()
        past = session.scalars(select(Alarm).where(Alarm.active.is_(None))
                               .order_by(Alarm.raised_at.desc(), Alarm.id).limit(MOST_PAST)).all()
        invoices = queries.by_id(session, {alarm.subject for alarm in (*ringing, *past)})
        names = people.names(session)
    return visit.draw("alarmes.html", ringing=ringing, past=past, kind_of=kind_of, labels=FACTS, names=names,
                      invoices=invoices)


@router.post("/alarmes/{alarm_id}/acquitter")
def take_alarm(act: Annotated[Act, Does(Permission.AUDIT_READ)], alarm_id: str) -> Response:
    """A person takes care of an alarm."""
    acknowledge(act.deps, act.principal.tenant_id, alarm_id, act.principal.actor)
    return go("/alarmes", "acquittee")
