"""What every page shares: who is looking, the form guard, headers, errors in French.

A view takes a `Visit` from `Sees` (a page) or an `Act` from `Does` (a form): deny by default, as for the API.
"""

import hmac
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from starlette.datastructures import FormData, UploadFile

from gateway.auth import COOKIE, Permission, Principal, principal_of_cookie
from gateway.console.templating import draw
from gateway.deps import CurrentDeps, Deps
from gateway.intake import read_by_caller
from gateway.problems import Problem

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
FORM_BYTES = 64 << 10
LONG_FORM_BYTES, LONG_FORM_FIELDS = 4 << 20, 600
"""Room for a scenario of reminders with all its texts, and for a transfer that pays hundreds of invoices."""

FILE_BYTES = 100 << 20
"""Largest file of the page Valider, as for PDF over the API."""


class SignInFirst(Exception):
    """Nobody is signed in, or the session has ended."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One person looking at one page."""

    request: Request
    deps: Deps
    principal: Principal

    def may(self, permission: str) -> bool:
        """Whether the person has this right; templates ask before they show a button."""
        return permission in self.principal.permissions

    def draw(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """The page as HTML."""
        return draw(self.request, template, status=status, visit=self, **context)


@dataclass(frozen=True, slots=True)
class Act:
    """One person sending one form, whose token was right."""

    visit: Visit
    form: FormData

    @property
    def deps(self) -> Deps:
        """Short for the visit's."""
        return self.visit.deps

    @property
    def principal(self) -> Principal:
        """Short for the visit's."""
        return self.visit.principal

    def text(self, name: str) -> str:
        """A field without outer blanks; empty when it is absent or a file."""
        value = self.form.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        """All values of a field that may be ticked more than once."""
        return [value for value in self.form.getlist(name) if isinstance(value, str)]

    def file(self, name: str) -> UploadFile | None:
        """An uploaded file with a name; None when nothing was chosen."""
        value = self.form.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None


def visitor(permission: Permission) -> Callable[..., Visit]:
    """A dependency that gives the visit of a signed-in person with this right."""

    def check(request: Request, deps: CurrentDeps) -> Visit:
        cookie = request.cookies.get(COOKIE)
        principal = principal_of_cookie(deps.db, cookie, deps.now()) if cookie else None
        if principal is None:
            raise SignInFirst
        if permission not in principal.permissions:
            raise Problem(403, "forbidden", "Votre rôle ne donne pas accès à cette page. / Not for your role.")
        return Visit(request, deps, principal)

    check.permission = permission  # type: ignore[attr-defined]  # read by the test that lists every route
    return check


async def form_of(request: Request) -> AsyncIterator[FormData]:
    """The fields of a posted form. Raises Problem: 411 without a length, 413 over the limit."""
    form = await read_form(request, FORM_BYTES)
    yield form
    await form.close()


async def long_form_of(request: Request) -> AsyncIterator[FormData]:
    """As `form_of`, with room for long texts."""
    form = await read_form(request, LONG_FORM_BYTES, LONG_FORM_FIELDS)
    yield form
    await form.close()


async def upload_of(request: Request) -> AsyncIterator[FormData]:
    """As `form_of`, with room for one document, whose temporary file ends with the request."""
    form = await read_form(request, FILE_BYTES + FORM_BYTES)
    try:
        yield form
    finally:
        await form.close()


async def read_form(request: Request, most: int, fields: int = 200) -> FormData:
    """The form, if its announced length is at most `most` bytes."""
    length = request.headers.get("content-length", "")
    if not length.isdigit():
        raise Problem(411, "length-required", "Longueur du formulaire absente. / Length required.")
    if int(length) > most:
        raise Problem(413, "too-large", "Ce fichier est trop volumineux. / This file is too large.")
    read_by_caller(request)
    return await request.form(max_files=1, max_fields=fields)


def actor(permission: Permission, fields: Callable[..., Any] = form_of) -> Callable[..., Act]:
    """A dependency that gives the form of a signed-in person with this right, after its token was checked.

    The person is known before the body is read.
    """
    see = visitor(permission)

    def check(visit: Annotated[Visit, Depends(see)], form: Annotated[FormData, Depends(fields)]) -> Act:
        expected = visit.principal.csrf or secrets.token_hex()
        if not hmac.compare_digest(str(form.get("csrf", "")).encode(), expected.encode()):
            raise Problem(403, "form-expired", "Ce formulaire a expiré : rouvrez la page et recommencez. / Expired.")
        return Act(visit, form)

    check.permission = permission  # type: ignore[attr-defined]  # read by the test that lists every route
    return check


def Sees(permission: Permission) -> object:  # noqa: N802 - reads as an annotation
    """The annotation of a page's visit, with the right that it takes."""
    return Depends(visitor(permission))


def Does(permission: Permission) -> object:  # noqa: N802 - reads as an annotation
    """The annotation of a form's act, with the right that it takes."""
    return Depends(actor(permission))


def Writes(permission: Permission) -> object:  # noqa: N802 - reads as an annotation
    """As `Does`, for a form of long texts."""
    return Depends(actor(permission, long_form_of))


def Uploads(permission: Permission) -> object:  # noqa: N802 - reads as an annotation
    """As `Does`, for a form that brings a document."""
    return Depends(actor(permission, upload_of))


class Page(APIRoute):
    """A route whose answers carry the headers of the console, and whose errors are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler with errors and headers around it."""
        inner = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                response = await inner(request)
            except SignInFirst:
                response = to_sign_in(request)
            except RequestValidationError:  # a path that cannot be one of ours
                response = error_page(request, 404, "Cette page n'existe pas.")
            except Problem as problem:
                response = error_page(request, problem.status, problem.detail)
                response.headers.update(problem.headers)
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            return response

        return handler


def to_sign_in(request: Request) -> Response:
    """Off to the sign-in page, and back here afterwards where that makes sense."""
    if request.method != "GET":
        return RedirectResponse("/connexion", 303)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse("/connexion" if here == "/" else f"/connexion?suite={quote(here, safe='')}", 303)


def safe_target(text: str | None) -> str:
    """A path of ours to go on to; `/` for anything that could lead elsewhere."""
    if not text or not text.startswith("/") or text.startswith(("//", "/\\")) or any(ord(c) < 33 for c in text):
        return "/"
    return text


def go(path: str, done: str | None = None) -> Response:
    """On to another page after a form; `done` names the confirmation that it shows."""
    mark = "&" if "?" in path else "?"
    return RedirectResponse(f"{path}{mark}fait={done}" if done else path, 303)


def error_page(request: Request, status: int, detail: str) -> Response:
    """An error as a page: what happened, and that nothing is lost."""
    return draw(request, "erreur.html", status=status, visit=None, code=status, detail=detail)
