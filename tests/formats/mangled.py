"""Documents with something broken, from a seed: bytes, elements, values, or two documents grown together."""

import random
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from formats.json_form import read_json
from formats.syntax import Syntax, write

EVERY = read_json((Path(__file__).parents[1] / "vectors" / "formats" / "every-term.json").read_bytes())
SOURCES = (
    write(EVERY, Syntax.UBL_INVOICE), write(EVERY, Syntax.CII), write(EVERY, Syntax.JSON),
    write(replace(EVERY, type_code="381"), Syntax.UBL_CREDIT_NOTE),
)
_TAG = re.compile(rb"</?[A-Za-z]+:[A-Za-z]+[^>]*>")
_TEXT = re.compile(rb'>[^<>]+<|"[^"<>]*"')
_ODD = (
    b"", b" ", b"NaN", b"-", b"1e9", b"1,5", b"9" * 200, b"0001-01-01", b"99999999", b"2026-02-30", b"\xff\xfe",
    b"\x00", b"&#0;", b"&lt;", b"&x;", b"]]>", b"<![CDATA[x]]>", b"<!DOCTYPE a>", b"<?xml version='1.0'?>",
    "\u202e\U0001f4a3".encode(),
    b"[]", b"{}", b"null", b"[" * 3000, b"\\ud800", b"1E400", b"true",
)


def mangled(seed: int, count: int) -> Iterator[bytes]:
    """So many broken documents; the same ones for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        document = chance.choice(SOURCES)
        for _ in range(chance.choice((1, 1, 2, 5))):
            document = chance.choice(_WAYS)(document, chance)
        yield document


def _byte(document: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(document) + 1)
    return document[:at] + chance.randbytes(chance.randrange(3)) + document[at + chance.randrange(3) :]


def _cut(document: bytes, chance: random.Random) -> bytes:
    first, last = sorted(chance.choices(range(len(document) + 1), k=2))
    return document[:first] + document[last:]


def _grown(document: bytes, chance: random.Random) -> bytes:
    other = chance.choice(SOURCES)
    first, last = sorted(chance.choices(range(len(other) + 1), k=2))
    at = chance.randrange(len(document) + 1)
    return document[:at] + other[first : min(last, first + 2000)] + document[at:]


def _tag(document: bytes, chance: random.Random) -> bytes:
    found = list(_TAG.finditer(document))
    if not found:
        return document
    one, other = chance.choice(found), chance.choice(found)
    return document[: one.start()] + chance.choice((b"", other[0], one[0] * 2)) + document[one.end() :]


def _text(document: bytes, chance: random.Random) -> bytes:
    found = list(_TEXT.finditer(document))
    if not found:
        return document
    one = chance.choice(found)
    return document[: one.start() + 1] + chance.choice(_ODD) + document[one.end() - 1 :]


_WAYS = (_byte, _cut, _grown, _tag, _text, _text, _text)
