"""Rows of an annex put back into an invoice that was written again, and the proof that nothing else changed.

Never overwrites: a row makes an element or an attribute, or gives a text to an element that has none, or a filler.
Then the whole is read again: the schema finds nothing that it did not find before, and the invoice says all that it
said, and beyond that only terms whose texts came from the annex, and which the document that the annex came in has no
place for: an account to pay to, an amount, a line that stands in an annex alone is hidden there, not left over.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from itertools import islice
from typing import Any, Final

from lxml import etree

from formats import order
from formats.annex import Refused, Row
from formats.drafts import HOLDERS, Draft
from formats.errors import FormatError
from formats.invoice import Invoice
from formats.paths import Node, clark, prefixed
from formats.safexml import parse
from formats.syntax import DIALECTS, Syntax, read_node
from formats.terms import located
from formats.texts import texts_of_tree

NO_PLACE: Final = "annex-no-place"
"""The element that a row names is not there, or the schema knows none such below it."""
OCCUPIED: Final = "annex-occupied"
"""There is a text already, of the invoice or of another row."""
UNFIT: Final = "annex-unfit"
"""With the texts of the annex the document would break its schema, or could not be read."""
CHANGES: Final = "annex-changes"
"""With the texts of the annex the invoice would say something else than without, beyond what they say themselves."""

_STEP: Final = re.compile(r"([^/\[]+)\[(\d+)\]/?")


@dataclass(frozen=True, slots=True)
class Spot:
    """An element of a tree."""

    element: etree._Element
    place: str
    """Its XPath with a number on every step below the root."""

    location: str
    """Its XPath with a number where it has twins, as reports have it."""

    type: str | None
    """What the schema calls its type; None for one that the schema does not know there."""


def spots(root: etree._Element, schema: order.Schema) -> Iterator[Spot]:
    """Every element of a tree."""
    name = "/" + prefixed(str(root.tag))
    waiting = [Spot(root, name, name, schema.roots.get(str(root.tag)))]
    while waiting:
        spot = waiting.pop()
        yield spot
        twins = Counter(str(child.tag) for child in spot.element)
        numbers: Counter[str] = Counter()
        for child in spot.element:
            tag = str(child.tag)
            numbers[tag] += 1
            step, number = "/" + prefixed(tag), f"[{numbers[tag]}]"
            kind = order.type_of_child(schema, spot.type or "", tag)
            waiting.append(Spot(child, spot.place + step + number,
                                spot.location + step + (number if twins[tag] > 1 else ""), kind))


@dataclass(slots=True)
class Ground:
    """A tree into which rows are put."""

    root: etree._Element
    schema: order.Schema
    files: dict[str, bytes]
    there: dict[str, Spot]
    """What was there before, by place."""

    fillers: set[etree._Element]
    """What the schema demands and the invoice does not say: a row may stand in its place."""

    made: dict[str, Spot] = field(default_factory=dict)


def ground(tree: Draft, syntax: Syntax) -> Ground:
    """The tree of a draft, which rows will change."""
    schema = order.load(DIALECTS[syntax].schema)
    there = {spot.place: spot for spot in spots(tree.root, schema)}
    filled = frozenset(tree.fillers)
    fillers = {one.element for one in there.values() if one.location in filled and one.element.tag not in HOLDERS}
    return Ground(tree.root, schema, tree.files, there, fillers)


def put(onto: Ground, row: Row) -> tuple[etree._Element, str | None]:
    """Put one row: its element, and the name of its attribute. Refused where it has no place of its own."""
    spot = onto.there.get(row.place)
    if spot is None:
        raise Refused(NO_PLACE, row.place)
    steps, at, name = row.beyond.partition("@")
    for tag, number in _STEP.findall(steps):
        spot = _below(onto, spot, tag, int(number))
    element = spot.element
    said = element.get(name) if at else None if element in onto.fillers else element.text
    if said is not None or not (at or row.text):
        raise Refused(OCCUPIED, f"{row.place} {row.beyond}")
    if element.tag in HOLDERS and not at and row.text in onto.files:
        raise Refused(UNFIT, row.text)  # it would be taken for the mark of another attachment
    try:
        if at:
            element.set(name, row.text)
        else:
            element.text = row.text
            onto.fillers.discard(element)
    except ValueError as error:
        raise Refused(UNFIT, str(error)) from error
    return element, name if at else None


def _below(onto: Ground, spot: Spot, name: str, number: int) -> Spot:
    """The element of the annex's own there, made where it is not yet made."""
    place = f"{spot.place}/{name}[{number}]"
    if place in onto.made:
        return onto.made[place]
    try:
        tag = clark(name)
    except KeyError as error:
        raise Refused(NO_PLACE, place) from error
    kind = order.type_of_child(onto.schema, spot.type or "", tag)
    twins = list(islice(spot.element.iterchildren(tag), number))
    if kind is None or len(twins) < number - 1:
        raise Refused(NO_PLACE, place)
    element = etree.Element(tag)
    if len(twins) == number:
        twins[-1].addprevious(element)
    else:
        spot.element.append(element)
    onto.made[place] = Spot(element, place, place, kind)
    return onto.made[place]


