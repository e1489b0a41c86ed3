"""The rows of the table: what was delivered, how much of it, at what price."""

from decimal import Decimal
from itertools import accumulate

from formats.invoice import Line, Price
from formats.rendering import figures
from formats.rendering.line_details import line_details
from formats.rendering.phrases import BREAK, Json, coded, joined, word
from formats.rendering.words import UNITS

WIDTHS = {"id": (7, 16), "quantity": (15, 28), "price": (19, 32), "vat": (12, 20), "amount": (21, 34)}
"""Narrowest and widest column in mm; the names of items get what is left of 174."""

PER_CHARACTER = Decimal("1.72")
"""Width in mm of a figure of the table, a little more than it is; a column has 4 mm around it."""

AROUND = 4
DEEPEST = 4
"""Deepest indentation of a sub-line; the norm nests without end."""


def line_table(lines: tuple[Line, ...], lang: str) -> Json:
    """The rows, the widths of the columns in mm (None: what is left), and the sum up to each row.

    The sums are carried from page to page; they add BT-131 as the lines state it and end where BT-106 should be.
    """
    depths = depths_of(lines)
    rows = [line(one, lang, depth) for one, depth in zip(lines, depths, strict=True)]
    widths = {name: width(name, rows) for name in WIDTHS}
    for row in rows:
        for name, wide in widths.items():
            row[name] = fitting(str(row[name]), int((wide - AROUND) / PER_CHARACTER))
    order = ("id", None, "quantity", "price", "vat", "amount")
    return {
        "lines": rows,
        "columns": [float(widths[name]) if name else None for name in order],
        "running": [figures.amount(total, lang) for total in accumulate(map(counted, lines))],
    }


def width(name: str, rows: list[Json]) -> Decimal:
    """How wide a column must be for its longest text, within reason."""
    least, most = WIDTHS[name]
    longest = max((len(str(row[name])) for row in rows), default=0)
    return min(max(longest * PER_CHARACTER + AROUND, Decimal(least)), Decimal(most))


def fitting(text: str, room: int) -> str:
    """A text that may be broken where it is wider than its column; no character is lost."""
    if len(text) <= room:
        return text
    words = text.replace(figures.NO_BREAK, " ").split(" ")
    return " ".join(BREAK.join(one[at:at + room] for at in range(0, len(one), room)) for one in words)


def counted(one: Line) -> Decimal:
    """What a line adds to the sum of the lines."""
    return one.net_amount or Decimal(0) if counts(one) else Decimal(0)


def counts(one: Line) -> bool:
    """Whether the amount of a line is part of the sums: groups repeat their details, information is none of it."""
    return one.subtype in {None, "DETAIL"}


def depths_of(lines: tuple[Line, ...]) -> list[int]:
    """How deep each line stands below others, at most `DEEPEST`; a line that is its own ancestor stands there."""
    parents = {one.id: one.parent for one in lines if one.id is not None}
    depths = []
    for one in lines:
        depth, above = 0, one.parent
        while above in parents and depth < DEEPEST:
            depth, above = depth + 1, parents[above]
        depths.append(depth)
    return depths


def line(one: Line, lang: str, depth: int) -> Json:
    """One row of the table."""
    item = one.item
    unit = coded(UNITS, one.unit, lang)
    quantity = "" if one.quantity is None else figures.number(one.quantity, lang)
    return {
        "id": one.id or "",
        "name": (item.name if item else None) or "",
        "details": [text for text in line_details(one, lang) if text],
        "quantity": joined(quantity, unit, by=figures.NO_BREAK),
        "price": price(one.price, lang),
        "vat": vat_cell(one, lang),
        "amount": figures.amount(one.net_amount, lang),
        "depth": depth,
        "weight": "bold" if one.subtype == "GROUP" else "semibold" if counts(one) and not depth else "regular",
        "counts": counts(one),
    }


def price(net: Price | None, lang: str) -> str:
    """The net price, and for how many if not for one."""
    if net is None:
        return ""
    text = figures.amount(net.net, lang)
    unit = coded(UNITS, net.base_quantity_unit, lang)
    if net.base_quantity is None or (net.base_quantity == 1 and not unit):
        return text
    base = joined(figures.number(net.base_quantity, lang), unit, by=figures.NO_BREAK)
    return f"{text} {word('per', lang)}{figures.NO_BREAK}{base}".strip()


def vat_cell(one: Line, lang: str) -> str:
    """The rate of a line, with the category unless it is the usual one."""
    rate = figures.percent(one.vat_rate, lang)
    return rate if one.vat_category == "S" and rate else joined(one.vat_category, rate, by=" ")
