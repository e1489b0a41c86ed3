"""Banque: statements taken in, what each movement probably pays, and a person who says so."""

import secrets
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import ValidationError
from sqlalchemy import select

from gateway.auth import Permission
from gateway.bank.deciding import allocate, decide
from gateway.bank.files import SHOWN, list_files, take_in
from gateway.bank.proposals import movements
from gateway.bank.schemas import AllocationIn, MovementDecisionIn
from gateway.console import people
from gateway.console.forms import errors_of, plain_amount, told
from gateway.console.page import Act, Does, Page, Sees, Uploads, Visit, Writes, go
from gateway.console.words import french
from gateway.deps import Deps
from gateway.problems import Problem
from gateway.tables import Submission

router = APIRouter(route_class=Page, include_in_schema=False)
MOST_BYTES = 20 << 20
STATES = {"open": "À rapprocher", "doubtful": "À trancher", "matched": "Rapprochés", "aside": "Mis de côté",
          "repeated": "Déjà connus"}
Cashier = Annotated[Visit, Sees(Permission.PAYMENTS_WRITE)]
Deciding = Annotated[Act, Does(Permission.PAYMENTS_WRITE)]


@router.get("/banque")
def show_bank(visit: Cashier, etat: str = "open", avant: str = "") -> Response:
    """Movements in a state, and the statements."""
    return bank_page(visit, etat, before=avant or None)


@router.post("/banque/releves")
def upload(act: Annotated[Act, Uploads(Permission.PAYMENTS_WRITE)]) -> Response:
    """Take in a statement."""
    chosen = act.file("releve")
    document = chosen.file.read(MOST_BYTES + 1) if chosen is not None else b""
    if not document or len(document) > MOST_BYTES:
        return bank_page(act.visit, "open", problem="Choisissez un relevé CAMT.053 de 20 Mo au plus.")
    try:
        made = take_in(act.deps, act.principal, document, chosen.filename or "releve.xml" if chosen else "releve.xml")
    except Problem as problem:
        return bank_page(act.visit, "open", problem=told(problem))
    return go("/banque", "releve-connu" if made.already_known else "releve")


@router.post("/banque/mouvements/{movement_id}/rapprocher")
def confirm(act: Annotated[Act, Writes(Permission.PAYMENTS_WRITE)], movement_id: str) -> Response:
    """Confirm a proposal (`part` fields: invoice, amount and claim), or what was typed (number and amount)."""
    typed = {name: act.text(name) for name in ("number", "amount", "overpayment", "avant")} | {"movement": movement_id}
    parts = [dict(zip(("invoice_id", "amount", "claim_id"), [*text.split("|"), ""], strict=False))
             for text in act.texts("part")]
    try:
        if not parts:
            parts = [{"invoice_id": numbered(act.deps, act.principal.tenant_id, typed["number"]),
                      "amount": plain_amount(typed["amount"])}]
        wanted = AllocationIn.model_validate({
            "parts": [{**part, "claim_id": part.get("claim_id") or None} for part in parts],
            "overpayment": typed["overpayment"] == "oui"})
        key = act.text("key") or secrets.token_hex(16)
        status, body = allocate(act.deps, act.principal, movement_id, wanted, f"console:{key}")
    except ValidationError as error:
        return bank_page(act.visit, "open", problem="; ".join(errors_of(error).values()), typed=typed)
    except Problem as problem:
        return bank_page(act.visit, "open", problem=told(problem), typed=typed)
    if status >= 400:
        return bank_page(act.visit, "open", problem=french(str(body["detail"])), typed=typed)
    return go("/banque", "rapproche")


@router.post("/banque/mouvements/{movement_id}/decision")
def say(act: Deciding, movement_id: str) -> Response:
    """Set a movement aside, open it again, or say whether it was told before."""
    state = act.text("etat") if act.text("etat") in STATES else "open"
    typed = {name: act.text(name) for name in ("action", "reason", "avant")} | {"movement": movement_id}
    try:
        wanted = MovementDecisionIn.model_validate({"action": typed["action"], "reason": typed["reason"]})
        decide(act.deps, act.principal, movement_id, wanted)
    except ValidationError as error:
        return bank_page(act.visit, state, problem="; ".join(errors_of(error).values()), typed=typed)
    except Problem as problem:
        return bank_page(act.visit, state, problem=told(problem), typed=typed)
    return go(f"/banque?etat={state}", "decision")


def bank_page(
    visit: Visit, state: str, *, problem: str = "", before: str | None = None, typed: Mapping[str, str] | None = None
) -> Response:
    """The page, with what was wrong in a form on it and what was typed there (`typed`: its fields, and `movement`)."""
    tenant_id, chosen = visit.principal.tenant_id, state if state in STATES else "open"
    before = before or (typed or {}).get("avant") or None
    page = movements(visit.deps, tenant_id, state=chosen, before=before, limit=25)
    with visit.deps.db.reading(tenant_id) as session:
        names = people.names(session)
    return visit.draw("banque.html", status=422 if problem else 200, page=page, files=list_files(visit.deps, tenant_id),
                      state=chosen, states=STATES, problem=problem, key=secrets.token_hex(16), names=names,
                      typed=typed or {}, before=before or "", most=SHOWN)


def numbered(deps: Deps, tenant_id: str, number: str) -> str:
    """The id of the invoice in force with this number. Problem 422 where there is none, or several."""
    with deps.db.reading(tenant_id) as session:
        found = session.scalars(select(Submission.id).where(
            Submission.number == number, Submission.active.is_(True)).limit(2)).all()
    if len(found) != 1:
        raise Problem(422, "invoice-unknown", "Aucune facture en vigueur, ou plusieurs, portent ce numéro. / "
                      "No invoice in force, or several, have this number.")
    return found[0]
