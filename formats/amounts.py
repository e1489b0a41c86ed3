"""The sums of EN 16931 as pure functions on Decimal. They say what an amount should be; they never change an invoice.

All amounts in the invoice currency. A missing amount counts as zero in a sum. Rounding is half up to two places,
as BR-DEC-* and BR-CO-17 have it; only the functions that say so round.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal

from formats.invoice import AllowanceCharge, Invoice, Line, Totals, VatBreakdown

ZERO = Decimal(0)
HUNDRED = Decimal(100)
_WIDE = Context(prec=256, rounding=ROUND_HALF_UP)
"""Wide enough for the product of any two numbers that can be read (64 characters), divided by the smallest."""


def rounded(value: Decimal, places: int = 2) -> Decimal:
    """`value` with exactly `places` decimals, half away from zero."""
    return _WIDE.quantize(value, Decimal(1).scaleb(-places))


def total(values: Iterable[Decimal | None]) -> Decimal:
    """The exact sum, zero for nothing."""
    result = ZERO
    for value in values:
        if value is not None:
            result = _WIDE.add(result, value)
    return result


def line_net(line: Line) -> Decimal | None:
    """BT-131 as the other terms of the line give it, rounded: quantity x net price / base quantity - BG-27 + BG-28.

    None without quantity or price, or with a base quantity of zero. EN 16931 defines it, no published rule
    checks it.
    """
    if line.quantity is None or line.price is None or line.price.net is None:
        return None
    base = Decimal(1) if line.price.base_quantity is None else line.price.base_quantity
    if base == 0:
        return None
    gross = _WIDE.divide(_WIDE.multiply(line.quantity, line.price.net), base)
    less, more = total(item.amount for item in line.allowances), total(item.amount for item in line.charges)
    return rounded(_WIDE.add(_WIDE.subtract(gross, less), more))


def sum_of_lines(lines: Iterable[Line]) -> Decimal:
    """BT-106: the sum of BT-131 (BR-CO-10)."""
    return total(line.net_amount for line in lines)


def sum_of_amounts(items: Iterable[AllowanceCharge]) -> Decimal:
    """BT-107 or BT-108: the sum of BT-92 (BR-CO-11) or of BT-99 (BR-CO-12)."""
    return total(item.amount for item in items)


def without_vat(totals: Totals) -> Decimal:
    """BT-109: BT-106 - BT-107 + BT-108 (BR-CO-13)."""
    return total((totals.lines_net, _negative(totals.allowances), totals.charges))


def sum_of_vat(breakdown: Iterable[VatBreakdown]) -> Decimal:
    """BT-110: the sum of BT-117 (BR-CO-14)."""
    return total(entry.tax_amount for entry in breakdown)


def with_vat(totals: Totals) -> Decimal:
    """BT-112: BT-109 + BT-110 (BR-CO-15)."""
    return total((totals.without_vat, totals.vat))


def due(totals: Totals) -> Decimal:
    """BT-115: BT-112 - BT-113 + BT-114 (BR-CO-16)."""
    return total((totals.with_vat, _negative(totals.paid), totals.rounding))


def vat_of(taxable: Decimal, rate: Decimal) -> Decimal:
    """BT-117: BT-116 x BT-119 / 100, rounded (BR-CO-17). `rate` 20 means twenty percent."""
    return rounded(_WIDE.divide(_WIDE.multiply(taxable, rate), HUNDRED))


def taxable_amounts(invoice: Invoice) -> dict[tuple[str | None, Decimal | None], Decimal]:
    """BT-116 per VAT category and rate: lines - document allowances + document charges (BR-S-08 and its siblings).

    Rates are compared by value, so 20 and 20.00 are one key.
    """
    sums: dict[tuple[str | None, Decimal | None], Decimal] = {}
    for line in invoice.lines:
        _add(sums, line.vat_category, line.vat_rate, line.net_amount)
    for item in invoice.allowances:
        _add(sums, item.vat_category, item.vat_rate, _negative(item.amount))
    for item in invoice.charges:
        _add(sums, item.vat_category, item.vat_rate, item.amount)
    return sums


def expected_totals(invoice: Invoice) -> Totals:
    """BG-22 as the lines, allowances, charges and VAT breakdown of `invoice` give it.

    Paid amount, rounding and the VAT in accounting currency are taken from the invoice: nothing defines them.
    """
    stated = invoice.totals
    lines_net = sum_of_lines(invoice.lines)
    less, more = sum_of_amounts(invoice.allowances), sum_of_amounts(invoice.charges)
    net = total((lines_net, _negative(less), more))
    vat = sum_of_vat(invoice.vat_breakdown)
    gross = total((net, vat))
    return Totals(
        lines_net=lines_net, allowances=less, charges=more, without_vat=net, vat=vat,
        vat_in_accounting_currency=stated.vat_in_accounting_currency, with_vat=gross, paid=stated.paid,
        rounding=stated.rounding, due=total((gross, _negative(stated.paid), stated.rounding)),
    )


def _negative(value: Decimal | None) -> Decimal | None:
    # Not unary minus, which rounds to the precision of the thread's context.
    return None if value is None else value.copy_negate()


def _add(
    sums: dict[tuple[str | None, Decimal | None], Decimal], category: str | None, rate: Decimal | None,
    amount: Decimal | None,
) -> None:
    if amount is not None:
        sums[category, rate] = _WIDE.add(sums.get((category, rate), ZERO), amount)
