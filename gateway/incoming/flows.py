"""Remembering a flow that a platform showed us, and what follows from it.

Every flow gets a row. A lifecycle message for us is fetched (outbox `fetch`), the acknowledgement of something we sent
is recorded, everything else is remembered as none of ours.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from gateway import outbox
from gateway.deps import Deps
from gateway.incoming.acks import ERROR, OK, take_ack
from gateway.platforms.port import FlowState, UnreadableFlow
from gateway.record import lock_tenant
from gateway.tables import OutboxEntry, PlatformConnection, SeenFlow

LOOK_AGAIN = "look-again"
"""Cause of a `new` row whose acknowledgement was listed before we knew that the flow is ours."""

ELSEWHERE = "set-elsewhere"
"""Cause of a status that the seller set on the platform's own site, and that the platform has not accepted."""

INCOMPLETE = "relève incomplète"
"""How the trouble of a connection begins whose platform answers, but did not show all, or not all could be kept."""

NOT_YET_OURS = (ELSEWHERE, "not-ours")
"""Causes of rows of which more may become known."""

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""Update time of a flow that names none: any later listing is news."""


def known_flows(session: Session, connection_id: str, flow_ids: Iterable[str]) -> dict[str, SeenFlow]:
    """The rows of these flows, by flow id."""
    return {row.id: row for row in session.scalars(_rows(connection_id, flow_ids))}


def _rows(connection_id: str, flow_ids: Iterable[str]) -> Select[SeenFlow]:
    return select(SeenFlow).where(SeenFlow.connection_id == connection_id, SeenFlow.id.in_(list(flow_ids)))


def is_news(flow: FlowState, row: SeenFlow | None) -> bool:
    """Whether this listing of a flow says more than its row: one that waits for its acknowledgement may have got it."""
    if row is None or flow.updated_at > row.updated_at:
        return True
    return row.state == "new" and flow.direction == "Out" and not (row.cause or "").endswith(f" {flow.ack_status}")


def remember(deps: Deps, connection: PlatformConnection, *flows: FlowState) -> None:
    """Store flows together, in one transaction, with the work that follows. The same listing again changes nothing.

    Raises what the database raises; then nothing of these flows is stored and the watermark must not pass any.
    """
    raws = [deps.store.put(flow.raw).hex if flow.direction == "Out" else None for flow in flows]
    with deps.db.transaction(connection.tenant_id) as session:
        lock_tenant(session, connection.tenant_id)  # two polls at once: one row, one work
        listed = session.scalars(_rows(connection.id, (flow.flow_id for flow in flows)).with_for_update())
        known = {row.id: row for row in listed}
        for flow, raw in zip(flows, raws, strict=True):
            if is_news(flow, known.get(flow.flow_id)):
                row = known.setdefault(flow.flow_id, SeenFlow(
                    tenant_id=connection.tenant_id, id=flow.flow_id, connection_id=connection.id, flow_type="",
                    first_seen_at=deps.now(), updated_at=flow.updated_at, state="new", cause=None, submission_id=None,
                    sha256=None))
                _take(deps, session, row, flow, raw)
                session.add(row)  # a new one whole, so that it is written once


def _take(deps: Deps, session: Session, row: SeenFlow, flow: FlowState, raw: str | None) -> None:
    """What a listing says that is news. `raw`: the hash of the platform's words about a flow of ours."""
    row.updated_at = max(row.updated_at, flow.updated_at)
    if raw is not None and not is_set_elsewhere(session, row, flow):
        take_ack(deps, session, row, flow, raw)
    elif raw is not None and flow.ack_status != OK:
        row.state = "done" if flow.ack_status == ERROR else "new"
        row.cause = f"{ELSEWHERE} : acquittement {flow.ack_status}"
    elif not is_status(flow):
        row.state, row.cause = "done", f"out-of-scope : {flow.flow_type}"
    elif not is_status_type(row.flow_type) or (row.cause or "").startswith(NOT_YET_OURS):
        # first time, or its type was not computed yet, or the platform has accepted it now
        row.state, row.cause = "new", None
        outbox.put(session, row.tenant_id, "fetch", flow.flow_id, now=deps.now(),
                   payload={"connection_id": row.connection_id, "flow_id": flow.flow_id,
                            "tracking_id": flow.tracking_id})
    elif row.state == "parked" and row.sha256 is None:
        _fetch_again(deps, session, row)
    row.flow_type = "StatusLC" if is_status(flow) and not is_status_type(flow.flow_type) else flow.flow_type


def _fetch_again(deps: Deps, session: Session, row: SeenFlow) -> None:
    """There was no document when we asked; the platform has changed the flow since."""
    parked = session.scalars(select(OutboxEntry).where(
        OutboxEntry.topic == "fetch", OutboxEntry.subject_id == row.id, OutboxEntry.state == "parked")).all()
    for entry in parked:
        if entry.payload.get("connection_id") == row.connection_id and outbox.revive(session, entry.id, deps.now()):
            row.state, row.cause = "new", None


def remember_unreadable(deps: Deps, connection: PlatformConnection, flow: UnreadableFlow) -> None:
    """Park a flow that the platform lists without what nothing works without; nothing where it has not even an id."""
    if flow.flow_id is None:
        return
    with deps.db.transaction(connection.tenant_id) as session:
        key = {"tenant_id": connection.tenant_id, "id": flow.flow_id, "connection_id": connection.id}
        if session.get(SeenFlow, key) is None:
            session.add(SeenFlow(**key, flow_type="Undefined", first_seen_at=deps.now(), updated_at=NEVER,
                                 state="parked", cause=f"unreadable : {flow.problem}"))


def is_set_elsewhere(session: Session, row: SeenFlow, flow: FlowState) -> bool:
    """Whether this flow of the seller carries a status that was set on the platform's own site: we never sent it.

    Its invoice is found by number, date and SIREN once it is fetched; from then on the row knows it.
    """
    if not is_status_type(flow.flow_type) or row.submission_id is not None:
        return False
    if flow.tracking_id is None:
        return True
    ours = select(OutboxEntry.id).where(
        OutboxEntry.topic == "send-status",
        or_(OutboxEntry.id == flow.tracking_id, OutboxEntry.payload["id"].as_string() == flow.tracking_id))
    return session.scalar(ours.limit(1)) is None


def is_status(flow: FlowState) -> bool:
    """Whether the flow carries a lifecycle message. Some platforms compute the type later than the syntax."""
    return is_status_type(flow.flow_type) or flow.syntax == "CDAR"


def is_status_type(flow_type: str) -> bool:
    """CustomerInvoiceLC, SupplierInvoiceLC, StateCustomerInvoiceLC ..."""
    return flow_type.endswith("LC")
