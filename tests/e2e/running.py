"""A gateway that runs as a process of its own."""

from dataclasses import dataclass
from pathlib import Path

import httpx


@dataclass(frozen=True, slots=True)
class Service:
    """A running gateway."""

    client: httpx.Client
    """A program's connection, with a key."""

    url: str
    key: str
    pid: int
    folder: Path
    """Its data in `data/`, its log in `gateway.log`."""
