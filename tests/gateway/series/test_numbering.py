"""Series told from numbers alone."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.series.numbering import Numbered, all_series, split

SIREN = "000002006"


def row(number: str, day: date = date(2026, 11, 3), *, taken: bool = True) -> Numbered:
    return Numbered(id=f"id-{number}-{day}", siren=SIREN, number=number, issued=day, taken=taken,
                    reason=None if taken else "BR-CO-15")


@pytest.mark.parametrize(
    ("number", "parts"),
    [
        ("F2026-00123", ("F2026-", 123, "")),
        ("2026/11/7-A", ("2026/11/", 7, "-A")),
        ("42", ("", 42, "")),
        ("SANS", ("SANS", None, "")),
    ],
)
def test_a_number_is_prefix_counter_and_suffix(number: str, parts: tuple[str, int | None, str]) -> None:
    assert split(number) == parts


def test_one_prefix_may_be_written_at_two_lengths() -> None:
    [series] = all_series([row("ßß-1"), row("SSSS-3")], {})
    assert [gap.first for gap in series.gaps] == ["SSSS-2"]


def test_gaps_are_ranges_and_say_what_is_known() -> None:
    rows = [row("F-001"), row("F-005"), row("F-009"), row("F-007", taken=False)]
    [series] = all_series(rows, {(SIREN, "F-003"): "brouillon supprimé"})
    assert [(g.first, g.last, g.count, g.explanation, g.reason) for g in series.gaps] == [
        ("F-002", "F-002", 1, "none", None),
        ("F-003", "F-003", 1, "declared", "brouillon supprimé"),
        ("F-004", "F-004", 1, "none", None),
        ("F-006", "F-006", 1, "none", None),
        ("F-007", "F-007", 1, "refused", "BR-CO-15"),
        ("F-008", "F-008", 1, "none", None),
    ]
    assert series.missing == 4
    assert (series.first, series.last, series.count) == ("F-001", "F-009", 3)


def test_series_are_kept_apart_by_company_prefix_and_suffix() -> None:
    other = Numbered(id="x", siren="000001016", number="F-3", issued=date(2026, 1, 1), taken=True)
    found = all_series([row("F-1"), row("F-2"), row("A-2"), row("F-2-BIS"), other], {})
    assert [(s.siren, s.prefix, s.suffix, s.count) for s in found] == [
        ("000001016", "F-", "", 1), (SIREN, "A-", "", 1), (SIREN, "F-", "", 2), (SIREN, "F-", "-BIS", 1),
    ]


def test_a_series_that_begins_anew_each_year_is_told_by_year() -> None:
    rows = [row("F-1", date(2025, 1, 2)), row("F-2", date(2025, 12, 1)), row("F-1", date(2026, 1, 2))]
    assert [(s.year, s.count, s.missing) for s in all_series(rows, {})] == [(2025, 2, 0), (2026, 1, 0)]
    going_on = [row("F-1", date(2025, 1, 2)), row("F-3", date(2026, 1, 2))]
    assert [(s.year, s.missing) for s in all_series(going_on, {})] == [(None, 1)]


def test_one_counter_under_two_numbers_is_a_repetition() -> None:
    [series] = all_series([row("F-12"), row("F-0012"), row("f-0013")], {})
    assert [r.numbers for r in series.repetitions] == [("F-0012", "F-12")]
    [resent] = all_series([row("F-12"), row("F-12")], {})
    assert resent.repetitions == ()


def test_a_number_dated_before_its_predecessor_is_out_of_order() -> None:
    [series] = all_series([row("F-1", date(2026, 11, 3)), row("F-2", date(2026, 11, 2)), row("F-3")], {})
    assert [(d.number, d.before) for d in series.disorders] == [("F-2", "F-1")]


def test_what_counts_something_else_than_invoices_has_no_gaps() -> None:
    [series] = all_series([row("F-20261103094501"), row("F-20261103171233")], {})
    assert (series.sequential, series.gaps) == (False, ())


def test_only_refused_numbers_are_no_series() -> None:
    assert all_series([row("F-1", taken=False)], {}) == []


@given(st.sets(st.integers(1, 400), min_size=1))
def test_gaps_and_numbers_fill_the_series(counters: set[int]) -> None:
    [series] = all_series([row(f"F-{counter:04d}") for counter in counters], {})
    assert series.count + series.missing == max(counters) - min(counters) + 1
    for gap in series.gaps:
        first, last = split(gap.first)[1] or 0, split(gap.last)[1] or 0
        assert last - first + 1 == gap.count
        assert not counters & set(range(first, last + 1))
