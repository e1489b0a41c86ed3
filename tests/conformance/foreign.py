"""Foreign converters over the corpus, and how the model of their output differs from ours.

phax (cii2ubl, ubl2cii), the one in the factur-x package, and Mustang-CLI, in which is an older cii2ubl of phax.
"""

import re
import subprocess
import time
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

import facturx
from lxml import etree

from formats.errors import FormatError
from formats.invoice import Identifier, Invoice
from formats.nesting import is_nested, is_within
from formats.opening import open_document
from formats.syntax import Syntax, read, read_tree, syntax_of
from formats.terms import lost
from formats.texts import shown

ROOT = Path(__file__).parents[2]
JARS = ROOT / "oracles" / "phax"
CLASSES = ROOT / "tests" / "vectors" / "conversion" / "foreign.toml"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the foreign converter made of one source."""

    source: Path
    direction: str
    milliseconds: float | None
    """None where it failed."""

    reason: str
    document: bytes


@dataclass(frozen=True, slots=True)
class Converter:
    """A foreign converter in Java."""

    program: Path
    classpath: str
    directions: dict[Syntax, str]


PHAX = Converter(Path(__file__).with_name("ForeignConverters.java"), f"{JARS}/*", {
    Syntax.CII: "cii2ubl", Syntax.UBL_INVOICE: "invoice2cii", Syntax.UBL_CREDIT_NOTE: "credit2cii"})
MUSTANG = Converter(Path(__file__).with_name("MustangConverter.java"), str(ROOT / "oracles" / "Mustang-CLI.jar"), {
    Syntax.CII: "mustang-cii2ubl"})
FACTURX = {Syntax.CII: "facturx-cii2ubl", Syntax.UBL_INVOICE: "facturx-ubl2cii",
           Syntax.UBL_CREDIT_NOTE: "facturx-ubl2cii"}


def convert_all(sources: Iterable[Path], folder: Path, converter: Converter = PHAX) -> Iterator[Answer]:
    """Each source through a foreign converter, in one Java process; outputs and payloads of PDFs go to `folder`."""
    command = ["java", "-cp", converter.classpath, str(converter.program)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True) as java:
        assert java.stdin is not None
        assert java.stdout is not None
        for number, path in enumerate(sources):
            opened = open_document(path.read_bytes())
            assert opened.root is not None
            direction = converter.directions.get(syntax_of(opened.root))
            if direction is None:
                continue
            given, made = folder / f"{number}-given.xml", folder / f"{number}-{direction}.xml"
            given.write_bytes(opened.payload)
            print(direction, given, made, sep="\t", file=java.stdin, flush=True)
            outcome, _, detail = java.stdout.readline().rstrip("\n").partition("\t")
            done = outcome == "ok"
            yield Answer(path, direction, float(detail) if done else None, "" if done else detail,
                         made.read_bytes() if done else b"")


def convert_with_facturx(sources: Iterable[Path]) -> Iterator[Answer]:
    """Each source through the converter of the factur-x package, as its command `facturx-convert` calls it."""
    for path in sources:
        opened = open_document(path.read_bytes())
        assert opened.root is not None
        syntax = syntax_of(opened.root)
        flavour = "ubl-2.1" if syntax is Syntax.CII else "factur-x"
        started = time.perf_counter()
        try:
            terms = facturx.parse_ubl_cii_xml(opened.payload, float_as="string", date_as="string", bytes_as="string",
                                              check_xsd=False, check_schematron=False)
            terms.pop("BT-24", None)  # as the command does: its output is of the level EN 16931
            made = facturx.generate_xml(terms, flavor=flavour, level="en16931", check_xsd=False, check_schematron=False)
        except Exception as error:  # noqa: BLE001 - whatever it raises, it has not converted
            yield Answer(path, FACTURX[syntax], None, f"{type(error).__name__} {error}", b"")
            continue
        yield Answer(path, FACTURX[syntax], (time.perf_counter() - started) * 1000, "", made)


def differences(ours: Invoice, answer: Answer) -> Counter[str]:
    """How the model of their output differs from ours, each as a kind and a pointer without numbers.

    `digits`: the same number written otherwise. `lost`: the text is nowhere in their output. `elsewhere`: it is there,
    but not as this term. `changed`: the term says something else. `added`: the source does not have it.
    """
    theirs = read(answer.document).invoice
    texts = {text for element in etree.fromstring(answer.document).iter(etree.Element)
             for text in (*element.values(), (element.text or "").strip())}
    missing = {item.pointer: item for item in lost(ours, theirs)}
    added = {item.pointer: item for item in lost(theirs, ours)}
    found: Counter[str] = Counter()
    for pointer in missing.keys() | added.keys():
        mine, other = missing.get(pointer), added.get(pointer)
        if mine is not None and other is not None:
            kind = "digits" if mine.value == other.value else "changed"
        elif mine is not None:
            kind = "elsewhere" if said(mine.value) & texts else "lost"
        else:
            kind = "added"
        found[f"{kind} {spelled(pointer)}"] += 1
    return found


def said(value: object) -> set[str]:
    """The texts in which a document may say a value."""
    if isinstance(value, Decimal):
        return {format(value, "f"), format(value.normalize(), "f")}
    if isinstance(value, date):
        return {value.isoformat(), value.strftime("%Y%m%d")}
    return {shown(value.value if isinstance(value, Identifier) else value)}


def spelled(pointer: str) -> str:
    """A pointer without its numbers."""
    return re.sub(r"/[0-9]+(?=/|$)", "", pointer)


def compare(answer: Answer) -> Counter[str] | str:
    """The differences between the source's model, which is what our output says, and theirs; or why there are none."""
    if answer.milliseconds is None:
        return "theirs fails"
    opened = open_document(answer.source.read_bytes())
    assert opened.root is not None
    try:
        ours = read_tree(opened.root).invoice
    except FormatError:
        return "source unreadable"
    if syntax_of(opened.root) is not Syntax.CII and is_nested(ours):  # lines within lines: see narrowing
        ours = replace(ours, lines=tuple(line for line in ours.lines if not is_within(line)))
    try:
        return differences(ours, answer)
    except FormatError:
        return "theirs unreadable"


@cache
def classes() -> tuple[dict[str, str], ...]:
    """The known differences: direction, kind, where (regular expressions), class and reason."""
    return tuple(tomllib.loads(CLASSES.read_text(encoding="utf-8"))["known"])


def way_of(direction: str) -> str:
    """A direction, invoices and credit notes together."""
    return "ubl2cii" if direction in {"invoice2cii", "credit2cii"} else direction


def class_of(direction: str, difference: str) -> str | None:
    """The class of a difference, or None if it is not known."""
    way = way_of(direction)
    kind, _, where = difference.partition(" ")
    fits = (one for one in classes() if re.fullmatch(one["direction"], way) and re.fullmatch(one["kind"], kind)
            and re.fullmatch(one["where"], where))
    return next((one["class"] for one in fits), None)
