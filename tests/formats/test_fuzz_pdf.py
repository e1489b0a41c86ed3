"""Damaged PDFs, seeded: out of extraction and repair come only our own errors, and what is made is readable.

PASSERELLE_FUZZ_SEED and PASSERELLE_FUZZ_EXAMPLES make it longer: see tests/campaigns/fuzz.py.
"""

import io
import os
import random
import re
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache

import pikepdf
import producers
import pytest

from formats.errors import FormatError
from formats.facturx import embed_repaired, extract

SEED = int(os.environ.get("PASSERELLE_FUZZ_SEED", "1"))
EXAMPLES = int(os.environ.get("PASSERELLE_FUZZ_EXAMPLES", "100"))
XML = b'<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"/>'
WORDS = {"profile": "en16931", "title": "T", "author": "A", "subject": "S", "made_at": datetime(2026, 1, 1, tzinfo=UTC)}
NUMBER = re.compile(rb"\d+")
NAME = re.compile(rb"/[A-Za-z0-9]+")
ODD = (b"0", b"-1", b"1", b"7", b"65536", b"2147483648", b"99999999999999999999", b"1.5", b"null", b"[]", b"<<>>",
       b"(x)", b"/X", b"true", b"1 0 R", b"99 0 R")


@cache
def seeds() -> tuple[bytes, ...]:
    """Sound PDFs with an invoice inside, their structure as readable text, so that damage hits meaning."""
    return tuple(plain(embed_repaired(make(), XML, **WORDS).document) for make in producers.HERE.values())


def plain(pdf: bytes) -> bytes:
    target = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        document.save(target, qdf=True, object_stream_mode=pikepdf.ObjectStreamMode.disable, static_id=True)
    return target.getvalue()


def flip(pdf: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(pdf))
    return pdf[:at] + bytes([dice.randrange(256)]) + pdf[at + 1:]


def cut(pdf: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(pdf))
    return pdf[:at] + pdf[at + dice.choice((1, 9, 99, 999, len(pdf))):]


def double(pdf: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(pdf))
    return pdf[:at] + pdf[at:at + dice.choice((9, 99, 999))] * 2 + pdf[at:]


def swap(pattern: re.Pattern[bytes]) -> Callable[[bytes, random.Random], bytes]:
    """One occurrence of a pattern becomes another one, or something odd."""
    def change(pdf: bytes, dice: random.Random) -> bytes:
        found = list(pattern.finditer(pdf))
        if not found:
            return pdf
        at = dice.choice(found)
        return pdf[:at.start()] + dice.choice((dice.choice(ODD), dice.choice(found)[0])) + pdf[at.end():]
    return change


DAMAGE = (flip, cut, double, swap(NUMBER), swap(NUMBER), swap(NAME), swap(NAME))


@pytest.mark.parametrize("operation", ["extract", "embed"])
def test_only_our_own_errors_come_out_of_damaged_pdfs(operation: str) -> None:
    dice, answers = random.Random(SEED), {"made": 0, "refused": 0}
    for _ in range(EXAMPLES):
        pdf = dice.choice(seeds())
        for _ in range(dice.choice((1, 1, 2, 5))):
            pdf = dice.choice(DAMAGE)(pdf, dice)
        try:
            with warnings.catch_warnings(action="ignore"):  # pikepdf warns of forms out of reach
                once(pdf, operation)
            answers["made"] += 1
        except FormatError as error:
            assert str(error)  # noqa: PT017 - a refusal is an answer
            answers["refused"] += 1
    assert min(answers.values()) > EXAMPLES // 50, answers


def once(pdf: bytes, operation: str) -> None:
    if operation == "extract":
        extract(pdf)
    else:
        made = embed_repaired(pdf, XML, **WORDS).document
        assert extract(made).xml == XML
