"""Factur-X's rules against CEN's own on CII that is no Factur-X: the aliases hold, and the verdicts agree.

Needs the rules that `make oracles` fetches. The documents are those of the corpus, and mutants of them by a seed.
"""

import copy
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cen_sheet
import pytest
from lxml import etree

from formats.errors import FormatError
from formats.opening import open_document
from schematron import supply
from validation import stylesheet

pytestmark = [pytest.mark.corpus, pytest.mark.java]

SEED, MUTANTS = 20261122, 400
FACTUR_X = supply.get_rule_set("facturx-en16931")
PROFILES = {"cius", "en16931", "unknown"}

NOT_IN_FACTUR_X = {"CII-SR-461", "CII-SR-462", "CII-DT-097"}
"""Conditions that Factur-X does not have; ours are PAS-TERM-01, PAS-TERM-02 and PAS-DATE-01."""

EMPTY_PASSES = {"BR-65", "BR-CL-13", "BR-CL-19"}
"""Where Factur-X is content with an empty value."""


@dataclass(frozen=True)
class Cii:
    """A CII that is no Factur-X."""

    root: etree._Element
    profile: str


@pytest.fixture(scope="module")
def documents(corpus: Path) -> list[Cii]:
    found = []
    for path in sorted(corpus.rglob("*.xml")):
        if path.relative_to(corpus).parts[0] in {"bad-xml", "cen-unit", "non-utf8"}:
            continue
        try:
            opened = open_document(path.read_bytes())
        except FormatError:
            continue
        if opened.syntax.value == "cii" and opened.profile.value in PROFILES and opened.root is not None:
            found.append(Cii(opened.root, opened.profile.value))
    return found


def mutants(documents: list[Cii]) -> Iterator[Cii]:
    """One change each: an element gone, doubled, emptied or with an odd value, an attribute gone, odd or too many."""
    draw = random.Random(SEED)
    for _ in range(MUTANTS):
        chosen = draw.choice(documents)
        root = copy.deepcopy(chosen.root)
        element = draw.choice([e for e in root.iter(etree.Element) if e.getparent() is not None])
        leaf = draw.choice([e for e in root.iter(etree.Element) if not len(e)])
        change = draw.randrange(5)
        if change == 0:
            element.getparent().remove(element)
        elif change == 1:
            element.addnext(copy.deepcopy(element))
        elif change == 2:
            leaf.text = draw.choice(["", "ZZX"])
        elif change == 3:
            for name in leaf.attrib:
                leaf.set(name, "ZZX")
        else:
            leaf.set(draw.choice(["schemeID", "listID", "currencyID"]), "ZZ")
        yield Cii(root, chosen.profile)


def both(document: Cii) -> tuple[tuple[stylesheet.Fired, ...], tuple[stylesheet.Fired, ...]] | None:
    try:
        return (
            stylesheet.run(stylesheet.compiled(FACTUR_X.id), document.root),
            stylesheet.run(cen_sheet.compiled(), document.root),
        )
    except stylesheet.EngineFailure:
        return None


def test_where_an_aliased_assert_fires_the_rule_of_cen_does(documents: list[Cii]) -> None:
    wrong: Counter[tuple[str, str]] = Counter()
    used = set()
    for document in (*documents, *mutants(documents)):
        if (said := both(document)) is None:
            continue
        ours, theirs = ({f.rule for f in each} for each in said)
        for rule in ours & set(FACTUR_X.aliases):
            used.add(rule)
            wrong.update((rule, alias) for alias in FACTUR_X.aliases[rule] if alias not in theirs)
    assert wrong == {}
    assert len(used) > 30


def test_the_verdict_on_a_plain_cii_is_that_of_cen(documents: list[Cii]) -> None:
    """Of the layer en16931 alone, on every CII of the corpus that is no Factur-X."""
    agree = 0
    too_strict, too_lenient = [], []
    for document in documents:
        if (said := both(document)) is None:
            continue
        ours = {f.rule for f in said[0] if blocks(f, document.profile)}
        theirs = {f.rule for f in said[1] if f.flag == "fatal"}
        if bool(ours) == bool(theirs):
            agree += 1
        elif ours:
            too_strict.append(ours)
        elif not theirs & (NOT_IN_FACTUR_X | EMPTY_PASSES):
            too_lenient.append(theirs)
    assert too_lenient == []
    assert too_strict in ([], [{"FX-SCH-A-000589"}])  # VATEX in lower case: CEN compares in upper case
    assert agree >= 190


def blocks(fired: stylesheet.Fired, profile: str) -> bool:
    ruling = FACTUR_X.find_ruling(fired.rule, "cii", profile)
    return fired.flag != "warning" and (ruling is None or ruling.blocks)
