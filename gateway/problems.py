"""Errors as RFC 9457 problems with a stable `code`, and how they are answered."""

from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, OperationalError
from starlette.exceptions import HTTPException

from archive.errors import StoreUnavailable

log = structlog.get_logger()


class Problem(Exception):
    """An answer that is not a success. `code` is stable, `detail` is for people, `extra` joins the body."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.extra = extra

    def body(self) -> dict[str, Any]:
        """The JSON object of the answer."""
        return {
            "type": f"urn:passerelle:problem:{self.code}",
            "title": TITLES.get(self.code, self.code.replace("-", " ")),
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            **self.extra,
        }


TITLES: Mapping[str, str] = {
    "not-found": "Introuvable / Not found",
    "unauthenticated": "Authentification requise / Authentication required",
    "forbidden": "Action non autorisée / Not allowed",
    "invalid-request": "Requête invalide / Invalid request",
    "idempotency-key-missing": "En-tête Idempotency-Key requis / Idempotency-Key header required",
    "idempotency-key-reused": "Clé d'idempotence déjà utilisée / Idempotency key already used",
    "idempotency-in-progress": "Même envoi en cours / Same submission in progress",
    "invoice-already-exists": "Facture déjà reçue avec un autre contenu / Invoice already received with other content",
    "invoice-refused": "Facture refusée / Invoice refused",
    "document-not-checkable": "Document invérifiable / Document that cannot be checked",
    "seller-not-yours": "Vendeur inconnu pour ce compte / Seller is none of your legal entities",
    "entity-not-enabled": "Entité non activée / Legal entity not switched on",
    "too-large": "Document trop volumineux / Document too large",
    "unsupported-media-type": "Type de contenu non pris en charge / Unsupported media type",
    "not-acceptable": "Format non disponible / Not available in this media type",
    "conversion-loses": "La conversion perdrait des informations / The conversion would lose something",
    "store-full": "Archive pleine / The archive is full",
    "store-read-only": "Archive en lecture seule / The archive is read-only",
    "store-unavailable": "Archive indisponible / The archive cannot be reached",
    "database-unavailable": "Base de données indisponible / The database cannot be reached",
    "not-ready": "Service non prêt / Service not ready",
    "internal": "Erreur interne / Internal error",
}


PROBLEM: Mapping[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457. `code` est stable. / `code` is stable.",
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "findings": {"type": "array", "items": {"type": "object"}},
        "fields": {"type": "array", "items": {"type": "object"}},
    },
}
"""The JSON schema of an answer that is not a success."""

WHEN: Mapping[int, str] = {
    400: "Clé d'idempotence absente / idempotency key missing",
    401: "Authentification requise / authentication required",
    403: "Droit insuffisant, ou objet d'un autre / not allowed",
    404: "Introuvable / not found",
    406: "Type de contenu non disponible / media type not available",
    409: "Contraire à l'état présent / contrary to the present state",
    413: "Trop volumineux / too large",
    415: "Type de contenu refusé / media type refused",
    422: "Contenu refusé / content refused",
    429: "Trop d'essais, plus tard / Too many attempts, later",
    503: "Indisponible, réessayez / unavailable, try again",
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What FastAPI's `responses=` wants to know about problems with these statuses."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": WHEN[status], "content": content} for status in statuses}


def not_found() -> Problem:
    """The one answer for what is absent and for what belongs to somebody else: they look the same."""
    return Problem(404, "not-found", "Aucun objet ne porte cet identifiant. / Nothing has this identifier.")


def unavailable(code: str) -> Problem:
    """A disk or a server of ours that takes nothing at the moment: what was asked is not done, and may be repeated."""
    return Problem(503, code, "Rien n'a été accepté ; réessayez plus tard. / Nothing was accepted; try again later.",
                   headers={"Retry-After": "30"})


def install(app: FastAPI) -> None:
    """Answer every error of `app` as application/problem+json, without internals."""

    @app.exception_handler(Problem)
    def on_problem(_: Request, problem: Problem) -> JSONResponse:
        return answer(problem)

    @app.exception_handler(RequestValidationError)
    def on_invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        fields = [{"location": ".".join(map(str, e["loc"])), "message": e["msg"]} for e in error.errors()]
        return answer(Problem(422, "invalid-request", "La requête ne suit pas le schéma. / Not as described.",
                              fields=fields))

    @app.exception_handler(StoreUnavailable)
    def on_store(request: Request, error: StoreUnavailable) -> JSONResponse:
        log.error("store takes nothing", path=request.url.path, code=error.code, error=str(error))
        return answer(unavailable(error.code))

    @app.exception_handler(OperationalError)
    def on_database(request: Request, error: OperationalError) -> JSONResponse:
        log.error("database unavailable", path=request.url.path, error=str(error.orig))
        return answer(unavailable("database-unavailable"))

    @app.exception_handler(DataError)
    def on_data(_: Request, error: DataError) -> JSONResponse:
        log.warning("not to be stored", error=str(error.orig))
        return answer(Problem(422, "invalid-request", "Un texte ne peut pas être enregistré : trop long, ou avec un "
                              "caractère nul. / A text cannot be stored: too long, or with a NUL."))

    @app.exception_handler(Exception)
    def on_fault(request: Request, error: Exception) -> JSONResponse:
        log.error("unexpected fault", path=request.url.path, exc_info=error)
        return answer(Problem(500, "internal", "Erreur de notre côté ; rien de ce qui avait été accepté n'est perdu. / "
                              "Our fault; nothing that was accepted is lost."))

    @app.exception_handler(HTTPException)
    def on_http(_: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == 400:  # FastAPI's word for a body that it cannot even decode
            return answer(Problem(422, "invalid-request", "Corps illisible. / The body cannot be read."))
        code = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}.get(error.status_code, "http-error")
        return answer(Problem(error.status_code, code, str(error.detail), headers=dict(error.headers or {})))


def answer_of(status: int, body: Mapping[str, Any]) -> JSONResponse:
    """A remembered answer as a response: problems keep their media type."""
    return JSONResponse(dict(body), status_code=status,
                        media_type="application/problem+json" if status >= 400 else "application/json")


def answer(problem: Problem) -> JSONResponse:
    """The HTTP response of a problem."""
    return JSONResponse(
        problem.body(), status_code=problem.status, media_type="application/problem+json", headers=problem.headers
    )
