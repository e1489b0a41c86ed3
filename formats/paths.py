"""The closed path language of the mapping table: compile, select, ensure, claim.

The whole of it: `a/b/c`, `@attribute` as the last step, and tests on a step:
  [x='v']        read: keep the step only if x equals v     write: create it with x = v
  [x!='v']       read: keep it only if x is not v           write: nothing
  [x!='v'|'w']   read: keep it only if x is not v           write: x = w where x is absent
  $doc, $tax     in place of 'v': the currencies BT-5 and BT-6
  $number        in place of 'v': the invoice's own number BT-1
`x` is itself a plain path below the step. `[x!=''|'w']` is a filler: written where x is absent, and read past.
A term that needs more than this is a quirk. The language is not to be extended.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import final

from lxml import etree

NAMESPACES = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
    "ubl": "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2",
    "cn": "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2",
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
    "ext": "urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2",
}
_PREFIXES = {uri: prefix for prefix, uri in NAMESPACES.items()}
EDITION = "syntax"
"""What the edition of the syntax is claimed for: no business term, see syntax.read_node."""

SCHEMA_HINTS = "{http://www.w3.org/2001/XMLSchema-instance}"

_STEP = re.compile(r"(@?[\w:]+)((?:\[[^\]]*\])*)(/|$)")
_TEST = re.compile(r"\[([\w:/@]+)(!?=)(?:'([^']*)'|(\$\w+))(?:\|'([^']*)')?\]")
_BOOLEANS = {"1": "true", "0": "false"}


def clark(name: str) -> str:
    """`cbc:ID` as lxml wants it."""
    prefix, _, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


@cache
def prefixed(tag: str) -> str:
    """The inverse of `clark`; a foreign namespace is kept as Q{uri}name, which is XPath 3 for the same."""
    uri, _, local = tag.removeprefix("{").rpartition("}")
    if not uri:
        return local
    return f"{_PREFIXES[uri]}:{local}" if uri in _PREFIXES else f"Q{{{uri}}}{local}"


@dataclass(frozen=True, slots=True)
class Test:
    """One bracket of a step."""

    tags: tuple[str, ...]
    attribute: str | None
    value: str
    """The text to compare with, or `$doc`, `$tax`, `$number`."""

    negative: bool
    default: str | None

    @property
    def is_filler(self) -> bool:
        """Whether writing it invents a value that the schema demands and the model does not have."""
        return self.negative and self.value == "" and self.default is not None


@dataclass(frozen=True, slots=True)
class Step:
    """One element name with its tests."""

    tag: str
    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Path:
    """A compiled path. Without steps it is the element itself."""

    steps: tuple[Step, ...]
    attribute: str | None


@cache
def compile_path(text: str) -> Path:
    """`text` in the path language; `.` is the element itself. ValueError if it is not in the language."""
    steps: list[Step] = []
    attribute = None
    position = 0
    while text != "." and position < len(text):
        found = _STEP.match(text, position)
        if found is None or attribute is not None:
            raise ValueError(f"not in the path language: {text}")
        name, tests, position = found[1], found[2], found.end()
        if name.startswith("@"):
            attribute = name[1:]
        else:
            steps.append(Step(clark(name), tuple(_compile_tests(tests))))
    return Path(tuple(steps), attribute)


def _compile_tests(text: str) -> Iterator[Test]:
    position = 0
    while position < len(text):
        found = _TEST.match(text, position)
        if found is None:
            raise ValueError(f"not a test of the path language: {text}")
        position = found.end()
        names = found[1].split("/")
        attribute = names.pop()[1:] if names[-1].startswith("@") else None
        value = found[4] if found[4] is not None else found[3]
        yield Test(tuple(map(clark, names)), attribute, value, found[2] == "!=", found[5])


@dataclass(slots=True)
class Scope:
    """What `$doc`, `$tax` and `$number` stand for in one document, its files, and the fillers that writing it took."""

    doc: str | None
    tax: str | None
    number: str | None = None
    nested: bool = False
    """Whether lines are written within lines."""

    fillers: dict[etree._Element, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    """The contents of attachments, by the marks that stand for them in a draft."""

    def wanted(self, test: Test) -> str | None:
        """The text that `test` compares with."""
        if test.value == "$doc":
            return self.doc
        if test.value == "$tax":
            return self.tax if self.tax != self.doc else None
        return self.number if test.value == "$number" else test.value


_NONE: dict[str, str] = {}


@final
class Node:
    """An element while it is read: its text, its children by tag, and what was claimed of it.

    Built once for the whole document, so that a look-up costs the same in a document of 5,000 lines.
    """

    __slots__ = (
        "attributes", "children", "claimed_attributes", "item", "marked", "parent", "place", "tag", "term", "text",
    )

    def __init__(self, element: etree._Element, parent: "Node | None", place: int = 1) -> None:
        self.tag = str(element.tag)
        self.parent = parent
        self.place = place
        """1 for the first of its name below the parent."""
        self.term: str | None = None
        self.marked: str | None = None
        """The term for which a test compared the text; a term that reads the text itself comes before."""
        self.item: tuple[str, int] | None = None
        """Where it was read as an item of a list: the field and the number."""
        # Most elements have no attributes and no children: they share one empty mapping, which is never written to.
        self.claimed_attributes: dict[str, str] = _NONE
        self.attributes: dict[str, str] = dict(element.items()) or _NONE
        self.children: dict[str, list[Node]] = _NO_CHILDREN
        text = element.text or ""
        if len(element):
            self.children = {}
            tails = []
            for child in element:
                twins = self.children.setdefault(str(child.tag), [])
                twins.append(Node(child, self, len(twins) + 1))
                tails.append(child.tail or "")
            text = "".join((text, *tails))
        self.text = text.strip()

    def claim(self, term: str) -> str:
        """Mark the text as understood, as part of `term`, and give it."""
        if self.term is None:
            self.term = term
        return self.text

    def release(self, terms: frozenset[str]) -> None:
        """Claimed for these terms and yet not taken: here and below, as if nobody had asked."""
        self.term = None if self.term in terms else self.term
        self.marked = None if self.marked in terms else self.marked
        if self.claimed_attributes:
            self.claimed_attributes = {name: by for name, by in self.claimed_attributes.items() if by not in terms}
        for twins in self.children.values():
            for node in twins:
                node.release(terms)

    @property
    def taken(self) -> str | None:
        """The term that understood the text, or None."""
        return self.term or self.marked

    def claim_attribute(self, name: str, term: str) -> str | None:
        """Mark an attribute as understood; its stripped text, or None if it is absent or blank."""
        value = self.attributes.get(name)
        if value is None:
            return None
        self.claimed_attributes = {name: term} | self.claimed_attributes
        return value.strip() or None

    def location(self) -> str:
        """The XPath of this element, with the prefixes of NAMESPACES."""
        if self.parent is None:
            return "/" + prefixed(self.tag)
        where = f"{self.parent.location()}/{prefixed(self.tag)}"
        return f"{where}[{self.place}]" if len(self.parent.children[self.tag]) > 1 else where


_NO_CHILDREN: dict[str, list[Node]] = {}


def select(node: Node, path: Path, scope: Scope, term: str) -> list[Node]:
    """The elements below `node` on `path`, in document order. Texts that tests compared are claimed for `term`."""
    found = [node]
    for step in path.steps:
        found = [child for parent in found for child in parent.children.get(step.tag, ())]
        if step.tests:
            found = [child for child in found if all(_admits(child, test, scope, term) for test in step.tests)]
        if not found:
            break
    return found


def _admits(node: Node, test: Test, scope: Scope, term: str) -> bool:
    wanted = scope.wanted(test)
    owners = [node]
    for tag in test.tags:
        owners = [child for owner in owners for child in owner.children.get(tag, ())]
    values = [owner.attributes.get(test.attribute, "").strip() if test.attribute else owner.text for owner in owners]
    if wanted in {"true", "false"}:
        values = [_BOOLEANS.get(value, value) for value in values]
    if test.is_filler:
        admitted = True  # an empty or absent filler hides nothing of what stands beside it
    elif test.value == "$doc":
        # A currency that is nowhere said is the invoice currency.
        admitted = wanted is None or all(value in {wanted, ""} for value in values)
    else:
        admitted = (wanted not in values) if test.negative else (wanted in values)
    if admitted:
        constant = test.default if test.negative else wanted
        for owner, value in zip(owners, values, strict=True):
            if value == constant and test.attribute is not None:
                owner.claim_attribute(test.attribute, term)
            elif value == constant and owner.marked is None:
                owner.marked = term
    return admitted


def leaves(root: Node) -> Iterator[tuple[Node, str | None, str, str | None]]:
    """Every text and attribute: its element, the attribute's name or None, the text, the claiming term or None."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        for name, value in node.attributes.items():
            if not name.startswith(SCHEMA_HINTS):
                yield node, name, value, node.claimed_attributes.get(name)
        if node.text:
            yield node, None, node.text, node.taken
        for twins in reversed(node.children.values()):
            waiting.extend(reversed(twins))


