"""Every text of a document: where it is, what it was read for, of which items of which lists, or why it is nobody's."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from typing import Any, final

from formats import order, terms
from formats.invoice import Identifier, Invoice
from formats.mapping.invoice import INVOICE
from formats.paths import EDITION, SCHEMA_HINTS, Node, prefixed
from formats.rows import Group, Quirk
from formats.terms import Items
from formats.values import decimal_text

NO_TERM = "no-term"
"""The syntax has the element, EN 16931 and its French extension have no term for it."""
UNKNOWN_ELEMENT = "unknown-element"
"""The schema of the syntax does not know the element there."""
REPEATED = "repeated"
"""The term is there once already, with another text, and may be there once only."""
CODE_LIST = "code-list"
"""The list or the agency of a fixed code (VAT ...), which says no more than the code."""
SYNTAX = "syntax"
"""It says of which edition of the syntax the document is, and nothing of the invoice."""
LIST_NAME = re.compile("(list|scheme)(Agency|Version)?(ID|Name|URI)|list(Scheme)?URI")
LISTED = frozenset({
    "BT-3", "BT-5", "BT-6", "BT-8", "BT-40", "BT-55", "BT-69", "BT-80", "BT-81", "BT-95", "BT-102", "BT-118", "BT-151",
    "BT-159",
})
"""Codes for which the norm has one list: an attribute that names a list says no more than the code."""


@final
@dataclass(slots=True)
class Text:
    """One text of a document: where it is, what it was read for, and of which items of which lists."""

    location: str
    text: str
    term: str | None
    items: Items
    """Field and number of each item around it, the outermost first."""

    why: str = NO_TERM
    """Where no term took it: the reason. CODE_LIST where a term took the code beside it; SYNTAX."""


def _quirk_lists(group: Group) -> Iterator[tuple[str, str]]:
    for entry in group.rows:
        if isinstance(entry, Group):
            if entry.many and (isinstance(entry.ubl, Quirk) or isinstance(entry.cii, Quirk)):
                yield entry.term, entry.field
            yield from _quirk_lists(entry)


LISTS: dict[str, str] = dict(_quirk_lists(INVOICE))
"""Groups that are lists and are read by a quirk in one of the syntaxes, with their fields."""


def texts_of_tree(root: Node, schema: str) -> Iterator[Text]:
    """Every text and attribute of a document that was read, in document order. Hints at schemas are no texts."""
    waiting: list[tuple[Node, str, Items]] = [(root, "/" + prefixed(root.tag), ())]
    counts: Counter[tuple[str, Items]] = Counter()
    while waiting:
        node, where, items = waiting.pop()
        if node.item is not None:
            # A line within a line is an item of the same list.
            items = (*(items[:-1] if items and items[-1][0] == node.item[0] else items), node.item)
        if node.text:
            term, mine = node.taken, items
            if term in LISTS:  # a list that a quirk reads has an element per item, in order
                counts[term, items] += 1
                mine = (*items, (LISTS[term], counts[term, items] - 1))
            why = SYNTAX if term == EDITION else NO_TERM
            yield Text(where, node.text, term, mine, _why(node, schema) if term is None else why)
        for name, value in node.attributes.items():
            if not name.startswith(SCHEMA_HINTS):
                taken = node.claimed_attributes.get(name)
                why = _why(node, schema) if taken is None and node.taken is None else NO_TERM
                code = node.term if node.term in LISTED else node.marked if node.term is None else None
                if taken is None and code is not None and LIST_NAME.fullmatch(name):
                    taken, why = code, CODE_LIST
                yield Text(f"{where}/@{prefixed(name)}", value, taken, items, why)
        for tag, twins in reversed(node.children.items()):
            step = f"{where}/{prefixed(tag)}"
            if len(twins) == 1:
                waiting.append((twins[0], step, items))
            else:
                waiting.extend((twin, f"{step}[{twin.place}]", items) for twin in reversed(twins))


def texts_of_model(invoice: Invoice) -> Iterator[Text]:
    """Every text of an invoice in our JSON, by its JSON pointer."""
    for item in terms.located(invoice):
        items = items_of(item.pointer)
        if not isinstance(item.value, Identifier):
            yield Text(item.pointer, shown(item.value), item.term, items)
            continue
        yield Text(f"{item.pointer}/value", item.value.value, item.term, items)
        if item.value.scheme is not None:
            yield Text(f"{item.pointer}/scheme", item.value.scheme, item.term, items)


def items_of(pointer: str) -> Items:
    """The items of lists on the way to a JSON pointer."""
    parts = pointer.split("/")
    return tuple((name, int(number)) for name, number in pairwise(parts) if number.isdigit())


def shown(value: Any) -> str:
    """The text of a term's value, for people."""
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return decimal_text(value) if isinstance(value, Decimal) else str(value)


def _why(node: Node, schema: str) -> str:
    """Why no term took the text of `node`: the path is walked down from the root."""
    line = []
    at: Node | None = node
    while at is not None:
        line.append(at)
        at = at.parent
    line.reverse()
    known = order.load(schema)
    kind: str | None = known.roots.get(line[0].tag)
    for place, below in enumerate(line[1:], 1):
        kind = order.type_of_child(known, kind or "", below.tag)
        if kind is None:
            return UNKNOWN_ELEMENT
        first = line[place - 1].children[below.tag][0]
        if below.place > 1 and _taken(first, [one.tag for one in line[place + 1 :]]):
            return REPEATED
    return NO_TERM


def _taken(node: Node, tags: list[str]) -> bool:
    """Whether the first element on the way down was read for a term."""
    for tag in tags:
        below = node.children.get(tag)
        if not below:
            return False
        node = below[0]
    return node.taken is not None


def renumbered(texts: Iterable[Text], kept: dict[tuple[Items, str], tuple[int, ...]]) -> Iterable[Text]:
    """The texts of a source with the numbers that their items have where a profile left some out; -1 for those."""
    return (_renumbered(text, kept) for text in texts) if kept else texts


def _renumbered(text: Text, kept: dict[tuple[Items, str], tuple[int, ...]]) -> Text:
    items = list(text.items)
    for place, (name, number) in enumerate(text.items):
        left = kept.get((text.items[:place], name))
        if left is not None:
            items[place] = (name, left.index(number) if number in left else -1)
    return replace(text, items=tuple(items))
