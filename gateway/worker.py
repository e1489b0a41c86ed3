"""The relay: drains the outbox, and rings the regular work (poll, seal, remind).

The same handlers run in threads of the embedded service and in tasks of Celery, which only shorten the wait: the rows
are the truth. Regular work has a thread of its own and the relay several, so that a platform that answers slowly
does not hold up what is for others. Topics that wait for strangers (webhooks) have threads apart.
"""

import threading
import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

import structlog

from gateway import outbox
from gateway.alarms.sounding import clear, sound
from gateway.db import EVERY_TENANT
from gateway.deps import Bell, Deps
from gateway.leases import Leases
from gateway.outbox import Entry, Park, RetryLater

log = structlog.get_logger()

Handler = Callable[[Deps, Entry], bool | None]
"""True: the handler has finished its entry itself, in the transaction of its effect (outbox.finish)."""

LEASES = Leases()
"""Of all threads of this process."""


def relay(
    deps: Deps, handlers: Mapping[str, Handler], *, most: int = 1000, only: Collection[str] = (),
    without: Collection[str] = (),
) -> int:
    """Handle due entries until there are none (or `most`); returns how many were handled."""
    if not outbox.is_due(deps.db, deps.now(), only=only, without=without):
        return 0
    for count in range(most):
        entry = outbox.claim(deps.db, deps.now(), only=only, without=without)
        if entry is None:
            return count
        handle(deps, handlers, entry)
    return most


def attend(
    deps: Deps, handlers: Mapping[str, Handler], entry_id: str, *, without: Collection[str] = ()
) -> bool:
    """Handle this entry, if it is still there to be handled; whether it was."""
    entry = outbox.claim(deps.db, deps.now(), without=without, entry_id=entry_id)
    if entry is not None:
        handle(deps, handlers, entry)
    return entry is not None


def handle(deps: Deps, handlers: Mapping[str, Handler], entry: Entry) -> None:
    """Act on one claimed entry, outside any transaction, and record what became of it."""
    handler = handlers.get(entry.topic)
    if handler is None:
        outbox.park(deps.db, entry, f"no handler for topic {entry.topic}")
        return
    try:
        with LEASES.renewed(deps, entry):
            finished = handler(deps, entry)
    except RetryLater as error:
        outbox.again(deps.db, entry, error, deps.now())
    except Park as error:
        outbox.park(deps.db, entry, error.reason)
    except Exception as error:  # a bug must neither stop the relay nor be retried for ever
        log.exception("work failed", topic=entry.topic, subject=entry.subject_id)
        outbox.again(deps.db, entry, RetryLater(f"{type(error).__name__}: {error}"), deps.now())
    else:
        if not finished:
            outbox.done(deps.db, entry)


STRANGER_THREADS = 2


LONGEST_WAIT_S = 30.0
"""A thread that was neither rung nor woken looks for itself then."""


class Worker:
    """The embedded worker: one thread for regular work, `work_threads` for the outbox; ended by `stop`.

    `strangers` are topics whose handlers wait for anybody at all; two more threads do only these. All of them wait
    until they are rung; one more thread looks into the outbox every `idle_seconds` (longer where a broker tells what is
    new), and rings for what became due or was put there by another process.
    """

    def __init__(
        self, deps: Deps, handlers: Mapping[str, Handler], ticks: Mapping[str, "Tick"],
        strangers: Collection[str] = (), *, idle_seconds: float | None = None,
    ) -> None:
        self._deps = deps
        self._idle = deps.settings.work_seconds if idle_seconds is None else idle_seconds
        self._handlers = handlers
        self._ticks = dict(ticks)
        self._strangers = frozenset(strangers)
        self._due: dict[str, datetime] = {}
        self._stopping = threading.Event()
        self._stranger_bell = Bell()
        turns = [self._regular, self._sweep, *[self._relay] * deps.settings.work_threads,
                 *[self._relay_strangers] * (STRANGER_THREADS if strangers else 0)]
        self._threads = [threading.Thread(target=self._run, args=(turn,), name=f"passerelle-worker-{number}",
                                          daemon=True) for number, turn in enumerate(turns)]

    def start(self) -> None:
        """Begin to work."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish the entries at hand and end; what takes longer than a minute is left to its lease."""
        self._stopping.set()
        deadline = time.monotonic() + 60
        for thread in self._threads:
            while thread.is_alive() and time.monotonic() < deadline:
                self._deps.bell.wake()
                self._stranger_bell.wake()
                thread.join(timeout=0.2)

    def _run(self, turn: Callable[[], None]) -> None:
        while not self._stopping.is_set():
            try:
                turn()
            except Exception:  # the database may be away for a moment; the loop must live on
                log.exception("worker loop failed")
                self._stopping.wait(self._deps.settings.work_seconds)

    def _regular(self) -> None:
        ring_due(self._deps, self._ticks, self._due)
        self._stopping.wait(self._deps.settings.work_seconds)

    def _sweep(self) -> None:
        now = self._deps.now()
        if outbox.is_due(self._deps.db, now, without=self._strangers):
            self._deps.bell.wake()
        if self._strangers and outbox.is_due(self._deps.db, now, only=self._strangers):
            self._stranger_bell.wake()
        self._stopping.wait(self._idle)

    def _relay(self) -> None:
        if not relay(self._deps, self._handlers, most=50, without=self._strangers) and not self._stopping.is_set():
            self._deps.bell.wait(LONGEST_WAIT_S)

    def _relay_strangers(self) -> None:
        # one at a time: between two calls it may be ended
        if not relay(self._deps, self._handlers, most=1, only=self._strangers) and not self._stopping.is_set():
            self._stranger_bell.wait(LONGEST_WAIT_S)


FAILING = "regular-failing"
"""The alarm about regular work that fails."""


class Tick:
    """Regular work: `act(deps)` every `seconds`."""

    def __init__(self, seconds: float, act: Callable[[Deps], None]) -> None:
        self.seconds = seconds
        self.act = act
        self.failed = -1
        """How often it failed in a row; below zero before its first turn: an earlier process may have rung."""


def ring_due(deps: Deps, ticks: Mapping[str, Tick], due: dict[str, datetime]) -> None:
    """Run each regular work whose time has come. A failure is logged and the next turn tries again.

    A clock that was set back does not stop regular work until it has caught up. What fails twice in a row rings until
    it goes well again.
    """
    for name, tick in ticks.items():
        now, step = deps.now(), timedelta(seconds=tick.seconds)
        if not now < due.get(name, now) <= now + step:
            due[name] = now + step
            try:
                tick.act(deps)
            except Exception as error:  # one regular work must not keep the others from running
                log.exception("regular work failed", work=name)
                tick.failed = max(tick.failed, 0) + 1
                if tick.failed > 1:
                    # every tenant reads it, and what the error says may be of one: the log has that
                    sound(deps, EVERY_TENANT, FAILING, name, {"name": name, "error": type(error).__name__})
            else:
                if tick.failed != 0:
                    clear(deps, EVERY_TENANT, FAILING, name)
                tick.failed = 0
