"""The compiled stylesheet of a rule set as a tree, for those who read what its rules say instead of running them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lxml import etree

from schematron import supply
from schematron.rule_set import RuleSet

SVRL: Final = "{http://purl.oclc.org/dsdl/svrl}"
XSL: Final = "{http://www.w3.org/1999/XSL/Transform}"


@dataclass(frozen=True, slots=True)
class Assert:
    """One assert or report, as published."""

    id: str | None
    flag: str | None
    text: str
    """White space folded; the values that it quotes are not there."""

    context: str
    test: str


def asserts_of(rule_set: RuleSet) -> Iterator[Assert]:
    """Every assert and report of the packaged stylesheet, in its order. Its hash is not checked: nothing is judged."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    sheet = etree.parse(str(supply.entry_path(rule_set)), parser)
    for result in sheet.iter(f"{SVRL}failed-assert", f"{SVRL}successful-report"):
        template = next(result.iterancestors(f"{XSL}template"))
        fired = template.find(f".//{SVRL}fired-rule")
        context = (fired.get("context") if fired is not None else template.get("match")) or ""
        yield Assert(
            _attribute(result, "id"), _attribute(result, "flag"), text_of(result), context,
            _attribute(result, "test") or "",
        )


def text_of(result: etree._Element) -> str:
    """What an assert or report says, white space folded."""
    return " ".join("".join(text for said in result.iterfind(f"{SVRL}text") for text in said.itertext()).split())


def _attribute(result: etree._Element, name: str) -> str | None:
    """An attribute as written, or as the stylesheet would write it."""
    found = result.find(f"{XSL}attribute[@name='{name}']")
    return found.text if found is not None else result.get(name)
