"""Starts processes of Passerelle that die at a named point, or that are broken on purpose.

    python tests/campaigns/fault_points.py SOCKET

Loads the product once, then reads orders from standard input, a line of JSON each: `arguments` of `passerelle`,
`environment`, `log`, `die` (a point, or null) with `count`, and `broken`. Each order is answered with the id of a new
process, so that a campaign of many short lives does not spend them on imports; jails come from SOCKET (fault_jail.py)
for the same reason. The product knows nothing of this:
functions are wrapped in the new process before it starts, and dying is SIGKILL.
"""

import importlib
import itertools
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.cli import main as passerelle
from validation.workshop import Workshop

JAIL = str(Path(__file__).with_name("fault_jail.py"))
LOADED = ("gateway.commands.serve", "gateway.sandbox.server", "uvicorn.protocols.http.auto", "uvicorn.lifespan.on",
          "uvicorn.loops.auto", "celery.bin.celery", "celery.apps.worker", "celery.concurrency.thread",
          "kombu.transport.redis", "psycopg")


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
    "deliver: recorded": Point("gateway.outgoing.deliver", "deposited", True, "worker"),
    "work: done, not recorded": Point("gateway.outbox", "done", False, "worker"),
    "poll: pages read, nothing stored": Point("gateway.incoming.poll", "_store", False, "worker"),
    "poll: stored, watermark old": Point("gateway.incoming.poll", "_store", True, "worker"),
    "status: fetched, not kept": Point("gateway.incoming.fetching", "_keep", False, "worker"),
    "status: kept, not taken": Point("gateway.incoming.fetching", "_keep", True, "worker"),
    "status: read, nothing recorded": Point("gateway.lifecycle.taking", "_record", False, "worker"),
    "status: recorded, not committed": Point("gateway.lifecycle.taking", "_record", True, "worker"),
    "seal: before the log is sealed": Point("gateway.evidence.sealing", "sign", False, "worker"),
    "seal: signed, without its timestamp": Point("gateway.evidence.sealing", "sign", True, "worker"),
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
        def wrapped(*positional: Any) -> Any:
            return None if next(turns) % every == 0 else original(*positional)

        return wrapped

    wrap("gateway.lifecycle.taking", "_take", make)


BROKEN: dict[str, Callable[[], None]] = {"double-send": double_send, "lost-row": lost_row, "lost-status": lost_status}


def main() -> None:
    """Start a process for each order until there are no more."""
    for module in LOADED:
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the dead here
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            live(order)
        print(child, flush=True)


def live(order: Mapping[str, Any]) -> None:
    """Be Passerelle, armed as ordered; does not return."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.update(order["environment"])
    nothing, log = os.open(os.devnull, os.O_RDONLY), os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for descriptor, end in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(descriptor, end)
    code = 1
    try:
        wrap("gateway.commands.serve", "assembled", one_jail)
        Workshop.command = (sys.executable, "-S", "-E", JAIL, sys.argv[1], "-")
        for name in order["broken"]:
            BROKEN[name]()
        if order["die"]:
            die_at(POINTS[order["die"]], order["count"])
        sys.argv = ["passerelle", *order["arguments"]]
        code = passerelle()
    finally:
        os._exit(code)


def one_jail(assembled: Callable[..., Any]) -> Callable[..., Any]:
    """A life of seconds has no use for a second jail in waiting."""
    return lambda settings, **_: assembled(settings)


if __name__ == "__main__":
    main()
