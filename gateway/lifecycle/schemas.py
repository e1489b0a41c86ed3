"""What goes over the wire about events and statuses."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Out(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(extra="forbid")


class FeedEventOut(Out):
    """One thing that happened to an invoice. Positions grow; some are missing here, they belong to no invoice."""

    position: int
    id: str
    invoice: str
    at: datetime
    platform_at: datetime | None
    kind: str
    code: str
    label: str | None
    actor: str
    reason: str | None
    sha256: str | None
    data: dict[str, Any]


class FeedOut(Out):
    """Events in the order they became known here; `next` is the `after` of the following page, null at the end."""

    items: list[FeedEventOut]
    next: int | None


class StatusIn(BaseModel):
    """A status that the seller sets."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    code: Literal["209", "220"]
    """209 completes a suspended invoice, 220 cancels one that a corrected invoice replaces. 212 follows payments."""

    comment: Annotated[str, Field(min_length=1, max_length=1024)] | None = None


class StatusQueuedOut(Out):
    """The answer to a status that is on its way."""

    id: str
    code: str
    state: Literal["queued"] = "queued"
