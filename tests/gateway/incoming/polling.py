"""What every test of polling does: ask as the regular work does, work off what came, look at what is known then."""

from typing import Any

from sqlalchemy import select

from gateway.deps import Deps
from gateway.incoming.fetching import handle_fetch
from gateway.incoming.poll import handle_poll, poll
from gateway.lifecycle.taking import handle_status
from gateway.tables import Event, PlatformConnection, SeenFlow, Submission
from gateway.worker import relay


def run(deps: Deps) -> None:
    relay(deps, {"fetch": handle_fetch, "status": handle_status, "poll": handle_poll, "remind": lambda *_: None})


def seen(deps: Deps, connection: PlatformConnection) -> dict[str, SeenFlow]:
    with deps.db.reading(connection.tenant_id) as session:
        return {row.id: row for row in session.scalars(select(SeenFlow))}


def reread(deps: Deps, row: Any) -> Any:
    with deps.db.reading(row.tenant_id) as session:
        return session.get_one(type(row), (row.tenant_id, row.id))


def codes(deps: Deps, invoice: Submission, kind: str = "lifecycle") -> list[str]:
    with deps.db.reading(invoice.tenant_id) as session:
        return list(session.scalars(select(Event.code).where(
            Event.submission_id == invoice.id, Event.kind == kind).order_by(Event.position)))


def ask(deps: Deps, connection: PlatformConnection) -> PlatformConnection:
    """Poll as the regular work does: from the stored row."""
    poll(deps, reread(deps, connection))
    run(deps)
    fresh: PlatformConnection = reread(deps, connection)
    return fresh
