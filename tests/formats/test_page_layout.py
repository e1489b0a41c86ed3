"""The printed invoice as a thing on paper: what the envelope shows, what is carried, what a phone reads."""

import io
import re
import shutil
import struct
import subprocess
import zlib
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pikepdf
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from PIL import Image

from formats.errors import CannotWrite
from formats.invoice import CreditTransfer, Invoice, Item, Line, Party, PaymentInstructions, Totals
from formats.json_form import read_json
from formats.rendering.appearance import ACCENT, ENOUGH, Appearance, contrast, legible
from formats.rendering.logo import check_logo
from formats.rendering.payment_code import NoCode, payment_code, picture
from formats.rendering.render import draw, drawn

VECTORS = Path(__file__).parents[1] / "vectors" / "rendering"
POPPLER = shutil.which("pdftotext") is not None and shutil.which("pdftoppm") is not None
needs_poppler = pytest.mark.skipif(not POPPLER, reason="poppler-utils is not installed")
POINTS = 72 / 25.4
"""Of one millimetre."""


class Word(NamedTuple):
    """A word and where it stands, in mm from the upper left corner of its page."""

    text: str
    page: int
    left: float
    top: float
    right: float
    bottom: float


def vector(name: str) -> Invoice:
    return read_json((VECTORS / f"{name}.json").read_bytes())


def lines(count: int) -> Invoice:
    invoice = vector("invoice")
    return replace(invoice, lines=tuple(replace(invoice.lines[n % 4], id=str(n + 1)) for n in range(count)))


def words(pdf: bytes) -> Iterator[Word]:
    made = subprocess.run(["pdftotext", "-bbox", "-", "-"], input=pdf, capture_output=True, check=True).stdout
    root = etree.fromstring(re.sub(rb"<!DOCTYPE[^>]*>", b"", made))
    for number, page in enumerate(root.iter("{*}page"), 1):
        for word in page.iter("{*}word"):
            box = [float(str(word.get(name))) / POINTS for name in ("xMin", "yMin", "xMax", "yMax")]
            yield Word("".join(map(str, word.itertext())), number, *box)


@needs_poppler
def test_the_window_of_a_dl_envelope_shows_the_address_and_nothing_else() -> None:
    """Window 100 x 35 mm, 20 mm from right and bottom; the page moves 11 mm up and down, 10 mm from side to side."""
    invoice = vector("invoice")
    address = {word for line in ("Mairie de Bourg-Inventé", "1 place du Marché", "99200 Bourg-Inventé", "France")
               for word in line.split()}

    first = [word for word in words(draw(invoice)) if word.page == 1]

    always = {word.text for word in first
              if word.left >= 100 and word.right <= 190 and word.top >= 55 - 1 and word.bottom <= 79}
    ever = {word.text for word in first
            if word.right > 90 and word.left < 200 and word.bottom > 44 and word.top < 90}
    assert always == address
    assert ever == address


@needs_poppler
@pytest.mark.parametrize("words_more", range(4))
def test_no_line_of_details_ends_with_what_parts_them(words_more: int) -> None:
    invoice = vector("invoice")
    trading_name = " ".join(["Longue enseigne"] * words_more) or None
    text = subprocess.run(
        ["pdftotext", "-", "-"], check=True, capture_output=True,
        input=draw(replace(invoice, seller=replace(invoice.seller, trading_name=trading_name)))).stdout.decode()

    ends = [line for line in text.splitlines() if line.rstrip().endswith(("|", "·")) or line.startswith(("|", "·"))]
    assert ends == []


@needs_poppler
def test_the_sum_is_carried_from_page_to_page() -> None:
    invoice = lines(120)
    text = subprocess.run(["pdftotext", "-layout", "-", "-"], input=draw(invoice), capture_output=True, check=True)
    pages = text.stdout.decode().replace("\u00a0", " ").split("\f")
    forward = [re.findall(r"À reporter +([0-9 ]+,[0-9]{2})", page) for page in pages]
    brought = [re.findall(r"(?<!à )Report +([0-9 ]+,[0-9]{2})", page) for page in pages]
    last_ids = [max((int(one) for one in re.findall(r"(?m)^ ?([0-9]{1,3}) {3,}\S", page)), default=0) for page in pages]

    assert [len(found) for found in forward[:5]] == [1, 1, 1, 1, 0]
    assert brought[0] == []
    for number in range(4):
        so_far = sum((line.net_amount or Decimal(0) for line in invoice.lines[:last_ids[number]]), Decimal(0))
        assert Decimal(forward[number][0].replace(" ", "").replace(",", ".")) == so_far
        assert brought[number + 1] == forward[number]


