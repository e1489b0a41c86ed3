"""Starts a process of Passerelle that dies at a named point, or that is broken on purpose.

    python tests/campaigns/fault_points.py [--die POINT@COUNT] [--broken NAME] serve|worker

The product knows nothing of this: functions are wrapped in the process before it starts, and dying is SIGKILL.
"""

import argparse
import importlib
import itertools
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.cli import main as passerelle


@dataclass(frozen=True, slots=True)
class Point:
    """Just before or after a function runs, as `module` calls it."""

    module: str
    function: str
    after: bool
    process: str
    """serve or worker: which process of a divided set-up comes there. The embedded worker lives in serve."""


POINTS = {
    "accept: before anything is kept": Point("gateway.outgoing.service", "_remember", False, "serve"),
    "accept: committed, not answered": Point("gateway.outgoing.service", "_remember", True, "serve"),
    "work: claimed, not begun": Point("gateway.outbox", "claim", True, "worker"),
    "deliver: intent durable, nothing sent": Point("gateway.outgoing.deliver", "_intend", True, "worker"),
    "deliver: sent, nothing recorded": Point("gateway.platforms.afnor.AfnorPlatform", "send", True, "worker"),
    "deliver: recorded, work still open": Point("gateway.outgoing.deliver", "deposited", True, "worker"),
    "work: done, not recorded": Point("gateway.outbox", "done", False, "worker"),
    "poll: pages read, nothing stored": Point("gateway.incoming.poll", "_store", False, "worker"),
    "poll: stored, watermark old": Point("gateway.incoming.poll", "_store", True, "worker"),
    "status: fetched, not kept": Point("gateway.incoming.fetching", "_keep", False, "worker"),
    "status: kept, not taken": Point("gateway.incoming.fetching", "_keep", True, "worker"),
    "status: read, nothing recorded": Point("gateway.lifecycle.taking", "_record", False, "worker"),
    "status: recorded, not committed": Point("gateway.lifecycle.taking", "_record", True, "worker"),
    "seal: before the log is sealed": Point("gateway.evidence.sealing", "seal_log", False, "worker"),
}


def wrap(module: str, function: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Put `make(original)` in the place of a function of a module, or of a class in one."""
    try:
        owner: Any = importlib.import_module(module)
    except ModuleNotFoundError:
        outer, _, name = module.rpartition(".")
        owner = getattr(importlib.import_module(outer), name)
    setattr(owner, function, make(getattr(owner, function)))


def die_at(point: Point, count: int) -> None:
    """Kill this process at the `count`-th passage. A look that finds no work is no passage."""
    passages = itertools.count(1)

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*positional: Any, **named: Any) -> Any:
            if not point.after and next(passages) >= count:
                os.kill(os.getpid(), signal.SIGKILL)
            result = original(*positional, **named)
            if point.after and (point.function != "claim" or result is not None) and next(passages) >= count:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return wrapped

    wrap(point.module, point.function, make)


def double_send(every: int = 7) -> None:
    """A broken build: now and then the document goes twice."""
    turns = itertools.count(1)

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*positional: Any, **named: Any) -> Any:
            if next(turns) % every == 0:
                original(*positional, **named)
            return original(*positional, **named)

        return wrapped

    wrap("gateway.platforms.afnor.AfnorPlatform", "send", make)


def lost_row(every: int = 7) -> None:
    """A broken build: now and then an accepted invoice leaves no work behind."""
    turns = itertools.count(1)

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(session: Any, tenant_id: str, topic: str, *rest: Any, **named: Any) -> Any:
            if topic == "deliver" and next(turns) % every == 0:
                return ""
            return original(session, tenant_id, topic, *rest, **named)

        return wrapped

    wrap("gateway.outbox", "put", make)


def lost_status(every: int = 7) -> None:
    """A broken build: now and then a status that was fetched is called done without having been taken."""
    turns = itertools.count(1)

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(deps: Any, entry: Any) -> Any:
            return None if next(turns) % every == 0 else original(deps, entry)

        return wrapped

    wrap("gateway.lifecycle.taking", "handle_status", make)


BROKEN: dict[str, Callable[[], None]] = {"double-send": double_send, "lost-row": lost_row, "lost-status": lost_status}


def main() -> int:
    """Arm, then be Passerelle."""
    options = argparse.ArgumentParser()
    options.add_argument("--die", default="")
    options.add_argument("--broken", choices=BROKEN)
    options.add_argument("command", nargs="+")
    asked = options.parse_args()
    if asked.broken:
        BROKEN[asked.broken]()
    if asked.die:
        name, _, count = asked.die.rpartition("@")
        die_at(POINTS[name], int(count))
    sys.argv = ["passerelle", *asked.command]
    return passerelle()


if __name__ == "__main__":
    sys.exit(main())
