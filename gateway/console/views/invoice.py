"""One invoice: timeline, verdict, documents, payments, reminders, proof; what may be decided about it."""

import secrets
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Response
from sqlalchemy import select

from archive.store import Digest
from gateway.auth import Permission
from gateway.console import dossier
from gateway.console.forms import told
from gateway.console.page import Act, Does, Page, Sees, Visit, go
from gateway.console.reminding import stage_names
from gateway.console.words import french
from gateway.evidence import looks
from gateway.keeping import retention
from gateway.outgoing import decisions
from gateway.problems import Problem, not_found
from gateway.reminders.people import current_scenario
from gateway.reminders.planning import reminders_of
from gateway.tables import Document

router = APIRouter(route_class=Page, include_in_schema=False)
Reading = Annotated[Visit, Sees(Permission.INVOICES_READ)]


@router.get("/factures/{invoice_id}")
def show_invoice(visit: Reading, invoice_id: str) -> Response:
    """The page of one invoice."""
    page = invoice_page(visit, invoice_id)
    looks.at_invoice(visit.deps, visit.principal, invoice_id)
    return page


@router.post("/factures/{invoice_id}/decision")
def decide(act: Annotated[Act, Does(Permission.QUEUE_WRITE)], invoice_id: str) -> Response:
    """Try an invoice that waits again, send it anyway, or give it up: what its page offers."""
    try:
        decisions.decide(act.deps, act.principal, invoice_id, act.text("action"), act.text("raison")[:500])
    except Problem as problem:
        return refused(act, invoice_id, problem)
    return go(f"/factures/{invoice_id}", "decision")


@router.post("/factures/{invoice_id}/renvoyer")
def resend(act: Annotated[Act, Does(Permission.INVOICES_WRITE)], invoice_id: str) -> Response:
    """Send the same bytes again as a new submission. The form carries the key, so that a double click is one."""
    key = act.text("key") or secrets.token_hex(16)
    try:
        status, body = decisions.resend(act.deps, act.principal, invoice_id, f"console:{key}")
    except Problem as problem:
        return refused(act, invoice_id, problem)
    if status >= 400:
        return invoice_page(act.visit, invoice_id, errors={"": french(str(body["detail"]))}, status=422)
    return go(f"/factures/{body['id']}", "renvoi")


def refused(act: Act, invoice_id: str, problem: Problem, values: dict[str, str] | None = None) -> Response:
    """The page again, with why it was not done and what was typed. Raises the problem where the invoice is absent."""
    if problem.status == 404:
        raise problem
    return invoice_page(act.visit, invoice_id, values=values, errors={"": told(problem)}, status=problem.status)


@router.get("/factures/{invoice_id}/documents/{document_id}")
def download(visit: Reading, invoice_id: str, document_id: str) -> Response:
    """The bytes of one kept document, always as a download. A hash alone never grants a read."""
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        row = session.scalar(
            select(Document).where(Document.submission_id == invoice_id, Document.id == document_id))
    if row is None:
        raise not_found()
    looks.at_invoice(visit.deps, visit.principal, invoice_id, row)
    name = quote(row.name.replace("/", "_"), safe="")
    return Response(visit.deps.store.get(Digest(row.sha256)), media_type=row.media_type, headers={
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    })


def invoice_page(
    visit: Visit, invoice_id: str, *, values: dict[str, str] | None = None, errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    """The page of one invoice, with what was wrong in a form on it."""
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        page = dossier.load(session, visit.principal.tenant_id, invoice_id, visit.deps.now(),
                            visit.deps.today())
        way = decisions.path_now(session, page.row.invoice)
        kept = retention.reckoned(session, page.row.invoice)
        held = retention.standing(session, visit.principal.tenant_id, {invoice_id})
    planned = reminders_of(visit.deps, visit.principal.tenant_id, invoice_id).planned
    stages = stage_names(current_scenario(visit.deps, visit.principal.tenant_id))
    return visit.draw("facture.html", status=status, page=page, way=way, planned=planned, stages=stages,
                      invoice=page.row.invoice, verdict=dossier.verdict_of(visit.deps.store, page.documents),
                      values=values or {}, errors=errors or {}, key=secrets.token_hex(16), kept=kept, held=held)
