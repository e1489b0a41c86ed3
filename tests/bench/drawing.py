"""How fast an invoice is drawn and becomes a Factur-X, in one process (`python tests/bench/drawing.py`).

Prints medians in milliseconds over different invoices, so that nothing is remembered from the one before, and what
5,000 lines cost in time and memory. Nothing is judged here.
"""

import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from formats.facturx import embed
from formats.invoice import Invoice, Item
from formats.json_form import read_json
from formats.rendering.appearance import Appearance
from formats.rendering.render import draw
from formats.syntax import Syntax, write

VECTORS = Path(__file__).parents[1] / "vectors" / "rendering"
ROUNDS = 41
LOGO = b'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30"><circle cx="15" cy="15" r="14"/></svg>'


def main() -> None:
    """Measure and print."""
    started = time.perf_counter()
    invoice = read_json((VECTORS / "invoice.json").read_bytes())
    draw(invoice)
    print(f"first page of a process, typefaces looked at: {(time.perf_counter() - started) * 1000:.0f} ms")
    look = Appearance(logo=LOGO, footer="Atelier Imaginaire")
    row("drawn, 4 lines", invoice, draw)
    row("drawn, 4 lines, logo and foot", invoice, lambda one: draw(one, appearance=look))
    row("Factur-X: written, drawn, embedded", invoice, facturx)
    row("drawn, 120 lines", lines(invoice, 120), draw, rounds=11)
    for count in (1_000, 2_500, 5_000):
        started = time.perf_counter()
        pdf = draw(lines(invoice, count))
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        print(f"{count:>6} lines: {time.perf_counter() - started:.1f} s, {len(pdf) >> 10} KB, at most {most} MB so far")


def lines(invoice: Invoice, count: int) -> Invoice:
    """The same invoice with so many lines."""
    return replace(invoice, lines=tuple(replace(invoice.lines[n % 4], id=str(n + 1)) for n in range(count)))


def facturx(invoice: Invoice) -> bytes:
    """Model to Factur-X, as the gateway does it."""
    return embed(draw(invoice), write(invoice, Syntax.CII), profile="en16931", title=f"Facture {invoice.number}",
                 author=str(invoice.seller.name), subject="Facture", made_at=datetime(2026, 11, 22, tzinfo=UTC))


def row(name: str, invoice: Invoice, act: Callable[[Invoice], bytes], *, rounds: int = ROUNDS) -> None:
    """One line of the table: the median over invoices of which each has another number and other texts."""
    times, busy = [], []
    for number in range(rounds):
        one = another(invoice, number)
        started, worked = time.perf_counter(), time.process_time()
        act(one)
        times.append((time.perf_counter() - started) * 1000)
        busy.append((time.process_time() - worked) * 1000)
    print(f"{name:<38} median {statistics.median(times):6.1f} ms, best {min(times):6.1f} ms; "
          f"processor median {statistics.median(busy):6.1f} ms, best {min(busy):6.1f} ms")


def another(invoice: Invoice, number: int) -> Invoice:
    """The same invoice with other texts."""
    return replace(
        invoice, number=f"F-{number}", buyer_reference=f"R-{number}",
        lines=tuple(replace(line, id=f"{number}.{line.id}", item=replace(line.item or Item(), name=f"Objet {number}"))
                    for line in invoice.lines))


if __name__ == "__main__":
    main()
