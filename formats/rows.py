"""The shapes of the mapping table: a row is a term, a group gathers rows, a quirk is what a path cannot say."""

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from typing import Any

from lxml import etree

from formats.paths import Node, Scope


class Column(StrEnum):
    """A column of the table. UBL has two root elements that differ in a handful of names."""

    UBL = "ubl"
    CREDIT = "credit"
    CII = "cii"


class Kind(StrEnum):
    """How the text of a term becomes a value."""

    TEXT = "text"
    DECIMAL = "decimal"
    AMOUNT = "amount"
    """A decimal in a currency: UBL says which on every one (`currencyID`), CII only where a path says so."""

    DATE = "date"
    """UBL: YYYY-MM-DD. CII: YYYYMMDD with format 102."""

    IDENTIFIER = "identifier"
    """A text with `schemeID`."""

    VATEX = "vatex"
    """A text. A code of the VATEX list is read in capitals, as the list has it: the UBL rules let any case pass."""

    BINARY = "binary"
    """Base64."""


@dataclass(frozen=True, slots=True)
class Quirk:
    """One read and write pair for a term whose place is not a path."""

    read: Callable[[Node, Scope, str], Any]
    """From the group's element, claiming for the given term: the value, or None."""

    write: Callable[[etree._Element, Any, Scope], None]
    """Into the group's element."""

    reason: str
    """Why a path cannot say it."""


@dataclass(frozen=True, slots=True)
class Absent:
    """The statement that a syntax has no place for a term. Writing leaves it out, and the loss report names it."""

    reason: str


Place = str | Quirk | Absent
"""A path, what a path cannot say, or nowhere."""


@dataclass(frozen=True, slots=True)
class Row:
    """One business term: a field of the model and its place in both syntaxes."""

    term: str
    field: str
    kind: Kind
    ubl: Place
    cii: Place
    credit: Place | None = None
    """The place in a UBL CreditNote where it is not the one in an Invoice."""

    each: int = 0
    """So many last steps are written into every element that the path before them has (if none, one is made)."""

    left: bool = False
    """Only what no term before it took."""

    of_first: bool = False
    """Only in the first element that the path has before its last step; the others are a group's `beyond_first`."""

    @property
    def is_extension(self) -> bool:
        """Whether the term is one of EXTENDED-CTC-FR, beyond EN 16931."""
        return self.term.startswith("EXT-")

    def place(self, column: Column) -> Place:
        """Where the term is in `column`."""
        if column is Column.CII:
            return self.cii
        return self.credit if self.credit is not None and column is Column.CREDIT else self.ubl


@dataclass(frozen=True, slots=True)
class Group:
    """One business group: a class of the model, where its element is, and its rows.

    `.` is the element of the group around it. Where `many`, the last step of the path repeats. A group of
    which no term is there is itself not there.
    """

    term: str
    field: str
    model: type
    ubl: Place
    cii: Place
    rows: "tuple[Row | Group, ...]"
    many: bool = False
    credit: Place | None = None
    also_read: "tuple[Group, ...]" = ()
    """Where a syntax says the same in another element as well: read as further items, written in the first way."""

    nested: tuple[str, str] | None = None
    """In UBL, the elements of items within items, of an Invoice and of a CreditNote: see nesting."""

    whole: frozenset[str] = frozenset()
    """Fields that a profile without the extension has together or not at all."""

    one_of: frozenset[str] = frozenset()
    """Without one of these fields the group is not there."""

    beyond_first: bool = False
    """The first element on the path is other terms'; the items are those after it."""

    def place(self, column: Column) -> Place:
        """Where the group is in `column`."""
        if column is Column.CII:
            return self.cii
        return self.credit if self.credit is not None and column is Column.CREDIT else self.ubl

    def below(self, column: Column) -> str | None:
        """The element of items within items, in `column`."""
        return None if self.nested is None or column is Column.CII else self.nested[column is Column.CREDIT]

    @property
    def required(self) -> frozenset[str]:
        """Fields without which the model class cannot be made: a group that lacks one is not there."""
        return frozenset(
            field.name for field in fields(self.model) if field.default is MISSING and field.default_factory is MISSING
        )
