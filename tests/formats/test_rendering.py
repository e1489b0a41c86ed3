"""The printed invoice: every term is on it, it is PDF/A, and nothing in the data can break it."""

import io
import re
import shutil
import struct
import subprocess
import zlib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats import invoice as model
from formats.errors import CannotWrite
from formats.invoice import Invoice, Item, Line, Note, Party
from formats.json_form import read_json
from formats.rendering import figures
from formats.rendering.page import page, title_of
from formats.rendering.phrases import label
from formats.rendering.render import draw
from formats.rendering.words import DOCUMENT_CODES
from formats.xmp import pdfa_claim

VECTORS = Path(__file__).parents[1] / "vectors" / "rendering"
PDFTOTEXT = shutil.which("pdftotext")
needs_pdftotext = pytest.mark.skipif(PDFTOTEXT is None, reason="pdftotext is not installed")

CODES = {"type_code", "country", "origin_country", "unit", "base_quantity_unit", "means_code", "subject_code", "scheme",
         "vat_category", "category", "tax_point_date_code", "business_process", "mime_code", "content"}
"""Fields that are shown by their meaning, or not at all (the bytes of an attachment)."""


def vector(name: str) -> Invoice:
    return read_json((VECTORS / f"{name}.json").read_bytes())


def leaves(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    """Every filled field of a model with its name."""
    if is_dataclass(value):
        for one in fields(value):
            yield from leaves(getattr(value, one.name), one.name)
    elif isinstance(value, tuple):
        for one in value:
            yield from leaves(one, name)
    elif value is not None and name not in CODES:
        yield name, value


def shown(value: object, name: str, lang: str) -> str:
    """How a value reads on the page, blanks aside."""
    if isinstance(value, Decimal):
        return without_blanks(figures.number(abs(value), lang))
    if value in DOCUMENT_CODES:
        return without_blanks(label(DOCUMENT_CODES[str(value)], lang))
    if isinstance(value, date):
        long = name in {"issue_date", "due_date", "actual_date"} and value.year == 2026 and value.month >= 11
        return without_blanks(figures.long_date(value, lang) if long else figures.short_date(value, lang))
    return without_blanks(str(value))


def without_blanks(text: str) -> str:
    return re.sub(r"[\s\u200b\ufeff]", "", text)


def text_of(pdf: bytes, *options: str) -> str:
    assert PDFTOTEXT is not None
    return subprocess.run([PDFTOTEXT, *options, "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()


def strings(value: object) -> Iterator[str]:
    """Every text of the page's data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from strings(one)


@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize("name", ["invoice", "credit-note", "every-term"])
def test_every_term_is_among_the_texts_of_the_page(name: str, lang: str) -> None:
    invoice = vector(name)
    texts = without_blanks("\n".join(strings(page(invoice, lang))))

    missing = [(term, value) for term, value in leaves(invoice) if shown(value, term, lang) not in texts]

    assert missing == []


def filled(value: object) -> Iterator[str]:
    """Every field that says something, as `Class.field`."""
    if is_dataclass(value):
        for one in fields(value):
            content = getattr(value, one.name)
            if content is not None and content != ():
                yield f"{type(value).__name__}.{one.name}"
                yield from filled(content)
    elif isinstance(value, tuple):
        for one in value:
            yield from filled(one)


def test_the_vector_of_every_term_has_every_term() -> None:
    """A term that the model gains must be given a place on the page."""
    kinds = [kind for kind in vars(model).values() if is_dataclass(kind)]
    terms = {f"{kind.__name__}.{one.name}" for kind in kinds for one in fields(kind)}

    assert terms - set(filled(vector("every-term"))) == set()


@needs_pdftotext
@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize("name", ["invoice", "credit-note", "every-term"])
def test_every_text_of_the_page_is_on_the_page(name: str, lang: str) -> None:
    invoice = vector(name)
    content = page(invoice, lang)
    printed = without_blanks(text_of(draw(invoice, lang=lang), "-raw")).lower()

    missing = [text for text in strings({**content, "words": headings(content), "lang": ""})
               if text not in LAYOUT and without_blanks(text).lower() not in printed]

    assert missing == []


LAYOUT = {"left", "right", "strong", "other", "due"}
"""Texts of the data that steer the template."""


def headings(content: dict[str, object]) -> list[str]:
    """The words of the blocks that this page has."""
    words = content["words"]
    assert isinstance(words, dict)
    blocks = {"adjustments": "adjustments", "payment": "payment", "terms": "terms", "documents": "documents",
              "notes": "notes", "vat_breakdown": "vat", "vat_rate": "vat", "vat_base": "vat", "vat_amount": "vat"}
    return [text for name, text in words.items() if content[blocks.get(name, "lines")]]


@needs_pdftotext
def test_a_french_page_reads_as_french() -> None:
    text = text_of(draw(vector("invoice")), "-layout")

    for expected in ("Facture", "N° F-2026-0142", "2 470,94 €", "21 décembre 2026", "SIRET", "999 999 907 00010",
                     "FR76 9999 9000 0100 0000 0000 057", "Virement SEPA", "5,5 %", "−500,00 €", "Page 1 / 1",
                     "Pénalités de retard", "Indemnité forfaitaire de recouvrement", "Escompte"):
        assert expected in text.replace("\u00a0", " "), expected


@pytest.mark.parametrize(("code", "lang", "title"), [
    ("380", "fr", "Facture"), ("381", "fr", "Avoir"), ("384", "fr", "Facture rectificative"),
    ("386", "fr", "Facture d’acompte"), ("389", "en", "Self-billed invoice"), ("381", "en", "Credit note"),
    ("875", "fr", "Facture (875)"), ("532", "fr", "Avoir (532)"), (None, "fr", "Facture"),
])
def test_the_title_follows_the_type(code: str | None, lang: str, title: str) -> None:
    assert title_of(Invoice(type_code=code), lang) == title


def test_it_is_tagged_pdfa_3b_and_the_same_each_time() -> None:
    first = draw(vector("invoice"))

    with pikepdf.open(io.BytesIO(first)) as pdf:
        assert pdfa_claim(pdf.Root.Metadata.read_bytes()) == ("3", "B")
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang) == "fr"
        assert str(pdf.docinfo.Title) == "Facture F-2026-0142"
        assert len(pdf.pages) == 1
    assert draw(vector("invoice")) == first


def test_sixty_lines_run_over_pages_with_head_and_number() -> None:
    invoice = vector("invoice")
    many = replace(invoice, lines=tuple(replace(invoice.lines[n % 4], id=str(n + 1)) for n in range(60)))

    pdf = draw(many)

    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert len(document.pages) == 4
    if PDFTOTEXT is not None:
        pages = text_of(pdf, "-layout").split("\f")
        assert all("Désignation" in text for text in pages[:3])
        assert [f"Page {n} / 4" in pages[n - 1] for n in (1, 2, 3, 4)] == [True] * 4
        assert "Facture F-2026-0142" in pages[1]


def test_an_invoice_that_says_nothing_is_still_a_page() -> None:
    with pikepdf.open(io.BytesIO(draw(Invoice()))) as document:
        assert len(document.pages) == 1


def png(width: int, height: int) -> bytes:
    """A small picture of one colour."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\x00" + b"\x0b\x55\x63" * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30"><rect width="90" height="30"/></svg>'


@pytest.mark.parametrize("logo", [png(200, 60), SVG], ids=["png", "svg"])
def test_a_logo_stands_in_the_head(logo: bytes) -> None:
    assert draw(vector("invoice"), logo=logo) != draw(vector("invoice"))


@pytest.mark.parametrize(("logo", "lang", "message"), [
    (b"no picture", "fr", "cannot be drawn"), (b"\x00" * 3_000_000, "fr", "3000000 bytes"), (None, "de", "'de'"),
    (b'<svg xmlns="http://www.w3.org/2000/svg"><image href="/etc/hostname"/></svg>', "fr", "cannot be drawn"),
])
def test_what_cannot_be_drawn_is_said(logo: bytes | None, lang: str, message: str) -> None:
    with pytest.raises(CannotWrite, match=message):
        draw(vector("invoice"), lang=lang, logo=logo)


@needs_pdftotext
def test_text_is_never_markup() -> None:
    hostile = '#read("/etc/passwd") *b* _i_ $x^2$ <label> @ref \\ [x] = t // c /* d */ "q" #{1+1} & < >'
    invoice = replace(vector("invoice"), seller=Party(name=hostile), notes=(Note(text=hostile),))

    assert without_blanks(text_of(draw(invoice), "-raw")).count(without_blanks(hostile)) >= 2


@needs_pdftotext
def test_characters_without_a_glyph_become_a_mark() -> None:
    text = text_of(draw(Invoice(number="A 中文 😀 Ж é\x07\ue000\ud800 fin")), "-raw")

    assert re.search(r"A \ufffd\ufffd \ufffd Ж é \ufffd\ufffd fin", text)


@given(st.text(max_size=80), st.text(max_size=400))
@settings(max_examples=25, deadline=None)
def test_any_text_can_be_drawn(name: str, description: str) -> None:
    line = Line(id=name, item=Item(name=name, description=description), note=description)
    invoice = Invoice(number=name, seller=Party(name=name), lines=(line,), notes=(Note(text=description),),
                      payment_terms=description, buyer_reference=name, currency=name)

    assert draw(invoice).startswith(b"%PDF-1.7")


@pytest.mark.parametrize(("value", "fr", "en"), [
    ("0", "0,00", "0.00"), ("1234.5", "1 234,50", "1,234.50"), ("-1234567.891", "−1 234 567,891", "−1,234,567.891"),
    ("0.123456", "0,123456", "0.123456"), ("1E+3", "1 000,00", "1,000.00"), ("-0.00", "0,00", "0.00"),
])
def test_amounts_keep_every_digit(value: str, fr: str, en: str) -> None:
    assert figures.amount(Decimal(value), "fr").replace("\u00a0", " ") == fr
    assert figures.amount(Decimal(value), "en") == en


def test_money_dates_and_identifiers() -> None:
    assert figures.money(Decimal(-5), "EUR", "en") == "−€5.00"
    assert figures.money(Decimal(-5), "USD", "fr") == "−5,00\u00a0USD"
    assert figures.long_date(date(2026, 5, 1), "fr") == "1er\u00a0mai\u00a02026"
    assert figures.span(date(2026, 5, 1), None, "fr") == "01/05/2026 – …"
    assert figures.siret("99999990700010") == "999\u00a0999\u00a0907\u00a000010"
    assert figures.iban("not an iban!") == "not an iban!"


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-10**12, max_value=10**12))
def test_a_printed_number_reads_back(value: Decimal) -> None:
    text = figures.number(value, "fr").replace("\u00a0", "").replace(",", ".").replace(figures.MINUS, "-")

    assert Decimal(text) == value
