"""Disposable processes in which untrusted bytes are read, validated and converted.

The only door from the service to documents. Each worker is a process of its own (`python -m validation.jail`) with
an empty environment, no right to write files, and a time and memory limit that this side enforces by killing it.
An engine that hangs, explodes or aborts costs one worker, which is replaced; the caller gets a clear error.
"""

import queue
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Final, Self, cast

from formats.bank import BankStatements
from formats.errors import FormatError
from formats.rendering.appearance import PLAIN, Appearance
from formats.rendering.remarks import Drawn
from formats.returned import Returned
from formats.status import StatusMessage
from schematron import supply
from validation.explain.data import data
from validation.findings import Finding, LayerOutcome, Outcome, Patch, Problem, Report, Severity, Text, Verdict
from validation.wire import (
    Converted,
    Inspection,
    Refusal,
    StatusReading,
    Written,
    error_of,
    pack,
    unpack_answer,
)
from validation.worker import JAIL, OverMemory, OverTime, Worker, WorkerDied

__all__ = [
    "PLAIN", "Appearance", "Converted", "Drawn", "Inspection", "Poison", "StatusReading", "Workshop", "Written",
]

BEHIND: Final = ("xsd", "en16931", "br-fr", "mentions", "business")
"""The layers that a document does not reach when no worker gets through it."""

POISON: Final = "PAS-ENGINE-POISON"

JOBS_PER_WORKER: Final = 5000
"""Then the worker is replaced: memory that an engine leaks stays bounded."""


class Poison(FormatError):
    """A document that the workshop could not get through: it took too long, too much memory, or killed two workers."""

    code = "poison"

    def __init__(self, english: str, french: str) -> None:
        """What happened, in both languages; the English is the text of the error."""
        super().__init__(english)
        self.french = french


