"""`passerelle validate FILE...`: one answer per file, in the order they were typed.

Runs in a process of its own and may import from `validation` directly, although the service may not; documents are
still read only in workshop processes. Loads no web, database or queue library, and by its name what only a report in
SVRL or a file that cannot be read needs: the worker waits for its first request while this process loads.
"""

import argparse
import importlib
import io
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

from gateway.clock import day_in_france, wall_clock
from schematron.supply import FOLDER, RuleSetMissing, get_rule_set
from validation.faces import output, pages
from validation.findings import Patch, Report, Verdict
from validation.packs import LAYERS
from validation.worker import Worker
from validation.workshop import Poison, Workshop

EXIT: Final = {Verdict.VALID: 0, Verdict.INVALID: 1, Verdict.ERROR: 2}
SVRL: Final = "validation.faces.svrl"
UNREAD: Final = "validation.faces.unread"
LARGEST: Final = 100 << 20
"""Bytes of a file that are looked at: the limit for a PDF. A larger file is refused by what was read of it."""


def main(argv: Sequence[str], first: Worker | None = None) -> int:
    """Validate; 0 all valid, 1 some invalid, 2 some absent or not checked, or wrong options.

    `first` is a worker that got ready meanwhile, with the rule sets of the environment.
    """
    try:
        options = parse(argv)
    except SystemExit as end:
        return 0 if end.code in {0, None} else 2
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # file names may be no text at all
    verdicts = set()

    def answers() -> Iterator[Answer]:
        for number, answer in enumerate(zip(options.files, reports(options, first), strict=True), 1):
            file, (report, patches) = answer
            verdicts.add(report.verdict)
            progress(number, len(options.files))
            yield Answer(file, report, patches)

    for piece in written(options, answers()):
        if isinstance(piece, bytes):
            sys.stdout.buffer.write(piece)
        else:
            sys.stdout.write(piece)
        sys.stdout.flush()
    return max((EXIT[verdict] for verdict in verdicts), default=0)


class Answer(NamedTuple):
    """What was found about one file."""

    file: str
    report: Report
    patches: tuple[Patch, ...] | None


def progress(number: int, total: int) -> None:
    """How far it is, on standard error, where somebody looks and there is something to wait for."""
    if total > 1 and sys.stderr.isatty():
        end = "\n" if number == total else ""
        print(f"\r{number} / {total}", end=end, file=sys.stderr, flush=True)


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The options, checked. Ends the program with 2 where they are wrong."""
    made = argparse.ArgumentParser(prog="passerelle validate", description=__doc__)
    made.add_argument("files", metavar="FILE", nargs="+")
    made.add_argument("--format", choices=("text", "json", "svrl", "html", "pdf"), default="text")
    made.add_argument("--lang", choices=("fr", "en"), default="fr")
    made.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    made.add_argument("--propose", action="store_true", help="propose corrections that are certain; none is applied")
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


def reports(
    options: argparse.Namespace, first: Worker | None = None
) -> Iterator[tuple[Report, tuple[Patch, ...] | None]]:
    """Report and proposals in the order of the files, each as soon as it and those before it are there."""
    as_of = options.as_of or day_in_france(wall_clock())
    jobs = min(options.jobs or os.cpu_count() or 1, len(options.files))
    added = Path(os.environ[FOLDER]) if FOLDER in os.environ else None
    with Workshop(jobs, rules=added, first=first) as workshop, ThreadPoolExecutor(jobs) as threads:

        def report(file: str) -> tuple[Report, tuple[Patch, ...] | None]:
            try:
                with Path(file).open("rb") as stream:
                    document = stream.read(LARGEST + 1)
            except (OSError, ValueError) as error:
                return unread(str(error)), () if options.propose else None
            found = workshop.judge(
                document, as_of=as_of, rules=tuple(options.rules), layers=options.layers,
                max_findings=options.max_findings,
            )
            return found, proposed(workshop, document, as_of) if options.propose else None

        yield from threads.map(report, options.files)


def unread(why: str) -> Report:
    """The report on a file that could not be opened."""
    report: Report = importlib.import_module(UNREAD).unreadable(why)
    return report


def proposed(workshop: Workshop, document: bytes, as_of: date) -> tuple[Patch, ...]:
    """The corrections that are certain; none for a document that no worker gets through."""
    try:
        return workshop.propose(document, as_of=as_of)
    except Poison:
        return ()


def written(options: argparse.Namespace, answers: Iterator[Answer]) -> Iterator[str | bytes]:
    """The answers as pieces of text in a form; a PDF as one piece of bytes."""
    if options.format == "html":
        yield from pages.as_html(((answer.file, answer.report) for answer in answers), options.lang)
    elif options.format == "pdf":
        everything = tuple((answer.file, answer.report) for answer in answers)
        with Workshop(1) as workshop:
            yield workshop.present(everything, form="pdf", lang=options.lang)
    else:
        for answer in answers:
            yield one(options, answer).rstrip("\n") + "\n"


def one(options: argparse.Namespace, answer: Answer) -> str:
    """The answer about one file in a form that can be written file by file."""
    if options.format == "json":
        return output.as_json(answer.file, answer.report, answer.patches)
    if options.format == "svrl":
        svrl: str = importlib.import_module(SVRL).as_svrl(answer.file, answer.report)
        return svrl
    text = output.as_text(answer.file, answer.report, options.lang, colour=coloured(options.color))
    return text + output.patches_text(answer.patches or (), options.lang)


def coloured(choice: str) -> bool:
    """Whether to colour the text: where a person looks, and not against NO_COLOR (no-color.org)."""
    if choice != "auto":
        return choice == "always"
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
