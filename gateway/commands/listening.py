"""A small listener for the callbacks of a platform under check. On this machine only, for the time of a run."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from gateway.clock import wall_clock
from gateway.platforms.conformance.bench import Heard

LIMIT = 1 << 20
SILENCE_S = 10.0


@contextmanager
def listening(port: int) -> Iterator[tuple[list[Heard], str]]:
    """(the calls as they come, the address of the listener). Port 0: a free one. Raises OSError."""
    heard: list[Heard] = []

    class Answer(BaseHTTPRequestHandler):
        timeout = SILENCE_S

        def do_POST(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(min(size, LIMIT))
            headers = {name.lower(): value for name, value in self.headers.items()}
            heard.append(Heard({**headers, ":path": self.path}, body, wall_clock()))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Answer)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield heard, f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
