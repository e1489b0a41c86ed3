"""The console on an application: all its pages, its static files, and errors as pages for browsers."""

import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

from fastapi import FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import DataError, OperationalError
from starlette.exceptions import HTTPException

from archive.errors import StoreUnavailable
from gateway.console.page import HEADERS, error_page
from gateway.console.templating import FONTS, STATIC
from gateway.console.views import (
    access,
    answers,
    appearance,
    audit,
    bank,
    cases,
    channels,
    check,
    client,
    figures,
    home,
    invoice,
    invoices,
    payments,
    penalties,
    platform,
    receivables,
    reminders,
    rules,
    scenarios,
    session,
    settings,
    statuses,
    tasks,
    webhooks,
)
from gateway.console.words import french

ROUTERS = (
    session.router, home.router, invoices.router, invoice.router, payments.router, bank.router, penalties.router,
    receivables.router, client.router, tasks.router, figures.router, statuses.router, check.router, rules.router,
    audit.router, platform.router, cases.router, scenarios.router, answers.router, reminders.router, appearance.router,
    # The settings come after the appearance, whose path is among the verbs of an entity.
    webhooks.router, channels.router, settings.router, access.router,
)
SENTENCES = {404: "Cette page n'existe pas.", 405: "Cette page ne s'utilise pas ainsi."}
FAULT = "Une erreur est survenue de notre côté. Ce qui avait été accepté n'est pas perdu."
MACHINES = ("/v1/", "/callbacks/", "/openapi.json", "/healthz", "/readyz", "/metrics", "/static/")
"""Paths that answer programs, whatever they say they accept."""

Answering = Callable[[Request, Exception], Response | Awaitable[Response]]


class Assets(StaticFiles):
    """Static files that a browser may keep: their address changes with their content."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """The file, with how long it may be kept."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "public, max-age=604800"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def install(app: FastAPI) -> None:
    """Put the console on `app`, with `/` as its first page. Call it after problems.install."""
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static/fonts", Assets(directory=FONTS), name="fonts")
    app.mount("/static", Assets(directory=STATIC), name="static")
    for kind in (StoreUnavailable, OperationalError, DataError):
        app.add_exception_handler(kind, partial(_told, cast("Answering", app.exception_handlers[kind])))
    machine_answer = cast("Answering", app.exception_handlers[HTTPException])
    machine_fault = cast("Answering", app.exception_handlers[Exception])

    @app.exception_handler(Exception)
    def on_fault(request: Request, error: Exception) -> Any:
        answer = machine_fault(request, error)  # it also writes the log
        return page(request, 500, FAULT) if for_reading(request) else answer

    @app.exception_handler(HTTPException)
    def on_http(request: Request, error: HTTPException) -> Any:
        if not for_reading(request):
            return machine_answer(request, error)
        return page(request, error.status_code, SENTENCES.get(error.status_code, "La demande a échoué."))


def _told(machine: Answering, request: Request, error: Exception) -> Any:
    """What a machine is told, which also writes the log; a person reads its French sentence on a page."""
    answer = cast("Response", machine(request, error))
    if not for_reading(request):
        return answer
    made = page(request, answer.status_code, french(json.loads(bytes(answer.body))["detail"]))
    made.headers.update({name: value for name, value in answer.headers.items() if name == "retry-after"})
    return made


def for_reading(request: Request) -> bool:
    """Whether a person waits for this answer."""
    return not request.url.path.startswith(MACHINES) and "text/html" in request.headers.get("accept", "")


def page(request: Request, status: int, sentence: str) -> Response:
    """An error outside the routes, as a page."""
    made = error_page(request, status, sentence)
    made.headers.update(HEADERS)
    return made
