"""The other side of a workshop: a process that reads, validates and converts what it is handed, and nothing else.

Started as `python -m validation.jail`. Requests come on standard input, answers go to what was standard output; the
process gives up the right to write files first and ends when its input does. Whatever an engine prints goes nowhere.

A verdict is what somebody waits for, so that this module loads what a verdict needs. All else is in
`validation.errands`, which is loaded by its name: when it is first asked for, and in a warm process as soon as there
is nothing else to do.
"""

import gc
import importlib
import resource
import select
import sys
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, BinaryIO, Final

from formats.errors import FormatError
from validation import run
from validation.findings import Report
from validation.requests import Request, next_request
from validation.wire import Inspection, pack, refusal_of
from validation.worker import give_up_rights

COLLECT: Final = (200_000, 20, 100)
"""When cycles are looked for, between two requests: after this many objects. By default that is every 700."""


def inspect(
    document: bytes, as_of: date, rules: tuple[str, ...], layers: tuple[str, ...], max_findings: int
) -> Inspection:
    """Workshop.inspect, here."""
    options = run.Options(as_of=as_of, rules=rules, layers=layers, max_findings=max_findings)
    return run.inspect(document, options)


def judge(document: bytes, **options: Any) -> Report:
    """Workshop.judge, here."""
    return inspect(document, **options).report


OPERATIONS: Final[Mapping[str, Callable[..., object]]] = {"inspect": inspect, "judge": judge}
ERRANDS: Final = "validation.errands"


def serve(requests: BinaryIO, answers: BinaryIO, *, eager: bool, first: Request | None = None) -> None:
    """Answer requests, `first` before all, until there are no more; if `eager`, load the errands when nobody waits."""
    gc.freeze()
    gc.set_threshold(*COLLECT)
    if first is not None:
        _serve_one(first, answers)
    while True:
        if eager and not select.select([requests], [], [], 0)[0]:
            importlib.import_module(ERRANDS)
            gc.freeze()
            eager = False
        request = next_request(requests)
        if request is None:
            return
        _serve_one(request, answers)


def _serve_one(request: Request, answers: BinaryIO) -> None:
    operation, arguments, seconds = request
    _limit_processor_time(seconds)
    gc.disable()  # looked at while it lives, a large document costs more than twice what half of it does
    answers.write(pack(_answer(operation, arguments)))
    answers.flush()
    gc.enable()


def _answer(operation: str, arguments: Mapping[str, Any]) -> object:
    try:
        act = OPERATIONS.get(operation) or importlib.import_module(ERRANDS).OPERATIONS[operation]
        return act(**arguments)
    except FormatError as error:
        return refusal_of(error)


def _limit_processor_time(seconds: float) -> None:
    """Let the kernel end this process if its parent is no longer there to do so."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    allowed = int(used.ru_utime + used.ru_stime + 2 * seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.RLIM_INFINITY))


def main() -> None:
    """Give up rights, compile the usual rule sets if asked to, then serve."""
    answers = give_up_rights()
    warm = "--warm" in sys.argv[1:]
    if warm:
        run.warm()
    serve(sys.stdin.buffer, answers, eager=warm)


if __name__ == "__main__":
    main()
