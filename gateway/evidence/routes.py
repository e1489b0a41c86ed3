"""HTTP of the evidence: the dossier of an invoice, and the keys that an auditor compares."""

from typing import Annotated

from fastapi import APIRouter, Response

from gateway.auth import Permission, Principal, Requires
from gateway.deps import CurrentDeps
from gateway.evidence import dossier, trust
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


@router.get("/evidence/trust", dependencies=[Requires(Permission.EVIDENCE_READ)], response_class=Response,
            responses={200: {"content": {"text/plain": {}}}})
def get_trust(deps: CurrentDeps) -> Response:
    """The fingerprints to verify dossiers against, as `passerelle verify --trust` reads them."""
    return Response(trust.lines(deps), media_type="text/plain; charset=utf-8")
