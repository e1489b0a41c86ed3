"""How fast and how large reading and converting are, in one run (`python tests/bench/conversion.py`).

Times are processor milliseconds of one process, medians. Memory is the peak of a process of its own, above the peak of
one that converts a small invoice. Ratios to the converters of phax (`make oracles`): warm from bytes to bytes in memory
after 40 documents, cold with the start of the process, both on the clock. Nothing is judged here: machines differ.
"""
import base64
import gc
import io
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import pikepdf

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests" / "conformance"), str(ROOT)]

from foreign import JARS, PHAX

from formats.conversion import convert
from formats.facturx import extract
from formats.invoice import Attachment, Invoice, SupportingDocument
from formats.syntax import Syntax, read, write
from gateway.commands.demo_invoices import GOODS, invoice

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, tzinfo=UTC)
WAYS = ((Syntax.UBL_INVOICE, "cii"), (Syntax.CII, "ubl"))
COLLECT = (200_000, 20, 100)
"""As in the workshop: see validation/jail.py."""


def sized(lines: int) -> Invoice:
    """An invoice with so many lines."""
    return invoice("B-1", "approve", [GOODS[0]] * lines, TODAY)


def median(act: Callable[[], object], times: int = 9) -> float:
    """Processor milliseconds, median after two that warm up."""
    seen = []
    for _ in range(times + 2):
        started = time.process_time()
        act()
        seen.append((time.process_time() - started) * 1000)
    return statistics.median(seen[2:])


def main() -> None:
    """Measure and print."""
    gc.set_threshold(*COLLECT)
    speed()
    linear()
    attachments()
    foreign()


def speed() -> None:
    """Small and middling invoices."""
    for lines in (2, 1000):
        for syntax, to in WAYS:
            document = write(sized(lines), syntax)
            times = 51 if lines == 2 else 5
            reading = median(partial(read, document), times)
            converting = median(partial(convert, document, to, made_at=NOW), times)
            print(f"{lines:>6} lines, {syntax.value:<12} read {reading:8.2f} ms   to {to} {converting:8.2f} ms")
    document = write(sized(2), Syntax.UBL_INVOICE)
    drawing = median(partial(convert, document, "factur-x", made_at=NOW))
    print(f"     2 lines, {'drawn as Factur-X':<31} {drawing:8.2f} ms")


def linear() -> None:
    """5,000 and 10,000 lines, each in a process of its own."""
    for syntax, to in WAYS:
        small, large = (child("lines", str(count), syntax.value, to) for count in (5000, 10_000))
        print(f"5,000 lines {syntax.value} to {to}: {small['seconds']:.2f} s, {small['peak_mb']:.0f} MB; 10,000: "
              f"{large['seconds']:.2f} s, {large['peak_mb']:.0f} MB; ratio {large['seconds'] / small['seconds']:.2f}")


def attachments() -> None:
    """A file of 7 MB in XML, and one of 30 MB in a PDF."""
    base = child("lines", "2", Syntax.UBL_INVOICE.value, "cii")["peak_mb"]
    for what, size in (("read", 7), ("convert", 7), ("extract", 30), ("convert-pdf", 30)):
        seen = child("attachment", what, str(size))
        grown = seen["peak_mb"] - base
        print(f"attachment of {size} MB, {what}: {grown:.0f} MB above a small conversion, {grown / size:.1f} times its "
              f"size, {grown / seen['document_mb']:.1f} times the document's ({seen['document_mb']:.1f} MB), "
              f"{seen['seconds']:.2f} s")


def child(*arguments: str) -> dict[str, float]:
    """What a process of its own measured."""
    done = subprocess.run([sys.executable, __file__, "--child", *arguments], capture_output=True, text=True, check=True)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def measured(kind: str, *arguments: str) -> None:
    """In the child: make the document in yet another process's memory, then read or convert it, and print the peak."""
    gc.disable()  # as a worker while it answers
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "document"
        subprocess.run([sys.executable, __file__, "--make", str(file), kind, *arguments], check=True)
        document = file.read_bytes()
    started = time.process_time()
    if kind == "lines":
        convert(document, arguments[2], made_at=NOW)
    elif arguments[0] == "read":
        read(document)
    elif arguments[0] == "extract":
        extract(document)
    else:
        convert(document, "cii", made_at=NOW)
    seconds = time.process_time() - started
    print(json.dumps({"seconds": seconds, "document_mb": len(document) / 1e6, "peak_mb": peak_mb()}))


def peak_mb() -> float:
    """The most that this process ever held; getrusage would count what its parent held."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


def make(file: str, kind: str, *arguments: str) -> None:
    """Write the document that a child measures."""
    if kind == "lines":
        Path(file).write_bytes(write(sized(int(arguments[0])), Syntax(arguments[1])))
        return
    content = base64.b64encode(bytes(range(256)) * 64) * (int(arguments[1]) * 1_000_000 // 21_848)
    if arguments[0] in {"read", "convert"}:
        beside = SupportingDocument(reference="A-1", attachment=Attachment(
            content=content, mime_code="text/csv", filename="a.csv"))
        Path(file).write_bytes(write(replace(sized(2), supporting_documents=(beside,)), Syntax.UBL_INVOICE))
        return
    drawn = convert(write(sized(2), Syntax.CII), "factur-x", made_at=NOW).document
    with pikepdf.open(io.BytesIO(drawn)) as pdf:
        pdf.attachments["a.csv"] = pikepdf.AttachedFileSpec(pdf, content, mime_type="text/csv")
        pdf.save(file, stream_decode_level=pikepdf.StreamDecodeLevel.none, compress_streams=False)


def foreign() -> None:
    """The same two documents through phax, warm and cold, and through ours."""
    if shutil.which("java") is None or not JARS.is_dir():
        print("the converters of phax are absent (make oracles): no ratios")
        return
    with tempfile.TemporaryDirectory() as folder:
        for (syntax, to), direction in zip(WAYS, ("invoice2cii", "cii2ubl"), strict=True):
            for lines in (2, 1000):
                source, target = Path(folder) / "source.xml", Path(folder) / "target.xml"
                source.write_bytes(write(sized(lines), syntax))
                request = f"{direction}\t{source}\t{target}\n"
                theirs = statistics.median(java(request * 50)[40:])
                ours = median(partial(convert, source.read_bytes(), to, made_at=NOW), 9)
                started = time.perf_counter()
                java(request)
                cold = time.perf_counter() - started
                started = time.perf_counter()
                command = [sys.executable, "-m", "gateway.cli", "convert", str(source), "--to", to, "-o", str(target)]
                subprocess.run(command, check=True, cwd=ROOT)
                own = time.perf_counter() - started
                print(f"{direction}, {lines} lines: warm phax {theirs:.1f} ms, ours {ours:.1f} ms, ratio "
                      f"{theirs / ours:.2f}; cold phax {cold:.2f} s, ours {own:.2f} s, ratio {cold / own:.2f}")


def java(requests: str) -> list[float]:
    """Milliseconds per request, in one Java process."""
    command = ["java", "-cp", PHAX.classpath, str(PHAX.program)]
    done = subprocess.run(command, input=requests, capture_output=True, text=True, check=True)
    return [float(line.partition("\t")[2]) for line in done.stdout.splitlines()]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        measured(*sys.argv[2:])
    elif sys.argv[1:2] == ["--make"]:
        make(*sys.argv[2:])
    else:
        main()
