"""The relay: drains the outbox, and rings the regular work (poll, seal, remind).

The same loop runs as a thread of the embedded service and inside a Celery task; both only shorten the wait,
the rows are the truth.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog

from gateway import outbox
from gateway.deps import Deps
from gateway.outbox import Entry, Park, RetryLater

log = structlog.get_logger()

Handler = Callable[[Deps, Entry], None]


def relay(deps: Deps, handlers: Mapping[str, Handler], *, most: int = 1000) -> int:
    """Handle due entries until there are none (or `most`); returns how many were handled."""
    for count in range(most):
        entry = outbox.claim(deps.db, deps.now())
        if entry is None:
            return count
        handle(deps, handlers, entry)
    return most


def handle(deps: Deps, handlers: Mapping[str, Handler], entry: Entry) -> None:
    """Act on one claimed entry, outside any transaction, and record what became of it."""
    handler = handlers.get(entry.topic)
    if handler is None:
        outbox.park(deps.db, entry, f"no handler for topic {entry.topic}")
        return
    try:
        handler(deps, entry)
    except RetryLater as error:
        outbox.again(deps.db, entry, error, deps.now())
    except Park as error:
        outbox.park(deps.db, entry, error.reason)
    except Exception as error:  # a bug must neither stop the relay nor be retried for ever
        log.exception("work failed", topic=entry.topic, subject=entry.subject_id)
        outbox.again(deps.db, entry, RetryLater(f"{type(error).__name__}: {error}"), deps.now())
    else:
        outbox.done(deps.db, entry)


class Worker:
    """The embedded worker: one thread, ended by `stop`."""

    def __init__(self, deps: Deps, handlers: Mapping[str, Handler], ticks: Mapping[str, "Tick"]) -> None:
        self._deps = deps
        self._handlers = handlers
        self._ticks = dict(ticks)
        self._due: dict[str, datetime] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="passerelle-worker", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the entry at hand and end."""
        self._stopping.set()
        self._deps.bell.ring()
        self._thread.join(timeout=60)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                ring_due(self._deps, self._ticks, self._due)
                handled = relay(self._deps, self._handlers, most=50)
            except Exception:  # the database may be away for a moment; the loop must live on
                log.exception("worker loop failed")
                handled = 0
            if not handled:
                self._deps.bell.wait(self._deps.settings.work_seconds)


class Tick:
    """Regular work: `act(deps)` every `seconds`."""

    def __init__(self, seconds: float, act: Callable[[Deps], None]) -> None:
        self.seconds = seconds
        self.act = act


def ring_due(deps: Deps, ticks: Mapping[str, Tick], due: dict[str, datetime]) -> None:
    """Run each regular work whose time has come. A failure is logged and the next turn tries again."""
    now = deps.now()
    for name, tick in ticks.items():
        if now >= due.get(name, now):
            due[name] = now + timedelta(seconds=tick.seconds)
            try:
                tick.act(deps)
            except Exception:  # one regular work must not keep the others from running
                log.exception("regular work failed", work=name)
