"""The figures of a credit controller, each defined once. Pure; amounts of one currency, days of the calendar.

In all of them a sale is what an invoice asked for (BT-115) less the credit notes that name it, on its day of issue, and
nothing once it was refused, rejected, cancelled or replaced; an open credit note is a sale below zero. BT-115 and not
BT-112, so that what a down payment asked for is not counted again by the final invoice: every euro of sales was once
owed. What is owed (`owed`) is the sum of all balances, credits taken off; claims for lateness are in no figure.

Where there is nothing to divide by, a figure is None: it is not zero, it is not known.
"""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple

from gateway.receivables.account import NOTHING, Item, Received

TENTH: Final = Decimal("0.1")
RATE: Final = Decimal("0.0001")
LATE_LIMIT: Final = Decimal(30)
"""Percent of invoices paid late over twelve months above which a client is pointed out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """One invoice in force that asks for money."""

    client: str
    """`Client.mark`."""

    amount: Decimal
    """Its sale: what was to be paid in the end."""

    due_date: date | None
    settled_on: date | None
    """The day since which payments reach `amount`; None while they do not."""


class Delay(NamedTuple):
    """Bills that were settled so many days late."""

    days: int
    bills: int
    amount: Decimal
    """Of all of them."""


class Dues(NamedTuple):
    """What of a client fell due in twelve months."""

    client: str
    """`Client.mark`."""

    late: int
    bills: int


@dataclass(frozen=True, slots=True)
class Spell:
    """A dispute: from the day it began to the day it was dealt with."""

    since: date
    until: date | None = None


@dataclass(frozen=True, slots=True)
class DisputeFigures:
    """How long disputes last."""

    open: int
    average_age: Decimal | None
    """Of those that are open, in days."""

    oldest: int | None
    solved: int
    """In the twelve months up to the day."""

    average_solving: Decimal | None
    """Days from the beginning of these to their end."""


def sale_of(item: Item) -> Decimal:
    """What a document adds to the sales of its day."""
    return item.stated - item.ended - item.credited


def sales_by_day(items: Iterable[Item]) -> Mapping[date, Decimal]:
    """The sales of each day of issue. `items` are all documents up to a day, the settled ones too."""
    found: dict[date, Decimal] = defaultdict(Decimal)
    for item in items:
        found[item.document.issued_on] += sale_of(item)
    return found


def sales_of(sales: Mapping[date, Decimal], as_of: date, days: int) -> Decimal:
    """The sales of the last `days` days, the day `as_of` included."""
    first = as_of - timedelta(days=days - 1)
    return sum((amount for day, amount in sales.items() if first <= day <= as_of), NOTHING)


def dso_simple(owed: Decimal, sales: Decimal, days: int) -> Decimal | None:
    """DSO = owed / sales of the last `days` days × `days`. None without sales in that time."""
    return _tenth(owed / sales * days) if sales > 0 else None


def dso_best_possible(owed: Decimal, overdue: Decimal, sales: Decimal, days: int) -> Decimal | None:
    """Best possible DSO = (owed − overdue) / sales of the last `days` days × `days`: if nobody were late.

    Never below zero, where credits are more than what is not due yet. The distance to the simple DSO is the average
    time lost to lateness. None without sales in that time.
    """
    return dso_simple(max(NOTHING, owed - overdue), sales, days)


def dso_countback(owed: Decimal, sales: Mapping[date, Decimal], as_of: date) -> Decimal | None:
    """Count-back DSO (épuisement): month by month back from `as_of`, how many days of sales make up what is owed.

    While what is left of `owed` is at least the sales of a month, these are taken off and its days are counted (of the
    month of `as_of` only those up to it); in the month where it is less, the part left / sales × days. A month without
    sales counts all its days. None where the sales known do not reach: then something is older than the first of them.
    """
    left, counted = owed, 0
    if left <= 0:
        return _tenth(NOTHING)
    months: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for day, amount in sales.items():
        if day <= as_of:
            months[day.year, day.month] += amount
    year, month, length = as_of.year, as_of.month, as_of.day
    first = min(months, default=(year, month + 1))
    while (year, month) >= first:
        sold = max(NOTHING, months.get((year, month), NOTHING))
        if left < sold:
            return _tenth(counted + left / sold * length)
        left, counted = left - sold, counted + length
        if left == 0:
            return _tenth(Decimal(counted))
        year, month = (year - 1, 12) if month == 1 else (year, month - 1)
        length = monthrange(year, month)[1]
    return None


def bills(items: Iterable[Item], payments: Iterable[Received], as_of: date) -> list[Bill]:
    """The invoices in force among these items, with the day on which they were settled, up to `as_of`.

    What a credit note took off was never asked for; one that it takes off whole is no bill.
    """
    received: dict[str, list[Received]] = defaultdict(list)
    for payment in payments:
        if payment.on <= as_of:
            received[payment.document].append(payment)
    return [Bill(client=item.document.client.mark, amount=sale_of(item), due_date=item.document.due_date,
                 settled_on=settled_on(sale_of(item), received[item.document.id]))
            for item in items if not item.document.is_credit and sale_of(item) > 0]


def settled_on(amount: Decimal, payments: Sequence[Received]) -> date | None:
    """The day since which the payments reach the amount: one that is taken back begins it anew."""
    total, since = NOTHING, None
    for day in sorted({payment.on for payment in payments}):
        total += sum((payment.amount for payment in payments if payment.on == day), NOTHING)
        since = (since or day) if total >= amount else None
    return since


def delays(settled: Iterable[Bill], as_of: date) -> list[Delay]:
    """How late each bill settled in the twelve months up to `as_of` was paid; 0 days for one paid in time or before."""
    since = year_before(as_of)
    return [Delay(max(0, (bill.settled_on - bill.due_date).days), 1, bill.amount) for bill in settled
            if bill.due_date is not None and bill.settled_on is not None and since < bill.settled_on <= as_of]


def average_delay(found: Sequence[Delay]) -> Decimal | None:
    """Mean of the days late of `delays`, each invoice counting once."""
    count = sum(one.bills for one in found)
    return _tenth(Decimal(sum(one.days * one.bills for one in found)) / count) if count else None


def weighted_delay(found: Sequence[Delay]) -> Decimal | None:
    """The same, each euro counting once."""
    weight = sum((one.amount for one in found), NOTHING)
    return _tenth(sum((one.days * one.amount for one in found), NOTHING) / weight) if weight else None


def dues(known: Iterable[Bill], as_of: date) -> list[Dues]:
    """By client, the bills that fell due in the twelve months up to `as_of`, that day left out, and how many were late.

    Late is what was settled after its due date, or is not settled. Weekends and holidays are not looked at.
    """
    since = year_before(as_of)
    found: dict[str, list[bool]] = defaultdict(list)
    for bill in known:
        if bill.due_date is not None and since < bill.due_date < as_of:
            found[bill.client].append(bill.settled_on is None or bill.settled_on > bill.due_date)
    return [Dues(client, sum(late), len(late)) for client, late in found.items()]


def late_share(found: Iterable[Dues]) -> tuple[int, int]:
    """(late, all) of these together."""
    known = list(found)
    return sum(one.late for one in known), sum(one.bills for one in known)


def late_clients(found: Iterable[Dues]) -> list[Dues]:
    """Those more than LATE_LIMIT percent of whose bills were late, the worst first."""
    above = [one for one in found if 100 * one.late > LATE_LIMIT * one.bills]
    return sorted(above, key=lambda one: (-Decimal(one.late) / one.bills, -one.late, one.client))


def percent(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """`part` of `whole` in percent, to a tenth; None of nothing."""
    return _tenth(Decimal(100) * part / whole) if whole else None


def dispute_figures(spells: Iterable[Spell], as_of: date) -> DisputeFigures:
    """How old the disputes open on a day are, and how long those took that ended in the twelve months up to it."""
    known = [spell for spell in spells if spell.since <= as_of]
    ages = [(as_of - spell.since).days for spell in known if spell.until is None or spell.until > as_of]
    solved = [(spell.until - spell.since).days for spell in known
              if spell.until is not None and year_before(as_of) < spell.until <= as_of]
    return DisputeFigures(len(ages), _mean(ages), max(ages, default=None), len(solved), _mean(solved))


def cost_per_euro(cost: Decimal | None, collected: Decimal) -> Decimal | None:
    """What a channel cost for each euro that came in after it; None without a known cost or without money."""
    return None if cost is None or collected <= 0 else (cost / collected).quantize(RATE, ROUND_HALF_UP)


def year_before(day: date) -> date:
    """The same day a year earlier; 28 February for the 29th."""
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def _mean(numbers: Sequence[int]) -> Decimal | None:
    return _tenth(Decimal(sum(numbers)) / len(numbers)) if numbers else None


def _tenth(value: Decimal) -> Decimal:
    return value.quantize(TENTH, ROUND_HALF_UP)
