"""The form for money received, on the page of an invoice."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import ValidationError

from gateway.auth import Permission
from gateway.console.forms import errors_of, plain_amount, told
from gateway.console.page import Act, Does, Page, go
from gateway.console.views.invoice import invoice_page
from gateway.console.words import french
from gateway.problems import Problem
from gateway.receivables.schemas import PaymentIn
from gateway.receivables.service import record_payment

router = APIRouter(route_class=Page, include_in_schema=False)


@router.post("/factures/{invoice_id}/paiements")
def add_payment(act: Annotated[Act, Does(Permission.PAYMENTS_WRITE)], invoice_id: str) -> Response:
    """Record money received. The form carries the idempotency key, so that a double click is one payment."""
    values = {name: act.text(name) for name in ("amount", "paid_on", "method", "reference", "key")}
    key = values["key"] or secrets.token_hex(16)
    try:
        payment = PaymentIn.model_validate({
            "amount": plain_amount(values["amount"]), "paid_on": values["paid_on"],
            "method": values["method"] or None, "reference": values["reference"] or None,
        })
        status, body = record_payment(act.deps, act.principal, invoice_id, payment, f"console:{key}")
    except ValidationError as error:
        return invoice_page(act.visit, invoice_id, values=values, errors=errors_of(error), status=422)
    except Problem as problem:
        if problem.status == 404:
            raise
        return invoice_page(act.visit, invoice_id, values=values, errors={"": told(problem)}, status=422)
    if status >= 400:
        return invoice_page(act.visit, invoice_id, values=values, errors={"": french(str(body["detail"]))}, status=422)
    return go(f"/factures/{invoice_id}", "paiement")
