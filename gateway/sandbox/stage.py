"""Everything the sandbox works with, built once by server.py and handed down; and how routes reach it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Annotated

from fastapi import Depends, Request

from gateway.platforms.callbacks import Reading
from gateway.sandbox.faults import FaultBox
from gateway.sandbox.ledger import Ledger
from gateway.sandbox.participants import Participants
from gateway.sandbox.tokens import Tokens
from gateway.sandbox.wire import Version
from validation.workshop import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The sandbox's belongings."""

    ledger: Ledger
    participants: Participants
    workshop: Workshop
    tokens: Tokens
    faults: FaultBox = field(default_factory=FaultBox)
    speed: float = 1.0
    """Seconds of a script are divided by this."""

    version: Version = "1.3"
    """Of the interface that is spoken."""

    reading: Reading = Reading.DIGEST
    """How callbacks are signed."""

    bell: Event = field(default_factory=Event)
    """Rung when there is something to do."""


class Problem(Exception):
    """An answer of the interface's `Error` object."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def stage_of(request: Request) -> Stage:
    """The stage of the tenant that asks: by token, under `/sandbox/` by the parameter `tenant`; else the first.

    Raises Problem 404 for a tenant that is not there.
    """
    stages: Mapping[str, Stage] = request.app.state.stages
    if "tenant" in request.query_params and request.url.path.startswith("/sandbox/"):
        named = stages.get(request.query_params["tenant"])
        if named is None:
            raise Problem(404, "MISSING_RESOURCE", "There is no such tenant")
        return named
    token = _bearer(request)
    return next((stage for stage in stages.values() if stage.tokens.is_valid(token, stage.ledger.now())),
                next(iter(stages.values())))


CurrentStage = Annotated[Stage, Depends(stage_of)]


def authorised(request: Request, stage: CurrentStage) -> None:
    """Let a request with a valid bearer token pass. Raises Problem 401."""
    if not stage.tokens.is_valid(_bearer(request), stage.ledger.now()):
        raise Problem(401, "MISSING_TOKEN", "A valid bearer token is needed")


def _bearer(request: Request) -> str:
    """The token of a request; empty where it has none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""
