"""HTTP of the event feed and of the seller's own statuses."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse

from gateway.auth import Permission, Principal, Reader, Requires, Writer
from gateway.deps import CurrentDeps
from gateway.idempotency import idempotency_key
from gateway.lifecycle import service, standing
from gateway.lifecycle.schemas import DutiesOut, FeedOut, LifecycleStateOut, StatusIn, StatusQueuedOut
from gateway.problems import answer_of

router = APIRouter(prefix="/v1", tags=["lifecycle"])
Listener = Annotated[Principal, Requires(Permission.EVENTS_READ)]
Key = Annotated[str, Depends(idempotency_key)]


@router.get("/events")
def list_events(
    principal: Listener,
    deps: CurrentDeps,
    after: Annotated[int, Query(ge=0, le=(1 << 63) - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> FeedOut:
    """Everything that happened to invoices since a position. Keep the last position and go on from it."""
    return service.feed(deps, principal.tenant_id, after, limit)


@router.post("/invoices/{submission_id}/statuses", status_code=202, response_model=StatusQueuedOut)
def set_status(
    principal: Writer, submission_id: str, status: StatusIn, key: Key, deps: CurrentDeps
) -> JSONResponse:
    """Complete a suspended invoice (209), cancel one that was replaced (220), or tell another account to pay (227)."""
    return answer_of(*service.set_status(deps, principal, submission_id, status, key))


@router.get("/invoices/{submission_id}/lifecycle")
def show_lifecycle(principal: Reader, submission_id: str, deps: CurrentDeps) -> LifecycleStateOut:
    """Where an invoice stands: who said what, what does not count and why, what is expected next and of whom."""
    return standing.lifecycle_of(deps, principal.tenant_id, submission_id)


@router.get("/duties")
def list_duties(principal: Reader, deps: CurrentDeps) -> DutiesOut:
    """Statuses that the State must have within 24 hours and that have not left, the most urgent first."""
    return standing.duties_of(deps, principal.tenant_id)
