"""Working days in France: Monday to Friday, without the public holidays of the place."""

from datetime import date, datetime, timedelta
from functools import cache

import holidays
from holidays.countries.france import France

SATURDAY = 5


@cache
def closed_days(year: int, region: str | None = None) -> frozenset[date]:
    """The public holidays of a year. `region` is a subdivision of the `holidays` library, e.g. "6AE" (Alsace).

    Days that a company closes by its own choice (bridges, the day of solidarity) are not known.
    """
    return frozenset(holidays.country_holidays("FR", subdiv=region, years=year))


def is_region(region: str | None) -> bool:
    """Whether the `holidays` library knows the place; None is the whole country."""
    return region is None or region in France.subdivisions or region in France.subdivisions_aliases


def is_working(day: date, region: str | None = None) -> bool:
    """Whether people are at their desks."""
    return day.weekday() < SATURDAY and day not in closed_days(day.year, region)


def next_working(day: date, region: str | None = None) -> date:
    """`day` itself when it is a working day, else the first one after it."""
    while not is_working(day, region):
        day += timedelta(days=1)
    return day


def working_days_after(day: date, count: int, region: str | None = None) -> date:
    """The `count`-th working day after `day`."""
    for _ in range(count):
        day = next_working(day + timedelta(days=1), region)
    return day


def wait_for_hours(moment: datetime, first: int, last: int) -> datetime:
    """`moment` itself when its hour lies in [first, last), else the next time it is `first` o'clock.

    `moment` carries the zone whose hours are meant. Whether that day is a working day is another question.
    """
    if first <= moment.hour < last:
        return moment
    opening = moment.replace(hour=first, minute=0, second=0, microsecond=0)
    return opening if moment < opening else opening + timedelta(days=1)
