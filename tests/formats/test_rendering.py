"""The printed invoice: every term is on it, it is PDF/A, and nothing in the data can break it."""

import io
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from invoices import invoices
from models import complete

from formats import invoice as model
from formats.codes import FRAMES, FRENCH_TYPES, NOTE_SUBJECTS, ROLES, SCHEMES
from formats.invoice import Invoice, Item, Line, Note, Party, Period
from formats.json_form import read_json
from formats.rendering import figures
from formats.rendering.line_details import signed
from formats.rendering.others import DESIGNED, undesigned
from formats.rendering.page import page, title_of
from formats.rendering.phrases import country, label
from formats.rendering.render import draw, drawn, texts_of
from formats.rendering.words import DOCUMENT_CODES, MEANS, SUBTYPES, UNITS, VAT_WORDS, WORDS
from formats.xmp import pdfa_claim

VECTORS = Path(__file__).parents[1] / "vectors" / "rendering"
PDFTOTEXT = shutil.which("pdftotext")
needs_pdftotext = pytest.mark.skipif(PDFTOTEXT is None, reason="pdftotext is not installed")


@pytest.mark.parametrize(("kind", "value", "shown"), [
    ("allowance", "10", "−10,00"), ("allowance", "-10", "+10,00"), ("allowance", "0", "0,00"),
    ("charge", "10", "+10,00"), ("charge", "-10", "−10,00"),
])
def test_a_negative_allowance_adds_and_never_has_two_signs(kind: str, value: str, shown: str) -> None:
    assert signed(kind, Decimal(value), "fr") == shown


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
    elif value is not None:
        yield name, value


TABLES = {
    "type_code": FRENCH_TYPES, "unit": UNITS, "base_quantity_unit": UNITS, "measure_unit": UNITS, "period_unit": UNITS,
    "means_code": MEANS,
    "subject_code": NOTE_SUBJECTS, "scheme": SCHEMES, "category": VAT_WORDS, "business_process": FRAMES,
    "role_code": ROLES, "description": DOCUMENT_CODES, "subtype": SUBTYPES,
    "tax_point_date_code": {code: WORDS[f"tax_point_{code}"] for code in ("3", "35", "432")},
}
"""Codes that may be shown by their meaning."""


def readings(name: str, value: object, lang: str) -> list[str]:
    """How a value may read on the page, blanks aside."""
    if isinstance(value, Decimal):
        return [without_blanks(figures.number(abs(value), lang))]
    if isinstance(value, date):
        return [without_blanks(figures.long_date(value, lang)), without_blanks(figures.short_date(value, lang))]
    if isinstance(value, bytes):
        return [sha256(value).hexdigest()[:16]]
    told = [str(value)]
    if value in TABLES.get(name, {}):
        told.append(label(TABLES[name][str(value)], lang))
    if "country" in name:
        told.append(country(str(value), lang))
    if name == "scheme" and value in {"0002", "0009"}:
        told.append("SIRE")
    return [without_blanks(one) for one in told]


def missing_from(printed: str, invoice: Invoice, lang: str) -> list[tuple[str, object]]:
    """The leaves of a model of which no reading is in a text without blanks."""
    return [(name, value) for name, value in leaves(invoice)
            if not any(one in printed for one in readings(name, value, lang))]


def without_blanks(text: str) -> str:
    return re.sub(r"[\s\u200b\ufeff]", "", text)


