"""The other side of a workshop: a process that reads, validates and converts what it is handed, and nothing else.

Started as `python -m validation.jail`. Requests come on standard input, answers go to what was standard output; the
process gives up the right to write files first and ends when its input does. Whatever an engine prints goes nowhere.
"""

import gc
import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from datetime import date
from pickle import loads
from typing import Any, BinaryIO, Final

from formats import conversion, facturx, lifecycle, opening, syntax
from formats.errors import FormatError
from formats.rendering import render as rendering
from formats.rendering.appearance import Appearance
from formats.rendering.remarks import Drawn
from formats.status import StatusMessage
from schematron import supply
from validation import run
from validation.wire import HEADER, Converted, Inspection, RuleSetFiles, StatusReading, Written, pack, refusal_of

COLLECT: Final = (200_000, 20, 100)
"""When cycles are looked for: a large document is a million live objects, looked at for nothing by default."""


def inspect(
    document: bytes, as_of: date, rules: tuple[str, ...], layers: tuple[str, ...], max_findings: int
) -> Inspection:
    """Workshop.inspect, here."""
    options = run.Options(as_of=as_of, rules=rules, layers=layers, max_findings=max_findings)
    return run.inspect(document, options)


def convert(document: bytes, **options: Any) -> Converted:
    """Workshop.convert, here."""
    to: str = options.pop("to")
    done = conversion.convert(document, to, **options)
    return Converted(done.document, done.syntax.value, done.loss.to_json())


def draw(document: bytes, lang: str, appearance: Appearance) -> Drawn:
    """Workshop.draw, here."""
    opened = opening.open_document(document)
    return rendering.drawn(syntax.read(opened.payload).invoice, lang=lang, appearance=appearance)


def extract(document: bytes) -> bytes:
    """Workshop.extract, here."""
    return facturx.extract(document).xml


def read_status(document: bytes, as_of: date) -> StatusReading:
    """Workshop.read_status, here. The rules have said why, where a message cannot be read."""
    report = run.validate(document, run.Options(as_of=as_of))
    try:
        return StatusReading(lifecycle.read_status(document), report)
    except FormatError:
        return StatusReading(None, report)


def write_status(message: StatusMessage, as_of: date) -> Written:
    """Workshop.write_status, here."""
    document = lifecycle.write_status(message)
    return Written(document, run.validate(document, run.Options(as_of=as_of)))


def rule_set(key: str) -> RuleSetFiles:
    """Workshop.rule_set, here."""
    try:
        return RuleSetFiles(key, supply.bundle(supply.get_rule_set(key)))
    except supply.RuleSetError as error:
        raise FormatError(str(error)) from error


OPERATIONS: Final[Mapping[str, Callable[..., object]]] = {
    "inspect": inspect,
    "convert": convert,
    "draw": draw,
    "extract": extract,
    "read_status": read_status,
    "write_status": write_status,
    "rule_set": rule_set,
}


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more."""
    while len(header := requests.read(HEADER)) == HEADER:
        # The request comes from the process that started this one; only answers are untrusted.
        operation, arguments, seconds = loads(requests.read(int.from_bytes(header, "big")))  # noqa: S301
        _limit_processor_time(seconds)
        answers.write(pack(_answer(operation, arguments)))
        answers.flush()


def _answer(operation: str, arguments: Mapping[str, Any]) -> object:
    try:
        return OPERATIONS[operation](**arguments)
    except FormatError as error:
        return refusal_of(error)


def _limit_processor_time(seconds: float) -> None:
    """Let the kernel end this process if its parent is no longer there to do so."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    allowed = int(used.ru_utime + used.ru_stime + 2 * seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.RLIM_INFINITY))


def _give_up_rights() -> BinaryIO:
    """No files written, few opened, no core dump; return the one way out and silence the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return answers


def main() -> None:
    """Give up rights, compile the usual rule sets if asked to, then serve."""
    answers = _give_up_rights()
    if "--warm" in sys.argv[1:]:
        run.warm()
    gc.freeze()
    gc.set_threshold(*COLLECT)
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
