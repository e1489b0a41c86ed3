"""A receiver of chat and SMS as a process of its own: writes down what arrives, answers what the path asks for.

`python chat_server.py FILE` prints its port. `/ok/…` answers 200, `/<status>/…` that status, `/silent/…` nothing at
all, `/elsewhere/<port>` leads on to another port of this machine.
"""

import http.server
import json
import socket
import sys
from pathlib import Path
from typing import Any


class Door(http.server.BaseHTTPRequestHandler):
    """One request."""

    file: Path

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""

    def do_POST(self) -> None:
        """Take it."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with self.file.open("a") as file:
            file.write(json.dumps({"path": self.path, "body": body}) + "\n")
        what, _, rest = self.path.lstrip("/").partition("/")
        if what == "silent":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response({"ok": 200, "elsewhere": 307}.get(what) or int(what))
        self.send_header("Location", f"http://127.0.0.1:{rest}/")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")


if __name__ == "__main__":
    Door.file = Path(sys.argv[1])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()
