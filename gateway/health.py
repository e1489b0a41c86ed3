"""Whether the service lives, is ready, and how it does. Public, without any tenant's data."""

from typing import Any

import structlog
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from archive.errors import StoreUnavailable
from gateway.db import EVERY_TENANT
from gateway.deps import CurrentDeps
from gateway.problems import Problem, documented
from gateway.tables import OutboxEntry, SeenFlow, Submission
from gateway.tables_archive import Scrub

router = APIRouter(tags=["health"])
log = structlog.get_logger()


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", responses=documented(503))
def readyz(deps: CurrentDeps) -> dict[str, Any]:
    """Database and archive answer; 503 when one does not."""
    try:
        with deps.db.reading(EVERY_TENANT) as session:
            session.scalar(select(OutboxEntry.id).limit(1))
        deps.store.check_writable()
    except (SQLAlchemyError, StoreUnavailable) as error:
        log.warning("not ready", error=str(error))
        raise Problem(503, "not-ready", "Base ou archive indisponible. / Database or archive unavailable.") from error
    return {"status": "ok"}


def numbers_of(scrub: Scrub) -> dict[str, float]:
    """What is measured of a pass."""
    return {"started": scrub.started_at.timestamp(),
            "finished": scrub.finished_at.timestamp() if scrub.finished_at is not None else 0.0,
            "done": scrub.objects + scrub.entries + scrub.seals, "expected": scrub.expected, "bytes": scrub.octets,
            "faults": scrub.faults, "healed": scrub.healed}


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(deps: CurrentDeps) -> Response:
    """Counts in Prometheus text: work waiting and parked, flows parked, invoices by transmission state.

    `passerelle_outbox_late_seconds` is the one to watch: it grows when no worker lives, or all of them are busy.
    """
    registry = CollectorRegistry()
    work = Gauge("passerelle_outbox_entries", "Outbox entries that are not done", ["state", "topic"],
                 registry=registry)
    flows = Gauge("passerelle_flows", "Flows seen at platforms", ["state"], registry=registry)
    late = Gauge("passerelle_outbox_late_seconds", "How long the oldest due entry has waited", registry=registry)
    invoices = Gauge("passerelle_submissions", "Invoices by transmission state", ["state"], registry=registry)
    control = Gauge("passerelle_control", "The control of everything kept: started and finished (seconds since 1970), "
                    "done and expected (things), bytes, faults, healed, of the pass at hand", ["what"],
                    registry=registry)
    with deps.db.reading(EVERY_TENANT) as session:
        scrub = session.scalar(select(Scrub).order_by(Scrub.id.desc()).limit(1))
        for what, value in (numbers_of(scrub) if scrub is not None else {}).items():
            control.labels(what).set(value)
        due = session.scalar(select(func.min(OutboxEntry.due_at)).where(OutboxEntry.state == "pending"))
        late.set(max(0.0, (deps.now() - due).total_seconds()) if due is not None else 0.0)
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
