"""New events handed to those who listen (webhooks, channels of chat), each event once to each, in their order."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from gateway.deps import Deps
from gateway.record import lock_tenant
from gateway.tables import Event
from gateway.tables_channels import Channel
from gateway.tables_webhooks import WebhookEndpoint
from gateway.turns import for_each_tenant

L = TypeVar("L", Channel, WebhookEndpoint)
BATCH = 200


def from_now_on(session: Session) -> int:
    """The cursor of a listener of the session's tenant that hears of nothing that happened so far."""
    return session.scalar(select(func.max(Event.position))) or 0


def feed(deps: Deps, table: type[L], live: tuple[ColumnElement[bool], ...],
         take: Callable[[Session, L, Sequence[Event]], None]) -> None:
    """Give every live listener the events behind its cursor, by batches; `take` keeps what concerns it."""
    newest = select(func.max(Event.position)).where(Event.tenant_id == table.tenant_id).scalar_subquery()
    behind = select(table.tenant_id).where(*live, table.cursor < newest).distinct()

    def catch_up(deps: Deps, tenant_id: str) -> None:
        while _feed(deps, tenant_id, table, live, take):
            pass

    for_each_tenant(deps, catch_up, behind)


def _feed(deps: Deps, tenant_id: str, table: type[L], live: tuple[ColumnElement[bool], ...],
          take: Callable[[Session, L, Sequence[Event]], None]) -> bool:
    """One batch for each listener of a tenant; whether there is more."""
    more = False
    with deps.db.transaction(tenant_id) as session:
        lock_tenant(session, tenant_id)  # one at a time, and no event in the middle
        for listener in session.scalars(select(table).where(*live)).all():
            events = session.scalars(select(Event).where(Event.position > listener.cursor)
                                     .order_by(Event.position).limit(BATCH)).all()
            take(session, listener, events)
            if events:
                listener.cursor = events[-1].position
            more = more or len(events) == BATCH
    return more
