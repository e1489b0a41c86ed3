"""HTTP of outgoing invoices, and the two stateless tools: validate and convert.

The principal comes first in each signature: who asks is settled before a byte of the body is read.
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import JSONResponse

from gateway.auth import Permission, Principal, Reader, Requires, Writer
from gateway.deps import CurrentDeps
from gateway.idempotency import idempotency_key
from gateway.intake import raw_document
from gateway.outgoing import reading, service, tools
from gateway.outgoing.schemas import InvoiceListOut, InvoiceOut, SubmissionOut
from gateway.problems import answer_of, documented

router = APIRouter(prefix="/v1", tags=["invoices"])
RawDocument = Annotated[bytes, Depends(raw_document)]
Key = Annotated[str, Depends(idempotency_key)]
Anyone = Annotated[Principal, Requires(Permission.VALIDATE)]
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/xml": {"schema": {"type": "string", "format": "binary"}},
            "application/pdf": {"schema": {"type": "string", "format": "binary"}},
            "application/json": {"schema": {"type": "object"}},
        },
    }
}


ALREADY_HERE: dict[int | str, dict[str, Any]] = {
    200: {"model": SubmissionOut, "description": "La même facture est déjà là / the same invoice is here already"},
}
BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
DOCUMENT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/xml": BYTES, "application/pdf": BYTES, "application/json": {}}},
}


@router.post("/invoices", status_code=202, response_model=SubmissionOut, openapi_extra=BODY,
             responses={**ALREADY_HERE, **documented(503)})
def submit(principal: Writer, document: RawDocument, key: Key, deps: CurrentDeps) -> JSONResponse:
    """Accept one outgoing invoice (UBL, CII, Factur-X or JSON). 202: valid and queued. 422: refused, all findings."""
    return answer_of(*service.submit(deps, principal, document, key))


@router.get("/invoices", responses=documented(404))
def list_invoices(
    principal: Reader,
    deps: CurrentDeps,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    number: str | None = None,
) -> InvoiceListOut:
    """A page of invoices, oldest first."""
    return reading.list_invoices(deps, principal.tenant_id, after, limit, number)


@router.get("/invoices/{submission_id}")
def get_invoice(submission_id: str, principal: Reader, deps: CurrentDeps) -> InvoiceOut:
    """One invoice: state, events, documents."""
    return reading.get_invoice(deps, principal.tenant_id, submission_id)


@router.get("/invoices/{submission_id}/documents/{sha256}", response_class=Response, responses=DOCUMENT)
def get_document(submission_id: str, sha256: str, principal: Reader, deps: CurrentDeps) -> Response:
    """The bytes of one document, as they were kept."""
    data, row = reading.get_document(deps, principal, submission_id, sha256)
    return Response(data, media_type=row.media_type,
                    headers={"Content-Disposition": f'attachment; filename="{row.name}"',
                             "X-Content-Type-Options": "nosniff"})


@router.post("/validate", openapi_extra=BODY)
def validate(principal: Anyone, document: RawDocument, deps: CurrentDeps) -> dict[str, Any]:
    """Judge a document; nothing is kept."""
    return tools.validate(deps, principal, document)


@router.post("/convert", response_class=Response, openapi_extra=BODY, responses={**DOCUMENT, **documented(409)})
def convert(
    *,
    principal: Anyone,
    document: RawDocument,
    deps: CurrentDeps,
    to: Literal["ubl", "cii", "factur-x", "json"],
    profile: str | None = None,
    lang: Literal["fr", "en"] = "fr",
    strict: bool = False,
) -> Response:
    """Convert a document; nothing is kept. What is not carried over is counted in `X-Passerelle-Not-Carried`."""
    return tools.convert(deps, principal, document, to=to, profile=profile, lang=lang, strict=strict)
