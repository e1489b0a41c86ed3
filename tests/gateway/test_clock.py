"""The day of the law is that of France."""

from datetime import UTC, date, datetime

from gateway.clock import day_in_france


def test_the_day_begins_in_france_before_it_does_in_utc() -> None:
    assert day_in_france(datetime(2026, 11, 21, 22, 59, tzinfo=UTC)) == date(2026, 11, 21)
    assert day_in_france(datetime(2026, 11, 21, 23, 0, tzinfo=UTC)) == date(2026, 11, 22)
    assert day_in_france(datetime(2026, 7, 13, 22, 0, tzinfo=UTC)) == date(2026, 7, 14)