@needs_poppler
def test_amounts_end_at_the_same_place() -> None:
    found = [word for word in words(draw(lines(4))) if re.fullmatch(r"(020|250),00|162,00|49,80", word.text)]
    ends = {round(word.right, 1) for word in found if word.right > 180}

    assert ends == {192.0}


@needs_poppler
@pytest.mark.parametrize("long", ["W" * 300, "1234567890 " * 60, "é" * 90 + " " + "漢字" * 80, "a-" * 150])
def test_nothing_runs_off_the_page(long: str) -> None:
    huge = Decimal("123456789012345678.123456789")
    party = Party(name=long, additional_legal_information=long, vat_identifier=long)
    line = Line(id=long[:40], item=Item(name=long, description=long), quantity=huge, unit="KGM", net_amount=huge,
                vat_rate=huge, vat_category="AE")
    invoice = replace(vector("every-term"), number=long, seller=party, buyer=party, lines=(line, line),
                      buyer_reference=long, payment_terms=long, totals=Totals(due=huge, with_vat=huge))

    foot = Appearance(footer=long[:500])
    outside = [word for word in words(draw(invoice, appearance=foot))
               if word.left < 17 or word.right > 193.5 or word.bottom > 296]

    assert outside == []


def transfer(**changes: Any) -> Invoice:
    """An invoice that gets a payment code, changed."""
    how = {"account": "FR7200000000010000000000057", "account_name": "Atelier Imaginaire", "service_provider": None,
           "means_code": "30", "remittance_information": "F-1"} | changes
    account = CreditTransfer(account=how["account"], account_name=how["account_name"],
                             service_provider=how["service_provider"])
    payment = PaymentInstructions(means_code=how["means_code"], credit_transfers=(account,) if how["account"] else (),
                                  remittance_information=how["remittance_information"])
    due = how.get("due", "12.50")
    return Invoice(number="F-1", type_code=how.get("type_code", "380"), currency=how.get("currency", "EUR"),
                   payment=payment, totals=Totals(due=None if due is None else Decimal(due)))


@pytest.mark.parametrize(("changes", "reason"), [
    ({"type_code": "381"}, NoCode.CREDIT_NOTE), ({"type_code": "261"}, NoCode.CREDIT_NOTE),
    ({"means_code": "59"}, NoCode.NOT_A_TRANSFER), ({"means_code": None}, NoCode.NOT_A_TRANSFER),
    ({"currency": "USD"}, NoCode.CURRENCY), ({"due": None}, NoCode.AMOUNT), ({"due": "0.00"}, NoCode.AMOUNT),
    ({"due": "-1"}, NoCode.AMOUNT), ({"due": "1000000000.00"}, NoCode.AMOUNT), ({"due": "1.005"}, NoCode.AMOUNT),
    ({"account": None}, NoCode.NO_IBAN), ({"account": "FR7300000000010000000000057"}, NoCode.NO_IBAN),
    ({"account": "12345"}, NoCode.NO_IBAN), ({"service_provider": "AAAA"}, NoCode.BIC),
    ({"account_name": "x" * 71}, NoCode.NAME), ({"account_name": " "}, NoCode.NAME),
    ({"remittance_information": "x" * 141}, NoCode.REFERENCE),
    ({"account_name": "é" * 70, "remittance_information": "漢" * 90}, NoCode.TOO_LONG),
])
def test_no_payment_code_has_a_reason(changes: dict[str, Any], reason: NoCode) -> None:
    assert payment_code(transfer(**changes)) is reason


