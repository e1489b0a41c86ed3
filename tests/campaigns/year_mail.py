"""The mail server of a simulated year: a process of its own that keeps every mail it is given, once for each time.

    python -m aiosmtpd -n -l 127.0.0.1:2525 -c year_mail.Kept FOLDER

A mail that comes a second time gets a file of its own, which no decision explains.
"""

import re
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self

MESSAGE_ID = re.compile(rb"^Message-ID:\s*<([^>\s/]+)>", re.MULTILINE | re.IGNORECASE)
PATIENCE_S = 60.0


class Kept:
    """What aiosmtpd asks about each mail."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def from_cli(cls, _: ArgumentParser, folder: str) -> Self:
        """As the command line names it."""
        return cls(Path(folder))

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - the server's name
        """Take the mail, under its Message-ID."""
        said = MESSAGE_ID.search(envelope.content)
        if said is None:
            return "554 no Message-ID"
        name, times = said[1].decode("ascii"), 1
        path = self.folder / f"{name}.eml"
        while path.exists():
            times += 1
            path = self.folder / f"{name}.{times}.eml"
        part = path.with_suffix(".part")
        part.write_bytes(envelope.content)
        part.rename(path)
        return "250 OK"


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The URL of a mail server that keeps its mails in a folder; ended with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}", "-c", "year_mail.Kept", str(folder)]
    with subprocess.Popen(command, cwd=Path(__file__).parent, start_new_session=True) as server:
        try:
            _wait(port, server)
            yield f"smtp://127.0.0.1:{port}"
        finally:
            server.terminate()


def _wait(port: int, server: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("the mail server does not start")
