"""Signing in and out."""

import hmac
import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from gateway.accounts import signin
from gateway.auth import COOKIE, SESSION_LENGTH, Permission, principal_of_cookie
from gateway.console.forms import told
from gateway.console.page import Act, Does, Page, form_of, safe_target
from gateway.console.templating import draw
from gateway.deps import CurrentDeps, Deps
from gateway.problems import Problem

router = APIRouter(route_class=Page, include_in_schema=False)
FORM_COOKIE = "passerelle_form"
"""A random text that ties the sign-in form to the browser: nobody can sign a visitor in from elsewhere."""


@router.get("/connexion")
def show_sign_in(request: Request, deps: CurrentDeps, suite: str = "/") -> Response:
    """The sign-in form; whoever is signed in goes on."""
    cookie = request.cookies.get(COOKIE)
    if cookie and principal_of_cookie(deps.db, cookie, deps.now()) is not None:
        return RedirectResponse(safe_target(suite), 303)
    return _form(request, deps, target=safe_target(suite))


@router.post("/connexion")
def sign_in(request: Request, deps: CurrentDeps, form: Annotated[FormData, Depends(form_of)]) -> Response:
    """Check address and password, open the session, go on to the page that was asked for."""
    email, password, target = (str(form.get(name, "")) for name in ("email", "password", "suite"))
    nonce = request.cookies.get(FORM_COOKIE, "")
    if not nonce or not hmac.compare_digest(str(form.get("csrf", "")).encode(), _token(deps, nonce).encode()):
        return _form(request, deps, target=safe_target(target), email=email, status=403,
                     problem="La page était ouverte depuis trop longtemps. Recommencez.")
    try:
        signed_in = signin.sign_in(deps, email, password)
    except Problem as problem:
        answer = _form(request, deps, target=safe_target(target), email=email, status=problem.status,
                       problem=told(problem))
        answer.headers.update(problem.headers)
        return answer
    answer = RedirectResponse(safe_target(target), 303)
    _set_cookie(answer, deps, COOKIE, signed_in.cookie, seconds=int(SESSION_LENGTH.total_seconds()))
    answer.delete_cookie(FORM_COOKIE, path="/connexion")
    return answer


@router.post("/deconnexion")
def sign_out(act: Annotated[Act, Does(Permission.INVOICES_READ)]) -> Response:
    """End the session."""
    cookie = act.visit.request.cookies.get(COOKIE, "")
    signin.sign_out(act.deps, act.principal.tenant_id, cookie, act.principal.actor)
    answer = RedirectResponse("/connexion", 303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


def _form(
    request: Request, deps: Deps, *, target: str, email: str = "", problem: str | None = None, status: int = 200
) -> Response:
    nonce = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(24)
    answer = draw(request, "connexion.html", status=status, visit=None, target=target, email=email, problem=problem,
                  token=_token(deps, nonce))
    _set_cookie(answer, deps, FORM_COOKIE, nonce, seconds=3600, path="/connexion")
    return answer


def _token(deps: Deps, nonce: str) -> str:
    return deps.vault.sign(f"sign-in:{nonce}")


def _set_cookie(answer: Response, deps: Deps, name: str, value: str, *, seconds: int, path: str = "/") -> None:
    answer.set_cookie(name, value, max_age=seconds, path=path, httponly=True, samesite="lax",
                      secure=deps.settings.url.startswith("https:"))
