"""Examples of structure rules: what the rule is about is written into an own sample, or taken out of it.

A rule about what an element holds says in its words what is too much or missing, and in its context where: the place is
made in a sample where it is not there, once as the rule wants it and once against it. Kept only where the rule speaks
of the one and not of the other.
"""

import copy
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

from formats.paths import NAMESPACES
from validation import stylesheet

STEP = re.compile(r"(?P<name>[\w:]+)(?:\[(?P<condition>[^\]]*)\])?")
NAMED = re.compile(r"\w+:\w+")
EQUALS = re.compile(r"\s*(?P<path>[@\w:/]+)\s*=\s*['\"](?P<value>[^'\"]*)['\"]\s*")
THING = r"'(?P<thing>(?:rsm|ram|udt|qdt):\w+(?:\[[^']*\])?)'"
ELEMENT_UNUSED = re.compile(rf"^Element(?: variant)? {THING} is marked as not used")
ELEMENT_MOST = re.compile(rf"^Element(?: variant)? {THING} may occur at maximum (?P<times>\d+)")
ELEMENT_EXACT = re.compile(rf"^Element(?: variant)? {THING} must occur (?:exactly|at least) (?P<times>\d+)")
ATTRIBUTE_UNUSED = re.compile(r"^Attribute '?@(?P<thing>\w+)' marked as not used")
ATTRIBUTE_WANTED = re.compile(r"^Attribute '@(?P<thing>\w+)' is required")
ATTRIBUTE_VALUE = re.compile(r"^Value of '@(?P<thing>\w+)' is not allowed")
ELEMENT_VALUE = re.compile(rf"^Value of {THING} is not allowed")
CII_UNUSED = re.compile(r"^\[CII-\S+\] ?- ?(?P<thing>\w+) (?:should not be present|shall not be used)")
CII_ONCE = re.compile(r"^\[CII-\S+\] ?- ?(?P<thing>[A-Z]\w+) .*at most once")
UBL_UNUSED = re.compile(r"^\[UBL-CR-\d+\]")
NOT = re.compile(r"^not\((?P<path>(?:c[ab]c:\w+/)*(?:c[ab]c:\w+|@\w+))\)$")

Pair = tuple[etree._Element, etree._Element]
"""A place as the rule wants it, and against it."""


@dataclass(frozen=True)
class Aim:
    """One assert of a published rule set."""

    rule: str
    rule_set: str
    text: str
    context: str
    test: str


Act = Callable[[etree._Element, re.Match[str], Aim], bool]
"""Changes a place; False where it cannot."""


def example(aim: Aim, sample: etree._Element, syntax: str) -> dict[str, str] | None:
    """An example of the rule in this sample; None where it cannot be made."""
    for good, bad in pairs(aim, sample):
        silent, loud = heard(aim.rule_set, good), heard(aim.rule_set, bad)
        shown = difference(good, bad)
        if aim.rule in loud and aim.rule not in silent and shown["good"] != shown["bad"]:
            also = sorted(loud.keys() - silent.keys() - {aim.rule})
            return {"syntax": syntax, "location": loud[aim.rule], "also": ", ".join(also[:8]), **shown}
    return None


def pairs(aim: Aim, sample: etree._Element) -> Iterator[Pair]:
    """The documents to try."""
    for context in aim.context.split(" | "):
        for words, *acts in ACTS:
            if found := words.match(aim.text):
                twins = copy.deepcopy(sample), copy.deepcopy(sample)
                places = [made(twin, context, found.groupdict().get("thing") or "") for twin in twins]
                if all(place is not None and act(place, found, aim) for place, act in zip(places, acts, strict=True)):
                    yield twins


def made(root: etree._Element, context: str, thing: str) -> etree._Element | None:
    """The element that a context names, made where it is not there; its parent where it ends with the thing itself."""
    steps = [(each["name"], each["condition"]) for each in STEP.finditer(context.strip())]
    if thing and steps and thing.split("[", maxsplit=1)[0] == steps[-1][0]:
        steps.pop()
    tag = name_of(root)
    if steps and steps[0][0] == tag:
        steps.pop(0)
    elif steps and not context.strip().startswith("/"):
        first = next(iter(root.xpath(f"//{steps[0][0]}", namespaces=NAMESPACES)), None)
        root = first.getparent() if first is not None else root
    for name, condition in steps:
        if not NAMED.fullmatch(name) or name.partition(":")[0] not in NAMESPACES:
            return None
        root = below(root, name, condition or "")
    return root


def below(parent: etree._Element, name: str, condition: str) -> etree._Element:
    """The child of this name that meets a condition, made so where there is none."""
    wanted = EQUALS.fullmatch(condition)
    for child in parent.iterfind(name, NAMESPACES):
        if not wanted or says(child, wanted["path"]) == wanted["value"]:
            return child
    child = etree.SubElement(parent, qualified(name))
    if wanted:
        say(child, wanted["path"], wanted["value"])
    return child


def says(element: etree._Element, path: str) -> str:
    found = element.xpath(f"string({path})", namespaces=NAMESPACES)
    return str(found)


def say(element: etree._Element, path: str, value: str) -> None:
    """Make what a path of elements, or of elements and one attribute, leads to."""
    *steps, last = path.split("/")
    for step in steps:
        element = etree.SubElement(element, qualified(step))
    if last.startswith("@"):
        element.set(last[1:], value)
    else:
        etree.SubElement(element, qualified(last)).text = value


def qualified(name: str) -> str:
    prefix, _, local = name.rpartition(":")
    return f"{{{NAMESPACES[prefix or 'ram']}}}{local}"


