"""Make the good and bad example of each rule: own samples, spoiled in one place until that rule speaks.

`make campaign-examples` writes validation/explain/examples.json. A rule of ours has the two documents of its test. For
a published one every sample is spoiled place by place and judged by every rule set of its syntax; the spoiling that
makes the fewest other rules of the set speak is kept. For a rule about structure that none reaches its place is made
(aimed_examples.py). A rule that neither reaches has no example, and its page says so. Nothing is copied.

    python tests/campaigns/examples.py [SAMPLE...] [--every N] [--from N] [--only-aimed]
"""

import argparse
import copy
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests" / "validation"), str(Path(__file__).parent)]

from aimed_examples import Aim, example, heard
from lxml import etree
from own_vectors import Vector, vectors

from formats.opening import open_document
from formats.safexml import parse
from schematron import supply
from schematron.sheet import asserts_of
from validation.stylesheet import rule_id

VECTORS = ROOT / "tests" / "vectors" / "validation"
TARGET = ROOT / "validation" / "explain" / "examples.json"
LONGEST = 1200
"""Characters of an example: a larger place is cut."""

WRONG = (
    "", "ZZZ", "-1.00", "1.23456", "0", "999999.99", "2026-13-45", "20261345", "fr", "S", "E", "O", "K", "AE",
    "G", "Z", "L", "M", "B", "381", "384", "B4", "S2", "S8", "S9", "0002", "0009", "0225", "USD",
    "1999-01-01", "19990101", "#BAR#B2B", "12 345", "30", "48", "59", "20.000", "21",
)
EACH_ATTRIBUTE = ("", "ZZZ", "0002", "0231", "USD")


def spoiled(root: etree._Element) -> Iterator[tuple[etree._Element, str, str]]:
    """Every spoiling of a document: the spoiled tree, and what was and is written at the place."""
    for number, element in enumerate(root.iter(etree.Element)):
        if element.getparent() is None:
            continue
        before = written(element)
        for change in changes(element):
            tree = copy.deepcopy(root)
            twin = list(tree.iter(etree.Element))[number]
            yield tree, before, change(twin)


def changes(element: etree._Element) -> Iterator:
    """The functions that spoil one element, each returning what is written there afterwards."""
    yield delete
    yield double
    if not len(element):
        for text in WRONG:
            if text != (element.text or ""):
                yield lambda twin, text=text: put(twin, text)
    for name in element.attrib:
        yield lambda twin, name=name: drop(twin, name)
        for value in EACH_ATTRIBUTE:
            yield lambda twin, name=name, value=value: mark(twin, name, value)
    if not len(element) and not element.attrib:
        yield lambda twin: mark(twin, "schemeID", "0002")


def delete(twin: etree._Element) -> str:
    """Take the element away."""
    parent = twin.getparent()
    parent.remove(twin)
    return written(parent) if parent.getparent() is not None else "(absent)"


def double(twin: etree._Element) -> str:
    """Write it twice."""
    twin.addnext(copy.deepcopy(twin))
    return written(twin) + "\n" + written(twin)


def put(twin: etree._Element, text: str) -> str:
    """Another text."""
    twin.text = text
    return written(twin)


def drop(twin: etree._Element, name: str) -> str:
    """Without an attribute."""
    del twin.attrib[name]
    return written(twin)


def mark(twin: etree._Element, name: str, value: str) -> str:
    """With another attribute."""
    twin.set(name, value)
    return written(twin)


def written(element: etree._Element) -> str:
    """The XML of an element, without the namespace declarations that nobody reads."""
    clean = copy.deepcopy(element)
    clean.tail = None
    text = etree.tostring(clean, encoding="unicode")
    for prefix, uri in element.nsmap.items():
        text = text.replace(f' xmlns:{prefix}="{uri}"' if prefix else f' xmlns="{uri}"', "")
    return text if len(text) <= LONGEST else text[:LONGEST] + " …"


def own() -> Iterator[tuple[str, dict[str, str]]]:
    """The example of each rule of ours: the vector that nearly fires it, and the one that does."""
    kinds: dict[tuple[str, str], Vector] = {}
    for vector in vectors():
        kinds.setdefault((vector.rule, vector.kind), vector)
    for (rule, kind), fires in kinds.items():
        near = kinds.get((rule, "near"))
        if kind == "fires" and near is not None:
            pointers = sorted({pointer for each in (fires, near) for pointer in touched(each)})
            if all(said(fires, pointer) == said(near, pointer) for pointer in pointers):  # the base differs
                pointers += [f"/{name}" for name in sorted({*fires.value(), *near.value()})
                             if fires.value().get(name) != near.value().get(name)]
            replaced = [vector.change.get("xml", {}).get("ubl") or vector.change.get("xml", {}).get("cii") or ()
                        for vector in (near, fires)]
            good, bad = ("\n".join([*(said(vector, pointer) for pointer in pointers), *(new for _, new in texts)])
                         for vector, texts in zip((near, fires), replaced, strict=True))
            yield rule, {"syntax": "json", "good": good[:LONGEST] or "(absent)", "bad": bad[:LONGEST] or "(absent)",
                         "location": pointers[0] if pointers else "", "also": ""}


