"""The places that a correction may change, in whatever form a document is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from validation.findings import Edit, Finding, Operation


class Kind(StrEnum):
    """What a leaf is to say, where its form knows that without the rules."""

    UNKNOWN = "unknown"
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One text of a document that has nothing below it."""

    where: str
    """XPath in XML, pointer in our JSON: one leaf, one place."""

    text: str
    attributes: Mapping[str, str]
    """What is beside the text, by the names of XML."""

    takes_scheme: bool = False
    """A `schemeID` may stand beside the text."""

    kind: Kind = Kind.UNKNOWN
    bare: bool = False
    """A JSON number, where our JSON has texts only."""


class Form(Protocol):
    """How one form of document finds its leaves and edits its bytes."""

    def of_finding(self, finding: Finding) -> Sequence[Leaf]:
        """The leaf that a finding is about, or those of its terms at the place that it names."""

    def of_term(self, term: str) -> Sequence[Leaf]:
        """The leaves that say a business term, each once."""

    def edit(self, leaf: Leaf, new: str, attribute: str | None) -> Edit | None:
        """The edit of the source bytes; None where the place is written in a way that we do not touch."""

    def operations(self, leaf: Leaf, new: str, attribute: str | None, /) -> tuple[Operation, ...]:
        """The same as operations of a JSON Patch; none for XML."""

    def day(self, year: int, month: int, day: int) -> str:
        """A date as this form writes it. Raises ValueError where there is no such day."""
