"""What goes over the wire about number series."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Out(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


class GapOut(Out):
    """Numbers that were not used between two that were."""

    first: str
    last: str
    count: int
    explanation: Literal["none", "refused", "declared"]
    reason: str | None
    submission_id: str | None


class RepetitionOut(Out):
    """One counter under several numbers."""

    numbers: list[str]
    submission_ids: list[str]


class DisorderOut(Out):
    """A number issued before the one in front of it."""

    number: str
    issued: date
    before: str
    before_issued: date


class SeriesOut(Out):
    """One number series of one legal entity. At most 200 gaps, repetitions and disorders each; `missing` counts all."""

    siren: str
    prefix: str
    suffix: str
    year: int | None
    first: str
    last: str
    count: int
    sequential: bool
    missing: int
    gaps: list[GapOut]
    repetitions: list[RepetitionOut]
    disorders: list[DisorderOut]


class SeriesListOut(Out):
    """A page of series by SIREN and prefix; `next` is the `after` of the following page, null at the end."""

    items: list[SeriesOut]
    next: str | None


class ExplanationIn(BaseModel):
    """Why a number was not used, such as a draft deleted before it was issued."""

    model_config = ConfigDict(extra="forbid")

    siren: Annotated[str, Field(pattern=r"^[0-9]{9}$")]
    number: Annotated[str, Field(min_length=1, max_length=255)]
    reason: Annotated[str, Field(min_length=3, max_length=1000)]


class ExplanationOut(Out):
    """What was kept of it."""

    siren: str
    number: str
    reason: str
    position: int
    """Of the event that keeps it."""