class Workshop:
    """A fixed number of workers. Calls may come from many threads; each waits for a free worker.

    A warm workshop has one more process that waits, ready, to take the place of the next worker that is retired or
    killed, so that no request waits for one to start.
    """

    command: ClassVar[tuple[str, ...]] = JAIL

    def __init__(
        self,
        workers: int = 1,
        *,
        memory_bytes: int = 1 << 30,
        seconds: float = 30.0,
        warm: bool = False,
        rules: Path | None = None,
        first: Worker | None = None,
    ) -> None:
        """`warm` compiles the usual rule sets at once, so that the first document is as fast as the others.

        `rules` is the folder of added and kept rule sets (schematron.supply); it may come into being later.
        `first` is a worker that was started before, with the same folder; it is ended with the others.
        """
        self._environment = {"PASSERELLE_RULES": str(rules.absolute())} if rules is not None else {}
        self._memory_bytes = memory_bytes
        self._seconds = seconds
        self._warm = warm
        self._all: set[Worker] = set() if first is None else {first}
        self._idle: queue.LifoQueue[Worker] = queue.LifoQueue()
        for worker in (*self._all, *(self._start() for _ in range(workers - len(self._all)))):
            self._idle.put(worker)
        self._spare: queue.LifoQueue[Worker] = queue.LifoQueue()
        if warm:
            self._spare.put(self._start())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def inspect(
        self,
        document: bytes,
        *,
        as_of: date,
        rules: tuple[str, ...] = (),
        layers: tuple[str, ...] = (),
        max_findings: int = 100,
    ) -> Inspection:
        """Read and validate. Never raises for a document: one that cannot be got through gets verdict `error`."""
        options = {"as_of": as_of, "rules": rules, "layers": layers, "max_findings": max_findings}
        try:
            return cast("Inspection", self._ask("inspect", document=document, **options))
        except Poison as poison:
            return Inspection(_poisoned(poison), None)

    def judge(
        self,
        document: bytes,
        *,
        as_of: date,
        rules: tuple[str, ...] = (),
        layers: tuple[str, ...] = (),
        max_findings: int = 100,
    ) -> Report:
        """The report alone, for who has no use for the invoice. As `inspect` in all else."""
        options = {"as_of": as_of, "rules": rules, "layers": layers, "max_findings": max_findings}
        try:
            return cast("Report", self._ask("judge", document=document, **options))
        except Poison as poison:
            return _poisoned(poison)

    def convert(
        self,
        document: bytes,
        *,
        to: str,
        profile: str | None = None,
        pdf: bytes | None = None,
        lang: str = "fr",
        made_at: datetime,
        appearance: Appearance = PLAIN,
        annex: bool = False,
    ) -> Converted:
        """Convert to ubl, cii, factur-x or json. Checks no rule. Raises FormatError."""
        options = {"to": to, "profile": profile, "pdf": pdf, "lang": lang, "made_at": made_at,
                   "appearance": appearance, "annex": annex}
        return cast("Converted", self._ask("convert", document=document, **options))

    def render(self, document: bytes, *, lang: str = "fr", appearance: Appearance = PLAIN) -> bytes:
        """The readable PDF of an invoice. Raises FormatError."""
        return self.draw(document, lang=lang, appearance=appearance).pdf

    def draw(self, document: bytes, *, lang: str = "fr", appearance: Appearance = PLAIN) -> Drawn:
        """The readable PDF of an invoice, with the remarks on it. Raises FormatError."""
        return cast("Drawn", self._ask("draw", document=document, lang=lang, appearance=appearance))

    def extract(self, document: bytes) -> bytes:
        """The XML inside a PDF. Raises FormatError."""
        return cast("bytes", self._ask("extract", document=document))

    def read_status(self, document: bytes, *, as_of: date) -> StatusReading:
        """Read a lifecycle message and check it. Raises only Poison."""
        return cast("StatusReading", self._ask("read_status", document=document, as_of=as_of))

    def write_status(self, message: StatusMessage, *, as_of: date) -> Written:
        """Write a lifecycle message and check it. Raises FormatError."""
        return cast("Written", self._ask("write_status", message=message, as_of=as_of))

    def read_bank_file(self, document: bytes) -> BankStatements:
        """Read a CAMT.053 file. Raises FormatError, Poison."""
        return cast("BankStatements", self._ask("read_bank_file", document=document))

    def read_returned(self, document: bytes) -> Returned:
        """Read a mail that arrived where bounces go. Raises FormatError, Poison."""
        return cast("Returned", self._ask("read_returned", document=document))

    def propose(self, document: bytes, *, as_of: date) -> tuple[Patch, ...]:
        """The corrections that are certain for a document, proved; none is applied. Raises only Poison."""
        return cast("tuple[Patch, ...]", self._ask("propose", document=document, as_of=as_of))

    def mend(self, document: bytes, *, as_of: date, patch: str) -> bytes:
        """The document with one proposed correction. Raises FormatError where it is not certain any more."""
        return cast("bytes", self._ask("mend", document=document, as_of=as_of, patch=patch))

    def present(self, reports: tuple[tuple[str, Report], ...], *, form: str, lang: str = "fr") -> bytes:
        """Reports as one printable document, `html` or `pdf`. Raises FormatError."""
        return cast("bytes", self._ask("present", reports=reports, form=form, lang=lang))

    def draw_index(self, account: bytes) -> bytes:
        """The index of a dossier as PDF, from its account as JSON (archive/dossier/telling.py). Raises FormatError."""
        return cast("bytes", self._ask("draw_index", account=account))

    def draw_letter(self, letter: bytes) -> bytes:
        """A letter on paper as PDF, from its texts as JSON (gateway/reminders/letters/). Raises FormatError."""
        return cast("bytes", self._ask("draw_letter", letter=letter))

    def catalogue(self) -> tuple[dict[str, Any], ...]:
        """Every rule with its explanation and examples, as data. Takes a second."""
        return cast("tuple[dict[str, Any], ...]", self._ask("catalogue"))

    def rule_sets(self, *, as_of: date) -> tuple[dict[str, Any], ...]:
        """Every rule set of the supply and what it is on a day, as data (validation.standing)."""
        return cast("tuple[dict[str, Any], ...]", self._ask("rule_sets", as_of=as_of))

    def close(self) -> None:
        """End every worker. Calls that wait for one get none: close only what nobody uses."""
        for worker in list(self._all):
            self._discard(worker)

    def _ask(self, operation: str, **arguments: Any) -> object:
        request = pack((operation, arguments, self._seconds))
        for _ in range(2):
            worker = self._idle.get()
            try:
                body = worker.ask(request, seconds=self._seconds, memory_bytes=self._memory_bytes)
                answer = unpack_answer(body)
            except OverTime as over:
                worker = self._replace(worker)
                raise Poison(f"the document took more than {self._seconds:g} s",
                             f"il a fallu plus de {self._seconds:g} s") from over
            except WorkerDied:
                worker = self._replace(worker)
                continue
            except OverMemory as over:
                was_fresh = worker.jobs == 1  # else what was left of earlier documents may have been too much
                worker = self._replace(worker)
                if was_fresh:
                    raise Poison(f"the document took more than {self._memory_bytes} bytes of memory",
                                 f"il a fallu plus de {self._memory_bytes} octets de mémoire") from over
                continue
            except BaseException:
                worker = self._replace(worker)
                raise
            else:
                if worker.jobs >= JOBS_PER_WORKER or worker.memory() > self._memory_bytes // 2:
                    worker = self._replace(worker)
            finally:
                self._idle.put(worker)
            if isinstance(answer, Refusal):
                raise error_of(answer)
            return answer
        raise Poison("the document killed two workers", "le document a fait tomber deux processus")

    def _start(self) -> Worker:
        worker = Worker((*self.command, *(("--warm",) if self._warm else ())), self._environment)
        self._all.add(worker)
        return worker

    def _replace(self, worker: Worker) -> Worker:
        self._discard(worker)
        try:
            successor = self._spare.get_nowait()
        except queue.Empty:
            return self._start()
        self._spare.put(self._start())
        return successor

    def _discard(self, worker: Worker) -> None:
        self._all.discard(worker)
        worker.kill()


