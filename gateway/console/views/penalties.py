"""Pénalités: rates by half-year, the terms of each seller, and the claims and interest of one invoice."""

import secrets
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import ValidationError
from sqlalchemy import select

from gateway.auth import Permission
from gateway.console.forms import errors_of, plain_amount, told
from gateway.console.page import Act, Does, Page, Sees, Visit, go
from gateway.console.words import french
from gateway.problems import Problem
from gateway.receivables import claims, terms
from gateway.receivables.claim_schemas import ClaimIn, RateIn, TermsModel, WaiverIn
from gateway.receivables.debit import debit_document
from gateway.tables import LegalEntity, Submission

router = APIRouter(route_class=Page, include_in_schema=False)
Looking = Annotated[Visit, Sees(Permission.REMINDERS_READ)]
Collecting = Annotated[Act, Does(Permission.REMINDERS_WRITE)]


@router.get("/penalites")
def show_penalties(visit: Looking) -> Response:
    """Rates with their sources, and the terms of each entity."""
    return penalties_page(visit)


@router.post("/penalites/taux")
def add_rate(act: Collecting) -> Response:
    """Add or correct the rates of a half-year."""
    values = {name: plain_amount(act.text(name)) for name in ("refinancing", "legal")} | {"source": act.text("source")}

    def change() -> None:
        terms.set_rate(act.deps, act.principal, act.text("half_year"), RateIn.model_validate(values))

    return _done(act, change, {**values, "half_year": act.text("half_year")}, "taux")


@router.post("/penalites/conditions/{entity_id}")
def set_terms(act: Collecting, entity_id: str) -> Response:
    """Change the rate and day count of an entity; the rates of single clients stay as they are."""
    rate = plain_amount(act.text("rate"))

    def change() -> None:
        before = terms.get_terms(act.deps, act.principal.tenant_id, entity_id)
        terms.set_terms(act.deps, act.principal, entity_id, TermsModel.model_validate({
            **before.model_dump(), "rate": rate or None, "day_count": act.text("day_count")}))

    return _done(act, change, {"entity": entity_id, "rate": act.text("rate"), "day_count": act.text("day_count")},
                 "conditions")


@router.get("/factures/{invoice_id}/penalites")
def show_claims(visit: Looking, invoice_id: str) -> Response:
    """The claims of an invoice and its interest, with every step."""
    return claims_page(visit, invoice_id)


@router.get("/factures/{invoice_id}/penalites.pdf")
def show_debit(visit: Looking, invoice_id: str) -> Response:
    """The debit document, as a download."""
    return Response(debit_document(visit.deps, visit.principal.tenant_id, invoice_id), media_type="application/pdf",
                    headers={"Content-Disposition": 'attachment; filename="penalites.pdf"'})


@router.post("/factures/{invoice_id}/penalites")
def make_claim(act: Collecting, invoice_id: str) -> Response:
    """Claim the forty euro, interest up to today, or a fee. A double click is one claim."""
    typed = {name: act.text(name) for name in ("kind", "amount", "reason")}
    values = {"kind": typed["kind"], "amount": plain_amount(typed["amount"]) or None,
              "reason": typed["reason"] or None}
    key = act.text("key") or secrets.token_hex(16)
    try:
        status, body = claims.claim(act.deps, act.principal, invoice_id, ClaimIn.model_validate(values),
                                    f"console:{key}")
    except (ValidationError, Problem) as error:
        return _refused(act, invoice_id, error, typed)
    if status >= 400:
        return claims_page(act.visit, invoice_id, errors={"": french(str(body["detail"]))}, typed=typed)
    return go(f"/factures/{invoice_id}/penalites", "reclame")


@router.post("/factures/{invoice_id}/penalites/{claim_id}/abandon")
def waive(act: Collecting, invoice_id: str, claim_id: str) -> Response:
    """Give up what is left of a claim."""
    try:
        claims.waive(act.deps, act.principal, claim_id, WaiverIn(reason=act.text("reason")).reason)
    except (ValidationError, Problem) as error:
        return _refused(act, invoice_id, error, {"claim": claim_id, "waiver": act.text("reason")})
    return go(f"/factures/{invoice_id}/penalites", "abandon")


def _refused(act: Act, invoice_id: str, error: ValidationError | Problem, typed: Mapping[str, str]) -> Response:
    """The page again, with why it was not done and what was typed. Raises the problem where there is no such claim."""
    if isinstance(error, ValidationError):
        return claims_page(act.visit, invoice_id, errors=errors_of(error), typed=typed)
    if error.status == 404:
        raise error
    return claims_page(act.visit, invoice_id, errors={"": told(error)}, typed=typed)


def claims_page(
    visit: Visit, invoice_id: str, *, errors: dict[str, str] | None = None, typed: Mapping[str, str] | None = None
) -> Response:
    """The page of one invoice's claims, with what was wrong in a form on it. Problem 404."""
    found = claims.list_claims(visit.deps, visit.principal.tenant_id, invoice_id)
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        invoice = session.get_one(Submission, (visit.principal.tenant_id, invoice_id))
    return visit.draw("penalites_facture.html", status=422 if errors else 200, invoice=invoice, claims=found,
                      errors=errors or {}, typed=typed or {}, key=secrets.token_hex(16))


def penalties_page(
    visit: Visit, *, values: dict[str, Any] | None = None, errors: dict[str, str] | None = None
) -> Response:
    """The page of rates and terms, with what was wrong in a form on it."""
    tenant_id = visit.principal.tenant_id
    with visit.deps.db.reading(tenant_id) as session:
        entities = session.scalars(select(LegalEntity).order_by(LegalEntity.name)).all()
    agreed = {entity.id: terms.get_terms(visit.deps, tenant_id, entity.id) for entity in entities}
    return visit.draw("penalites.html", status=422 if errors else 200, entities=entities, agreed=agreed,
                      rates=terms.list_rates(visit.deps, tenant_id).items, values=values or {}, errors=errors or {})


def _done(act: Act, change: Callable[[], None], values: dict[str, Any], word: str) -> Response:
    """Do it and go on, or show the page again with what was wrong."""
    try:
        change()
    except ValidationError as error:
        return penalties_page(act.visit, values=values, errors=errors_of(error))
    except Problem as problem:
        if problem.status == 404:
            raise
        return penalties_page(act.visit, values=values, errors={"": told(problem)})
    return go("/penalites", word)
