"""The vectors of our own rules: one base invoice that nothing is wrong with, and for each rule what to change.

tests/vectors/validation/base.json is our JSON form of the base. Each table of own-*.toml is one rule, with `fires` and
`near`:

`base`        another base than base.json
`set`         JSON pointers to values; a pointer ending in /- appends
`remove`      JSON pointers
`xml`         replacements in the file as written, for rules that the model cannot break
`published`   the rules of others that speak too, in any syntax
`also`        rules of our own that cannot but speak with it
`syntaxes`    where it cannot be written in all three
"""

import copy
import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from formats.invoice import Invoice
from formats.json_form import from_json
from formats.syntax import Syntax, ubl_syntax_of, write

FOLDER = Path(__file__).parents[1] / "vectors" / "validation"
SYNTAXES = ("ubl", "cii", "json")


@dataclass(frozen=True)
class Vector:
    """One document: a rule that it makes speak, or nearly does."""

    rule: str
    kind: str
    """`fires` or `near`."""

    change: dict[str, Any]

    @property
    def syntaxes(self) -> tuple[str, ...]:
        return tuple(self.change.get("syntaxes", SYNTAXES))

    @property
    def published(self) -> set[str]:
        """Rules of others that speak too, in any syntax."""
        return set(self.change.get("published", ()))

    @property
    def own(self) -> set[str]:
        """Our rules that speak: this one and no other, but for those in `also`, which are of one cause with it."""
        return ({self.rule} if self.kind == "fires" else set()) | set(self.change.get("also", ()))

    def value(self) -> dict[str, Any]:
        """The base with the change, in our JSON."""
        value = copy.deepcopy(base(self.change.get("base", "base")))
        for pointer, new in self.change.get("set", {}).items():
            put(value, pointer.strip("/").split("/"), new)
        for pointer in self.change.get("remove", ()):
            drop(value, pointer.strip("/").split("/"))
        return value

    def invoice(self) -> Invoice:
        """The same in the model."""
        return from_json(self.value())

    def document(self, syntax: str) -> bytes:
        """The invoice in one syntax, with the replacements for it."""
        invoice = self.invoice()
        written = {"ubl": ubl_syntax_of(invoice), "cii": Syntax.CII, "json": Syntax.JSON}[syntax]
        document = write(invoice, written)
        for old, new in self.change.get("xml", {}).get(syntax, ()):
            assert old.encode() in document, f"{self.rule} {self.kind}: nothing to replace in {syntax}"
            document = document.replace(old.encode(), new.encode(), 1)
        return document

    def __str__(self) -> str:
        return f"{self.rule}-{self.kind}"


@cache
def base(name: str) -> dict[str, Any]:
    """One of the invoices that nothing is wrong with."""
    value: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return value


def vectors() -> Iterator[Vector]:
    """All of them; a rule may have several of a kind, as an array of tables."""
    for path in sorted(FOLDER.glob("own-*.toml")):
        for rule, kinds in tomllib.loads(path.read_text("utf-8")).items():
            for kind, changes in kinds.items():
                for change in changes if isinstance(changes, list) else [changes]:
                    yield Vector(rule, kind, change)


def put(value: Any, steps: list[str], new: Any) -> None:
    """Set the place at the end of `steps`; missing objects and lists on the way are made."""
    for here, following in pairwise(steps):
        empty: Any = [] if following.isdigit() or following == "-" else {}
        value = value[int(here)] if isinstance(value, list) else value.setdefault(here, empty)
    last = steps[-1]
    if isinstance(value, list):
        if last == "-":
            value.append(new)
        else:
            value[int(last)] = new
    else:
        value[last] = new


def drop(value: Any, steps: list[str]) -> None:
    """Remove what is at the end of `steps`."""
    for here in steps[:-1]:
        value = value[int(here)] if isinstance(value, list) else value[here]
    del value[int(steps[-1]) if isinstance(value, list) else steps[-1]]
