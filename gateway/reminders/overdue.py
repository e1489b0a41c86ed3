"""Cases whose day has passed become an event, once each, and so reach the feed, webhooks and channels of chat."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.clock import PARIS
from gateway.deps import Deps
from gateway.record import Change, lock_tenant, record
from gateway.reminders.cases import KINDS
from gateway.tables import Event
from gateway.tables_reminders import Case
from gateway.turns import for_each_tenant

LATE: Final = "case-late"
MOST: Final = 500
"""Cases told in one turn."""


def tell_late(deps: Deps) -> None:
    """Regular work: the cases of every tenant that wanted an answer by yesterday and have none."""
    for_each_tenant(deps, _tell_tenant)


def _tell_tenant(deps: Deps, tenant_id: str) -> None:
    with deps.db.reading(tenant_id) as session:
        news = _news(session, deps)
    if news:
        _tell(deps, tenant_id)


def _tell(deps: Deps, tenant_id: str) -> None:
    with deps.db.transaction(tenant_id) as session:
        lock_tenant(session, tenant_id)  # two workers at once: told once
        for case in _news(session, deps):
            record(session, tenant_id, Change(
                kind="reminder", code=LATE, actor="worker", submission_id=case.submission_id,
                reason=f"{KINDS[case.kind].title} : à traiter avant le {case.due_on:%d/%m/%Y}, "
                       f"ouvert le {case.opened_at.astimezone(PARIS):%d/%m/%Y}.",
                data={"case": case.id, "kind": case.kind, "stage": case.stage, "due_on": case.due_on.isoformat()},
            ), now=deps.now())


def _news(session: Session, deps: Deps) -> Sequence[Case]:
    """Open cases whose day has passed, of which nobody was told yet."""
    late = session.scalars(select(Case).where(Case.active.is_(True), Case.due_on < deps.today()).order_by(
        Case.due_on, Case.id)).all()
    if not late:
        return []
    given = {data.get("case") for data in session.scalars(select(Event.data).where(
        Event.code == LATE, Event.kind == "reminder", Event.at >= min(case.opened_at for case in late)))}
    return [case for case in late if case.id not in given][:MOST]
