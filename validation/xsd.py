"""The schema layer: libxml2 over the published schemas, its messages in French and English."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from lxml import etree

from schematron import supply
from validation.explain.data import data
from validation.findings import Finding, Severity, Text
from validation.locations import PREFIXES, path_of

_NAME: Final = re.compile(r"\{([^}]*)\}")
_NODE_STEP: Final = re.compile(r"(?:([^:\[]+):)?([^\[]+)(?:\[(\d+)\])?")

@dataclass(frozen=True, slots=True)
class Loaded:
    """A schema ready to validate."""

    rule_set: supply.RuleSet
    schema: etree.XMLSchema


def loaded(rule_set: str) -> Loaded:
    """The schema of this name (see supply.get_rule_set), checked against its hash and compiled; kept.

    Raises:
        RuleSetMissing, RuleSetAltered: see schematron.supply.
    """
    return _loaded(supply.get_rule_set(rule_set).key)


@cache
def _loaded(key: str) -> Loaded:
    described = supply.get_rule_set(key)
    parser = etree.XMLParser(no_network=True, resolve_entities=False)
    return Loaded(described, etree.XMLSchema(etree.parse(str(supply.check(described)), parser)))


@cache
def translations() -> tuple[tuple[re.Pattern[str], str], ...]:
    """libxml2's words, and what they mean in French. Other messages keep their English words in both languages."""
    return tuple((re.compile(entry["en"], re.DOTALL), entry["fr"]) for entry in data("schema.toml")["message"])


def run(schema: Loaded, root: etree._Element) -> tuple[Finding, ...]:
    """What the schema refuses, in document order. Findings about the same element have the same group."""
    if schema.schema.validate(root):
        return ()
    return tuple(_finding(error, root) for error in schema.schema.error_log)


def _finding(error: etree._LogEntry, root: etree._Element) -> Finding:
    subject, english = _split(error.message)
    element = _element_at(root, error.path)
    place = path_of(element) if element is not None else None
    french = next((found.expand(to) for pattern, to in translations() if (found := pattern.match(english))), english)
    return Finding(
        rule=f"XSD-{error.type_name.removeprefix('SCHEMAV_').replace('_', '-')}",
        severity=Severity.FATAL,
        layer="xsd",
        message=Text(fr=f"{subject} : {french.strip()}.".lstrip(" :"), en=f"{subject}: {english}".lstrip(": ")),
        location=place,
        line=error.line or None,
        group=f"xsd:{place}" if place else None,
    )


def _split(message: str) -> tuple[str, str]:
    """`Element '{ns}a', attribute 'b': text` as (`a/@b`, text), names in our prefixes."""
    plain = _NAME.sub(lambda found: f"{PREFIXES[found.group(1)]}:" if found.group(1) in PREFIXES else "", message)
    found = re.match(r"^Element '(.*?)'(?:, attribute '(.*?)')?: (.*)$", plain, re.DOTALL)
    if not found:
        return "", plain
    element, attribute, text = found.groups()
    return (f"{element}/@{attribute}" if attribute else element), text


def _element_at(root: etree._Element, node_path: str | None) -> etree._Element | None:
    """The element that libxml2 names: `*` counts all elements, a name counts its namesakes."""
    steps = (node_path or "").lstrip("/").split("/")
    element = root
    for step in steps[1:]:
        found = _NODE_STEP.fullmatch(step)
        if found is None or step.startswith("@"):
            return element
        prefix, name, position = found.group(1), found.group(2), int(found.group(3) or 1)
        children = [
            child
            for child in element.iterchildren(etree.Element)
            if name == "*" or (child.prefix == prefix and etree.QName(child).localname == name)
        ]
        if position > len(children):
            return element
        element = children[position - 1]
    return element
