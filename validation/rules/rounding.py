"""The ways in which people round VAT, so that a figure that is off can be told from one that follows another custom.

Everything in Decimal, exact until the one rounding that the convention has.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Context, Decimal
from typing import Final

from formats.amounts import total
from formats.invoice import Invoice, Line, VatBreakdown

CENT: Final = Decimal("0.01")
HUNDRED: Final = Decimal(100)
WIDE: Final = Context(prec=256)
"""Wide enough for the product of any two numbers that can be read."""


@dataclass(frozen=True, slots=True)
class Convention:
    """One way of rounding, by its name in findings and in words."""

    name: str
    fr: str
    en: str


PER_RATE: Final = Convention("per-rate-half-up", "TVA arrondie une fois par taux", "VAT rounded once per rate")
CASH: Final = {
    Decimal("0.05"): Convention("cash-0.05", "arrondi à 5 centimes", "rounded to 5 cents"),
    Decimal("0.10"): Convention("cash-0.10", "arrondi à 10 centimes", "rounded to 10 cents"),
    Decimal(1): Convention("cash-1", "arrondi à l'euro", "rounded to the whole unit"),
}
"""What a till rounds the amount due to; the difference belongs into BT-114."""

UNROUNDED_LINES: Final = Convention(
    "unrounded-lines", "somme des lignes avant arrondi, arrondie une fois", "lines summed before rounding, rounded once"
)
VAT_ONCE: Final = Convention(
    "vat-once", "TVA de tous les taux arrondie une seule fois", "VAT of all rates rounded only once"
)
VAT_PER_LINE: Final = Convention("per-line-half-up", "TVA arrondie à chaque ligne", "VAT rounded on every line")


def rounded(value: Decimal, mode: str = ROUND_HALF_UP, step: Decimal = CENT) -> Decimal:
    """`value` to a multiple of `step`, by default to the cent, half away from zero."""
    steps = WIDE.divide(value, step)
    return WIDE.multiply(steps.quantize(Decimal(1), mode, WIDE), step)


def share(amount: Decimal, rate: Decimal) -> Decimal:
    """`rate` percent of `amount`, not rounded."""
    return WIDE.divide(WIDE.multiply(amount, rate), HUNDRED)


def line_net(line: Line) -> Decimal | None:
    """BT-131 as the other terms give it, not rounded; None where a part is absent."""
    price = line.price
    if line.quantity is None or price is None or price.net is None or price.base_quantity == 0:
        return None
    gross = WIDE.divide(WIDE.multiply(line.quantity, price.net), price.base_quantity or Decimal(1))
    less, more = total(each.amount for each in line.allowances), total(each.amount for each in line.charges)
    return WIDE.add(WIDE.subtract(gross, less), more)


def unrounded_lines(lines: Iterable[Line]) -> Decimal | None:
    """The sum of the lines as computed, rounded once at the end; None where one cannot be computed."""
    nets = [line_net(line) for line in lines]
    return None if any(net is None for net in nets) else rounded(total(nets))


def vat_conventions(invoice: Invoice, row: VatBreakdown) -> Iterator[tuple[Convention, Decimal]]:
    """What BT-117 of a row would be under each convention but that of the norm; likelier ones first."""
    if row.taxable_amount is None or row.rate is None:
        return
    parts = _parts(invoice, row)
    exact = share(row.taxable_amount, row.rate)
    lines = [line for line in invoice.lines if _belongs(line.vat_category, line.vat_rate, row)]
    if parts:
        yield VAT_PER_LINE, total(rounded(share(part, row.rate)) for part in parts)
        yield (
            Convention("per-line-half-even", "TVA par ligne, arrondie au pair", "VAT per line, half even"),
            total(rounded(share(part, row.rate), ROUND_HALF_EVEN) for part in parts),
        )
    unrounded = [line_net(line) for line in lines]
    if lines and None not in unrounded and not invoice.allowances and not invoice.charges:
        yield UNROUNDED_LINES, rounded(share(total(unrounded), row.rate))
    yield Convention("half-even", "arrondi au pair (bancaire)", "half rounded to even"), rounded(exact, ROUND_HALF_EVEN)
    yield Convention("down", "centimes tronqués", "cents cut off"), rounded(exact, ROUND_DOWN)
    yield Convention("up", "arrondi au centime supérieur", "rounded up to the next cent"), rounded(exact, ROUND_UP)
    yield CASH[Decimal(1)], rounded(exact, step=Decimal(1))


def find_convention(declared: Decimal, candidates: Iterable[tuple[Convention, Decimal]]) -> Convention | None:
    """The first convention that gives the declared figure."""
    return next((convention for convention, value in candidates if value == declared), None)


def _parts(invoice: Invoice, row: VatBreakdown) -> list[Decimal]:
    """The amounts that make up BT-116 of a row: lines and charges, allowances as negative."""
    lines = [line.net_amount for line in invoice.lines if _belongs(line.vat_category, line.vat_rate, row)]
    more = [each.amount for each in invoice.charges if _belongs(each.vat_category, each.vat_rate, row)]
    less = [each.amount for each in invoice.allowances if _belongs(each.vat_category, each.vat_rate, row)]
    return [amount for amount in (*lines, *more) if amount is not None] + [
        amount.copy_negate() for amount in less if amount is not None
    ]


def _belongs(category: str | None, rate: Decimal | None, row: VatBreakdown) -> bool:
    return category == row.category and (rate or Decimal(0)) == (row.rate or Decimal(0))
