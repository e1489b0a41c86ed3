"""HTTP of the evidence: the keys that an auditor compares, checkpoints to keep elsewhere, and the log itself."""

from typing import Annotated

from fastapi import APIRouter, Response

from gateway.auth import Permission, Principal, Requires
from gateway.deps import CurrentDeps
from gateway.evidence import checkpoints, tiles, trust
from gateway.evidence.schemas import CheckpointIn, HeldOut
from gateway.problems import documented

router = APIRouter(prefix="/v1", tags=["evidence"])
Auditor = Annotated[Principal, Requires(Permission.EVIDENCE_READ)]


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


@router.get("/evidence/tlog/{log}/checkpoint", response_class=Response,
            responses={200: {"content": {"text/plain": {}}}, **documented(404)})
def get_log_checkpoint(principal: Auditor, deps: CurrentDeps, log: str) -> Response:
    """The newest checkpoint of one log. With the tiles beside it, what C2SP tlog-tiles wants of a log."""
    return get_checkpoint(principal, deps, log)


@router.get("/evidence/tlog/{log}/tile/{path:path}", response_class=Response,
            responses={200: {"content": {"application/octet-stream": {}}}, **documented(404)})
def get_tile(principal: Auditor, deps: CurrentDeps, log: str, path: str) -> Response:
    """Hashes (`<L>/<N>[.p/<W>]`) or entries (`entries/<N>[.p/<W>]`) of a log: ids and hashes only, no words."""
    return Response(tiles.tile_of(deps, principal.tenant_id, log, path), media_type="application/octet-stream",
                    headers={"Cache-Control": "private, max-age=31536000, immutable"})