def location(node: Node, attribute: str | None) -> str:
    """The XPath of an element or of an attribute of it."""
    return node.location() if attribute is None else f"{node.location()}/@{prefixed(attribute)}"


def ensure(element: etree._Element, path: Path, scope: Scope) -> etree._Element:
    """The first element below `element` on `path`; whatever is missing of the path is made, tests and all."""
    for step in path.steps:
        for child in element.iterchildren(step.tag):
            if all(_holds(child, test, scope) for test in step.tests):
                element = child
                break
        else:
            element = etree.SubElement(element, step.tag)
        for test in step.tests:
            _establish(element, test, scope)
    return element


def append(element: etree._Element, path: Path, scope: Scope) -> etree._Element:
    """A new last element of `path` below `element`; the steps before it are ensured."""
    parent = ensure(element, Path(path.steps[:-1], None), scope)
    last = path.steps[-1]
    child = etree.SubElement(parent, last.tag)
    for test in last.tests:
        _establish(child, test, scope)
    return child


def existing(element: etree._Element, path: Path, scope: Scope) -> list[etree._Element]:
    """All elements below `element` on `path` that are there already."""
    found = [element]
    for step in path.steps:
        found = [
            child
            for parent in found
            for child in parent.iterchildren(step.tag)
            if all(_holds(child, test, scope) for test in step.tests)
        ]
    return found


