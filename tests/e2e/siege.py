"""Every hostile document at every door, and what came back."""

import itertools
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import ClassVar

import httpx
from attacks import JSON, OBJECTS, PDF, XML, XML_ATTACKS, Aim
from canary import Canary
from pdf_attacks import PDF_ATTACKS

from formats.errors import FormatError
from formats.syntax import Syntax, write
from gateway.clock import PARIS, wall_clock
from gateway.commands.demo_invoices import GOODS, invoice
from validation.workshop import Workshop

CORPUS = Path(os.environ.get("PASSERELLE_CORPUS", Path(__file__).parents[3] / "shared" / "corpus"))
FOLDERS = ("bad-xml", "bad-pdf")
LARGEST = {"json-lines-30k", "siblings-900k", "pdf-siblings-inside", "lines-2000", "pdf-106m"}
"""Seconds of work each, as large as a document may be: tried at the main door only."""

STRACE = ("strace", "-D", "-ff", "--seccomp-bpf", "-qq")
REFERENCE = re.compile(rb"""(?:https?|ftp|file|jar)://?[^"'\s<>]+""")
LOCAL = re.compile(rb"""((?:SYSTEM|PUBLIC\s+["'][^"']*["'])\s+)(["'])(?!\w+://)[^"']*\2""")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a door said."""

    door: str
    seconds: float
    status: int
    """HTTP status, or exit code; 0 for a workshop that answered."""

    body: bytes
    code: str | None = None
    """The problem's code, or the format error's."""

    verdict: str | None = None
    findings: int = 0


@dataclass(slots=True)
class Siege:
    """All answers by case."""

    canary: Canary
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    growth: int = 0
    """Bytes that the API process has more than before."""

    trace: list[str] | None = None
    """What the document processes asked the kernel for; None where strace cannot be used."""


def corpus_files() -> dict[str, Path]:
    """The bad files of the corpus, by the name of their case."""
    return {
        f"corpus-{path.relative_to(CORPUS)}": path
        for folder in FOLDERS
        for path in sorted((CORPUS / folder).rglob("*"))
        if path.is_file()
    }


def case_names() -> list[str]:
    """Every case, known before anything runs."""
    aimed = [name.replace("corpus-", "aimed-", 1) for name, path in corpus_files().items() if is_aimed(path)]
    return [*XML_ATTACKS, *OBJECTS, *PDF_ATTACKS, *corpus_files(), *aimed]


def is_aimed(path: Path) -> bool:
    """Whether a corpus file leads outside."""
    content = path.read_bytes()
    return path.suffix in {".xml", ".dtd"} and bool(REFERENCE.search(content) or LOCAL.search(content))


def aimed(content: bytes, canary: Canary) -> bytes:
    """A copy in which every address and file is the canary's."""
    content = REFERENCE.sub(
        lambda found: (canary.file.as_uri() if found[0].startswith(b"file") else canary.url).encode(), content)
    return LOCAL.sub(lambda found: found[1] + found[2] + os.fsencode(canary.file) + found[2], content)


def cases(canary: Canary) -> Iterator[tuple[str, str, bytes]]:
    """(name, media type, document), made one at a time."""
    today = wall_clock().astimezone(PARIS).date()
    counter = itertools.count(1)
    made = ((PDF, PDF_ATTACKS), (JSON, OBJECTS), (XML, XML_ATTACKS))
    for media_type, attacks in made:
        for name, make in attacks.items():
            yield name, media_type, make(aim(canary, f"H{next(counter):04}", today))
    for name, path in corpus_files().items():
        content = path.read_bytes()
        yield name, PDF if path.suffix == ".pdf" else XML, content
        if is_aimed(path):
            yield name.replace("corpus-", "aimed-", 1), XML, aimed(content, canary)


def aim(canary: Canary, number: str, today: date) -> Aim:
    """A good invoice of its own for each attack."""
    good = invoice(number, "approve", GOODS, today)
    return Aim(canary, write(good, Syntax.UBL_INVOICE), write(good, Syntax.CII), write(good, Syntax.JSON))


