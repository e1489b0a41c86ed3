"""/v1/bank-files and /v1/bank-movements: what the bank says, what it probably pays, what a person says of it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse

from gateway.auth import Permission, Principal, Requires
from gateway.bank import deciding, files, proposals
from gateway.bank.schemas import (
    AllocationIn,
    BankFileListOut,
    BankFileOut,
    MovementDecisionIn,
    MovementListOut,
    MovementOut,
    State,
)
from gateway.deps import CurrentDeps
from gateway.idempotency import idempotency_key
from gateway.intake import bounded_body
from gateway.problems import answer_of, documented

router = APIRouter(prefix="/v1", tags=["bank"])
Cashier = Annotated[Principal, Requires(Permission.PAYMENTS_WRITE)]
Key = Annotated[str, Depends(idempotency_key)]
MOST_BYTES = 20 << 20
BODY: dict[str, Any] = {"requestBody": {"required": True, "content": {
    "application/xml": {"schema": {"type": "string", "format": "binary"}}}}}
DONE: dict[int | str, dict[str, Any]] = {200: {"content": {"application/json": {"schema": {
    "type": "object", "required": ["id", "state", "left", "payments"], "properties": {
        "id": {"type": "string"}, "state": {"type": "string"}, "left": {"type": "string"},
        "payments": {"type": "array", "items": {"type": "string"}}}}}}}}


async def bank_document(request: Request) -> bytes:
    """The body of a bank file, at most 20 MB."""
    return await bounded_body(request, MOST_BYTES)


@router.post("/bank-files", openapi_extra=BODY, responses=documented(413, 422))
def take_in(
    principal: Cashier, document: Annotated[bytes, Depends(bank_document)], deps: CurrentDeps,
    name: Annotated[str, Query(max_length=255)] = "camt053.xml",
) -> BankFileOut:
    """Take in a CAMT.053 file (001.02 to 001.13). The same file again changes nothing; no movement counts twice."""
    return files.take_in(deps, principal, document, name)


@router.get("/bank-files")
def list_files(principal: Cashier, deps: CurrentDeps) -> BankFileListOut:
    """The newest bank files."""
    return files.list_files(deps, principal.tenant_id)


@router.get("/bank-movements", responses=documented(404))
def list_movements(
    principal: Cashier, deps: CurrentDeps, state: State = "open", before: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> MovementListOut:
    """Movements in a state, newest first; open ones with proposals and the reasons for each."""
    return proposals.movements(deps, principal.tenant_id, state=state, before=before, limit=limit)


@router.get("/bank-movements/{movement_id}")
def show_movement(principal: Cashier, movement_id: str, deps: CurrentDeps) -> MovementOut:
    """One movement."""
    return proposals.movement(deps, principal.tenant_id, movement_id)


@router.post("/bank-movements/{movement_id}/allocations", responses={**DONE, **documented(409)})
def allocate(
    principal: Cashier, movement_id: str, wanted: AllocationIn, key: Key, deps: CurrentDeps
) -> JSONResponse:
    """Say what a movement pays: each part becomes a payment of the ledger, all of them or none."""
    return answer_of(*deciding.allocate(deps, principal, movement_id, wanted, key))


@router.post("/bank-movements/{movement_id}/decision", responses=documented(409))
def decide(
    principal: Cashier, movement_id: str, wanted: MovementDecisionIn, deps: CurrentDeps
) -> MovementOut:
    """Set a movement aside, open it again, or say whether a doubtful one was told before."""
    return deciding.decide(deps, principal, movement_id, wanted)
