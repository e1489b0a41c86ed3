"""Asserts in their shortest form, and many at once: what neighbours forbid is looked for once, before each looks.

An assert of the ISO skeleton is a choice of two, of which one is empty; here it is one condition, the negated test.
`not(cac:Party/cbc:UUID)` and its neighbours in a rule fail only where one of their paths leads to something. Before a
run of such asserts stands one test, true if any of the paths leads somewhere: `cac:Party[cbc:UUID or cbc:Name]`. In
nearly every invoice it is false, and the run is not entered. The asserts themselves, and their order, stay.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from lxml import etree

XSL: Final = "{http://www.w3.org/1999/XSL/Transform}"
NAME: Final = r"@?[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?"
STEP: Final = rf"(?:{NAME}|\( *{NAME}(?: *\| *{NAME})* *\))"
PATH: Final = re.compile(rf"{STEP}(?:/{STEP})*")
"""The whole of a path of plain child steps."""

NEGATED: Final = re.compile(rf"\s*not\(\s*({PATH.pattern})\s*\)\s*")
STEPS: Final = re.compile(STEP)
WORTH: Final = 8
"""So many asserts at least are worth a test before them: fewer cost more to compile than they save."""

Tree = dict[str, "Tree | None"]
"""Steps to what follows them; None where a path ends, whatever else goes on from there."""


def shorten(template: etree._Element) -> None:
    """Turn each choice of a rule whose first branch is empty into the condition of its other branch."""
    for choice in list(template.iterfind(f"{XSL}choose")):
        branches = list(choice)
        if [each.tag for each in branches] == [f"{XSL}when", f"{XSL}otherwise"] and _is_empty(branches[0]):
            test = branches[0].get("test", "")
            found = NEGATED.fullmatch(test)
            condition = etree.Element(f"{XSL}if", test=found.group(1) if found else f"not({test})")
            condition.extend(list(branches[1]))
            template.replace(choice, condition)


def guard(template: etree._Element, worth: int = WORTH) -> None:
    """Put each run of conditions of a rule that are paths of one first step, or of one step, behind one test."""
    for run in list(_runs(template)):
        if len(run) >= worth:
            before = etree.Element(f"{XSL}if", test=_any_of([path for _, path in run]))
            template.insert(template.index(run[0][0]), before)
            before.extend([condition for condition, _ in run])


def _is_empty(branch: etree._Element) -> bool:
    return not len(branch) and not (branch.text or "").strip()


def _runs(template: etree._Element) -> Iterator[list[tuple[etree._Element, tuple[str, ...]]]]:
    """Neighbours whose paths begin alike."""
    conditions = [(child, _path(child)) for child in template]
    for beginning, run in groupby(conditions, key=lambda each: each[1][:1] if len(each[1]) > 1 else len(each[1])):
        if beginning:
            yield list(run)


def _path(child: etree._Element) -> tuple[str, ...]:
    """The steps to what the condition asks for; none where it asks otherwise, or is none."""
    test = child.get("test", "") if child.tag == f"{XSL}if" else ""
    return tuple(STEPS.findall(test)) if PATH.fullmatch(test) else ()


def _any_of(paths: Sequence[tuple[str, ...]]) -> str:
    """An expression that is true if one of the paths leads to something."""
    tree: Tree = {}
    for path in paths:
        _enter(tree, path)
    return _spelled(tree)


def _enter(tree: Tree, path: tuple[str, ...]) -> None:
    step, *rest = path
    below = tree.setdefault(step, {}) if rest else None
    tree[step] = below
    if below is not None:
        _enter(below, tuple(rest))


def _spelled(tree: Tree) -> str:
    return " or ".join(step if below is None else f"{step}[{_spelled(below)}]" for step, below in tree.items())