def text_of(pdf: bytes, *options: str) -> str:
    assert PDFTOTEXT is not None
    return subprocess.run([PDFTOTEXT, *options, "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()


@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize("name", ["invoice", "credit-note", "every-term"])
def test_every_term_is_among_the_texts_of_the_page(name: str, lang: str) -> None:
    assert missing_from(without_blanks("\n".join(texts_of(page(vector(name), lang)))), vector(name), lang) == []


@needs_pdftotext
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_leaf_of_a_model_with_every_term_is_printed(lang: str) -> None:
    """The duty of the readable form: all structured data, whatever the model gains."""
    invoice = complete()
    assert sum(1 for _ in leaves(invoice)) > 600

    assert missing_from(without_blanks(text_of(draw(invoice, lang=lang), "-raw")), invoice, lang) == []


@given(invoices())
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_leaf_of_any_invoice_is_among_the_texts(invoice: Invoice) -> None:
    texts = without_blanks("\n".join(texts_of(page(invoice, "fr"))))

    assert [leaf for leaf in missing_from(texts, invoice, "fr") if without_blanks(str(leaf[1]))] == []


def test_a_term_without_a_place_is_listed_by_its_name() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Later(Party):
        colour: str
        sizes: tuple[Period, ...]

    later = Later(name="N", colour="mauve", sizes=(Period(start=date(2026, 1, 2)),))

    assert undesigned(Invoice(seller=later)) == [
        ("seller › name", "N"), ("seller › colour", "mauve"), ("seller › sizes › start", "2026-01-02")]
    assert set(DESIGNED) == {kind.__name__ for kind in every_class()}


def every_class() -> set[type]:
    """The classes of the model."""
    return {kind for kind in vars(model).values() if isinstance(kind, type) and is_dataclass(kind)}


@needs_pdftotext
def test_a_french_page_reads_as_french() -> None:
    text = text_of(draw(vector("invoice")), "-layout")

    for expected in ("Facture", "N° F-2026-0142", "2 470,94 €", "21 décembre 2026", "SIRET", "999 999 907 00010",
                     "FR72 0000 0000 0100 0000 0000 057", "Virement SEPA", "5,5 %", "−500,00 €", "Page 1 / 1",
                     "Pénalités de retard", "Indemnité forfaitaire de recouvrement", "Escompte"):
        assert expected in text.replace("\u00a0", " "), expected


@pytest.mark.parametrize(("code", "lang", "title"), [
    ("380", "fr", "Facture"), ("381", "fr", "Avoir"), ("384", "fr", "Facture rectificative"),
    ("386", "fr", "Facture d’acompte"), ("389", "en", "Self-billed invoice"), ("381", "en", "Credit note"),
    ("875", "fr", "Facture (875)"), ("532", "fr", "Avoir (532)"), (None, "fr", "Facture"),
])
def test_the_title_follows_the_type(code: str | None, lang: str, title: str) -> None:
    assert title_of(Invoice(type_code=code), lang) == title


def test_it_is_tagged_pdfa_3a_and_the_same_each_time() -> None:
    first = draw(vector("invoice"))

    with pikepdf.open(io.BytesIO(first)) as pdf:
        assert pdfa_claim(pdf.Root.Metadata.read_bytes()) == ("3", "A")
        assert b"<pdfuaid:part>1</pdfuaid:part>" in pdf.Root.Metadata.read_bytes()
        assert pdf.Root.MarkInfo.Marked
        assert "Code QR de virement SEPA" in alternatives(pdf.Root.StructTreeRoot)
        assert str(pdf.Root.Lang) == "fr"
        assert str(pdf.docinfo.Title) == "Facture F-2026-0142"
        assert len(pdf.pages) == 1
    assert draw(vector("invoice")) == first


def alternatives(element: pikepdf.Object) -> list[str]:
    """The texts that stand for pictures, in reading order."""
    told = [str(element.Alt)] if "/Alt" in element else []
    below = element.get("/K", [])
    for one in below if isinstance(below, pikepdf.Array) else [below]:
        if isinstance(one, pikepdf.Dictionary) and "/S" in one:
            told += alternatives(one)
    return told


def test_sixty_lines_run_over_pages_with_head_and_number() -> None:
    invoice = vector("invoice")
    many = replace(invoice, lines=tuple(replace(invoice.lines[n % 4], id=str(n + 1)) for n in range(60)))

    pdf = draw(many)

    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert len(document.pages) == 3
    if PDFTOTEXT is not None:
        pages = text_of(pdf, "-layout").split("\f")
        assert all("Désignation" in text for text in pages[:2])
        assert [f"Page {n} / 3" in pages[n - 1] for n in (1, 2, 3)] == [True] * 3
        assert "Facture F-2026-0142" in pages[1]


def test_an_invoice_that_says_nothing_is_still_a_page() -> None:
    with pikepdf.open(io.BytesIO(draw(Invoice()))) as document:
        assert len(document.pages) == 1


@needs_pdftotext
def test_text_is_never_markup() -> None:
    hostile = '#read("/etc/passwd") *b* _i_ $x^2$ <label> @ref \\ [x] = t // c /* d */ "q" #{1+1} & < >'
    invoice = replace(vector("invoice"), seller=Party(name=hostile), notes=(Note(text=hostile),))

    assert without_blanks(text_of(draw(invoice), "-raw")).count(without_blanks(hostile)) >= 2


@needs_pdftotext
def test_characters_without_a_glyph_become_a_mark_and_are_named() -> None:
    made = drawn(Invoice(number="A \x07\ue000\ud800\U00013000 fin"))
    text = text_of(made.pdf, "-raw")

    assert re.search(r"A  ?\ufffd\ufffd\ufffd fin", text)
    assert [remark.code for remark in made.remarks] == ["glyph-missing"]
    assert "U+D800, U+E000, U+13000" in text.replace("\n", " ")


@needs_pdftotext
def test_other_scripts_and_emoji_are_drawn() -> None:
    words = ("Δήμος", "Мэрия", "中文", "日本語", "かな", "한국어", "😀", "✓", "ไทย", "Ελλάς", "Łódź", "Tiếng", "₽")
    made = drawn(Invoice(number="مرحبا שלום हिन्दी", seller=Party(name=" ".join(words))))

    assert made.remarks == ()
    assert [word for word in words if word not in text_of(made.pdf, "-raw")] == []


@given(st.text(max_size=80), st.text(max_size=400))
@settings(max_examples=25, deadline=None)
def test_any_text_can_be_drawn(name: str, description: str) -> None:
    line = Line(id=name, item=Item(name=name, description=description), notes=(Note(text=description),))
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
