"""HTTP of the event feed and of the seller's own statuses."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse

from gateway.auth import Permission, Principal, Requires, Writer
from gateway.deps import CurrentDeps
from gateway.idempotency import idempotency_key
from gateway.lifecycle import service
from gateway.lifecycle.schemas import FeedOut, StatusIn, StatusQueuedOut
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
    """Complete a suspended invoice (209) or cancel one that was replaced (220)."""
    return answer_of(*service.set_status(deps, principal, submission_id, status, key))
