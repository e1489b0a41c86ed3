"""One jail process and the pipes to it: started, asked, watched and killed from this side; what it gives up on its own.

Knows nothing of documents and loads nothing that does, so that a command can have a worker started before it loads
what it needs itself (`gateway.cli`): the two get ready side by side.
"""

import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

HEADER: Final = 8
"""Bytes of the big-endian length before each message."""

JAIL: Final = (sys.executable, "-P", "-m", "validation.jail")
"""How a jail is started. `-P` keeps the working directory out of the module path."""

COLD: Final = (sys.executable, "-P", "-m", "validation.cold")
"""How a jail is started that is to judge at once and has nothing compiled. It may have a process beside it."""

PAGE: Final = os.sysconf("SC_PAGE_SIZE")
LONGEST_ANSWER: Final = 512 << 20
LOOK_EVERY: Final = 0.05
"""Seconds between two looks at a busy worker's memory."""


def framed(message: bytes) -> bytes:
    """As it goes through a pipe: its length, then it."""
    return len(message).to_bytes(HEADER, "big") + message


def next_message(pipe: BinaryIO) -> bytes | None:
    """Wait for the next message; None where the pipe ends, be it within one."""
    length = int.from_bytes(header := pipe.read(HEADER), "big")
    message = pipe.read(length)
    return message if len(header) == HEADER and len(message) == length else None


class WorkerDied(Exception):
    """The process ended before it answered."""


class OverMemory(Exception):
    """The process took more memory than it may, and was killed."""


class OverTime(Exception):
    """The process took longer than it may, and was killed."""


class Worker:
    """One jail process and the pipes to it."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        root = Path(__file__).resolve().parents[1]
        self.jobs = 0
        self._alone = tuple(command) != COLD
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd="/",
            env={"PYTHONPATH": str(root), "LC_ALL": "C.UTF-8", **environment},
            bufsize=0,
        )
        assert self.process.stdin is not None  # noqa: S101 - both pipes were asked for
        assert self.process.stdout is not None  # noqa: S101 - as above
        self._to, self._from = self.process.stdin.fileno(), self.process.stdout.fileno()
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)

    def ask(self, request: bytes, *, seconds: float, memory_bytes: int) -> bytes:
        """Send a request and wait for the answer.

        Raises:
            OverTime: over the time; the process is dead then.
            OverMemory: over the memory; the process is dead then.
            WorkerDied: it ended by itself.
        """
        self.jobs += 1
        deadline = time.perf_counter() + seconds
        pending, answer, expected = memoryview(request), bytearray(), HEADER
        while len(answer) < expected:
            left = deadline - time.perf_counter()
            if left <= 0:
                self.kill()
                raise OverTime
            if self.memory() > memory_bytes:
                self.kill()
                raise OverMemory
            sending = [self._to] if pending else []
            readable, writable, _ = select.select([self._from], sending, [], min(left, LOOK_EVERY))
            try:
                if writable:
                    pending = pending[os.write(self._to, pending[: 1 << 16]) :]
                if readable:
                    answer += self._read()
            except BrokenPipeError as gone:
                raise WorkerDied from gone
            if expected == HEADER and len(answer) >= HEADER:
                expected += min(int.from_bytes(answer[:HEADER], "big"), LONGEST_ANSWER)
        if len(answer) > expected:  # it said something that nobody asked for: what it says next is not to be believed
            raise WorkerDied
        return bytes(memoryview(answer)[HEADER:])

    def _read(self) -> bytes:
        piece = os.read(self._from, 1 << 16)
        if not piece:
            raise WorkerDied
        return piece

    def memory(self) -> int:
        """Resident bytes of the process, and of that beside it; 0 where the system does not tell."""
        return sum(map(resident_bytes, (self.process.pid, *self._beside())))

    def kill(self) -> None:
        """End the process, and that beside it, and close the pipes. Killing a dead one does nothing."""
        for pid in self._beside():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def _beside(self) -> list[int]:
        """The process that a cold jail has forked, where the system tells."""
        if self._alone:
            return []
        try:
            listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text("ascii")
        except OSError:
            return []
        return [int(pid) for pid in listed.split()]


def resident_bytes(pid: int) -> int:
    """Memory that a process holds; 0 where the system does not tell. By the plainest calls: asked thrice a verdict."""
    try:
        said = os.open(f"/proc/{pid}/statm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        return int(os.read(said, 128).split()[1]) * PAGE
    except (OSError, IndexError):
        return 0
    finally:
        os.close(said)


def give_up_rights() -> BinaryIO:
    """On the other side: no files written, few opened, no core dump; return the one way out and silence the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    sys.dont_write_bytecode = True  # of what is loaded later; until here it makes the next start faster
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return answers
