"""The dated rates of interest for lateness: those of the data file, and those that a person added with a source."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.tables_receivables import HalfYearRate

HALF_YEAR = re.compile(r"20[0-9]{2}-H[12]")
MARGIN = Decimal(10)
"""Points on top of the ECB's rate (C. com. L441-10 II)."""

LEAST_TIMES = Decimal(3)
"""A contract's rate is at least this many times legal interest (C. com. L441-10 II)."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What is in force in one half-year, percent a year."""

    half_year: str
    refinancing: Decimal
    legal: Decimal
    source: str

    @property
    def by_law(self) -> Decimal:
        """Where the contract says nothing, or too little."""
        return self.refinancing + MARGIN

    @property
    def least(self) -> Decimal:
        """The least that a contract may say."""
        return self.legal * LEAST_TIMES


class RateMissing(Exception):
    """Nobody has said which rates are in force in a half-year; none is invented."""

    def __init__(self, half_year: str) -> None:
        super().__init__(f"no rate for {half_year}")
        self.half_year = half_year


def half_year_of(day: date) -> str:
    """`2026-H1` for 1 January to 30 June 2026."""
    return f"{day.year:04}-H{1 if day.month <= 6 else 2}"


def first_day_of(half_year: str) -> date:
    """1 January or 1 July."""
    return date(int(half_year[:4]), 1 if half_year.endswith("1") else 7, 1)


@cache
def packaged() -> Mapping[str, Rate]:
    """The rates of rates.toml by half-year."""
    told = tomllib.loads(resources.files("gateway.receivables").joinpath("rates.toml").read_text("utf-8"))
    return MappingProxyType({row["id"]: Rate(row["id"], Decimal(row["refinancing"]), Decimal(row["legal"]),
                                             row["source"]) for row in told["half_year"]})


def rates_of(session: Session) -> dict[str, Rate]:
    """Every known half-year, oldest first; what a person added comes before the data file."""
    added = {row.id: Rate(row.id, row.refinancing, row.legal, row.source)
             for row in session.scalars(select(HalfYearRate))}
    known = {**packaged(), **added}
    return {half_year: known[half_year] for half_year in sorted(known)}


def rate_for(rates: Mapping[str, Rate], day: date) -> Rate:
    """The rates in force on a day. Raises RateMissing."""
    half_year = half_year_of(day)
    if half_year not in rates:
        raise RateMissing(half_year)
    return rates[half_year]
