"""Interest for lateness, to the cent and with every step shown. Pure; Decimal only.

Interest runs from the day after the due date to the day of payment, both included, without any reminder
(C. com. L441-10 II). It is simple interest on what was still to be paid with VAT: a part that is paid reduces the base
from the day after its value date. The rate is that of the contract where it reaches three times legal interest, else
the ECB's rate on the first day of the half-year and ten points. Days are divided by 365, by those of the calendar year
(`actual`) or by 360: no text says which, so that it is a choice of the seller's terms. Each segment is rounded half up
to the cent. Interest bears no interest, and no VAT.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from gateway.receivables.rates import Rate, first_day_of, half_year_of, rate_for

CENT = Decimal("0.01")
DAY = timedelta(days=1)
DAY_COUNTS = ("365", "actual", "360")
LAW = "C. com. art. L441-10, II"


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed about lateness."""

    rate: Decimal | None = None
    """Percent a year; None: what the law says."""

    day_count: str = "365"


@dataclass(frozen=True, slots=True)
class Debt:
    """What was to be paid with VAT, credit notes taken off, and what was."""

    owed: Decimal
    due_date: date
    payments: Sequence[tuple[date, Decimal]] = ()
    """Value date and amount; reversals below zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Days in a row with one base and one rate."""

    first_day: date
    last_day: date
    base: Decimal
    rate: Decimal
    """Percent a year."""

    origin: str
    """contract, or law: the ECB's rate and ten points."""

    year: int
    """Days that the year is divided into."""

    source: str
    """Where the rates of the half-year come from."""

    @property
    def days(self) -> int:
        """Both ends included."""
        return (self.last_day - self.first_day).days + 1

    @property
    def amount(self) -> Decimal:
        """In cents, half up."""
        return (self.base * self.rate * self.days / 100 / self.year).quantize(CENT, ROUND_HALF_UP)

    def to_json(self) -> dict[str, Any]:
        """As it is shown, kept and proved."""
        return {"first_day": self.first_day.isoformat(), "last_day": self.last_day.isoformat(), "days": self.days,
                "base": format(self.base, "f"), "rate": format(self.rate, "f"), "origin": self.origin,
                "year": self.year, "amount": format(self.amount, "f"), "source": self.source}


def segments(debt: Debt, until: date, terms: Terms, rates: Mapping[str, Rate]) -> tuple[Segment, ...]:
    """Interest on a debt from the day after its due date to `until`.

    A reversal puts its amount back into the base from the day after it. Days on which nothing is owed are left out.

    Raises:
        RateMissing: for a half-year in which interest runs, also where the contract has a rate, since nobody could say
            whether it is enough.
    """
    first, last = debt.due_date + DAY, until
    if last < first:
        return ()
    starts = sorted({first, *_changes(debt.payments, first, last), *_half_years(first, last)})
    ends = [*(start - DAY for start in starts[1:]), last]
    found = []
    for start, end in zip(starts, ends, strict=True):
        base = debt.owed - sum((amount for on, amount in debt.payments if on < start), Decimal(0))
        if base > 0:
            found.append(_segment(start, end, base, terms, rate_for(rates, start)))
    return tuple(found)


def total(parts: Sequence[Segment]) -> Decimal:
    """The sum of the rounded segments."""
    return sum((part.amount for part in parts), Decimal(0))


def rate_in(terms: Terms, rate: Rate) -> tuple[Decimal, str]:
    """(percent a year, contract or law) in a half-year: a contract that says too little says nothing."""
    if terms.rate is not None and terms.rate >= rate.least:
        return terms.rate, "contract"
    return rate.by_law, "law"


def _segment(start: date, end: date, base: Decimal, terms: Terms, rate: Rate) -> Segment:
    percent, origin = rate_in(terms, rate)
    return Segment(first_day=start, last_day=end, base=base, rate=percent, origin=origin,
                   year=_year(terms.day_count, start), source=rate.source)


def _year(day_count: str, day: date) -> int:
    if day_count == "actual":
        return (date(day.year + 1, 1, 1) - date(day.year, 1, 1)).days
    return int(day_count)


def _changes(payments: Sequence[tuple[date, Decimal]], first: date, last: date) -> list[date]:
    """The first days with another base."""
    return [on + DAY for on, _ in payments if first < on + DAY <= last]


def _half_years(first: date, last: date) -> list[date]:
    """Every 1 January and 1 July after the first day."""
    years = range(first.year, last.year + 1)
    starts = (first_day_of(f"{year:04}-{half}") for year in years for half in ("H1", "H2"))
    return [start for start in starts if first < start <= last and half_year_of(start) != half_year_of(first)]
