"""Working days and hours."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import PARIS
from gateway.reminders.working import is_working, next_working, wait_for_hours, working_days_after


def test_the_holidays_of_2026() -> None:
    """Against the list of the labour code (L3133-1)."""
    closed = {date(2026, 1, 1), date(2026, 4, 6), date(2026, 5, 1), date(2026, 5, 8), date(2026, 5, 14),
              date(2026, 5, 25), date(2026, 7, 14), date(2026, 8, 15), date(2026, 11, 1), date(2026, 11, 11),
              date(2026, 12, 25)}
    days = [date(2026, 1, 1) + timedelta(days=count) for count in range(365)]
    assert [day for day in days if not is_working(day)] == [
        day for day in days if day.weekday() > 4 or day in closed]


@given(st.dates(date(2020, 1, 1), date(2060, 1, 1)), st.integers(0, 10))
def test_counting_days(day: date, count: int) -> None:
    later = working_days_after(day, count)
    between = [day + timedelta(days=n) for n in range(1, (later - day).days + 1)]
    assert sum(is_working(other) for other in between) == count
    assert is_working(next_working(day))


@pytest.mark.parametrize(("at", "opens"), [
    ("2026-03-23T07:59", "2026-03-23T08:00"),
    ("2026-03-23T08:00", "2026-03-23T08:00"),
    ("2026-03-23T18:59", "2026-03-23T18:59"),
    ("2026-03-23T19:00", "2026-03-24T08:00"),
    ("2026-03-28T22:00", "2026-03-29T08:00"),  # the clocks change that night
])
def test_hours(at: str, opens: str) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=PARIS)
    assert wait_for_hours(moment, 8, 19) == datetime.fromisoformat(opens).replace(tzinfo=PARIS)
