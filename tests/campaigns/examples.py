"""Make the good and bad example of each rule: own samples, spoiled in one place until exactly that rule speaks.

`make campaign-examples` writes validation/explain/examples.json. For each rule the spoiling that makes the fewest other
rules speak is kept; a rule that no spoiling reaches has no example, and its page says so. Nothing is copied.
"""

import argparse
import copy
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from lxml import etree

from formats.safexml import parse
from validation import run

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "tests" / "vectors" / "validation"
TARGET = ROOT / "validation" / "explain" / "examples.json"
OPTIONS = run.Options(as_of=date(2026, 11, 21), max_findings=3)
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


def main() -> None:
    """Spoil each sample and keep the best example of each rule."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("samples", nargs="*", type=Path)
    made.add_argument("--every", type=int, default=1, help="only each n-th spoiling")
    options = made.parse_args()
    samples = options.samples or sorted(p for p in VECTORS.glob("*.xml") if not p.name.startswith("status"))
    best: dict[str, dict[str, str]] = json.loads(TARGET.read_text("utf-8")) if TARGET.is_file() else {}
    scores = {rule: len([name for name in example["also"].split(", ") if name]) for rule, example in best.items()}
    for sample in samples:
        root = parse(sample.read_bytes())
        usual = run.validate(sample.read_bytes(), OPTIONS).rules()
        for number, (tree, before, after) in enumerate(spoiled(root)):
            if number % options.every:
                continue
            report = run.validate(etree.tostring(tree), OPTIONS)
            fresh = report.rules() - usual
            for finding in report.findings:
                if finding.rule in fresh and len(fresh) - 1 < scores.get(finding.rule, 99):
                    scores[finding.rule] = len(fresh) - 1
                    best[finding.rule] = {
                        "syntax": report.syntax, "good": before, "bad": after, "location": finding.location or "",
                        "also": ", ".join(sorted(fresh - {finding.rule})[:8]),
                    }
        print(sample.name, len(best), "rules", flush=True)
        TARGET.write_text(json.dumps(dict(sorted(best.items())), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
