"""Validate and convert over HTTP: the workshop answers, nothing is kept."""

import json
from collections.abc import Sequence
from datetime import date
from itertools import accumulate
from typing import Final

from fastapi import Response
from fastapi.responses import JSONResponse

from formats.errors import FormatError
from gateway.deps import Deps
from gateway.outgoing.drafts import media_type_of
from gateway.problems import Problem
from validation.findings import Patch, patch_json

PRINTED: Final = {"text/html": "html", "application/pdf": "pdf"}
"""What may be asked for in Accept besides JSON, and what the workshop calls it."""

MOST_IN_HEADER: Final = 4000
"""Characters of losses in a header; clients read 8,000 of all headers together at least."""

SEALED: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def validate(
    deps: Deps, document: bytes, *, accept: str, lang: str, propose: bool
) -> Response:
    """The report of the machine contract, with `file` empty because nothing was named; or printable, as Accept says.

    Problems: 503 where the report could not be drawn.
    """
    as_of = deps.today()
    report = deps.workshop.judge(document, as_of=as_of)
    form = printable(accept)
    if form is None:
        patches = {"patches": [patch_json(each) for each in proposals(deps, document, as_of)]} if propose else {}
        return JSONResponse({"file": None, **report.to_json(), **patches})
    try:
        drawn = deps.workshop.present((("–", report),), form=form, lang=lang)
    except FormatError as error:
        raise Problem(503, "not-drawn", str(error)) from error
    media_type = next(kind for kind, name in PRINTED.items() if name == form)
    return Response(drawn, media_type=media_type, headers=SEALED)


def printable(accept: str) -> str | None:
    """`html` or `pdf` where Accept names that before JSON; None for JSON."""
    wanted = [entry.split(";")[0].strip().lower() for entry in accept.split(",")]
    known = [kind for kind in wanted if kind in PRINTED or kind in {"application/json", "*/*"}]
    return PRINTED.get(known[0]) if known else None


def proposals(deps: Deps, document: bytes, as_of: date) -> tuple[Patch, ...]:
    """The corrections that are certain; none for a document that no worker gets through."""
    try:
        return deps.workshop.propose(document, as_of=as_of)
    except FormatError:
        return ()


def convert(
    deps: Deps, document: bytes, *, to: str, profile: str | None, lang: str, strict: bool, report: bool = False,
    annex: bool = False,
) -> Response:
    """The converted document, or its loss report.

    Problems: 422 with the code of the format error, 409 when `strict` refuses.
    """
    try:
        converted = deps.workshop.convert(document, to=to, profile=profile, lang=lang, made_at=deps.now(), annex=annex)
    except FormatError as error:
        raise Problem(422, error.code, str(error)) from error
    lost = converted.loss.get("not_carried") or []
    if strict and lost:
        raise Problem(409, "conversion-loses", "Des informations seraient perdues. / Something would be lost.",
                      loss=converted.loss)
    if report:
        return JSONResponse(converted.loss)
    return Response(
        converted.document,
        media_type=media_type_of(converted.syntax),
        headers={"X-Passerelle-Not-Carried": str(len(lost)),
                 "X-Passerelle-Loss": json.dumps(_first(lost), ensure_ascii=True)},
    )


def _first(lost: Sequence[object]) -> list[object]:
    """The first losses, as many as a header takes whole; `X-Passerelle-Not-Carried` says how many there are."""
    sizes = accumulate(len(json.dumps(each, ensure_ascii=True)) + len(", ") for each in lost)
    return [each for each, size in zip(lost, sizes, strict=False) if size <= MOST_IN_HEADER]
