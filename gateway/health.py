"""Whether the service lives, is ready, and how it does. Public, without any tenant's data."""

from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func, select

from gateway.db import EVERY_TENANT
from gateway.deps import CurrentDeps
from gateway.tables import OutboxEntry, SeenFlow, Submission

router = APIRouter(tags=["health"])


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz(deps: CurrentDeps) -> dict[str, Any]:
    """Database and archive answer."""
    with deps.db.reading(EVERY_TENANT) as session:
        session.scalar(select(func.count()).select_from(OutboxEntry))
    return {"status": "ok"}


@router.get("/metrics", response_class=Response)
def metrics(deps: CurrentDeps) -> Response:
    """Counts in Prometheus text: work waiting and parked, flows parked, invoices by transmission state."""
    registry = CollectorRegistry()
    work = Gauge("passerelle_outbox_entries", "Outbox entries that are not done", ["state", "topic"],
                 registry=registry)
    flows = Gauge("passerelle_flows", "Flows seen at platforms", ["state"], registry=registry)
    invoices = Gauge("passerelle_submissions", "Invoices by transmission state", ["state"], registry=registry)
    with deps.db.reading(EVERY_TENANT) as session:
        for state, topic, count in session.execute(
            select(OutboxEntry.state, OutboxEntry.topic, func.count())
            .where(OutboxEntry.state != "done").group_by(OutboxEntry.state, OutboxEntry.topic)
        ):
            work.labels(state, topic).set(count)
        for state, count in session.execute(select(SeenFlow.state, func.count()).group_by(SeenFlow.state)):
            flows.labels(state).set(count)
        for state, count in session.execute(
            select(Submission.transmission, func.count()).group_by(Submission.transmission)
        ):
            invoices.labels(state).set(count)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
