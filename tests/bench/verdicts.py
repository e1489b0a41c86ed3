"""Verdicts: ours warm and cold, the published stylesheets run directly, and Java peers; one run, same files.

Times are medians in milliseconds, wall and processor time of the process that judges. Peers: Saxon-HE in a warm JVM
with the same schema and published stylesheets (the engines of the KoSIT validator, without its report: the validator
itself was not found on Maven) and Mustang, both from Mustang-CLI.jar (`make oracles`). What is absent is said and left
out. Nothing is judged here: machines differ, ratios within one run are what to quote. On a machine that others use,
`chrt --rr 1` before the command keeps them out (cold starts; for a whole run they would stand still for minutes).

    python tests/bench/verdicts.py [--memory N] [--only warm|cold|memory]
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "validation"))
sys.path.insert(0, str(Path(__file__).parent))

from documents import all_documents
from processes import processor_seconds, resident_bytes
from published_oracle import published

from schematron import supply
from validation.findings import Report, Verdict
from validation.workshop import Workshop

AS_OF = date(2026, 11, 23)
MUSTANG = ROOT / "oracles" / "Mustang-CLI.jar"
JAVA = shutil.which("java")
ENOUGH, TOO_LONG = 2.0, 10.0
"""Seconds after which a measurement has been repeated enough if that was three times, and in any case."""

Times = tuple[float, float]
"""Wall and processor milliseconds."""


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--memory", type=int, default=2000, help="validations after which memory is looked at")
    options.add_argument("--only", choices=("warm", "cold", "memory"), help="one part")
    asked = options.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for name, document in all_documents().items():
            files[name] = Path(folder) / f"{name.replace(' ', '-')}.xml"
            files[name].write_bytes(document)
        if asked.only in {None, "warm"}:
            warm(files)
        if asked.only in {None, "cold"}:
            cold(files["small UBL"], files["small CII"])
    if asked.only in {None, "memory"}:
        memory(asked.memory)


def warm(files: dict[str, Path]) -> None:
    """One table: every document through everybody who is there."""
    columns: dict[str, dict[str, Times | None]] = {}
    with Workshop(1, warm=True, memory_bytes=4 << 30, seconds=300) as workshop:  # one worker for all
        columns["passerelle"] = {name: ours(workshop, name, file) for name, file in files.items()}
    columns["published"] = {name: as_published(name, file) for name, file in files.items()}
    for label, arguments in peers():
        with peer(arguments(next(iter(files)))) as ask, peer(arguments("CII")) as ask_cii:
            columns[label] = {
                name: repeated(lambda file=file, name=name: (ask_cii if "CII" in name else ask)(file))  # type: ignore[misc]
                for name, file in files.items()
            }
    print("\nwarm, wall / processor ms")
    print(f"{'':<20}" + "".join(f"{label:>22}" for label in columns))
    for name in files:
        cells = (columns[label][name] for label in columns)
        print(f"{name:<20}" + "".join(f"{cell[0]:>12.1f} /{cell[1]:>8.1f}" if cell else f"{'-':>22}" for cell in cells))


def ours(workshop: Workshop, name: str, file: Path) -> Times:
    """All layers, in a warm worker; prints what each layer took."""
    document = file.read_bytes()
    (worker,) = workshop._idle.queue
    reports: list[Report] = []

    def act() -> Times:
        before, started = processor_seconds(worker.process.pid), time.perf_counter()
        reports.append(workshop.inspect(document, as_of=AS_OF).report)
        return (time.perf_counter() - started) * 1000, (processor_seconds(worker.process.pid) - before) * 1000

    act()  # waits for the worker to be ready
    reports.clear()
    wall, _ = repeated(act)
    before, count = processor_seconds(worker.process.pid), len(reports)  # a clock tick is 10 ms: over many at once
    while len(reports) - count < 3 or processor_seconds(worker.process.pid) - before < 0.5:
        act()
    processor = (processor_seconds(worker.process.pid) - before) / (len(reports) - count) * 1000
    layers = {
        each.layer: statistics.median(layer_ms(report, each.layer) for report in reports) for each in reports[0].layers
    }
    inside = statistics.median(report.elapsed_ms for report in reports)
    stages = ", ".join(f"{layer} {spent:.2f}" for layer, spent in layers.items())
    print(f"{name}: {inside:.1f} ms from bytes to report (reading {inside - sum(layers.values()):.2f}, {stages}); "
          f"{reports[0].verdict.value}, {sum(each.findings_total for each in reports[0].layers)} findings")
    return wall, processor


def layer_ms(report: Report, layer: str) -> float:
    """What one layer took."""
    return next(each.duration_ms for each in report.layers if each.layer == layer)


def sets_for(name: str) -> tuple[str, ...]:
    """The schema and the two stylesheets that decide."""
    return ("cii-d22b", "facturx-en16931", "br-fr-flux2-cii") if "CII" in name else (
        "ubl-2.1-invoice", "en16931-ubl", "br-fr-flux2-ubl")


def as_published(name: str, file: Path) -> Times:
    """The two stylesheets alone, by saxonche: no schema, no findings made of their output."""
    _, *sheets = sets_for(name)
    for sheet in sheets:
        published(sheet)  # compiled once, before

    def act() -> Times:
        processor, started = time.process_time(), time.perf_counter()
        for sheet in sheets:
            published(sheet).transform_to_string(source_file=str(file))
        return (time.perf_counter() - started) * 1000, (time.process_time() - processor) * 1000

    return repeated(act)


def peers() -> Iterator[tuple[str, Callable[[str], list[str]]]]:
    """The Java programs that are there: a label, and its arguments for a kind of document."""
    if JAVA is None or not MUSTANG.is_file():
        print("Java peers are left out: java or oracles/Mustang-CLI.jar is absent (make oracles)")
        return
    program = [JAVA, "-cp", str(MUSTANG), str(Path(__file__).parent / "Peer.java")]
    yield "Saxon-HE, JVM", lambda name: [*program, "saxon", *(
        str(supply.entry_path(supply.get_rule_set(each))) for each in sets_for(name))]
    yield "Mustang", lambda _: [*program, "mustang"]


@contextmanager
def peer(command: list[str]) -> Iterator[Callable[[Path], Times]]:
    """A Java process that answers paths with times; warmed up by 60 small documents."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        asked, answers = process.stdin, process.stdout
        assert asked is not None
        assert answers is not None
        answers.readline()

        def ask(file: Path) -> Times:
            asked.write(f"{file}\n")
            asked.flush()
            wall, processor, *_ = answers.readline().split()
            return float(wall), float(processor)

        with tempfile.NamedTemporaryFile(suffix=".xml") as small:
            kind = "small CII" if any("CII" in word or "cii" in word for word in command) else "small UBL"
            Path(small.name).write_bytes(all_documents()[kind])
            for _ in range(60):
                ask(Path(small.name))
        yield ask
        asked.close()


