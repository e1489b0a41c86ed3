"""Strikes an operation at its n-th system call with strace: EIO, ENOSPC or SIGKILL, then looks at what is left.

The operation runs in a fork of this process, which has everything loaded, and strace attaches to it just before it
begins: what is counted are the calls of the operation itself, in an order that is the same each time.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import crash_fsck
import crash_ops

TRACED = ("%file,fsync,fdatasync,write,pwrite64,read,pread64,ftruncate,fallocate,close,fchmod,fcntl,lseek,fstat,"
          "getdents64")
KINDS = ("error=EIO", "error=ENOSPC", "signal=SIGKILL")


def missing() -> str | None:
    """Why nothing can be traced here; None when it can."""
    program = shutil.which("strace")
    if program is None or subprocess.run([program, "-o", os.devnull, "true"], capture_output=True,
                                         check=False).returncode:
        return "strace is not installed or may not trace here"
    return None


@dataclass(frozen=True, slots=True)
class Point:
    """One place where an operation is struck."""

    operation: str
    call: str
    number: int
    """Of the calls of that name, counted from 1."""

    kind: str


@dataclass(frozen=True, slots=True)
class Ending:
    """What a struck operation told, how it ended (negative: by a signal), and the calls that strace saw."""

    acknowledged: tuple[str, ...]
    code: int
    trace: tuple[str, ...]


def world(folder: Path) -> None:
    """Make the template of all trials. In a fork: this process opens no database."""
    child = os.fork()
    if child == 0:
        try:
            silence()
            crash_ops.make_world(folder)
            os._exit(0)
        finally:
            os._exit(3)
    assert os.waitpid(child, 0)[1] == 0, "the template could not be made"


def silence() -> None:
    """Let nothing that a child prints be seen."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def strike(operation: str, folder: Path, *strace: str) -> Ending:
    """Run an operation on `folder` under strace with further options."""
    told, tell = os.pipe()
    waiting, wake = os.pipe()
    child = os.fork()
    if child == 0:
        try:  # whatever happens, the child must not go on as its parent
            os.close(told)
            os.close(wake)
            silence()
            os.read(waiting, 1)
            os._exit(crash_ops.run(operation, folder, lambda line: print_to(tell, line)))
        finally:
            os._exit(3)
    os.close(tell)
    os.close(waiting)
    with tempfile.NamedTemporaryFile() as trace:
        tracer = subprocess.Popen(["strace", "-y", "-s", "0", "-o", trace.name, "-e", f"trace={TRACED}", *strace, "-p",
                                   str(child)], stderr=subprocess.PIPE)
        assert tracer.stderr is not None
        tracer.stderr.readline()  # "Process N attached"
        os.write(wake, b"g")
        os.close(wake)
        lines = read_all(told).decode().splitlines()
        _, status = os.waitpid(child, 0)
        tracer.communicate(timeout=60)
        seen = Path(trace.name).read_text(errors="replace").splitlines()
    return Ending(tuple(lines), os.waitstatus_to_exitcode(status), tuple(seen))


def print_to(descriptor: int, line: str) -> None:
    """One line, in one call."""
    os.write(descriptor, line.encode() + b"\n")


def read_all(descriptor: int) -> bytes:
    """Everything until the other end is closed."""
    found = b""
    while chunk := os.read(descriptor, 65536):
        found += chunk
    os.close(descriptor)
    return found


def calls_of(operation: str, template: Path) -> Counter[str]:
    """How often an undisturbed operation makes each system call. Raises AssertionError if it does not succeed."""
    with copied(template) as folder:
        ending = strike(operation, folder)
    assert ending.code == 0, f"{operation} ends with {ending.code}"
    return Counter(match[1] for line in ending.trace if (match := re.match(r"(\w+)\(", line)))


def points_of(operation: str, template: Path) -> list[Point]:
    """Every place where it can be struck."""
    return [Point(operation, call, number, kind) for call, most in sorted(calls_of(operation, template).items())
            for number in range(1, most + 1) for kind in KINDS]


def try_point(point: Point, template: Path) -> list[str]:
    """What is wrong after a strike; then after the same operation undisturbed, which must succeed."""
    with copied(template) as folder:
        ending = strike(point.operation, folder, "-e", f"inject={point.call}:{point.kind}:when={point.number}")
        found = crash_fsck.faults(folder, list(ending.acknowledged))
        again = again_in_fork(point.operation, folder)
        found += [] if again else ["the same operation does not succeed afterwards"]
        found += [f"afterwards: {fault}" for fault in crash_fsck.faults(folder, list(ending.acknowledged))]
    return found


def again_in_fork(operation: str, folder: Path) -> bool:
    """Whether it succeeds without a strike. In a fork: this process opens no database."""
    child = os.fork()
    if child == 0:
        try:
            silence()
            os._exit(crash_ops.run(operation, folder, lambda _: None))
        finally:
            os._exit(3)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def order_faults(trace: tuple[str, ...]) -> Iterator[str]:
    """What an undisturbed put does in a wrong order: bytes, then the name, then the folder, then the word."""
    first = {name: next((at for at, line in enumerate(trace) if re.search(pattern, line)), None)
             for name, pattern in (("bytes", r"^f(data)?sync\(\d+<.*/tmp/"), ("name", r"^link(at)?\("),
                                   ("word", r"^write\(\d+<pipe:"))}
    if None in first.values():
        yield f"a step is left out: {first}"
        return
    folder = [at for at, line in enumerate(trace) if re.match(r"fsync\(\d+<.*/sha256/../..>", line)]
    if not first["bytes"] < first["name"] < min(folder, default=len(trace)) < first["word"]:  # type: ignore[operator]
        yield f"wrong order: {first}, folder {folder}"


@contextmanager
def copied(template: Path) -> Iterator[Path]:
    """A copy of a data folder for one trial, beside it."""
    with tempfile.TemporaryDirectory(prefix="passerelle-crash-", dir=template.parent) as name:
        shutil.copytree(template, name, dirs_exist_ok=True)
        yield Path(name)
