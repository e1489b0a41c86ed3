"""What goes over the wire about checkpoints that somebody kept."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class CheckpointIn(BaseModel):
    """A checkpoint that somebody kept."""

    model_config = ConfigDict(extra="forbid")

    checkpoint: str = Field(max_length=8192)
    """The signed note, with its line ends."""


class HeldOut(BaseModel):
    """A checkpoint held against the journal."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    log: str
    size: int
    """Of the checkpoint that was brought."""

    consistent: bool
    reason: Literal["consistent", "rolled-back", "split-view"]
    now_size: int
    now_root: str
    """Base64."""

    proof: list[str]
    """Consistency proof (RFC 9162) from `size` to `now_size`, Base64."""
