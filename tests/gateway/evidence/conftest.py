"""Timestamp authorities over HTTP that tests switch off."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from gateway.deps import Deps
from gateway.sandbox.authority import POLICY, LocalAuthority
from gateway.sandbox.authority_server import Door


@dataclass
class Served:
    """An authority that answers over HTTP as long as it is not down."""

    url: str
    ca: Path
    policy: str = POLICY
    asked: int = 0
    down: bool = False
    late: timedelta = timedelta(0)
    """How far its clock is from ours."""

    before: Callable[[], object] = bool
    """Runs before each answer."""

    def chosen(self, deps: Deps) -> Deps:
        """The service, asking this authority and believing no other."""
        return replace(deps, settings=deps.settings.model_copy(update={
            "tsa_url": self.url, "tsa_ca": self.ca, "tsa_policy": self.policy}))


@pytest.fixture
def serve_authority(tmp_path: Path, clock) -> Iterator[Callable[[str], Served]]:
    """Starts an authority of a name; all of them end with the test."""
    with ExitStack() as stack:
        def serve(name: str) -> Served:
            served = Served("", tmp_path / name / "tsa-ca.pem")

            class Counted(Door):
                authority = LocalAuthority(tmp_path / name, lambda: clock.now + served.late)

                def do_POST(self) -> None:  # noqa: N802  the name is http.server's
                    served.asked += 1
                    served.before()
                    if served.down:
                        self.send_error(503)
                    else:
                        super().do_POST()

            server = stack.enter_context(closing(_Server(("127.0.0.1", 0), Counted)))
            served.url = f"http://127.0.0.1:{server.server_address[1]}"
            return served

        yield serve


class _Server(ThreadingHTTPServer):
    """Serves in a thread from the beginning until it is closed."""

    def __init__(self, address: tuple[str, int], door: type[Door]) -> None:
        super().__init__(address, door)
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        """End it and its thread."""
        self.shutdown()
        self.server_close()
        self._thread.join()