def rule_set_files(key: str) -> dict[str, bytes]:
    """What the folder of a kept rule set holds: its files and its description, unaltered, by their path.

    Read from the package by this process and not asked of a worker: what is kept decides later verdicts, and a
    worker has read untrusted documents.

    Raises:
        FormatError: no set of the supply has this key, or its files are not there or altered.
    """
    try:
        rule_set = supply.get_rule_set(key)
        if rule_set.key != key:
            raise FormatError(f"{key!r} is no key of a rule set")
        return supply.bundle(rule_set)
    except supply.RuleSetError as error:
        raise FormatError(str(error)) from error


def _poisoned(poison: Poison) -> Report:
    """The report on a document that no worker got through. We failed, so it says nothing about the document."""
    text = Text(
        fr=f"Le contrôle n'a pas pu aboutir dans les limites de l'atelier : {poison.french}.",
        en=f"The checks could not be finished within the limits of the workshop: {poison}.",
    )
    words = data("own.toml")[POISON]
    title, cause, remedy = (Text(fr, en) for fr, en in zip(words["fr"], words["en"], strict=True))
    finding = Finding(rule=POISON, severity=Severity.WARNING, layer="container", message=text, title=title,
                      cause=cause, remedy=remedy)
    problem = Problem(id=POISON, title=title, severity=finding.severity, rules=(POISON,), findings=1, remedy=remedy)
    layer = LayerOutcome(layer="container", outcome=Outcome.ERROR, reason=poison.code, findings_total=1)
    return Report(
        verdict=Verdict.ERROR,
        syntax="unknown",
        profile="unknown",
        specification_identifier=None,
        layers=(layer, *(LayerOutcome(layer=each, outcome=Outcome.SKIPPED, reason=poison.code) for each in BEHIND)),
        findings=(finding,),
        problems=(problem,),
    )
