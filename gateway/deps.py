"""What the service works with, built once and handed down."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated

from fastapi import Depends, Request

from archive.store import Store
from gateway.clock import PARIS, day_in_france, wall_clock
from gateway.db import Database
from gateway.platforms.port import Platform
from gateway.settings import Settings
from gateway.vault import Vault
from validation.workshop import Workshop


def in_paris(at: datetime) -> str:
    """A time as French readers know it, with its zone: `22/11/2026 09:00:00 CET`."""
    return at.astimezone(PARIS).strftime("%d/%m/%Y %H:%M:%S %Z")


class Bell:
    """The doorbell of the embedded worker: each new entry wakes one who waits; missed rings cost only a moment."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._rings = 0
        self.sleepers = 0
        """How many wait."""

    def ring(self, added: Sequence[str]) -> None:
        """Say that there is work; which is for the worker to see."""
        with self._changed:
            self._rings = min(self._rings + len(added), max(1, self.sleepers))
            self._changed.notify(len(added))

    def wait(self, seconds: float) -> None:
        """Sleep until it rings for the caller, at most this long."""
        with self._changed:
            self.sleepers += 1
            if not self._rings:
                self._changed.wait(seconds)
            self.sleepers -= 1
            self._rings = max(0, self._rings - 1)

    def wake(self) -> None:
        """Wake everybody, and whoever is about to sleep: there may be much to do, or the end has come."""
        with self._changed:
            self._rings = max(1, self.sleepers)
            self._changed.notify_all()


@dataclass(frozen=True, slots=True)
class Deps:
    """Everything a service function may need."""

    settings: Settings
    db: Database
    store: Store
    workshop: Workshop
    vault: Vault
    bell: Bell
    platforms: dict[str, Platform] = field(default_factory=dict)
    """Open platform connections with their tokens, by fingerprint; see connections.py."""

    clock: Callable[[], datetime] = field(default=wall_clock)

    def now(self) -> datetime:
        """The present moment, aware UTC."""
        return self.clock()

    def now_in_france(self) -> datetime:
        """The present moment by the clocks of France."""
        return self.now().astimezone(PARIS)

    def today(self) -> date:
        """Today in France."""
        return day_in_france(self.clock())


def deps_of(request: Request) -> Deps:
    """The Deps of the application that answers `request`."""
    deps: Deps = request.app.state.deps
    return deps


async def _deps(request: Request) -> Deps:  # a coroutine, since the others wait for a thread of their own each
    return deps_of(request)


CurrentDeps = Annotated[Deps, Depends(_deps)]
