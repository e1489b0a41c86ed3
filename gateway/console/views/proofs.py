"""The pages beside the journal: who looked, seals, checks with their progress and result, exports."""

from typing import Annotated

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse
from pydantic import ValidationError

from gateway import jobs
from gateway.auth import Permission
from gateway.console import people, proofs, queries
from gateway.console.forms import errors_of, told
from gateway.console.page import Act, Does, Page, Sees, Visit, go
from gateway.dossiers import periods
from gateway.dossiers.schemas import PeriodIn
from gateway.evidence import looks
from gateway.problems import Problem, not_found
from gateway.tables import Submission

router = APIRouter(route_class=Page, include_in_schema=False)
Reading = Annotated[Visit, Sees(Permission.AUDIT_READ)]
Exporting = Annotated[Visit, Sees(Permission.EVIDENCE_READ)]
REFRESH_SECONDS = 2


@router.get("/journal/acces")
def show_looks(visit: Reading, facture: str = "", qui: str = "", avant: str = "") -> Response:
    """Who looked at what: of one invoice, of one person, or everything."""
    tenant_id = visit.principal.tenant_id
    before = int(avant[:18]) if avant.isdecimal() else None
    with visit.deps.db.reading(tenant_id) as session:
        names = people.names(session)
        invoice = session.get(Submission, (tenant_id, facture[:64])) if facture else None
        if facture and invoice is None:
            raise not_found()
        found = proofs.looks_of(session, names, invoice_id=invoice.id if invoice else "", person=qui.strip()[:100],
                                before=before)
    looks.at_list(visit.deps, visit.principal, looks.JOURNAL_SEARCHED, "journal", facture=facture, qui=qui)
    return visit.draw("acces.html", found=found, names=names, invoice=invoice, person=qui.strip()[:100])


@router.get("/journal/scellements")
def show_seals(visit: Reading) -> Response:
    """How the seals do: the last one, the oldest entry that waits, the authority, until when they stand."""
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        health = proofs.seal_health(visit.deps, session, visit.principal.tenant_id)
    return visit.draw("scellements.html", health=health, authority=visit.deps.settings.tsa_url)


@router.get("/journal/controles")
def show_checks(visit: Reading) -> Response:
    """The checks that were asked for, and the button for one of everything."""
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        found = jobs.jobs(session, jobs.CHECK)
        names, invoices = people.names(session), queries.by_id(session, {job.subject for job in found})
    at_work = any(job.state in jobs.OPEN for job in found)
    return visit.draw("controles.html", jobs=found, names=names, invoices=invoices,
                      refresh=REFRESH_SECONDS if at_work else None)


@router.post("/journal/controles")
def start_check(act: Annotated[Act, Does(Permission.AUDIT_READ)]) -> Response:
    """Check an invoice or everything, now."""
    job = jobs.start_check(act.deps, act.principal.tenant_id, act.text("facture")[:64], act.principal.actor)
    return go(f"/journal/controles/{job.id}")


@router.get("/journal/controles/{job_id}")
def show_check(visit: Reading, job_id: str) -> Response:
    """How far a check is, then its result, made for printing. Without a script the page asks again by itself."""
    tenant_id = visit.principal.tenant_id
    with visit.deps.db.reading(tenant_id) as session:
        job = jobs.get_job(session, jobs.CHECK, tenant_id, job_id)
        invoice = session.get(Submission, (tenant_id, job.subject)) if job.subject else None
        names = people.names(session)
    return visit.draw("controle.html", job=job, invoice=invoice, names=names,
                      refresh=REFRESH_SECONDS if job.state in jobs.OPEN else None)


@router.get("/journal/exports")
def show_exports(visit: Exporting) -> Response:
    """The exports of periods, their progress, and the form for a new one."""
    return _exports(visit)


@router.post("/journal/exports")
def start_export(act: Annotated[Act, Does(Permission.EVIDENCE_READ)]) -> Response:
    """Begin the export of a period."""
    values = {"from": act.text("from"), "to": act.text("to"), "entity": act.text("entity"), "pdf": act.text("pdf")}
    try:
        wanted = PeriodIn.model_validate({**values, "entity": values["entity"] or None, "pdf": bool(values["pdf"])})
        periods.start(act.deps, act.principal, wanted.first, wanted.last, siren=wanted.entity, pdf=wanted.pdf)
    except ValidationError as error:
        return _exports(act.visit, values=values, errors=errors_of(error), status=422)
    except Problem as problem:
        return _exports(act.visit, values=values, errors={"": told(problem)}, status=422)
    return go("/journal/exports", "export")


@router.get("/journal/exports/{export_id}/fichier")
def download_export(visit: Exporting, export_id: str) -> Response:
    """The finished file. Handing it out is journaled first."""
    row = periods.get_export(visit.deps, visit.principal.tenant_id, export_id)
    path = periods.file_of(visit.deps, row)
    looks.at_list(visit.deps, visit.principal, looks.LIST_EXPORTED, periods.subject_of(row))
    return FileResponse(path, media_type="application/x-tar", filename=periods.name_of(row))


def _exports(
    visit: Visit, *, values: dict[str, str] | None = None, errors: dict[str, str] | None = None, status: int = 200
) -> Response:
    rows = periods.list_exports(visit.deps, visit.principal.tenant_id)
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        names, entities = people.names(session), proofs.entities(session)
    return visit.draw("exports.html", status=status, rows=rows, names=names, entities=entities, values=values or {},
                      errors=errors or {}, refresh=REFRESH_SECONDS if any(r.state == "running" for r in rows) else None)
