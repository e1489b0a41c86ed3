"""HTTP of the evidence: the dossier of an invoice, those of a period, and the keys that an auditor compares."""

from typing import Annotated

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from gateway.auth import Permission, Principal, Requires
from gateway.deps import CurrentDeps
from gateway.evidence import checkpoints, dossier, periods, trust
from gateway.evidence.period_schemas import PeriodExportList, PeriodExportOut, PeriodIn, export_out
from gateway.evidence.witness import CheckpointIn, HeldOut
from gateway.problems import documented

router = APIRouter(prefix="/v1", tags=["evidence"])
Auditor = Annotated[Principal, Requires(Permission.EVIDENCE_READ)]


@router.get("/invoices/{submission_id}/dossier", response_class=Response,
            responses={200: {"content": {"application/zip": {}}}, **documented(503)})
def get_dossier(submission_id: str, principal: Auditor, deps: CurrentDeps, seda: bool = False) -> Response:  # noqa: FBT001, FBT002 - a query parameter
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


@router.get("/evidence/trust", dependencies=[Requires(Permission.EVIDENCE_READ)], response_class=Response,
            responses={200: {"content": {"text/plain": {}}}})
def get_trust(deps: CurrentDeps) -> Response:
    """The fingerprints to verify dossiers against, as `passerelle verify --trust` reads them."""
    return Response(trust.lines(deps), media_type="text/plain; charset=utf-8")


@router.get("/evidence/checkpoint", response_class=Response,
            responses={200: {"content": {"text/plain": {}}}, **documented(404)})
def get_checkpoint(principal: Auditor, deps: CurrentDeps, log: str | None = None) -> Response:
    """The newest checkpoint of the journal (or of one `log` of it): a signed note to keep elsewhere."""
    return Response(checkpoints.note_of(deps, principal.tenant_id, log), media_type="text/plain; charset=utf-8")


@router.post("/evidence/checkpoint", responses=documented(404, 422))
def check_checkpoint(principal: Auditor, deps: CurrentDeps, given: CheckpointIn) -> HeldOut:
    """Hold a checkpoint that you kept against the journal: `consistent`, or `rolled-back`, or `split-view`."""
    return HeldOut.model_validate(checkpoints.hold_against(deps, principal.tenant_id, given.checkpoint.encode()))