def name_of(element: etree._Element) -> str:
    namespace = etree.QName(element).namespace
    prefix = next((prefix for prefix, uri in NAMESPACES.items() if uri == namespace), "")
    return f"{prefix}:{etree.QName(element).localname}"


def add(place: etree._Element, thing: str, text: str = "x") -> None:
    """One more child of this name, with what its condition wants."""
    name, _, condition = thing.partition("[")
    child = etree.SubElement(place, qualified(name))
    if wanted := EQUALS.fullmatch(condition.rstrip("]")):
        say(child, wanted["path"], wanted["value"])
    else:
        child.text = text


def of_name(place: etree._Element, thing: str) -> list[Any]:
    return list(place.xpath(thing if ":" in thing else f"ram:{thing}", namespaces=NAMESPACES))


def exactly(place: etree._Element, thing: str, count: int) -> bool:
    """So many of this name below a place."""
    there = of_name(place, thing)
    for child in there[count:]:
        place.remove(child)
    for _ in range(count - len(there)):
        add(place, thing)
    return True


def marked(value: str | None) -> Act:
    """An attribute of this value; None: without it."""

    def act(place: etree._Element, found: re.Match[str], _: Aim) -> bool:
        if value is None:
            place.attrib.pop(found["thing"], None)
        else:
            place.set(found["thing"], GOOD.get(found["thing"], value) if value == USUAL else value)
        return True

    return act


def times(count: int) -> Act:
    """So many of an element; an attribute where the name is that of one."""

    def act(place: etree._Element, found: re.Match[str], aim: Aim) -> bool:
        most = int(found.groupdict().get("times") or 0)
        if found["thing"][:1].islower() and ":" not in found["thing"]:
            return marked("x" if count else None)(place, found, aim)
        return exactly(place, found["thing"], most + count)

    return act


def text(said: str) -> Act:
    """The text of an element."""

    def act(place: etree._Element, found: re.Match[str], _: Aim) -> bool:
        name, _, condition = found["thing"].rstrip("]").partition("[")
        child = below(place, name, condition)
        child.text = (child.text or GOOD.get(name.partition(":")[2], "FR")) if said == USUAL else said
        return True

    return act


def ubl(count: int) -> Act:
    """What the test of a rule says that there shall not be: so many of it."""

    def act(place: etree._Element, _: re.Match[str], aim: Aim) -> bool:
        found = NOT.match(aim.test.strip())
        if found is None:
            return False
        *steps, last = found["path"].split("/")
        for child in place.xpath(found["path"], namespaces=NAMESPACES) if not last.startswith("@") else ():
            child.getparent().remove(child)
        for step in steps if count else ():
            place = below(place, step, "")
        if count:
            say(place, last, "x")
        return True

    return act


USUAL = "usual"
LONGEST = 1200
"""Characters of an example."""

GOOD = {"schemeID": "0002", "format": "102", "unitCode": "HUR", "currencyID": "EUR", "mimeCode": "application/pdf",
        "filename": "piece.pdf", "listID": "VATEX", "TypeCode": "VAT", "CategoryCode": "S", "CountryID": "FR"}
ACTS: tuple[tuple[re.Pattern[str], Act, Act], ...] = (
    (ELEMENT_UNUSED, times(0), times(1)), (ELEMENT_MOST, times(0), times(1)), (ELEMENT_EXACT, times(0), times(-1)),
    (ATTRIBUTE_UNUSED, marked(None), marked("x")), (ATTRIBUTE_WANTED, marked(USUAL), marked(None)),
    (ATTRIBUTE_VALUE, marked(USUAL), marked("ZZZ")), (ELEMENT_VALUE, text(USUAL), text("ZZZ")),
    (CII_UNUSED, times(0), times(1)), (CII_ONCE, times(1), times(2)), (UBL_UNUSED, ubl(0), ubl(1)),
)
"""The words of a rule, what makes a place as it wants it, and what against it."""


def heard(rule_set: str, tree: etree._Element) -> dict[str, str]:
    """The rules of a set that speak, each with its first place; none where the engine stops."""
    found: dict[str, str] = {}
    try:
        for each in stylesheet.run(stylesheet.compiled(rule_set), tree, stylesheet.tree_of(tree)):
            found.setdefault(each.rule, each.place.path)
    except stylesheet.EngineFailure:
        pass
    return found


def difference(good: etree._Element, bad: etree._Element) -> dict[str, str]:
    """The smallest elements that hold all that differs, as text."""
    while True:
        pairs_below = list(zip(good, bad, strict=False))
        differing = [(one, other) for one, other in pairs_below if etree.tostring(one) != etree.tostring(other)]
        same_self = (good.attrib, good.text, len(good)) == (bad.attrib, bad.text, len(bad))
        if not same_self or len(differing) != 1:
            return {"good": written(good, against=bad), "bad": written(bad, against=good)}
        ((good, bad),) = differing


def written(element: etree._Element, *, against: etree._Element) -> str:
    """An element as text; children that it shares with the other are left out as an ellipsis."""
    shown = copy.deepcopy(element)
    shown.tail = None
    here, there = (Counter(etree.tostring(child, with_tail=False) for child in each) for each in (shown, against))
    alike = [child for child in shown if here[said := etree.tostring(child, with_tail=False)] == there[said]]
    same = len(alike) if len(against) != len(element) else 0
    for child in alike if same > 1 else ():
        if child is alike[0]:
            child.tail = None
            shown.replace(child, etree.Comment(" … "))
        else:
            shown.remove(child)
    for child in shown.iter():
        child.tail = None
    etree.indent(shown)
    text = etree.tostring(shown, encoding="unicode")
    return re.sub(r' xmlns(?::\w+)?="[^"]*"', "", text)[:LONGEST]
