"""An accepted invoice in any syntax: as it was kept where it has that syntax, else converted for this answer.

What is converted is not kept. Like every reading of a document it is journaled.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Response
from fastapi.responses import JSONResponse
from sqlalchemy import select

from archive.store import Digest
from formats.errors import FormatError
from gateway.accounts.appearance import appearance_of, settings_of
from gateway.auth import Principal
from gateway.deps import Deps
from gateway.evidence import looks
from gateway.outgoing import reading
from gateway.outgoing.drafts import file_name, media_type_of
from gateway.outgoing.service import get_submission
from gateway.problems import Problem, not_found
from gateway.tables import Document, LegalEntity, Submission

SYNTAXES: Final[Mapping[str, frozenset[str]]] = {
    "ubl": frozenset({"ubl-invoice", "ubl-credit-note"}), "cii": frozenset({"cii"}),
    "factur-x": frozenset({"factur-x"}), "json": frozenset({"json"}),
}
"""What may be asked for by name, and the syntaxes of the contract that it covers."""

_NEVER: Final = re.compile(r"q\s*=\s*0(?:\.0*)?")
ROLES: Final = ("original", "sent")
UNCHANGED: Final[Mapping[str, Any]] = {
    "unchanged": True, "carried": [], "set_aside": [], "not_carried": [], "fillers": [],
    "annexed": [], "put_back": [], "annexes_left": [],
}
"""The loss report of bytes that are the kept ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the request says."""

    document: str
    """A SHA-256, or one of SYNTAXES."""

    profile: str | None
    lang: str | None
    strict: bool
    report: bool
    annex: bool
    accept: str | None
    if_none_match: str | None


@dataclass(frozen=True, slots=True)
class Rendition:
    """The bytes and what they lost."""

    data: bytes
    media_type: str
    name: str
    loss: Mapping[str, Any]


def get_document(deps: Deps, principal: Principal, submission_id: str, asked: Asked) -> Response:
    """The document as it was kept, by its hash; or in a syntax, or the loss report of that.

    `ETag` is the SHA-256 of the bytes; `Link` names the loss report. Problems: 404 for an invoice or a document that
    is not there, 406 where `Accept` excludes the media type, 409 conversion-loses where `strict` refuses, 422 with
    the code of the format error where the invoice cannot become that.
    """
    if asked.document in SYNTAXES:
        return _in_syntax(deps, principal, submission_id, asked)
    data, row = reading.get_document(deps, principal, submission_id, asked.document)
    return _sent(Rendition(data, row.media_type, row.name, UNCHANGED), asked)


def _in_syntax(deps: Deps, principal: Principal, submission_id: str, asked: Asked) -> Response:
    expected = "application/json" if asked.report else media_type_of(asked.document)
    if not _admits(asked.accept, expected):
        raise Problem(406, "not-acceptable", f"Disponible en / available as {expected}.", available=[expected])
    made = _rendition(deps, principal, submission_id, asked)
    lost = made.loss["not_carried"]
    if asked.strict and lost:
        raise Problem(409, "conversion-loses", "Des informations seraient perdues. / Something would be lost.",
                      loss=made.loss)
    looks.at_rendition(deps, principal, submission_id, asked.document)
    if asked.report:
        return JSONResponse({"unchanged": False, **made.loss})
    return _sent(made, asked, Vary="Accept", Link='<?report=true>; rel="describedby"; type="application/json"',
                 **{"X-Passerelle-Not-Carried": str(len(lost))})


def _sent(made: Rendition, asked: Asked, **headers: str) -> Response:
    """The bytes, or 304 where the caller has them."""
    tag = f'"{hashlib.sha256(made.data).hexdigest()}"'
    headers |= {"ETag": tag, "Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
    known = {one.strip().removeprefix("W/") for one in (asked.if_none_match or "").split(",")}
    if known & {tag, "*"}:
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = f'attachment; filename="{made.name}"'
    return Response(made.data, media_type=made.media_type, headers=headers)


def _rendition(deps: Deps, principal: Principal, submission_id: str, asked: Asked) -> Rendition:
    with deps.db.reading(principal.tenant_id) as session:
        row = get_submission(session, principal.tenant_id, submission_id)
        documents = session.scalars(
            select(Document).where(Document.submission_id == row.id, Document.role.in_(ROLES))).all()
        entity = session.get(LegalEntity, (principal.tenant_id, row.legal_entity_id)) if row.legal_entity_id else None
    same = next((one for one in documents if one.syntax in SYNTAXES[asked.document]), None)
    if same is not None and asked.profile is None:
        return Rendition(deps.store.get(Digest(same.sha256)), same.media_type, same.name, UNCHANGED)
    return _converted(deps, row, documents, entity, asked)


def _converted(
    deps: Deps, row: Submission, documents: Sequence[Document], entity: LegalEntity | None, asked: Asked,
) -> Rendition:
    """From what was sent, which is the invoice, else from what was posted."""
    source = next((one for role in reversed(ROLES) for one in documents if one.role == role), None)
    if source is None:
        raise not_found()
    options: dict[str, Any] = {}
    if entity is not None:
        options["appearance"] = appearance_of(deps.store, entity)
    lang = asked.lang or (settings_of(entity).language if entity is not None else "fr")
    try:
        made = deps.workshop.convert(deps.store.get(Digest(source.sha256)), to=asked.document, profile=asked.profile,
                                     lang=lang, made_at=row.received_at, annex=asked.annex, **options)
    except FormatError as error:
        raise Problem(422, error.code, str(error)) from error
    media_type = media_type_of(made.syntax)
    return Rendition(made.document, media_type, file_name(row.number, asked.document, media_type), made.loss)


def _admits(accept: str | None, media_type: str) -> bool:
    """Whether an `Accept` header lets this media type through: the most specific range decides, q=0 excludes."""
    best: tuple[int, bool] = (-1, accept is None or not accept.strip())
    for part in (accept or "").split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        rank = {media_type: 2, media_type.split("/", maxsplit=1)[0] + "/*": 1, "*/*": 0}.get(name, -1)
        if rank > best[0]:
            best = (rank, not any(_NEVER.fullmatch(parameter) for parameter in parameters))
    return best[1]