def put(element: etree._Element, text: str, scope: Scope) -> None:
    """Write a term's text. What was a filler there is one no longer."""
    element.text = text
    scope.fillers.pop(element, None)


def _value(element: etree._Element, test: Test) -> str | None:
    owner = element.find("/".join(test.tags)) if test.tags else element
    if owner is None:
        return None
    return owner.get(test.attribute) if test.attribute is not None else owner.text


def _holds(element: etree._Element, test: Test, scope: Scope) -> bool:
    value = _value(element, test)
    return value != scope.wanted(test) if test.negative else value == scope.wanted(test)


def _establish(element: etree._Element, test: Test, scope: Scope) -> None:
    constant = test.default if test.negative else scope.wanted(test)
    if constant is None or _value(element, test) is not None:
        return
    owner = element
    for tag in test.tags:
        below = owner.find(tag)
        owner = etree.SubElement(owner, tag) if below is None else below
    if test.attribute is not None:
        owner.set(test.attribute, constant)
        return
    owner.text = constant
    if test.is_filler:
        scope.fillers[owner] = constant


def element_location(element: etree._Element) -> str:
    """The XPath of an element of a tree, with the prefixes of NAMESPACES."""
    parent = element.getparent()
    name = prefixed(str(element.tag))
    if parent is None:
        return "/" + name
    twins = list(parent.iterchildren(str(element.tag)))
    return f"{element_location(parent)}/{name}" + (f"[{twins.index(element) + 1}]" if twins[1:] else "")
