"""HTTP of the dossiers: that of one invoice, and those of a period."""

from typing import Annotated

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from gateway.auth import Permission, Principal, Requires
from gateway.deps import CurrentDeps
from gateway.dossiers import dossier, periods
from gateway.dossiers.schemas import PeriodExportList, PeriodExportOut, PeriodIn, export_out
from gateway.problems import documented

router = APIRouter(prefix="/v1", tags=["evidence"])
Auditor = Annotated[Principal, Requires(Permission.EVIDENCE_READ)]


@router.get("/invoices/{submission_id}/dossier", response_class=Response,
            responses={200: {"content": {"application/zip": {}}}, **documented(503)})
def get_dossier(submission_id: str, principal: Auditor, deps: CurrentDeps, *, seda: bool = False) -> Response:
    """The dossier of one invoice as a ZIP; `passerelle verify` or its own verify.sh checks it offline.

    `seda`: with `manifest.xml`, for archiving systems that follow SEDA 2.2.
    """
    name, data = dossier.export(deps, principal, submission_id, seda=seda)
    return Response(data, media_type="application/zip",
                    headers={"Content-Disposition": f'attachment; filename="{name}"'})


@router.post("/evidence/exports", status_code=202, responses=documented(404, 422))
def start_export(period: PeriodIn, principal: Auditor, deps: CurrentDeps) -> PeriodExportOut:
    """Begin the export of all dossiers of a period. Asked again while it runs, it gives the same one."""
    return export_out(periods.start(deps, principal, period.first, period.last, siren=period.entity, pdf=period.pdf))


@router.get("/evidence/exports")
def list_exports(principal: Auditor, deps: CurrentDeps) -> PeriodExportList:
    """The newest exports of periods."""
    return PeriodExportList(items=[export_out(row) for row in periods.list_exports(deps, principal.tenant_id)])


@router.get("/evidence/exports/{export_id}", responses=documented(404))
def get_export(export_id: str, principal: Auditor, deps: CurrentDeps) -> PeriodExportOut:
    """One export, with how far it is."""
    return export_out(periods.get_export(deps, principal.tenant_id, export_id))


@router.get("/evidence/exports/{export_id}/file", response_class=FileResponse,
            responses={200: {"content": {"application/x-tar": {}}}, **documented(404, 409)})
def get_export_file(export_id: str, principal: Auditor, deps: CurrentDeps) -> FileResponse:
    """The tar of a finished export; ranges are served. Unpacked, `sh verify.sh` checks it; `passerelle verify` too."""
    row = periods.get_export(deps, principal.tenant_id, export_id)
    return FileResponse(periods.file_of(deps, row), media_type="application/x-tar", filename=periods.name_of(row))
