"""The wall clock, in one place. Everything else takes time as an argument."""

from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

PARIS: Final = ZoneInfo("Europe/Paris")
"""Dates of French invoices are French dates."""


def wall_clock() -> datetime:
    """The present moment, aware UTC."""
    return datetime.now(UTC)


def day_in_france(at: datetime) -> date:
    """The date of a moment in France, where the law counts days: there it is tomorrow an hour or two before UTC."""
    return at.astimezone(PARIS).date()


def midnight(day: date) -> datetime:
    """When a day begins in France."""
    return datetime.combine(day, time(), PARIS)
