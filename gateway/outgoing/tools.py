"""Validate and convert over HTTP: the workshop answers, nothing is kept."""

import json
from typing import Any

from fastapi import Response
from fastapi.responses import JSONResponse

from formats.errors import FormatError
from gateway.auth import Principal
from gateway.deps import Deps
from gateway.outgoing.drafts import media_type_of
from gateway.problems import Problem


def validate(deps: Deps, principal: Principal, document: bytes) -> dict[str, Any]:  # noqa: ARG001 - asked for by the route: nobody unknown uses the workshop
    """The report of the machine contract, with `file` empty because nothing was named."""
    return {"file": None, **deps.workshop.inspect(document, as_of=deps.today()).report.to_json()}


def convert(
    deps: Deps, principal: Principal, document: bytes, *, to: str, profile: str | None, lang: str, strict: bool,  # noqa: ARG001 - as above
    report: bool = False,
) -> Response:
    """The converted document, or its loss report.

    Problems: 422 with the code of the format error, 409 when `strict` refuses.
    """
    try:
        converted = deps.workshop.convert(document, to=to, profile=profile, lang=lang, made_at=deps.now())
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
                 "X-Passerelle-Loss": json.dumps(lost[:20], ensure_ascii=True)[:4000]},
    )
