"""Which payments the tax office must hear of, and how a payment is split by VAT rate. Pure; Decimal only."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, Decimal

from formats.codes import CREDIT_TYPES, PREPAYMENT_TYPES

CENT = Decimal("0.01")
ALREADY_REPORTED = frozenset({"B7", "S7"})
"""Billing frames whose VAT was collected and reported before the invoice."""

DOMESTIC = frozenset({"B2B", "B2G"})
"""Processing rules (XP Z12-013) of invoices between companies in France, the ones that have a lifecycle."""


def is_due_on_receipt(
    *, type_code: str | None, business_process: str | None, vat: Sequence[Mapping[str, str]], vat_on_debits: bool,
    vat_regime: str, processing_rule: str = "B2B",
) -> bool:
    """Whether VAT on this invoice falls due when the money comes in, so that a 212 is due for each payment.

    Services (billing frame S or M) unless the seller opted for debits, and down payments on goods. Not where there is
    no VAT to pay (franchise, reverse charge, exempt), not where it was reported already, and not for consumers and
    foreign buyers: their payments are reported by e-reporting (flux 10).
    Source: CGI art. 269, 2; DGFiP specifications 3.2 on status 212.
    """
    frame = business_process or ""
    no_vat = vat_regime == "franchise" or not any(Decimal(row["tax"]) for row in vat)
    if no_vat or frame in ALREADY_REPORTED or processing_rule not in DOMESTIC:
        return False
    return not vat_on_debits if frame[:1] in {"S", "M"} else type_code in PREPAYMENT_TYPES


def stated_amount(payment: Decimal, type_code: str | None) -> Decimal:
    """A payment as a 212 states it: money received is positive, so what settles a credit note is negative."""
    return -payment if type_code in CREDIT_TYPES else payment


def split_by_rate(amount: Decimal, vat: Sequence[Mapping[str, str]]) -> tuple[tuple[Decimal, Decimal], ...]:
    """(rate, part of `amount`) per VAT rate, lowest rate first; the parts sum up to `amount` exactly.

    In proportion to what each rate has of the total with VAT (BT-116 + BT-117 of BG-23), in cents; the cents that
    rounding leaves go to the largest remainders, then to the higher rates. Rates without a part are left out. An
    invoice whose breakdown sums up to zero gives everything to its highest rate. `amount` is in whole cents.

    Raises:
        ValueError: `amount` has parts of a cent, or there is no breakdown.
    """
    if amount != amount.quantize(CENT):
        raise ValueError(f"{amount} is not in whole cents")
    weights = weights_of(vat)
    if not weights:
        raise ValueError("no VAT breakdown")
    total = sum(weights.values(), Decimal(0))
    if total == 0:
        return ((max(weights), amount.quantize(CENT)),)
    exact = {rate: amount * weight / total for rate, weight in weights.items()}
    cents = {rate: part.quantize(CENT, ROUND_DOWN) for rate, part in exact.items()}
    left = int((amount - sum(cents.values(), Decimal(0))) / CENT)
    step = CENT if left > 0 else -CENT
    by_remainder = sorted(weights, key=lambda rate: ((exact[rate] - cents[rate]) * step, rate), reverse=True)
    for place in range(abs(left)):
        cents[by_remainder[place]] += step
    return tuple((rate, cents[rate]) for rate in sorted(cents) if cents[rate])


def split_next(
    amount: Decimal, earlier: Sequence[Decimal], vat: Sequence[Mapping[str, str]]
) -> tuple[tuple[Decimal, Decimal], ...]:
    """As `split_by_rate`, for the payment that follows `earlier` ones (in the order of recording).

    Split one by one, partial payments leave cents on the wrong rate. So each one says what is missing to the split of
    all of them together: the parts of a settled invoice are its VAT breakdown, and those of a payment taken back
    sum up to nothing. Where that would turn a part against its payment (a matter of cents), it is split by itself, and
    the next one makes up for it. `amount` and `earlier` are what each 212 states, see `stated_amount`.
    """
    told: dict[Decimal, Decimal] = {}
    parts: tuple[tuple[Decimal, Decimal], ...] = ()
    total = Decimal(0)
    for payment in (*earlier, amount):
        total += payment
        whole = dict(split_by_rate(total, vat))
        missing = {rate: whole.get(rate, Decimal(0)) - told.get(rate, Decimal(0)) for rate in whole | told}
        against = any(part * payment < 0 for part in missing.values())
        parts = split_by_rate(payment, vat) if against else tuple(sorted(each for each in missing.items() if each[1]))
        told |= {rate: told.get(rate, Decimal(0)) + part for rate, part in parts}
    return parts


def weights_of(vat: Sequence[Mapping[str, str]]) -> dict[Decimal, Decimal]:
    """Amount with VAT per rate; categories without a rate (exempt, reverse charge) count as rate 0."""
    weights: dict[Decimal, Decimal] = {}
    for row in vat:
        rate = Decimal(row["rate"] or "0")
        weights[rate] = weights.get(rate, Decimal(0)) + Decimal(row["taxable"]) + Decimal(row["tax"])
    return weights
