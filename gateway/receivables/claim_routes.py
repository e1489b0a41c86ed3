"""Claims for lateness on an invoice, the terms of a seller, and the rates by half-year."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse

from gateway.auth import Permission, Principal, Requires
from gateway.deps import CurrentDeps
from gateway.idempotency import idempotency_key
from gateway.problems import answer_of, documented
from gateway.receivables import claims, terms
from gateway.receivables.claim_schemas import (
    ClaimIn,
    ClaimListOut,
    ClaimOut,
    ClaimPaymentIn,
    InterestOut,
    RateIn,
    RateListOut,
    RateOut,
    TermsModel,
    WaiverIn,
)
from gateway.receivables.debit import debit_document

router = APIRouter(prefix="/v1", tags=["penalties"])
Looking = Annotated[Principal, Requires(Permission.REMINDERS_READ)]
Collector = Annotated[Principal, Requires(Permission.REMINDERS_WRITE)]
Cashier = Annotated[Principal, Requires(Permission.PAYMENTS_WRITE)]
PDF: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}},
    **documented(503),
}
Key = Annotated[str, Depends(idempotency_key)]


@router.get("/invoices/{submission_id}/claims")
def list_claims(principal: Looking, submission_id: str, deps: CurrentDeps) -> ClaimListOut:
    """The claims on an invoice with their balances, and what could be claimed today."""
    return claims.list_claims(deps, principal.tenant_id, submission_id)


@router.post("/invoices/{submission_id}/claims", status_code=201, response_model=ClaimOut, responses=documented(409))
def claim(principal: Collector, submission_id: str, wanted: ClaimIn, key: Key, deps: CurrentDeps) -> JSONResponse:
    """Claim the forty euro (once), interest up to a day (what was not claimed yet), or a fee."""
    return answer_of(*claims.claim(deps, principal, submission_id, wanted, key))


@router.get("/invoices/{submission_id}/interest")
def show_interest(
    principal: Looking, submission_id: str, deps: CurrentDeps, until: date | None = None
) -> InterestOut:
    """The interest of an invoice up to a day, with every segment. 422 rate-missing names a half-year without a rate."""
    return claims.interest_statement(deps, principal.tenant_id, submission_id, until)


@router.get("/invoices/{submission_id}/debit-document", response_class=Response, responses=PDF)
def show_debit(principal: Looking, submission_id: str, deps: CurrentDeps) -> Response:
    """What is claimed and open for lateness on an invoice, as a PDF to send. 422 nothing-claimed."""
    return Response(debit_document(deps, principal.tenant_id, submission_id), media_type="application/pdf")


@router.post("/claims/{claim_id}/waiver", responses=documented(409))
def waive(principal: Collector, claim_id: str, wanted: WaiverIn, deps: CurrentDeps) -> ClaimOut:
    """Give up what is left of a claim."""
    return claims.waive(deps, principal, claim_id, wanted.reason)


@router.post("/claims/{claim_id}/payments", status_code=201, response_model=ClaimOut, responses=documented(409))
def pay(principal: Cashier, claim_id: str, wanted: ClaimPaymentIn, key: Key, deps: CurrentDeps) -> JSONResponse:
    """Record money received for a claim, or take it back with a negative amount."""
    return answer_of(*claims.pay(deps, principal, claim_id, wanted, key))


@router.get("/entities/{entity_id}/penalty-terms")
def show_terms(principal: Looking, entity_id: str, deps: CurrentDeps) -> TermsModel:
    """What a seller agreed about lateness."""
    return terms.get_terms(deps, principal.tenant_id, entity_id)


@router.put("/entities/{entity_id}/penalty-terms")
def set_terms(wanted: TermsModel, principal: Collector, entity_id: str, deps: CurrentDeps) -> TermsModel:
    """Change what a seller agreed about lateness."""
    return terms.set_terms(deps, principal, entity_id, wanted)


@router.get("/penalty-rates")
def list_rates(principal: Looking, deps: CurrentDeps) -> RateListOut:
    """Every half-year whose rates are known, with their sources."""
    return terms.list_rates(deps, principal.tenant_id)


@router.put("/penalty-rates/{half_year}")
def set_rate(wanted: RateIn, principal: Collector, half_year: str, deps: CurrentDeps) -> RateOut:
    """Add or correct the rates of a half-year (`2026-H2`) that has begun, with their source."""
    return terms.set_rate(deps, principal, half_year, wanted)
