"""Documents changed in one place (sometimes two), the same for the same number: to hold two forms of the rules
against each other where they are least alike, on what nobody would write.

`origins()` are ours and whole; `mutant(number, origins)` takes one of them and changes one element or attribute.
"""

import random
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from formats.profiles import EN16931, IDENTIFIERS, Profile

VECTORS = Path(__file__).parents[1] / "vectors" / "validation"
SYNTAXES = {
    "credit-note-ubl": "ubl-credit-note", "ubl": "ubl-invoice", "cii": "cii", "status": "cdar", "flow-10": "flux10",
}
"""What is in a file's name to the syntax, the first that fits."""

TEXTS = (
    "", " ", "0", "-1.00", "1", "20", "100.00", "100.001", "1,5", "1e3", "NaN", "INF", "-0", "+5", "0.005",
    "99999999999999.99", "XX", "FR", "fr", "EUR", "EUX", "S", "E", "AE", "O", "K", "VAT", "vat", "380", "381", "C62",
    "ZZZ", "H87 C62", "0002", "0225", "9999", "20261103", "20260230", "2026-11-03", "2026-02-30", "2026", "true",
    "false", "urn:x", "urn:cen.eu:en16931:2017", "000000018", "FR66000000018", "é€𝄞\u00a0", "a\nb\tc", " S ",
    "#PMT#", "#X#", "VATEX-EU-AE", "' or 1=1", '"', "]]>", "&lt;{}", "doc('file:///etc/passwd')", "1" * 60,
    "x" * 1100, "\u2028", "ſ", "İ",
)
"""What a text becomes: codes, numbers and dates, right and wrong, and what trips a lexer."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A document to change."""

    name: str
    syntax: str
    document: bytes


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed document."""

    name: str
    """What was changed, and in what."""

    syntax: str
    document: bytes


def origins() -> list[Origin]:
    """Ours: small and whole invoices in each syntax and profile, lifecycle messages, e-reporting flows. All valid as
    they are in the profile EN 16931; in another, rules may fire before anything is changed."""
    made = []
    for file in sorted(VECTORS.glob("*.xml")):
        document = file.read_bytes()
        syntax = next(syntax for name, syntax in SYNTAXES.items() if name in file.stem)
        made.append(Origin(file.stem, syntax, document))
        if file.stem.startswith("whole"):
            for profile, identifier in IDENTIFIERS.items():
                if syntax == "cii" or profile is Profile.EXTENDED_CTC_FR:
                    other = document.replace(EN16931.encode(), identifier.encode(), 1)
                    made.append(Origin(f"{file.stem}-{profile.value}", syntax, other))
    return made


def mutant(seed: int, number: int, among: Sequence[Origin]) -> Mutant:
    """The mutant of this number: one change, in one of eight two, of the element or attribute that chance chooses."""
    chance = random.Random(f"{seed}-{number}")
    origin = among[number % len(among)]
    root = etree.fromstring(origin.document)
    changes = []
    for _ in range(2 if chance.random() < 0.125 else 1):
        element = chance.choice([each for each in root.iter(etree.Element) if each is not root] or [root])
        on_attribute = bool(element.attrib) and chance.random() < 0.4
        act = chance.choice(ON_ATTRIBUTES if on_attribute else ON_ELEMENTS)
        changes.append(f"{act.__name__} {etree.QName(element).localname}")
        act(element, chance)
    document = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return Mutant(f"{number} {origin.name}: {', '.join(changes)}", origin.syntax, document)


def delete(element: etree._Element, _: random.Random) -> None:
    parent(element).remove(element)


def double(element: etree._Element, _: random.Random) -> None:
    element.addnext(deepcopy(element))


def empty(element: etree._Element, _: random.Random) -> None:
    element[:] = []
    element.text = None


def swap(element: etree._Element, _: random.Random) -> None:
    """With what follows it; the last one with the first."""
    siblings = parent(element)
    other = element.getnext()
    if other is not None:
        other.addnext(element)
    elif len(siblings) > 1:
        siblings.insert(0, element)


def swap_texts(element: etree._Element, chance: random.Random) -> None:
    """With any other element that holds text."""
    leaves = [each for each in element.getroottree().getroot().iter(etree.Element) if len(each) == 0]
    other = chance.choice(leaves)
    if len(element) == 0:
        element.text, other.text = other.text, element.text


def change(element: etree._Element, chance: random.Random) -> None:
    element.text = chance.choice(TEXTS)


def nudge(element: etree._Element, chance: random.Random) -> None:
    """The text, a little different."""
    text = element.text or ""
    nudged = (f" {text} ", f"-{text}", f"{text}1", text[:-1], text.lower(), f"{text} {text}", f"0{text}")
    element.text = chance.choice(nudged)


def split(element: etree._Element, chance: random.Random) -> None:
    """A comment or an instruction in the middle of the text: one string, two text nodes."""
    text = element.text or ""
    node = chance.choice((etree.Comment("x"), etree.ProcessingInstruction("x", "y")))
    element.text, node.tail = text[: len(text) // 2], text[len(text) // 2 :]
    element.insert(0, node)


def rename(element: etree._Element, chance: random.Random) -> None:
    """To the name of any other element."""
    element.tag = chance.choice([each.tag for each in element.getroottree().getroot().iter(etree.Element)])


def move_up(element: etree._Element, _: random.Random) -> None:
    """Out of its parent, after it."""
    above = parent(element)
    if above.getparent() is not None:
        above.addnext(element)


def transplant(element: etree._Element, chance: random.Random) -> None:
    """A copy of it into any other element."""
    chance.choice(list(element.getroottree().getroot().iter(etree.Element))).append(deepcopy(element))


def add_attribute(element: etree._Element, chance: random.Random) -> None:
    name = chance.choice(("schemeID", "listID", "unitCode", "currencyID", "mimeCode", "format", "schemeId"))
    element.set(name, chance.choice(TEXTS))


def delete_attribute(element: etree._Element, chance: random.Random) -> None:
    del element.attrib[chance.choice(sorted(element.attrib))]


def change_attribute(element: etree._Element, chance: random.Random) -> None:
    element.set(chance.choice(sorted(element.attrib)), chance.choice(TEXTS))


def nudge_attribute(element: etree._Element, chance: random.Random) -> None:
    name = chance.choice(sorted(element.attrib))
    text = element.get(name, "")
    element.set(name, chance.choice((f" {text}", text.lower(), f"{text} {text}", text[:-1])))


def parent(element: etree._Element) -> etree._Element:
    above = element.getparent()
    return above if above is not None else element


Act = Callable[[etree._Element, random.Random], None]
ON_ELEMENTS: tuple[Act, ...] = (
    delete, delete, double, double, empty, swap, swap_texts, change, change, change, nudge, split, rename, move_up,
    transplant, add_attribute,
)
ON_ATTRIBUTES: tuple[Act, ...] = (delete_attribute, change_attribute, nudge_attribute)