@pytest.mark.parametrize(("changes", "tail"), [
    ({}, "\n\nAtelier Imaginaire\nFR7200000000010000000000057\nEUR12.50\n\n\nF-1".removeprefix("\n")),
    ({"service_provider": "AAAAFRPPXXX", "account": "FR72 0000 0000 0100 0000 0000 057", "due": "999999999.99"},
     "AAAAFRPPXXX\nAtelier Imaginaire\nFR7200000000010000000000057\nEUR999999999.99\n\n\nF-1"),
    ({"remittance_information": "RF18 5390 0754 7034", "due": "0.01"},
     "\nAtelier Imaginaire\nFR7200000000010000000000057\nEUR0.01\n\nRF18539007547034"),
    ({"remittance_information": "deux\nlignes", "due": "5"},
     "\nAtelier Imaginaire\nFR7200000000010000000000057\nEUR5.00\n\n\ndeux lignes"),
])
def test_the_payment_code_says_what_the_guidelines_ask(changes: dict[str, Any], tail: str) -> None:
    assert payment_code(transfer(**changes)) == f"BCD\n002\n1\nSCT\n{tail}"


@pytest.mark.parametrize("length", range(60, 332, 16))
def test_a_phone_reads_a_payment_code_of_any_length(length: int) -> None:
    """An independent reader, on the squares themselves: the mask is given and not the best of eight."""
    text = "BCD\n002\n1\nSCT\n\n" + "".join(chr(33 + number * number % 89) for number in range(length - 16))
    drawing = etree.fromstring(picture(text))
    size = int(drawing.get("width", "0"))
    squares = Image.new("1", (size + 8, size + 8), 1)
    column, row = 0.0, 0.0
    for command, numbers in re.findall(r"([Mmh])([-\d. ]+)", drawing[0].get("d", "")):
        across, *down = map(float, numbers.split())
        if command == "h":
            squares.paste(0, (int(column) + 4, int(row) + 4, int(column + across) + 4, int(row) + 5))
        column, row = (across, down[0]) if command == "M" else (column + across, row + (down[0] if down else 0))

    codes = zxingcpp.read_barcodes(squares.resize((4 * size + 32, 4 * size + 32)))

    assert [code.text for code in codes] == [text]


@needs_poppler
def test_a_phone_reads_the_payment_code_from_the_page() -> None:
    """An independent reader, on the picture of the page at a screen's resolution."""
    invoice = replace(vector("invoice"), payee=None)
    shot = subprocess.run(["pdftoppm", "-r", "110", "-png", "-singlefile", "-"], input=draw(invoice),
                          capture_output=True, check=True).stdout

    codes = zxingcpp.read_barcodes(Image.open(io.BytesIO(shot)))

    assert [(code.format, code.text) for code in codes] == [(zxingcpp.BarcodeFormat.QRCode, payment_code(invoice))]
    without = draw(invoice, appearance=Appearance(payment_code=False))
    assert len(without) < len(draw(invoice))


@given(st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}"))
def test_every_colour_becomes_legible_and_stays_itself_if_it_is(colour: str) -> None:
    drawn_as = legible(colour)

    assert contrast(drawn_as) >= ENOUGH
    assert contrast("#ffffff", drawn_as) >= ENOUGH
    assert legible(drawn_as) == drawn_as
    assert drawn_as == colour or contrast(colour) < ENOUGH


def test_the_contrast_is_that_of_the_guidelines() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
    assert legible(ACCENT) == ACCENT


