"""`passerelle validate FILE...`: one answer per file, in the order they were typed.

Runs in a process of its own and may import from `validation` directly, although the service may not; documents are
still read only in workshop processes. Loads no web, database or queue library.
"""

import argparse
import io
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Final

from gateway.clock import wall_clock
from schematron.supply import FOLDER, RuleSetMissing, get_rule_set
from validation import output
from validation.findings import Report, Verdict
from validation.packs import LAYERS
from validation.workshop import Workshop

EXIT: Final = {Verdict.VALID: 0, Verdict.INVALID: 1, Verdict.ERROR: 2}
LARGEST: Final = 100 << 20
"""Bytes of a file that are looked at: the limit for a PDF. A larger file is refused by what was read of it."""


def main(argv: Sequence[str]) -> int:
    """Validate; 0 all valid, 1 some invalid, 2 some absent or not checked, or wrong options."""
    try:
        options = parse(argv)
    except SystemExit as end:
        return 0 if end.code in {0, None} else 2
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # file names may be no text at all
    verdicts = set()

    def answers() -> Iterator[tuple[str, Report]]:
        for file, report in zip(options.files, reports(options), strict=True):
            verdicts.add(report.verdict)
            yield file, report

    for piece in written(options.format, answers()):
        sys.stdout.write(piece)
        sys.stdout.flush()
    return max((EXIT[verdict] for verdict in verdicts), default=0)


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The options, checked. Ends the program with 2 where they are wrong."""
    made = argparse.ArgumentParser(prog="passerelle validate", description=main.__doc__)
    made.add_argument("files", metavar="FILE", nargs="+")
    made.add_argument("--format", choices=("text", "json", "svrl", "html"), default="text")
    made.add_argument("--as-of", type=date.fromisoformat, default=None, metavar="DATE")
    made.add_argument("--rules", action="append", default=[], metavar="ID", type=known_rule_set)
    made.add_argument("--layers", type=known_layers, default=(), metavar="a,b")
    made.add_argument("--max-findings", type=count, default=100, metavar="N")
    made.add_argument("--jobs", type=count, default=1, metavar="N")
    return made.parse_args(argv)


def known_rule_set(text: str) -> str:
    """An id of the manifest."""
    try:
        return get_rule_set(text).id
    except RuleSetMissing as missing:
        raise argparse.ArgumentTypeError(str(missing)) from missing


def known_layers(text: str) -> tuple[str, ...]:
    """Names of layers between commas."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if unknown := [name for name in names if name not in LAYERS]:
        raise argparse.ArgumentTypeError(f"no layer {', '.join(unknown)}; there are {', '.join(LAYERS)}")
    if not names:
        raise argparse.ArgumentTypeError("no layer is named")
    return names


def count(text: str) -> int:
    """A whole number, not negative."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return int(text)


def reports(options: argparse.Namespace) -> Iterator[Report]:
    """The reports in the order of the files, each as soon as it and those before it are there."""
    as_of = options.as_of or wall_clock().date()
    jobs = min(options.jobs or os.cpu_count() or 1, len(options.files))
    added = Path(os.environ[FOLDER]) if FOLDER in os.environ else None
    with Workshop(jobs, rules=added) as workshop, ThreadPoolExecutor(jobs) as threads:

        def report(file: str) -> Report:
            try:
                with Path(file).open("rb") as stream:
                    document = stream.read(LARGEST + 1)
            except (OSError, ValueError) as error:
                return output.unreadable(str(error))
            return workshop.inspect(
                document, as_of=as_of, rules=tuple(options.rules), layers=options.layers,
                max_findings=options.max_findings,
            ).report

        yield from threads.map(report, options.files)


def written(form: str, answers: Iterator[tuple[str, Report]]) -> Iterator[str]:
    """The answers as pieces of text in a form."""
    if form == "html":
        yield from output.as_html(answers)
        return
    write = {"json": output.as_json, "svrl": output.as_svrl, "text": output.as_text}[form]
    for file, report in answers:
        yield write(file, report).rstrip("\n") + "\n"