def lay(siege: Siege, client: httpx.Client, pid: int, folder: Path) -> None:
    """Every case at the doors of the service, of the workshop and of the command line."""
    typed: dict[str, Path] = {}
    before = memory(pid)
    with traced(folder / "trace") as workshop:
        for number, (name, media_type, document) in enumerate(cases(siege.canary)):
            siege.answers[name] = [posted(client, "/v1/invoices", media_type, document, f"siege-{number}")]
            if name in LARGEST:
                continue
            typed[name] = folder / f"{number:04}.bin"
            typed[name].write_bytes(document)
            siege.answers[name] += [
                posted(client, "/v1/validate", media_type, document, None),
                asked("status", lambda w, d=document: read_status(w, d), workshop),  # type: ignore[misc]
                asked("extract", lambda w, d=document: extract(w, d), workshop),  # type: ignore[misc]
            ]
        siege.growth = memory(pid) - before
    siege.trace = workshop.trace()
    by_command_line(siege, typed)


def posted(client: httpx.Client, path: str, media_type: str, document: bytes, key: str | None) -> Answer:
    """One request to the running gateway."""
    headers = {"Content-Type": media_type, **({"Idempotency-Key": key} if key else {})}
    started = time.perf_counter()
    answer = client.post(path, content=document, headers=headers)
    seconds = time.perf_counter() - started
    body = answer.json()
    return Answer(path, seconds, answer.status_code, answer.content, body.get("code"), body.get("verdict"),
                  len(body.get("findings", ())))


def asked(door: str, ask: Callable[[Workshop], Answer], workshop: Workshop) -> Answer:
    """One job of a workshop."""
    started = time.perf_counter()
    try:
        answer = ask(workshop)
    except FormatError as error:
        answer = Answer(door, 0, 0, str(error).encode(), error.code)
    return Answer(door, time.perf_counter() - started, 0, answer.body, answer.code, answer.verdict, answer.findings)


def read_status(workshop: Workshop, document: bytes) -> Answer:
    """The document as a lifecycle message."""
    reading = workshop.read_status(document, as_of=wall_clock().date())
    body = repr(reading.message).encode() + json.dumps(reading.report.to_json()).encode()
    return Answer("status", 0, 0, body, None, reading.report.verdict.value, len(reading.report.findings))


def extract(workshop: Workshop, document: bytes) -> Answer:
    """The document as a PDF with an invoice inside."""
    return Answer("extract", 0, 0, workshop.extract(document))


def by_command_line(siege: Siege, typed: dict[str, Path]) -> None:
    """All files in one command; its lines are in the order of the files."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "gateway.cli", "validate", "--format", "json", "--jobs", "2",
         *map(str, typed.values())], capture_output=True, check=False)
    seconds = time.perf_counter() - started
    lines = done.stdout.splitlines()
    assert len(lines) == len(typed), done.stderr[-2000:]
    for (name, path), line in zip(typed.items(), lines, strict=True):
        report = json.loads(line)
        assert report["file"] == str(path)
        siege.answers[name].append(Answer("command", report["elapsed_ms"] / 1000, done.returncode, line, None,
                                          report["verdict"], len(report["findings"])))
    siege.answers["command"] = [Answer("command", seconds, done.returncode, done.stderr)]


def memory(pid: int) -> int:
    """Resident bytes of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Traced(Workshop):
    """A workshop whose processes are watched by strace, where there is one that may watch."""

    log: ClassVar[Path | None] = None

    def trace(self) -> list[str] | None:
        """What was asked of the kernel, one call a line."""
        if self.log is None:
            return None
        return [line for file in self.log.parent.glob(f"{self.log.name}*")
                for line in file.read_text("utf-8", "replace").splitlines()]


@contextmanager
def traced(log: Path) -> Iterator[Traced]:
    """A workshop for the siege. `-D` keeps the jail our own child, so that its limits still hold."""
    watch = (*STRACE, "-s", "200", "-e", "trace=%network,%file,%process", "-o", str(log))
    kind = Traced
    if may_watch():
        kind = type("Watched", (Traced,), {"command": (*watch, *Workshop.command), "log": log})
    with kind() as workshop:
        yield workshop


def may_watch() -> bool:
    """Whether strace is there and may watch a process."""
    try:
        tried = subprocess.run([*STRACE, "-e", "trace=none", "true"], capture_output=True, check=False)
    except OSError:
        return False
    return tried.returncode == 0 and not tried.stderr
