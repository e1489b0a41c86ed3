"""Ten years from the close of the fiscal year, never a day less, whatever the calendar does."""

from datetime import date, timedelta

import pytest
from archive_log import CALM
from hypothesis import given
from hypothesis import strategies as st

from archive.retention import Hold, fiscal_close, may_destroy, retain_until

DAYS = st.dates(date(2024, 1, 1), date(2060, 12, 31))
HOLDS = st.builds(
    Hold, by=st.just("officer"), reason=st.just("audit"), since=DAYS, lifted=st.one_of(st.none(), DAYS)
)


@pytest.mark.parametrize(("day", "month", "end", "close"), [
    ("2026-11-21", 12, 31, "2026-12-31"),
    ("2026-12-31", 12, 31, "2026-12-31"),
    ("2027-01-01", 12, 31, "2027-12-31"),
    ("2026-11-21", 6, 30, "2027-06-30"),
    ("2026-06-30", 6, 30, "2026-06-30"),
    ("2028-02-29", 2, 29, "2028-02-29"),
    ("2027-02-28", 2, 29, "2027-02-28"),
    ("2027-03-01", 2, 29, "2028-02-29"),
])
def test_the_fiscal_year_of_a_day(day: str, month: int, end: int, close: str) -> None:
    assert fiscal_close(date.fromisoformat(day), month, end) == date.fromisoformat(close)


@pytest.mark.parametrize(("close", "until"), [
    ("2026-12-31", "2036-12-31"),
    ("2026-06-30", "2036-06-30"),
    ("2028-02-29", "2038-02-28"),
    ("2026-02-28", "2036-02-29"),
    ("2026-02-27", "2036-02-27"),
])
def test_ten_years_from_the_close(close: str, until: str) -> None:
    assert retain_until(date.fromisoformat(close)) == date.fromisoformat(until)


@CALM
@given(DAYS, st.integers(1, 12), st.integers(1, 31))
def test_every_day_is_kept_ten_years_at_least_and_eleven_at_most(day: date, month: int, end: int) -> None:
    close = fiscal_close(day, month, end)
    until = retain_until(close)
    assert day <= close <= day + timedelta(days=366)
    assert until.year == close.year + 10
    assert until - day >= timedelta(days=3651)
    assert not may_destroy(until, [], until)
    assert may_destroy(until, [], until + timedelta(days=1))


@CALM
@given(DAYS, st.lists(HOLDS, max_size=4), DAYS)
def test_a_hold_only_ever_forbids(until: date, holds: list[Hold], on: date) -> None:
    if may_destroy(until, holds, on):
        assert on > until
        assert may_destroy(until, [], on)
        assert not any(hold.since <= on and hold.lifted is None for hold in holds)
    for number in range(len(holds)):
        if may_destroy(until, holds, on):
            assert may_destroy(until, holds[:number], on)


def test_the_calendar_ends() -> None:
    """An invoice may be dated 9999-12-31: it must not keep those after it from being counted."""
    assert retain_until(fiscal_close(date.max, 6, 30)) == date.max
    assert retain_until(date(9989, 12, 31)) == date.max
    assert retain_until(date(9995, 2, 28)) == date.max


def test_a_lifted_hold_no_longer_forbids() -> None:
    until, on = date(2036, 12, 31), date(2037, 1, 15)
    hold = Hold("officer", "audit", date(2030, 1, 1))
    assert not may_destroy(until, [hold], on)
    assert may_destroy(until, [Hold("officer", "audit", date(2030, 1, 1), lifted=on)], on)
    assert not may_destroy(until, [Hold("officer", "audit", date(2030, 1, 1), lifted=on + timedelta(days=1))], on)