def png(width: int, height: int) -> bytes:
    """A small picture of one colour."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\x00" + b"\x0b\x55\x63" * min(width, 300) for _ in range(min(height, 300)))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def jpeg() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (30, 10), "#0b5563").save(made, "JPEG")
    return made.getvalue()


def svg(inside: str, start: str = "") -> bytes:
    return (f'{start}<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="90" '
            f'height="30">{inside}</svg>').encode()


@pytest.mark.parametrize("logo", [
    png(200, 60), jpeg(), svg('<rect width="90" height="30"/>'),
    svg('<defs><linearGradient id="a"><stop offset="0"/></linearGradient></defs><rect fill="url(#a)" width="9"/>'),
    svg('<g id="a"><path d="M0 0h9v9z"/></g><use href="#a" x="9"/>', start='\ufeff<?xml version="1.0"?>\n'),
], ids=["png", "jpeg", "svg", "gradient", "use"])
def test_a_logo_stands_in_the_head_with_a_text_for_those_who_do_not_see_it(logo: bytes) -> None:
    made = drawn(vector("invoice"), appearance=Appearance(logo=logo))

    assert made.remarks == ()
    assert made.pdf != draw(vector("invoice"))
    with pikepdf.open(io.BytesIO(made.pdf)) as pdf:
        told = [str(one.Alt) for one in pdf.objects if isinstance(one, pikepdf.Dictionary) and "/Alt" in one]
    assert "Logo de Atelier Imaginaire" in told


NESTED = "".join(f'<g id="g{n}">' + f'<use href="#g{n - 1}"/>' * 10 + "</g>" for n in range(1, 12))


def masked(levels: int, cut: str, element: str = "mask", sheet: str = "") -> bytes:
    """Masks of two shapes each, of which each has the mask before: so many times two to the power of the levels."""
    shapes = "".join(
        f'<{element} id="m{n}">' + f'<rect {cut.format(n - 1)} width="9" height="9"/>' * 2 + f"</{element}>"
        for n in range(levels))
    rules = "".join(sheet.replace("$", str(n)) for n in range(levels))
    return svg(f"<style>{rules}</style>{shapes}<rect {cut.format(levels - 1)}/>")


CUTS = (
    ('mask="url(#m{})"', "mask", ""), ("style='mask: url(\"#m{}\")'", "mask", ""),
    ('clip-path="url(#m{})"', "clipPath", ""), ('class="c{} x"', "mask", ".c${mask/* */:url(#m$)}"),
)


@pytest.mark.parametrize(("cut", "element", "sheet"), CUTS)
def test_masks_within_masks_count_as_often_as_they_are_drawn(cut: str, element: str, sheet: str) -> None:
    check_logo(masked(6, cut, element, sheet))
    with pytest.raises(CannotWrite, match="shapes"):
        check_logo(masked(20, cut, element, sheet))


@pytest.mark.parametrize(("logo", "message"), [
    (b"no picture", "PNG, JPEG or SVG"), (b"GIF89a", "PNG, JPEG or SVG"), (b"\x00" * 3_000_000, "3000000 bytes"),
    (png(50_000, 50_000), "50000 x 50000 pixels"), (png(9, 9)[:40], "cannot be drawn"), (png(0, 9), "without pixels"),
    (b"\xff\xd8\xff\xe0", "without pixels"), (b"<svg", "no SVG"), (b"<Invoice/>", "no SVG"),
    (svg('<image href="/etc/hostname"/>'), "<image>"), (svg("<script>1</script>"), "<script>"),
    (svg("<foreignObject/>"), "<foreignObject>"), (svg('<use href="other.svg#a"/>'), "outside"),
    (svg('<rect fill="url(http://example.org/a)"/>'), "outside"), (svg("<style>@import 'a';</style>"), "outside"),
    (svg("<filter/>"), "<filter>"), (svg('<g id="g0"><path/></g>' + NESTED), "shapes"),
    (svg('<g id="a"><use href="#a"/></g>'), "shapes"), (svg("<rect/>", start="<!DOCTYPE svg>"), "DOCTYPE"),
    (svg("<path/>" * 6000), "shapes"),
])
def test_a_picture_that_is_no_logo_is_refused_by_name(logo: bytes, message: str) -> None:
    with pytest.raises(CannotWrite, match=re.escape(message)):
        draw(vector("invoice"), appearance=Appearance(logo=logo))


@pytest.mark.parametrize(("lang", "appearance", "message"), [
    ("de", Appearance(), "'de'"), ("fr", Appearance(accent="red"), "'red'"),
    ("fr", Appearance(footer="x" * 501), "501"),
])
def test_what_cannot_be_drawn_is_said(lang: str, appearance: Appearance, message: str) -> None:
    with pytest.raises(CannotWrite, match=message):
        draw(vector("invoice"), lang=lang, appearance=appearance)


@needs_poppler
def test_sub_lines_are_indented_and_only_details_count() -> None:
    one = vector("invoice").lines[0]
    tree = tuple(replace(one, id=name, parent=parent, subtype=kind, net_amount=Decimal(10)) for name, parent, kind in (
        ("1", None, "GROUP"), ("1.1", "1", "DETAIL"), ("1.1.1", "1.1", "INFORMATION"), ("2", "2", None)))
    invoice = replace(vector("invoice"), lines=tree)

    found = {word.top: word.left for word in words(draw(invoice)) if word.text == "Étude"}
    starts = [found[top] for top in sorted(found)]

    assert starts[0] < starts[1] < starts[2]
    text = subprocess.run(["pdftotext", "-", "-"], input=draw(invoice), capture_output=True, check=True).stdout.decode()
    assert "Pour information, hors total · partie de la ligne 1.1" in text.replace("\n", " ")