def touched(vector: Vector) -> Iterator[str]:
    """The places of our JSON that a vector changes."""
    for pointer in (*vector.change.get("set", {}), *vector.change.get("remove", ())):
        yield pointer.removesuffix("/-")


def said(vector: Vector, pointer: str) -> str:
    """What the invoice of a vector has at a place of our JSON."""
    value: Any = vector.value()
    for step in pointer.strip("/").split("/"):
        try:
            value = value[int(step)] if isinstance(value, list) else value[step]
        except (KeyError, IndexError):
            return f"{pointer} : (absent)"
    return f"{pointer} : {json.dumps(value, ensure_ascii=False)}"


def aimed(best: dict[str, dict[str, str]], target: Path) -> None:
    """Rules about structure that no spoiling has reached: their place is made, right and wrong."""
    samples = {syntax: parse((VECTORS / name).read_bytes()) for syntax, name in (
        ("cii", "whole-cii.xml"), ("ubl-invoice", "whole-ubl.xml"), ("ubl-credit-note", "whole-credit-note-ubl.xml"))}
    for rule_set in supply.rule_sets():
        for aim in aims(rule_set) if rule_set.layer in {"en16931", "extended"} else ():
            for syntax in (each for each in samples if each in rule_set.syntaxes and aim.rule not in best):
                if found := example(aim, samples[syntax], syntax):
                    best[aim.rule] = found
        write(best, target)
        print(rule_set.id, len(best), "rules", flush=True)


def aims(rule_set: supply.RuleSet) -> Iterator[Aim]:
    """The asserts of a set."""
    for each in asserts_of(rule_set):
        name = rule_id(rule_set.id, each.id, each.text, each.context, each.test)
        yield Aim(name, rule_set.id, each.text, each.context, each.test)


def main() -> None:
    """Spoil each sample and keep the best example of each rule."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("samples", nargs="*", type=Path)
    made.add_argument("--every", type=int, default=1, help="only each n-th spoiling")
    made.add_argument("--from", dest="first", type=int, default=0, help="beginning with this one")
    made.add_argument("--target", type=Path, default=TARGET)
    made.add_argument("--only-aimed", action="store_true", help="spoil nothing")
    options = made.parse_args()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what the engine prints about its errors
    best: dict[str, dict[str, str]] = json.loads(TARGET.read_text("utf-8")) if TARGET.is_file() else {}
    best = {rule: found for rule, found in best.items() if found["good"] != found["bad"]} | dict(own())
    scores = {rule: len([name for name in example["also"].split(", ") if name]) for rule, example in best.items()}
    for sample in () if options.only_aimed else options.samples or sorted(VECTORS.glob("*.xml")):
        spoil(sample, best, scores, options)
        print(sample.name, len(best), "rules", flush=True)
    aimed(best, options.target)


def spoil(sample: Path, best: dict[str, dict[str, str]], scores: dict[str, int], options: argparse.Namespace) -> None:
    """Every spoiling of one sample, judged by every rule set of its syntax; keeps what is better than before."""
    root = parse(sample.read_bytes())
    syntax = open_document(sample.read_bytes()).syntax.value
    sets = [each.id for each in supply.rule_sets() if syntax in each.syntaxes and each.layer != "xsd"]
    usual = {name: heard(name, root).keys() for name in sets}
    for number, (tree, before, after) in enumerate(spoiled(root)):
        if number % options.every != options.first:
            continue
        again = parse(etree.tostring(tree))
        for name in sets:
            fresh = {rule: place for rule, place in heard(name, again).items() if rule not in usual[name]}
            for rule, place in fresh.items():
                if len(fresh) - 1 < scores.get(rule, 99):
                    scores[rule] = len(fresh) - 1
                    best[rule] = {"syntax": syntax, "good": before, "bad": after, "location": place,
                                  "also": ", ".join(sorted(fresh.keys() - {rule})[:8])}
        if number % 500 == 0:
            write(best, options.target)
    write(best, options.target)


def write(best: dict[str, dict[str, str]], target: Path) -> None:
    """Keep what there is."""
    target.write_text(json.dumps(dict(sorted(best.items())), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
