"""The leases of the entries at hand: slow work is not abandoned work."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from gateway import outbox
from gateway.deps import Deps
from gateway.outbox import Entry

log = structlog.get_logger()


class Leases:
    """Renews, every so many seconds, the lease of each entry whose handler runs. One thread, there while any is.

    It renews only what is still the handler's (`outbox.renew`): an entry that ended meanwhile stays as it is.
    """

    def __init__(self, every_s: float = outbox.RENEW_SECONDS) -> None:
        self._every_s = every_s
        self._lock = threading.Lock()
        self._held: dict[object, tuple[Deps, Entry]] = {}
        self._keeper: threading.Thread | None = None

    @contextmanager
    def renewed(self, deps: Deps, entry: Entry) -> Iterator[None]:
        """Keep the entry ours for as long as the block runs."""
        mark = object()
        with self._lock:
            self._held[mark] = deps, entry
            if self._keeper is None or not self._keeper.is_alive():  # not alive: it stayed behind a fork
                self._keeper = threading.Thread(target=self._keep, name="passerelle-leases", daemon=True)
                self._keeper.start()
        try:
            yield
        finally:
            with self._lock:
                del self._held[mark]

    def _keep(self) -> None:
        while True:
            time.sleep(self._every_s)
            with self._lock:
                held = list(self._held.values())
                if not held:
                    self._keeper = None
                    return
            for deps, entry in held:
                try:
                    outbox.renew(deps.db, entry, deps.now())
                except Exception:  # the next turn may reach the database again, well within the lease
                    log.exception("lease not renewed", topic=entry.topic, subject=entry.subject_id)
