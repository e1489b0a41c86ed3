"""How fast the rules are, prepared against published, in one run and one process (`make bench`).

Prints medians in milliseconds and their ratio, for a small invoice and one of 200 lines. Nothing is judged here:
machines differ, the ratio is what to quote.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "validation"))

from published_oracle import run_published

from formats.safexml import parse
from formats.syntax import Syntax, write
from gateway.commands.demo_invoices import GOODS, invoice
from validation.run import Options, validate
from validation.stylesheet import compiled, run

TODAY = date(2026, 11, 23)
SETS = {
    Syntax.CII: ("facturx-en16931", "br-fr-flux2-cii"),
    Syntax.UBL_INVOICE: ("en16931-ubl", "br-fr-flux2-ubl"),
}


def main() -> None:
    """Measure and print."""
    print(f"{'rule set':<22} {'lines':>6} {'published':>10} {'prepared':>10} {'ratio':>7}")
    for syntax, names in SETS.items():
        for count in (2, 200):
            document = write(invoice("B-1", "approve", [GOODS[0]] * count, TODAY), syntax)
            for name in names:
                one(name, document, count)
    for syntax in SETS:
        document = write(invoice("B-1", "approve", GOODS, TODAY), syntax)
        whole = median(partial(validate, document, Options(as_of=TODAY)))
        print(f"whole report, {syntax.value}: {whole:.1f} ms")


def one(name: str, document: bytes, count: int) -> None:
    """One row: the same document through both forms of one rule set."""
    rules, root = compiled(name), parse(document)
    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        file.write(document)
        file.flush()
        published = median(lambda: run_published(name, Path(file.name)))
    prepared = median(lambda: run(rules, root))
    print(f"{name:<22} {count:>6} {published:>10.1f} {prepared:>10.1f} {published / prepared:>7.1f}")


def median(act: Callable[[], object]) -> float:
    """Milliseconds, median of seven after two that warm up."""
    times = []
    for _ in range(9):
        started = time.perf_counter()
        act()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times[2:])


if __name__ == "__main__":
    main()
