"""Everything the sandbox works with, built once by server.py and handed down; and how routes reach it."""

from dataclasses import dataclass, field
from threading import Event
from typing import Annotated

from fastapi import Depends, Request

from gateway.platforms.callbacks import Reading
from gateway.sandbox.faults import FaultBox
from gateway.sandbox.ledger import Ledger
from gateway.sandbox.participants import Participants
from gateway.sandbox.tokens import Tokens
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
    """The Stage of the application that answers `request`."""
    stage: Stage = request.app.state.stage
    return stage


CurrentStage = Annotated[Stage, Depends(stage_of)]


def authorised(request: Request, stage: CurrentStage) -> None:
    """Let a request with a valid bearer token pass. Raises Problem 401."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not stage.tokens.is_valid(token, stage.ledger.now()):
        raise Problem(401, "MISSING_TOKEN", "A valid bearer token is needed")
