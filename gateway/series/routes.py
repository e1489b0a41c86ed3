"""HTTP of number series."""

from typing import Annotated

from fastapi import APIRouter, Query

from gateway.auth import Reader, Writer
from gateway.deps import CurrentDeps
from gateway.problems import documented
from gateway.series import service
from gateway.series.schemas import ExplanationIn, ExplanationOut, SeriesListOut

router = APIRouter(prefix="/v1", tags=["series"])


@router.get("/series", responses=documented(404))
def list_series(
    principal: Reader,
    deps: CurrentDeps,
    siren: Annotated[str | None, Query(pattern=r"^[0-9]{9}$")] = None,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> SeriesListOut:
    """The number series of your invoices, each with its gaps, repetitions and disorders."""
    return service.list_series(deps, principal.tenant_id, siren=siren, after=after, limit=limit)


@router.post("/series/gaps", status_code=201, responses=documented(404, 409))
def explain_gap(principal: Writer, said: ExplanationIn, deps: CurrentDeps) -> ExplanationOut:
    """Say why a number was not used. Kept in the journal; the latest explanation of a number counts."""
    return service.explain_gap(deps, principal, said)
