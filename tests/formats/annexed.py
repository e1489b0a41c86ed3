"""Invoices with texts that no term takes and the schema allows; and every text of a document by its place."""

from collections import Counter
from random import Random
from typing import Any

from lxml import etree

from formats import order
from formats.errors import FormatError
from formats.opening import open_document
from formats.paths import Node, leaves, location
from formats.placing import Spot, spots
from formats.syntax import DIALECTS, read_tree, syntax_of

TEXTS = ("x", "=1", "'y", "2026-11-22", "20261122", "1", "true", "é\nè", "EUR", "102")
ATTRIBUTES = ("schemeID", "schemeAgencyID", "languageID", "listID", "listAgencyID", "unitCode", "currencyID", "format",
              "name", "schemeURI")


def texts_of(document: bytes) -> Counter[tuple[str, str]]:
    """Every text and attribute by its location."""
    root = open_document(document).root
    assert root is not None
    return Counter((location(node, name), text) for node, name, text, _ in leaves(Node(root, None)))


def grown(document: bytes, random: Random, attempts: int = 25) -> bytes:
    """The document with elements and attributes more, anywhere where its schema allows them and it still reads."""
    root = etree.fromstring(document, etree.XMLParser(remove_blank_text=True))
    name = DIALECTS[syntax_of(root)].schema
    schema, judge = order.load(name), order.judge(name)
    for _ in range(attempts):
        undo = _grow(random.choice(list(spots(root, schema))), schema, random)
        if undo is not None and not (judge.validate(root) and _reads(root)):
            undo()
    return etree.tostring(root)


def _grow(spot: Spot, schema: order.Schema, random: Random) -> Any:
    """One change below or at an element, and what undoes it; None where there is nothing to change."""
    element, text = spot.element, random.choice(TEXTS)
    names = list(schema.children(spot.type or ""))
    if names and random.random() < 0.7:
        tag = random.choice(names)
        twins = element.findall(tag)
        new = etree.Element(tag)
        _fill(new, order.type_of_child(schema, spot.type or "", tag) or "", schema, random)
        if twins and random.random() < 0.5:
            twins[0].addprevious(new)
        elif twins:
            twins[-1].addnext(new)
        else:
            ranks = schema.ranks(spot.type or "")
            at = sum(ranks.get(str(child.tag), order.LAST) < ranks[tag] for child in element)
            element.insert(at, new)
        return lambda: element.remove(new)
    name = random.choice(ATTRIBUTES)
    if name in element.attrib:
        return None
    element.set(name, text)
    return lambda: element.attrib.pop(name)


def _fill(element: etree._Element, kind: str, schema: order.Schema, random: Random, depth: int = 3) -> None:
    """What the schema demands in a new element, and sometimes more."""
    names = list(schema.children(kind))
    if not names:
        element.text = random.choice(TEXTS)
        for name in random.sample(ATTRIBUTES, random.choice((0, 0, 1))):
            element.set(name, random.choice(TEXTS))
        return
    chosen = set(schema.mandatory.get(kind, ())) | set(random.sample(names, min(1, len(names))))
    for name in names:
        if name in chosen and depth:
            _fill(etree.SubElement(element, name), order.type_of_child(schema, kind, name) or "", schema, random,
                  depth - 1)


def _reads(root: etree._Element) -> bool:
    try:
        read_tree(root)
    except FormatError:
        return False
    return True