def repeated(act: Callable[[], Times]) -> Times:
    """The medians of three runs and about two seconds; of fewer, where one takes long."""
    taken: list[Times] = []
    started = time.perf_counter()
    while (passed := time.perf_counter() - started) < ENOUGH or (len(taken) < 3 and passed < TOO_LONG):
        taken.append(act())
    return statistics.median(wall for wall, _ in taken), statistics.median(processor for _, processor in taken)


def cold(ubl: Path, cii: Path) -> None:
    """From process start to verdict, everything loaded and compiled on the way."""
    commands: dict[str, list[str]] = {
        "passerelle validate, UBL": [str(Path(sys.executable).with_name("passerelle")), "validate", str(ubl)],
        "passerelle validate, CII": [str(Path(sys.executable).with_name("passerelle")), "validate", str(cii)],
    }
    if JAVA is not None and MUSTANG.is_file():
        commands["Mustang-CLI, CII"] = [
            JAVA, "-jar", str(MUSTANG), "--no-notices", "--action", "validate", "--source", str(cii)
        ]
        for kind in ("UBL", "CII"):
            sheets = [str(supply.entry_path(supply.get_rule_set(each))) for each in sets_for(kind)]
            commands[f"Saxon-HE, JVM, {kind}"] = [
                JAVA, "-cp", str(MUSTANG), str(Path(__file__).parent / "Peer.java"), "saxon", *sheets
            ]
    print("\ncold, one file, from process start to verdict, wall / processor s")
    for label, command in commands.items():
        taken = []
        asked = cii if "CII" in label else ubl
        for _ in range(5):
            before, started = getrusage(RUSAGE_CHILDREN), time.perf_counter()
            subprocess.run(command, input=f"{asked}\n", text=True, capture_output=True, check=False)
            after = getrusage(RUSAGE_CHILDREN)
            used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            taken.append((time.perf_counter() - started, used))
        wall, processor = (statistics.median(each) for each in zip(*taken, strict=True))
        print(f"{label:<28}{wall:>8.2f} /{processor:>6.2f}")


def memory(validations: int) -> None:
    """Resident memory of one worker that is never replaced, while it judges small invoices."""
    documents = [document for name, document in all_documents().items() if name.startswith("small")]
    print(f"\nmemory of one worker over {validations} validations")
    with Workshop(1, warm=True, seconds=300) as workshop:
        (worker,) = workshop._idle.queue
        for number in range(validations + 1):
            worker.jobs = 1  # so that it is never retired
            if number % max(validations // 10, 1) == 0:
                print(f"{number:>8} {resident_bytes(worker.process.pid) / (1 << 20):>8.1f} MB", flush=True)
            report = workshop.inspect(documents[number % len(documents)], as_of=AS_OF).report
            assert report.verdict is Verdict.VALID
            assert worker.process.poll() is None, "the worker was replaced"


if __name__ == "__main__":
    main(sys.argv[1:])
