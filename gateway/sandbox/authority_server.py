"""The local test timestamp authority over HTTP: `python -m gateway.sandbox.authority_server --state DIR --port 0`.

Prints one line, `http://HOST:PORT`, once it listens. Stops with the process. NOT QUALIFIED; see authority.py.
"""

import argparse
import sys
from datetime import datetime
from email.utils import formatdate, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from gateway.sandbox.authority import LocalAuthority

MOST_BYTES = 64 * 1024


def clock() -> datetime:
    """The machine's time to the second, as an HTTP server puts it into its Date header."""
    return parsedate_to_datetime(formatdate(usegmt=True))


class Door(BaseHTTPRequestHandler):
    """Answers POSTed timestamp requests (RFC 3161 section 3.4)."""

    authority: LocalAuthority
    timeout = 10

    def do_POST(self) -> None:
        """Stamp what is in the body."""
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > MOST_BYTES:
            self.send_error(413)
            return
        if self.headers.get_content_type() != "application/timestamp-query":
            self.send_error(415)
            return
        answer = self.authority.stamp(self.rfile.read(int(length)))
        self.send_response(200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Say nothing."""


def server(host: str, port: int, folder: Path) -> ThreadingHTTPServer:
    """A server that is not yet running; port 0 takes a free one."""
    door = type("OpenDoor", (Door,), {"authority": LocalAuthority(folder, clock)})
    return ThreadingHTTPServer((host, port), door)


def main(argv: list[str]) -> int:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m gateway.sandbox.authority_server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--state", type=Path, required=True, help="folder of the keys; made if absent")
    options = parser.parse_args(argv)
    with server(options.host, options.port, options.state) as door:
        host, port = door.server_address[:2]
        sys.stdout.write(f"http://{host!s}:{port}\n")
        sys.stdout.flush()
        try:
            door.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
