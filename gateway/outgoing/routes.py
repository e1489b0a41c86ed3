"""HTTP of outgoing invoices, and the two stateless tools: validate and convert.

The principal comes first in each signature: who asks is settled before a byte of the body is read.
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Response
from fastapi.responses import JSONResponse

from gateway.auth import Permission, Principal, Reader, Requires, Writer
from gateway.deps import CurrentDeps
from gateway.evidence import checkpoints
from gateway.idempotency import idempotency_key
from gateway.intake import raw_document
from gateway.outgoing import decisions, reading, renditions, service, tools
from gateway.outgoing.schemas import Asking, DecisionIn, InvoiceListOut, InvoiceOut, SubmissionOut
from gateway.problems import answer_of, documented

router = APIRouter(prefix="/v1", tags=["invoices"])
RawDocument = Annotated[bytes, Depends(raw_document)]
Key = Annotated[str, Depends(idempotency_key)]
ANYONE = Requires(Permission.VALIDATE)
"""Who may use the workshop; what is done there does not depend on whom."""

Operator = Annotated[Principal, Requires(Permission.QUEUE_WRITE)]
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
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "Inchangé / not modified (`If-None-Match`)"}}


REPORT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Le rapport, dans la forme demandée / the report, in the form asked for",
        "content": {"application/json": {"schema": {"type": "object"}}, "text/html": {"schema": {"type": "string"}},
                    "application/pdf": BYTES},
    },
}


@router.post("/invoices", status_code=202, response_model=SubmissionOut, openapi_extra=BODY,
             responses={**ALREADY_HERE, **documented(503)})
def submit(principal: Writer, document: RawDocument, key: Key, deps: CurrentDeps) -> JSONResponse:
    """Accept one outgoing invoice (UBL, CII, Factur-X or JSON). 202: valid and queued. 422: refused, all findings.

    The header `Passerelle-Checkpoint` has the newest checkpoint of your journal (Base64): keep it as a witness.
    """
    answer = answer_of(*service.submit(deps, principal, document, key))
    answer.headers.update(checkpoints.header(deps, principal.tenant_id))
    return answer


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


@router.post("/invoices/{submission_id}/decision", responses=documented(409))
def decide(principal: Operator, submission_id: str, decision: DecisionIn, deps: CurrentDeps) -> InvoiceOut:
    """Try an invoice that waits again, send it whatever the directory says, or give it up.

    409 not-possible: `path` says what is possible instead.
    """
    decisions.decide(deps, principal, submission_id, decision.action, decision.reason)
    return reading.get_invoice(deps, principal.tenant_id, submission_id)


@router.post("/invoices/{submission_id}/resend", status_code=202, response_model=SubmissionOut,
             responses={**ALREADY_HERE, **documented(409, 503)})
def resend(principal: Writer, submission_id: str, key: Key, deps: CurrentDeps) -> JSONResponse:
    """Send the same bytes again as a new submission, where `path.actions` has `resend`.

    That is after a technical refusal, or a rejection for an address that the directory has got right since.
    """
    return answer_of(*decisions.resend(deps, principal, submission_id, key))


@router.get("/invoices/{submission_id}/documents/{document}", response_class=Response,
            responses={**DOCUMENT, **NOT_MODIFIED, **documented(404, 406, 409)})
def get_document(
    *,
    principal: Reader,
    deps: CurrentDeps,
    submission_id: str,
    document: Annotated[str, Path(description="SHA-256, ou/or ubl, cii, factur-x, json")],
    asked: Annotated[Asking, Query()],
    accept: Annotated[str | None, Header()] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """One document of an invoice: by its SHA-256 as it was kept, or by a syntax, converted where it was not kept in it.

    The `ETag` is the SHA-256 of the bytes. `?report=true` gives the loss report instead, `?strict=true` refuses (409)
    a conversion that loses something. `?annex=true` takes what the syntax has no place for along in one attachment
    (BG-24, DOCUMENT_ANNEXE, CSV), and puts back what such an attachment holds of this syntax.
    """
    return renditions.get_document(deps, principal, submission_id, renditions.Asked(
        document=document, **asked.model_dump(), accept=accept, if_none_match=if_none_match))


@router.post("/validate", dependencies=[ANYONE], response_class=Response, openapi_extra=BODY,
             responses={**REPORT, **documented(503)})
def validate(
    *,
    document: RawDocument,
    deps: CurrentDeps,
    accept: Annotated[str, Header()] = "application/json",
    lang: Literal["fr", "en"] = "fr",
    propose: bool = False,
) -> Response:
    """Judge a document; nothing is kept. JSON, or a printable report for `Accept: text/html` or `application/pdf`.

    With `propose` the JSON has `patches`: corrections that are certain, proved by validating again, not applied.
    """
    return tools.validate(deps, document, accept=accept, lang=lang, propose=propose)


@router.post("/convert", dependencies=[ANYONE], response_class=Response, openapi_extra=BODY,
             responses={**DOCUMENT, **documented(409)})
def convert(
    *,
    document: RawDocument,
    deps: CurrentDeps,
    to: Literal["ubl", "cii", "factur-x", "json"],
    profile: str | None = None,
    lang: Literal["fr", "en"] = "fr",
    strict: bool = False,
    report: bool = False,
    annex: bool = False,
) -> Response:
    """Convert a document; nothing is kept. What is not carried over is counted in `X-Passerelle-Not-Carried`.

    `?report=true` answers with the loss report alone. `?annex=true` takes what the target has no place for along in one
    attachment (BG-24, DOCUMENT_ANNEXE, CSV): it counts as carried over, is listed under `annexed` with the reason, and
    goes back to its place in a conversion to the first syntax with `?annex=true`. An attachment of that kind that does
    not fit stays one, and is named under `annexes_left`.
    """
    return tools.convert(
        deps, document, to=to, profile=profile, lang=lang, strict=strict, report=report, annex=annex)
