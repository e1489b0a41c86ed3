"""Jinja: one environment, automatic escaping, French filters."""

import hashlib
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.console import french, words
from gateway.deps import Deps, deps_of
from gateway.receivables.documents import buyer_of
from gateway.tables import Submission

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
FONTS = Path(str(files("font_source_sans_pro") / "files"))
"""Source Sans Pro (SIL Open Font License), from its package."""

CLIENT_PAGE = "/encours/client"


@cache
def static(name: str) -> str:
    """The address of a static file, which changes with its content."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


def query(values: dict[str, Any], **changes: Any) -> str:
    """A query string of `values` with `changes`; empty values are left out."""
    merged = {**values, **changes}
    kept = {name: value for name, value in merged.items() if value not in {None, "", False}}
    return f"?{urlencode(kept)}" if kept else "?"


def client_page(key: str, as_of: date | None = None) -> str:
    """The address of the page of a client (`Client.key`), on a day."""
    return CLIENT_PAGE + query({"cle": key, "au": as_of})


def client_of_invoice(invoice: Submission) -> str:
    """That of the client of an invoice."""
    return client_page(buyer_of(invoice).key)


def environment() -> Environment:
    """The one environment. A name that a template misspells is an error, not an empty text."""
    jinja = Environment(
        loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )
    jinja.filters.update(
        amount=french.amount, money=french.money, number=french.number, day=french.day, hour=french.hour,
        moment=french.moment, zoned=french.zoned, size=french.size, french=words.french, reason=words.reason,
    )
    jinja.globals.update(words=words, lateness=french.lateness, count=french.count, ago=french.ago, static=static,
                         query=query, client_page=client_page, client_of_invoice=client_of_invoice)
    return jinja


ENVIRONMENT = environment()


def draw(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """The answer that shows this template."""
    deps: Deps = deps_of(request)
    page = ENVIRONMENT.get_template(template).render(
        path=request.url.path, done=request.query_params.get("fait"), now=deps.now(), today=deps.today(), **context
    )
    return HTMLResponse(page, status)