@dataclass(frozen=True, slots=True)
class PutBack:
    """What became of a document when the rows of an annex were put into it."""

    moved: dict[str, str]
    """Where the elements are that were there before, by where they were."""

    locations: tuple[str, ...]
    """Where the texts of the annex are."""


def put_back(tree: Draft, syntax: Syntax, rows: Iterable[Row], openly: Callable[[Invoice], Invoice]) -> PutBack:
    """Put all rows into the tree of a draft, or none: after a refusal the draft is of no use.

    `openly` is what the document that has the annex says of an invoice by itself.

    Raises:
        Refused: a row has no place, or the document or the invoice would not be as the head of this module says.
    """
    dialect = DIALECTS[syntax]
    before, broken = _read(tree, syntax), _broken(tree, syntax)
    onto = ground(tree, syntax)
    where = [put(onto, row) for row in rows]
    order.arrange(tree.root, dialect.schema)
    now = {spot.element: spot.location for spot in spots(tree.root, onto.schema)}
    locations = tuple(now[element] + (f"/@{name}" if name else "") for element, name in where)
    try:
        node = Node(parse(etree.tostring(tree.root)), None)
        after = read_node(node, syntax, tree.files)
    except FormatError as error:
        raise Refused(UNFIT, str(error)) from error
    if worse := _broken(tree, syntax) - broken:
        raise Refused(UNFIT, min(worse))
    places = frozenset(locations)
    own = {text.term for text in texts_of_tree(node, dialect.schema) if text.location in places}
    more = Counter(one.term for one in located(after)) - Counter(one.term for one in located(before))
    if not within(before, after) or not more.keys() <= own:
        raise Refused(CHANGES, ", ".join(sorted(more.keys() - own)))
    if more and not _says_the_same(openly, before, after):
        raise Refused(CHANGES, ", ".join(sorted(more)))
    return PutBack({spot.location: now[spot.element] for spot in onto.there.values()}, locations)


def _says_the_same(openly: Callable[[Invoice], Invoice], before: Invoice, after: Invoice) -> bool:
    try:
        return openly(before) == openly(after)
    except FormatError:
        return False


def _read(tree: Draft, syntax: Syntax) -> Invoice:
    return read_node(Node(tree.root, None), syntax, tree.files)


def _broken(tree: Draft, syntax: Syntax) -> set[str]:
    """What the schema says against the tree, each once; an attachment is no matter of it."""
    plain = parse(etree.tostring(tree.root))
    for holder in plain.iter(*HOLDERS):
        holder.text = "" if holder.text in tree.files else holder.text
    judge = order.judge(DIALECTS[syntax].schema)
    return set() if judge.validate(plain) else {entry.message for entry in judge.error_log}


def within(before: Any, after: Any) -> bool:
    """Whether `after` says all that `before` says: of each list the same items in order, others between them."""
    if before is None or before == ():
        return True
    if isinstance(before, tuple):
        rest = iter(after or ())
        return all(any(within(item, other) for other in rest) for item in before)
    if is_dataclass(before):
        return type(before) is type(after) and all(
            within(getattr(before, one.name), getattr(after, one.name)) for one in fields(before))
    return repr(before) == repr(after)
