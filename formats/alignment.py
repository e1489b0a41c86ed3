"""Which element of a document is which in the same invoice written again: where the texts of an annex belong.

Two elements are one where a text in both was read for the same term of the same item of the same lists. What of the
source has no counterpart is the annex's own to make.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from formats.annex import MOST_TEXT, Refused, Row
from formats.drafts import HOLDERS
from formats.invoice import Invoice
from formats.loss import Key, key_of
from formats.paths import Node, prefixed
from formats.placing import Ground, ground, put, put_back
from formats.syntax import DIALECTS, Syntax, draft, read_node
from formats.texts import Text, texts_of_tree

_STEP: Final = re.compile(r"/(@?[^/\[]+)(\[\d+\])?")
_FOREIGN: Final = "Q{"
"""A step of another namespace, which no schema of ours has."""
_HOLDERS: Final = frozenset(map(prefixed, HOLDERS))

Steps = tuple[str, ...]


def steps_of(location: str) -> Steps:
    """The steps of a location as reports have it, each below the root with its number."""
    found = _STEP.findall(location)
    return (found[0][0], *(name if name.startswith("@") else name + (number or "[1]") for name, number in found[1:]))


def _name(step: str) -> str:
    return step.partition("[")[0]


@dataclass(slots=True)
class Alignment:
    """Elements of the source by their steps, with those of the invoice written again."""

    spots: frozenset[Steps]
    """Every element of the invoice written again."""

    shared: dict[Steps, Steps] = field(default_factory=dict)
    taken: set[Steps] = field(default_factory=set)
    beyond: dict[Steps, tuple[Steps, Steps]] = field(default_factory=dict)
    """Elements of the source alone: the shared one around each, and the steps to make below that."""

    def join(self, mine: Steps, theirs: Steps) -> None:
        """These two are one, and so are those around them, unless that is known otherwise."""
        for depth in range(1, len(mine) + 1):
            one, other = mine[:depth], theirs[:depth]
            if one in self.shared:
                if self.shared[one] != other:
                    return
            elif other in self.taken:
                return
            else:
                self.shared[one] = other
                self.taken.add(other)

    def place(self, steps: Steps) -> tuple[Steps, Steps]:
        """The shared element at or around one of the source, and what is to be made below it."""
        if steps in self.shared:
            return self.shared[steps], ()
        if steps not in self.beyond:
            around, below = self.place(steps[:-1])
            if not below and (left := self._left(around, _name(steps[-1]))) is not None:
                self.shared[steps] = left  # the syntax demands it, of whatever invoice
                self.taken.add(left)
                return left, ()
            self.beyond[steps] = around, (*below, f"{_name(steps[-1])}[{self._number(steps)}]")
        return self.beyond[steps]

    def is_made(self, location: str) -> bool:
        """Whether a text of the source is in an element that is to be made."""
        steps = () if _FOREIGN in location else _elements(steps_of(location))
        return any(steps[:depth] in self.beyond for depth in range(2, len(steps) + 1))

    def _left(self, around: Steps, name: str) -> Steps | None:
        """The first of that name below `around` that is nobody's."""
        number = 1
        while (one := (*around, f"{name}[{number}]")) in self.spots:
            if one not in self.taken:
                return one
            number += 1
        return None

    def _number(self, steps: Steps) -> int:
        """Which of its name it will be: those before it in the source that are there by then, and it."""
        last = int(steps[-1].rpartition("[")[2].rstrip("]"))
        before = ((*steps[:-1], f"{_name(steps[-1])}[{number}]") for number in range(1, last))
        return 1 + sum(one in self.shared or one in self.beyond for one in before)


def aligned(texts: Iterable[Text], again: Ground, syntax: Syntax) -> Alignment:
    """The elements of a source, by its texts, with those of `again`, which is its invoice in the same syntax."""
    there: dict[tuple[Key, str, Steps], deque[Steps]] = {}
    node = Node(again.root, None)
    read_node(node, syntax, again.files)
    for text in texts_of_tree(node, DIALECTS[syntax].schema):
        if (key := key_of(text)) is not None:
            steps = steps_of(text.location)
            there.setdefault((key, text.text, tuple(map(_name, steps))), deque()).append(steps)
    found = Alignment(frozenset(tuple(spot.place[1:].split("/")) for spot in again.there.values()))
    found.join((root := (prefixed(str(again.root.tag)),)), root)
    for text in texts:
        if _FOREIGN in text.location or (key := key_of(text)) is None:
            continue
        steps = steps_of(text.location)
        same = there.get((key, text.text, tuple(map(_name, steps))))
        if same:
            found.join(_elements(steps), _elements(same.popleft()))
    return found


def _elements(steps: Steps) -> Steps:
    return steps[:-1] if steps[-1].startswith("@") else steps


def rows_for(
    left: Sequence[Text], texts: Sequence[Text], again: Invoice, syntax: Syntax, openly: Callable[[Invoice], Invoice]
) -> dict[str, Row]:
    """Rows for the texts `left` of the source of `texts`, by location: those that go home with `again`.

    What the annex makes it makes whole: what else the source has in such an element has a row too. Where not all rows
    can be put back together, those alone for which the model has no term, with all of what is made for them; else
    those of elements in which there is no term at all; else none. `openly`: see placing.put_back.
    """
    onto = ground(draft(again, syntax), syntax)
    at = aligned(texts, onto, syntax)
    for text in left:  # what is made for these is known before it is asked what else is in it
        _row(text, at)
    wanted = {text.location for text in left}
    rows = {text.location: (text, row) for text in texts
            if (text.location in wanted or at.is_made(text.location)) and (row := _row(text, at)) is not None}
    fit = {where: one for where, one in rows.items() if _fits(onto, one[1])}
    mixed = {_made_of(row) for text, row in fit.values() if text.term is not None}
    for chosen in (fit, {where: one for where, one in fit.items() if at.is_made(where) or one[0].term is None},
                   {where: one for where, one in fit.items() if _made_of(one[1]) not in mixed}):
        found = {where: row for where, (_, row) in chosen.items()}
        try:
            put_back(draft(again, syntax), syntax, found.values(), openly)
        except Refused:
            continue
        return found
    return {}


def _row(text: Text, at: Alignment) -> Row | None:
    """None for a text that no annex holds: too long, an attachment, of a namespace or a type that is not ours."""
    steps = steps_of(text.location)
    if _FOREIGN in text.location or len(text.text) > MOST_TEXT or _name(steps[-1]) in _HOLDERS:
        return None
    place, below = at.place(_elements(steps))
    attribute = steps[-1:] if steps[-1].startswith("@") else ()
    return Row("/" + "/".join(place), "/".join((*below, *attribute)), text.text)


def _made_of(row: Row) -> tuple[str, str]:
    """The element that a row makes, or gives a text to."""
    return row.place, row.beyond.partition("/")[0]


def _fits(onto: Ground, row: Row) -> bool:
    try:
        put(onto, row)
    except Refused:
        return False
    return True
