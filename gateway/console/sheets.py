"""Lists that are shown, sorted, paged and exported: one definition for the page, the CSV and the workbook.

A file holds exactly what the page shows under the same filters, all its pages, in the same order, and the currency in a
column of its own. The CSV is for a French spreadsheet: semicolons, decimal comma, UTF-8 with mark; programs take the
JSON of the API. No cell is ever a formula: numbers and dates are written as such, a text that a spreadsheet could run
has an apostrophe before it in the CSV, and the mark of a quoted text in the workbook.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import chain
from typing import Any, Literal

import xlsxwriter
from fastapi import Response

from gateway.console.french import local
from gateway.console.page import Visit
from gateway.console.queries import PER_PAGE
from gateway.evidence import looks
from gateway.problems import Problem
from gateway.searchable import folded

MOST_EXPORTED = 200_000
"""Rows of one file; a list that is longer is refused rather than cut."""

RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a spreadsheet take a text for a formula when it begins with it, in wide letters too."""

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Ending = Literal["csv", "xlsx"]
"""Of the address of an export."""

Cell = str | int | Decimal | date | datetime | None


class Kind(StrEnum):
    """How the values of a column are shown."""

    TEXT = "text"
    DAY = "day"
    MOMENT = "moment"
    NUMBER = "number"
    AMOUNT = "amount"
    CURRENCY = "currency"
    """Of the amounts of the line: the page shows it with each of them, a file in this column."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    key: str
    """In the URL, where the list is sorted by it; `-` before it for the other way round."""

    label: str
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, slots=True)
class Line:
    """One row: a value for each column."""

    cells: tuple[Cell, ...]
    href: str = ""
    """Where the first cell leads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A list with its columns; `lines` are all of it, in order, unless `counted` says otherwise."""

    name: str
    """Of files, and what the reader is told it is."""

    columns: tuple[Column, ...]
    lines: Sequence[Line]
    sums: Sequence[Line] = ()
    """Below the lines, in the files too: one for each currency."""

    order: str = ""
    """What it is sorted by, as the URL has it."""

    page: int = 1
    counted: int | None = None
    """How many lines there are, where `lines` are those of the page alone."""

    @property
    def rows(self) -> Sequence[Line]:
        """The lines of the page."""
        if self.counted is not None:
            return self.lines
        return self.lines[(self.page - 1) * PER_PAGE:self.page * PER_PAGE]

    @property
    def total(self) -> int:
        """How many lines there are."""
        return len(self.lines) if self.counted is None else self.counted

    @property
    def pages(self) -> int:
        """How many pages; at least one."""
        return max(1, -(-self.total // PER_PAGE))

    def currency(self, line: Line) -> str:
        """In which the amounts of a line are."""
        found = next((cell for column, cell in zip(self.columns, line.cells, strict=True)
                      if column.kind is Kind.CURRENCY), None)
        return str(found or "EUR")

    def turned(self, key: str) -> str:
        """What the heading of a column leads to: sorted by it, the other way round if it is so already."""
        return f"-{key}" if self.order == key else key


def in_order(sheet: Sheet, order: str, page: int = 1) -> Sheet:
    """The sheet sorted by a column (`-` before its key: from the greatest), at a page; empty values are last.

    An order that names no column leaves it as it is; so do equal values. A page that is not there is the last one.
    """
    key, turned = order.removeprefix("-"), order.startswith("-")
    place = next((place for place, column in enumerate(sheet.columns) if column.key == key), None)
    if place is not None:
        known = [line for line in sheet.lines if line.cells[place] is not None]
        missing = [line for line in sheet.lines if line.cells[place] is None]
        sheet = replace(sheet, order=order, lines=[
            *sorted(known, key=lambda line: _rank(line.cells[place]), reverse=turned), *missing])
    return replace(sheet, page=min(max(1, page), sheet.pages))


def as_csv(sheet: Sheet) -> Response:
    """The whole list as CSV. Problem 422 too-many-rows."""
    _bounded(sheet)
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerow([harmless(column.label) for column in sheet.columns])
    writer.writerows([_written(cell) for cell in line.cells] for line in chain(sheet.lines, sheet.sums))
    return _download(text.getvalue().encode("utf-8-sig"), "text/csv; charset=utf-8", f"{sheet.name}.csv")


def as_workbook(sheet: Sheet) -> Response:
    """The whole list as a workbook (XLSX) with one sheet. Problem 422 too-many-rows."""
    _bounded(sheet)
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    page = book.add_worksheet(sheet.name[:31])
    page.freeze_panes(1, 0)
    page.autofilter(0, 0, max(1, len(sheet.lines)), len(sheet.columns) - 1)
    bold, write = book.add_format({"bold": True}), _writer(book, page)
    for place, column in enumerate(sheet.columns):
        page.set_column(place, place, 28 if column.kind is Kind.TEXT else 14)
        page.write_string(0, place, column.label, bold)
    for number, line in enumerate(chain(sheet.lines, sheet.sums), start=1):
        for place, cell in enumerate(line.cells):
            write(number, place, cell, sheet.columns[place].kind)
    book.close()
    return _download(file.getvalue(), WORKBOOK, f"{sheet.name}.xlsx")


def export(visit: Visit, ending: Ending, sheet: Sheet, asked: Mapping[str, object], subject: str) -> Response:
    """The sheet as a file, in its order, once the journal knows who took it and what was asked for."""
    answer = (as_csv if ending == "csv" else as_workbook)(sheet)
    looks.at_list(visit.deps, visit.principal, looks.LIST_EXPORTED, subject, list=sheet.name, **asked)
    return answer


def harmless(text: str) -> str:
    """A text that no spreadsheet runs."""
    return f"'{text}" if text.startswith(RISKY) else text


def _writer(book: Any, page: Any) -> Callable[[int, int, Cell, Kind], None]:
    """What puts a value into a cell of a worksheet by its own type; a text is never looked into."""
    day, moment = book.add_format({"num_format": "dd/mm/yyyy"}), book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
    money, quoted = book.add_format({"num_format": "#,##0.00"}), book.add_format({"quote_prefix": True})

    def write(row: int, place: int, cell: Cell, kind: Kind) -> None:
        if isinstance(cell, datetime):
            page.write_datetime(row, place, local(cell).replace(tzinfo=None), moment)
        elif isinstance(cell, date):
            page.write_datetime(row, place, cell, day)
        elif isinstance(cell, str):
            page.write_string(row, place, cell, quoted if cell.startswith(RISKY) else None)
        elif cell is not None:
            page.write_number(row, place, cell, money if kind is Kind.AMOUNT else None)

    return write


def _written(cell: Cell) -> str:
    """A value in the CSV."""
    if isinstance(cell, datetime):
        return f"{local(cell):%Y-%m-%d %H:%M}"
    if isinstance(cell, Decimal):
        return format(cell, "f").replace(".", ",")
    return harmless(cell) if isinstance(cell, str) else "" if cell is None else str(cell)


def _rank(cell: Cell) -> Any:
    return folded(cell) if isinstance(cell, str) else cell


def _bounded(sheet: Sheet) -> None:
    if sheet.total > MOST_EXPORTED:
        raise Problem(422, "too-many-rows", f"Plus de {MOST_EXPORTED} lignes : resserrez les filtres. / "
                      f"More than {MOST_EXPORTED} rows: narrow the filters.")


def _download(content: bytes, media_type: str, name: str) -> Response:
    return Response(content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})
