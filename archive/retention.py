"""How long an object must be kept. Pure: dates in, dates out.

Accounting documents are kept ten years from the close of their fiscal year (Code de commerce, art. L123-22), which
also covers the six years of the tax law (LPF, art. L102 B). A hold stops destruction and never shortens anything.
Who may destroy, and that two persons agree, is the caller's business. Dates are French calendar dates.
"""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import MAXYEAR, date

YEARS, TAX_YEARS = 10, 6
"""Commercial law, and the least that the tax law asks of whoever keeps no commercial books."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Somebody needs an object: a dispute, an audit. Ends only when it is lifted."""

    by: str
    reason: str
    since: date
    lifted: date | None = None

    def stands(self, on: date) -> bool:
        """Whether it forbids destruction on a day. A hold that begins later than that day does not yet."""
        return self.since <= on and (self.lifted is None or on < self.lifted)


def fiscal_close(day: date, month: int, day_of_month: int) -> date:
    """The close of the fiscal year that a day falls in, for years that close on that month and day.

    A day that the month does not have means its last one (31 February, or 29 in most years: the end of February).
    """
    close = _close_in(day.year, month, day_of_month)
    if day <= close:
        return close
    return _close_in(day.year + 1, month, day_of_month) if day.year < MAXYEAR else date.max


def retain_until(closes: date, years: int = YEARS) -> date:
    """The last day on which an object of the fiscal year that closes on `closes` must be kept.

    The end of a month stays the end of that month: 29 February 2028 gives 28 February 2038, and 28 February 2026
    gives 29 February 2036. What would be after the end of the calendar is its last day.
    """
    if closes.year + years > MAXYEAR:
        return date.max
    last = monthrange(closes.year, closes.month)[1] == closes.day
    days = monthrange(closes.year + years, closes.month)[1]
    return date(closes.year + years, closes.month, days if last else closes.day)


def may_destroy(until: date, holds: Iterable[Hold], on: date) -> bool:
    """Whether the law lets an object go on a day: after its last day, and under no hold."""
    return on > until and not any(hold.stands(on) for hold in holds)


def _close_in(year: int, month: int, day_of_month: int) -> date:
    return date(year, month, min(day_of_month, monthrange(year, month)[1]))
