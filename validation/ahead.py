"""Work that a fork of this process does beside it: texts go there, texts come back.

For a process that has one verdict to find and a second processor to find it with: the engine of the rules holds the
interpreter while it compiles, so that only another process can compile at the same time. The fork is made before an
engine or a thread is in this process. It keeps this side's limits, is read by nobody else, and ends when this side
closes its pipe; who kills this process kills it too (`validation.worker`).
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

from validation.worker import framed, next_message


class Gone(Exception):
    """The other process has ended."""


@dataclass(frozen=True, slots=True)
class Beside:
    """The pipes to a process beside this one."""

    to: BinaryIO
    back: BinaryIO

    def send(self, text: str) -> None:
        """Hand over a text. Raises Gone."""
        try:
            self.to.write(framed(text.encode()))
            self.to.flush()
        except BrokenPipeError as error:
            raise Gone from error

    def receive(self) -> str:
        """Wait for a text. Raises Gone."""
        message = next_message(self.back)
        if message is None:
            raise Gone
        return message.decode()


def start(work: Callable[[Beside], None], hidden: tuple[int, ...]) -> Beside:
    """Fork, and let the fork do `work`, which is given the other ends of both pipes. Returns on this side only.

    `hidden` are descriptors that the fork has to close, since others wait for their end.
    """
    there, to = os.pipe()
    back, here = os.pipe()
    if os.fork() == 0:
        for descriptor in (to, back, *hidden):
            os.close(descriptor)
        _work_and_end(work, Beside(os.fdopen(here, "wb"), os.fdopen(there, "rb")))
    os.close(there)
    os.close(here)
    return Beside(os.fdopen(to, "wb"), os.fdopen(back, "rb"))


def _work_and_end(work: Callable[[Beside], None], other: Beside) -> NoReturn:
    try:
        work(other)
    finally:
        os._exit(0)  # nothing of the process that it was a copy of is to be closed twice
