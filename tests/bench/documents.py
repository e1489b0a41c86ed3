"""The invoices that are measured: small, 200 lines, 4,000 lines clean, 4,000 lines with two failures on each."""

from collections.abc import Mapping
from pathlib import Path

VECTORS = Path(__file__).parents[1] / "vectors" / "validation"
LINE = {
    "ubl": ("<cac:InvoiceLine>", "</cac:InvoiceLine>"),
    "cii": ("<ram:IncludedSupplyChainTradeLineItem>", "</ram:IncludedSupplyChainTradeLineItem>"),
}


def invoice(kind: str, lines: int, *, failing: bool = False) -> bytes:
    """The small invoice with its line repeated and its totals right. `failing`: no item name, an unknown unit."""
    text = (VECTORS / f"small-{kind}.xml").read_text("utf-8")
    start, end = (text.index(mark) for mark in LINE[kind])
    end += len(LINE[kind][1])
    line = text[start:end].replace("HUR", "??").replace("Conseil", "") if failing else text[start:end]
    around = (text[:start], text[end:])
    for one, all_of_them in (("100.00", 100 * lines), ("20.00", 20 * lines), ("120.00", 120 * lines)):
        around = tuple(part.replace(f">{one}<", f">{all_of_them}.00<") for part in around)  # type: ignore[assignment] # two
    return (around[0] + line * lines + around[1]).encode()


def all_documents() -> Mapping[str, bytes]:
    """By a name for people."""
    return {
        "small UBL": invoice("ubl", 1),
        "small CII": invoice("cii", 1),
        "200 lines UBL": invoice("ubl", 200),
        "200 lines CII": invoice("cii", 200),
        "4,000 lines UBL": invoice("ubl", 4000),
        "4,000 lines CII": invoice("cii", 4000),
        "4,000 failing UBL": invoice("ubl", 4000, failing=True),
        "4,000 failing CII": invoice("cii", 4000, failing=True),
    }
