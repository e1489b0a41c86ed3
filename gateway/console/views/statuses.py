"""The seller's own statuses, set by a person on the page of an invoice: 209, 220 and 227. A 212 follows payments."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import ValidationError

from gateway.auth import Permission
from gateway.console.forms import SENTENCES, errors_of, told
from gateway.console.page import Act, Does, Page, go
from gateway.console.views.invoice import invoice_page
from gateway.console.words import french
from gateway.lifecycle.schemas import StatusIn
from gateway.lifecycle.service import set_status
from gateway.problems import Problem

router = APIRouter(route_class=Page, include_in_schema=False)
FIELDS = ("code", "key", "comment-209", "comment-220", "comment-227", "account-iban", "account-bic", "account-name")
EXPLAINED = frozenset({"209", "220"})
"""Statuses that a person must explain to the buyer; the explanation is in the journal too."""


@router.post("/factures/{invoice_id}/statuts")
def add_status(act: Annotated[Act, Does(Permission.INVOICES_WRITE)], invoice_id: str) -> Response:
    """Set a status. The form carries the idempotency key, so that a double click is one status."""
    values = {name: act.text(name) for name in FIELDS}
    errors, status = _set(act, invoice_id, values)
    if errors:
        return invoice_page(act.visit, invoice_id, values=values, errors=errors, status=status)
    return go(f"/factures/{invoice_id}", "statut")


def _set(act: Act, invoice_id: str, values: dict[str, str]) -> tuple[dict[str, str], int]:
    """(what is wrong by field, HTTP status). Nothing is wrong: the status is on its way."""
    code, comment = values["code"], values.get(f"comment-{values['code']}", "")
    if code in EXPLAINED and not comment:
        return {f"comment-{code}": SENTENCES["missing"]}, 422
    account = {name: values[f"account-{name}"] or None for name in ("bic", "name")}
    key = values["key"] or secrets.token_hex(16)
    try:
        wanted = StatusIn.model_validate({
            "code": code, "comment": comment or None,
            "account": {"iban": values["account-iban"], **account} if code == "227" else None,
        })
        status, body = set_status(act.deps, act.principal, invoice_id, wanted, f"console:{key}")
    except ValidationError as error:
        return {_field(name, code): sentence for name, sentence in errors_of(error).items()}, 422
    except Problem as problem:
        if problem.status == 404:
            raise
        return {"": told(problem)}, problem.status
    return ({"": french(str(body["detail"]))} if status >= 400 else {}), status


def _field(name: str, code: str) -> str:
    """The field of the page for one of the schema; what concerns no field of it stands for the whole form."""
    field = f"comment-{code}" if name == "comment" else name.replace(".", "-")
    return field if field in FIELDS[2:] else ""
