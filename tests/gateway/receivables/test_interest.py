"""Interest and the forty euro: ten cases worked by hand, and what holds for every case.

The rates are those of C. com. art. L441-10, II: the ECB's main refinancing rate on 1 January or 1 July and ten points,
or the contract's where it is at least three times legal interest. The working stands beside each case; figures were
multiplied and divided on paper, not by the program.
"""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.receivables.interest import Debt, Terms, segments, total
from gateway.receivables.rates import RateMissing, packaged

D = Decimal
RULES = packaged()
LAW, CONTRACT_12 = Terms(), Terms(rate=D(12))
LATE, PARTS, HALVES = "L441-10, II al. 1 et 2", "L441-10, II ; base réduite par les acomptes", "L441-10, II al. 4"

Case = tuple[str, str, str, list[tuple[str, str]], str, str, Terms, list[str]]
"""Name, legal source, amount owed, payments, due date, last day, terms, the amount of each segment."""

CASES: list[Case] = [
    # 1. 10 000 at 2.15 + 10 = 12.15 %, 31 January to 2 March 2026: 28 days of February and 2 of March = 30.
    #    10 000 x 0.1215 = 1 215 a year; x 30 = 36 450; / 365 = 99.863
    ("plain, one half-year", LATE, "10000.00", [], "2026-01-31", "2026-03-02", LAW, ["99.86"]),
    # 2. Paid on the due date: no day is late.
    ("on time", LATE, "10000.00", [("2026-01-31", "10000.00")], "2026-01-31", "2026-03-02", LAW, []),
    # 3. Paid the day after: one day. 1 215 / 365 = 3.3287
    ("one day", LATE, "10000.00", [("2026-02-01", "10000.00")], "2026-01-31", "2026-03-02", LAW, ["3.33"]),
    # 4. 2 400, due 15 June 2025, to 15 July 2025, two half-years. June: 16 to 30 = 15 days at 3.15 + 10 = 13.15 %:
    #    2 400 x 0.1315 = 315.60; x 15 = 4 734; / 365 = 12.9699 -> 12.97.
    #    July: 1 to 15 = 15 days at 12.15 %: 2 400 x 0.1215 = 291.60; x 15 = 4 374; / 365 = 11.9836 -> 11.98.
    ("across 1 July", HALVES, "2400.00", [], "2025-06-15", "2025-07-15", LAW, ["12.97", "11.98"]),
    # 5. 5 000 due 1 December 2025, to 31 January 2026: the rate is the same on both sides of 1 January, yet each
    #    half-year is a segment of its own: 30 days and 31 days at 12.15 %. 5 000 x 0.1215 = 607.50 a year;
    #    x 30 = 18 225; / 365 = 49.9315 -> 49.93. x 31 = 18 832.50; / 365 = 51.5959 -> 51.60.
    ("across 1 January", HALVES, "5000.00", [], "2025-12-01", "2026-01-31", LAW, ["49.93", "51.60"]),
    # 6. 6 000 due 28 February 2026; 2 500 on 15 March, the rest on 20 April. 1 to 15 March = 15 days on 6 000:
    #    729 a year; x 15 = 10 935; / 365 = 29.9589 -> 29.96. 16 March to 20 April = 16 + 20 = 36 days on 3 500:
    #    425.25 a year; x 36 = 15 309; / 365 = 41.9425 -> 41.94.
    ("paid in two parts", PARTS, "6000.00", [("2026-03-15", "2500.00"), ("2026-04-20", "3500.00")], "2026-02-28",
     "2026-06-30", LAW, ["29.96", "41.94"]),
    # 7. Contract: 12 % >= 3 x 2.62 = 7.86 %. 1 234.56 due 31 March 2026, to 30 April: 30 days.
    #    1 234.56 x 0.12 = 148.1472; x 30 = 4 444.416; / 365 = 12.1765 -> 12.18.
    ("contract above the least", "L441-10, II : taux convenu", "1234.56", [], "2026-03-31", "2026-04-30", CONTRACT_12,
     ["12.18"]),
    # 8. Contract: 7.80 % < 7.86 %, so that the law's 12.15 % applies. 1 234.56 x 0.1215 = 149.99904; x 30 = 4 499.9712;
    #    / 365 = 12.3287 -> 12.33.
    ("contract below the least", "L441-10, II : au moins trois fois l'intérêt légal", "1234.56", [], "2026-03-31",
     "2026-04-30", Terms(rate=D("7.80")), ["12.33"]),
    # 9. 2024 has 366 days. 10 000 due 31 January 2024, to 1 March: 29 + 1 = 30 days at 4.50 + 10 = 14.50 %.
    #    1 450 x 30 = 43 500; / 366 = 118.8525 -> 118.85.
    ("days of the calendar year", "L441-10, II ; décompte exact", "10000.00", [], "2024-01-31", "2024-03-01",
     Terms(day_count="actual"), ["118.85"]),
    # 10. The same divided by 360: 43 500 / 360 = 120.8333 -> 120.83.
    ("a year of 360 days", "L441-10, II ; décompte bancaire", "10000.00", [], "2024-01-31", "2024-03-01",
     Terms(day_count="360"), ["120.83"]),
    # 11. A cheque that bounced: 1 000 due 31 March 2026, paid on 10 April, taken back on 20 April, to 30 April.
    #     1 to 10 April = 10 days, nothing from 11 to 20, 21 to 30 = 10 days: 121.50 x 10 = 1 215; / 365 = 3.3288 each.
    ("a payment taken back", PARTS, "1000.00", [("2026-04-10", "1000.00"), ("2026-04-20", "-1000.00")], "2026-03-31",
     "2026-04-30", LAW, ["3.33", "3.33"]),
    # 12. Half a cent goes up: 45 x 12 % = 5.40 a year; one day of 360 = 0.015 -> 0.02.
    ("exactly half a cent", "arrondi au centime le plus proche", "45.00", [("2026-04-01", "45.00")], "2026-03-31",
     "2026-04-30", Terms(rate=D(12), day_count="360"), ["0.02"]),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_worked_by_hand(case: Case) -> None:
    _, source, owed, payments, due, until, terms, expected = case
    debt = Debt(D(owed), date.fromisoformat(due), [(date.fromisoformat(on), D(amount)) for on, amount in payments])

    parts = segments(debt, date.fromisoformat(until), terms, RULES)

    assert source.startswith(("L441-10", "arrondi"))
    assert [format(part.amount, "f") for part in parts] == expected
    assert total(parts) == sum(map(D, expected), D(0))


def test_no_rate_is_invented() -> None:
    with pytest.raises(RateMissing) as missing:
        segments(Debt(D(100), date(2026, 6, 20)), date(2026, 7, 2), CONTRACT_12, RULES)
    assert missing.value.half_year == "2026-H2"
    assert segments(Debt(D(100), date(2026, 6, 20), [(date(2026, 6, 30), D(100))]), date(2026, 7, 2), LAW, RULES), (
        "a half-year in which nothing was owed needs no rate")


def test_a_due_date_of_the_first_thousand_years_asks_for_its_rate() -> None:
    """Somebody typed 0026 for 2026."""
    with pytest.raises(RateMissing) as missing:
        segments(Debt(D(100), date(26, 11, 30)), date(2026, 7, 2), LAW, RULES)
    assert missing.value.half_year == "0026-H2"


def test_the_rates_of_the_data_file_say_where_they_come_from() -> None:
    assert [rate.half_year for rate in RULES.values()] == ["2024-H1", "2024-H2", "2025-H1", "2025-H2", "2026-H1"]
    assert (RULES["2026-H1"].by_law, RULES["2026-H1"].least) == (D("12.15"), D("7.86"))
    assert all(len(rate.source) > 20 for rate in RULES.values())


DUE = date(2024, 1, 1)
PAYMENTS = st.lists(st.tuples(st.integers(0, 800).map(lambda days: DUE + timedelta(days=days)),
                              st.integers(1, 40_000).map(lambda cents: D(cents) / 100)), max_size=4)


@settings(max_examples=50)
@given(PAYMENTS, st.integers(1, 900), st.sampled_from(("365", "actual", "360")))
def test_every_late_day_is_counted_once(payments: list[tuple[date, Decimal]], days: int, day_count: str) -> None:
    """Day by day, unrounded, is the same up to half a cent a segment."""
    owed, until = D(1000), DUE + timedelta(days=days)
    parts = segments(Debt(owed, DUE, payments), until, Terms(day_count=day_count), RULES)
    exact, counted = D(0), 0
    for offset in range(1, days + 1):
        day = DUE + timedelta(days=offset)
        base = owed - sum((amount for on, amount in payments if on < day), D(0))
        if base > 0:
            rate = RULES[f"{day.year}-H{1 if day.month < 7 else 2}"].refinancing + 10
            year = {"365": 365, "360": 360, "actual": 366 if day.year % 4 == 0 else 365}[day_count]
            exact, counted = exact + base * rate / 100 / year, counted + 1
    assert sum(part.days for part in parts) == counted
    assert abs(total(parts) - exact) <= D("0.005") * len(parts) + D("0.0000001")
