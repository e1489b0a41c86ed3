"""Two canaries: a port that nobody should call, and a file that nobody should open."""

import ctypes
import os
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

SECRET = "k4n4r13nv0g3l-7d1f0c"
"""What the file says. It is nowhere else, so wherever it shows up, somebody read the file."""

IN_OPEN = 0x20


@dataclass(slots=True)
class Canary:
    """Where attacks are aimed, and what came of it."""

    file: Path
    port: int
    calls: list[bytes] = field(default_factory=list)
    """The beginning of what each caller said."""

    watch: int | None = None
    """An inotify descriptor on the file; None where there is no inotify."""

    @property
    def url(self) -> str:
        """The address that nobody should call."""
        return f"http://127.0.0.1:{self.port}/canary"

    def opened(self) -> int:
        """How often the file was opened since the last look. Raises RuntimeError without inotify."""
        if self.watch is None:
            raise RuntimeError("no inotify here")
        try:
            events = os.read(self.watch, 1 << 16)
        except BlockingIOError:
            return 0
        size = struct.calcsize("iIII")  # a watched file has no name in its events
        return len(events) // size


@contextmanager
def canary(folder: Path) -> Iterator[Canary]:
    """Both, until the end of the block."""
    file = folder / "canary.txt"
    file.write_text(SECRET + "\n", encoding="ascii")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        made = Canary(file, server.getsockname()[1], watch=watched(file))
        ended = threading.Event()
        listener = threading.Thread(target=listen, args=(server, made, ended))
        listener.start()
        try:
            yield made
        finally:
            ended.set()
            listener.join()
            if made.watch is not None:
                os.close(made.watch)


def listen(server: socket.socket, made: Canary, ended: threading.Event) -> None:
    """Note every caller and hang up."""
    while not ended.is_set():
        try:
            caller, _ = server.accept()
        except TimeoutError:
            continue
        with caller:
            caller.settimeout(0.2)
            try:
                made.calls.append(caller.recv(200))
            except OSError:
                made.calls.append(b"")


def watched(file: Path) -> int | None:
    """A descriptor that tells when the file is opened."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if descriptor < 0 or libc.inotify_add_watch(descriptor, os.fsencode(file), IN_OPEN) < 0:
        return None
    return int(descriptor)
