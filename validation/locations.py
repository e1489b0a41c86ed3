"""Where an element stands: its path in the contract's prefixes, and its line. One linear walk per document."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Final

from lxml import etree

PREFIXES: Final[Mapping[str, str]] = {
    "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100": "rsm",
    "urn:un:unece:uncefact:data:standard:CrossDomainAcknowledgementAndResponse:100": "rsm",
    "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100": "ram",
    "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100": "udt",
    "urn:un:unece:uncefact:data:standard:QualifiedDataType:100": "qdt",
    "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2": "ubl",
    "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2": "cn",
    "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2": "cac",
    "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2": "cbc",
    "urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2": "ext",
}

_SKELETON_STEP: Final = re.compile(r"\*:([^\[/]+)\[namespace-uri\(\)='([^']*)'\]")


@dataclass(frozen=True, slots=True)
class Place:
    """One element of a document."""

    path: str
    """Absolute XPath; every step has its position among its namesakes."""

    line: int | None
    """1-based line of its start tag."""


def find_places(root: etree._Element, numbers: Collection[int]) -> dict[int, Place]:
    """The places of the elements with these numbers in document order, counted from 1. Unknown numbers are left out.

    Linear in the document: the steps below a parent are counted once, however many of its children are asked for.
    """
    if not numbers:
        return {}
    wanted = set(numbers)
    steps: dict[etree._Element, dict[etree._Element, str]] = {}
    found = enumerate(islice(root.iter(etree.Element), max(wanted)), 1)
    return {
        number: Place(_path_in(element, steps), element.sourceline) for number, element in found if number in wanted
    }


def _path_in(element: etree._Element, steps: dict[etree._Element, dict[etree._Element, str]]) -> str:
    """The path of an element; `steps` keeps what was counted, parent to child to step."""
    path = []
    parent = element.getparent()
    while parent is not None:
        if parent not in steps:
            steps[parent] = _steps_below(parent)
        path.append(steps[parent][element])
        element, parent = parent, parent.getparent()
    return "/".join(("", f"{step_of(element)}[1]", *reversed(path)))


def _steps_below(parent: etree._Element) -> dict[etree._Element, str]:
    counted: dict[str, int] = {}
    below = {}
    for child in parent.iterchildren(etree.Element):
        name = step_of(child)
        counted[name] = position = counted.get(name, 0) + 1
        below[child] = f"{name}[{position}]"
    return below


def step_of(element: etree._Element) -> str:
    """The name test of an element, in the contract's prefixes where it has one."""
    return _step_of_tag(str(element.tag))


@lru_cache(maxsize=4096)  # names are the sender's: there may be any number of them
def _step_of_tag(tag: str) -> str:
    namespace, _, local_name = tag.removeprefix("{").rpartition("}")
    return _step(local_name, namespace)


def rewrite(skeleton_location: str) -> str:
    """A location as the ISO skeleton spells it, in the contract's prefixes."""
    return _SKELETON_STEP.sub(lambda found: _step(found.group(1), found.group(2)), skeleton_location)


def _step(local_name: str, namespace: str) -> str:
    if not namespace:
        return local_name
    prefix = PREFIXES.get(namespace)
    return f"{prefix}:{local_name}" if prefix else f"*:{local_name}[namespace-uri()='{namespace}']"


def path_of(element: etree._Element) -> str:
    """The path of one element. For many elements of one document use `find_places`."""
    steps = []
    current: etree._Element | None = element
    while current is not None:
        position = 1 + len(list(current.itersiblings(str(current.tag), preceding=True)))
        steps.append(f"{step_of(current)}[{position}]")
        current = current.getparent()
    return "/" + "/".join(reversed(steps))
