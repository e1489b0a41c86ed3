"""Where an element stands: its path in the contract's prefixes, and its line. One linear walk per document."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
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
    """The places of the elements with these numbers in document order, counted from 1. Unknown numbers are left out."""
    wanted = set(numbers)
    if not wanted:
        return {}
    places: dict[int, Place] = {}
    path: list[str] = []
    siblings: list[dict[str, int]] = [{}]
    number = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if event == "end":
            path.pop()
            siblings.pop()
            continue
        number += 1
        name = step_of(element)
        siblings[-1][name] = position = siblings[-1].get(name, 0) + 1
        path.append(f"{name}[{position}]")
        siblings.append({})
        if number in wanted:
            places[number] = Place("/" + "/".join(path), element.sourceline)
            if len(places) == len(wanted):
                break
    return places


def step_of(element: etree._Element) -> str:
    """The name test of an element, in the contract's prefixes where it has one."""
    name = etree.QName(element)
    return _step(name.localname, name.namespace or "")


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
