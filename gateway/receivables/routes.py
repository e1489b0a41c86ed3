"""HTTP of payments."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from gateway.auth import Permission, Principal, Reader, Requires
from gateway.deps import CurrentDeps
from gateway.idempotency import idempotency_key
from gateway.problems import answer_of
from gateway.receivables import service
from gateway.receivables.schemas import PaymentIn, PaymentListOut, PaymentRecordedOut

router = APIRouter(prefix="/v1", tags=["payments"])
Cashier = Annotated[Principal, Requires(Permission.PAYMENTS_WRITE)]
Key = Annotated[str, Depends(idempotency_key)]


@router.post("/invoices/{submission_id}/payments", status_code=201, response_model=PaymentRecordedOut)
def record_payment(
    principal: Cashier, submission_id: str, payment: PaymentIn, key: Key, deps: CurrentDeps
) -> JSONResponse:
    """Record money received, or take it back with a negative amount. 201 with the balance right after it."""
    return answer_of(*service.record_payment(deps, principal, submission_id, payment, key))


@router.get("/invoices/{submission_id}/payments")
def list_payments(
    submission_id: str, principal: Reader, deps: CurrentDeps, on: date | None = None
) -> PaymentListOut:
    """Every payment of an invoice, and what is due, today or at the end of the day `on`."""
    return service.list_payments(deps, principal.tenant_id, submission_id, on)
