"""A jail whose inspector does what the document says, to see what the workshop makes of it."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from validation import jail, wire

JOBS: list[bytes] = []
KEPT: list[bytes] = []


def misbehave(document: bytes, **_: Any) -> object:
    JOBS.append(document)
    order, _, argument = document.partition(b":")
    action = ACTIONS.get(order)
    return document if action is None else action(argument) or document


def hang(_: bytes) -> object:
    while True:
        pass


def hoard(_: bytes) -> object:
    hoarded = []
    while True:
        hoarded.append(b"x" * (8 << 20))


def keep(megabytes: bytes) -> object:
    """Holds on to memory for good, and long enough to be seen."""
    KEPT.append(b"x" * (int(megabytes) << 20))
    time.sleep(0.3)
    return None


def which(_: bytes) -> object:
    return os.getpid()


def abort(_: bytes) -> object:
    os.abort()


def abort_if_old(_: bytes) -> object:
    return os.abort() if len(JOBS) > 1 else None


def bug(_: bytes) -> object:
    raise RuntimeError("a bug of ours")


def make_noise(_: bytes) -> object:
    os.write(1, b"x" * 1000)
    sys.stdout.write("y" * 1000)
    sys.stdout.flush()
    return None


def environment(_: bytes) -> object:
    return tuple(sorted(os.environ))


def write_file(path: bytes) -> object:
    try:
        Path(path.decode()).write_bytes(b"written")
    except OSError as error:
        return error.strerror
    return None


def answer_twice(_: bytes) -> object:
    """Two answers at once, to be taken for this request and the next."""
    answers = next(number for number in range(3, 100) if "pipe:" in str(Path(f"/proc/self/fd/{number}").readlink()))
    os.write(answers, 2 * wire.pack(b"a lie"))
    return None


class Evil:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (os.system, ("touch /tmp/owned-by-a-pickle",))


ACTIONS: dict[bytes, Callable[[bytes], object]] = {
    b"hang": hang,
    b"memory": hoard,
    b"keep": keep,
    b"which": which,
    b"abort": abort,
    b"abort-if-old": abort_if_old,
    b"bug": bug,
    b"noise": make_noise,
    b"evil": lambda _: Evil(),
    b"environment": environment,
    b"write": write_file,
    b"twice": answer_twice,
}

if __name__ == "__main__":
    wire.ALLOWED.clear()
    jail.OPERATIONS = {"inspect": misbehave}  # type: ignore[misc]
    jail.run.warm = lambda: None
    jail.main()
