"""Splitting a payment by VAT rate, and when the tax office must hear of it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.receivables.vat import is_due_on_receipt, split_by_rate, split_next, stated_amount

CENTS = st.decimals(Decimal("0.01"), Decimal("9999999.99"), places=2)
RATES = st.sampled_from(["0", "2.1", "5.5", "8.5", "10", "20", "20.00"])


def row(rate: str, taxable: str, tax: str, category: str = "S") -> dict[str, str]:
    return {"category": category, "rate": rate, "taxable": taxable, "tax": tax}


@st.composite
def breakdowns(draw: st.DrawFn) -> list[dict[str, str]]:
    rates = draw(st.lists(RATES, min_size=1, max_size=5))
    return [row(rate, str(draw(CENTS)), str(draw(CENTS | st.just(Decimal(0))))) for rate in rates]


@given(CENTS, st.sampled_from([1, -1]), breakdowns())
def test_the_parts_are_the_payment(amount: Decimal, sign: int, vat: list[dict[str, str]]) -> None:
    parts = split_by_rate(sign * amount, vat)

    assert sum(part for _, part in parts) == sign * amount
    assert all(part * sign > 0 and part == part.quantize(Decimal("0.01")) for _, part in parts)
    assert [rate for rate, _ in parts] == sorted({rate for rate, _ in parts})
    assert {rate for rate, _ in parts} <= {Decimal(r["rate"]) for r in vat}


@given(CENTS, breakdowns())
def test_each_part_is_within_a_cent_of_its_share(amount: Decimal, vat: list[dict[str, str]]) -> None:
    total = sum(Decimal(r["taxable"]) + Decimal(r["tax"]) for r in vat)
    parts = dict(split_by_rate(amount, vat))
    for rate in {Decimal(r["rate"]) for r in vat}:
        share = sum(Decimal(r["taxable"]) + Decimal(r["tax"]) for r in vat if Decimal(r["rate"]) == rate)
        assert abs(parts.get(rate, Decimal(0)) - amount * share / total) < Decimal("0.01")


@given(CENTS, breakdowns())
def test_a_reversal_undoes_its_payment(amount: Decimal, vat: list[dict[str, str]]) -> None:
    assert split_by_rate(-amount, vat) == tuple((rate, -part) for rate, part in split_by_rate(amount, vat))


@given(breakdowns())
def test_the_whole_payment_gives_the_breakdown_back(vat: list[dict[str, str]]) -> None:
    total = sum(Decimal(r["taxable"]) + Decimal(r["tax"]) for r in vat)
    for rate, part in split_by_rate(total, vat):
        assert part == sum(Decimal(r["taxable"]) + Decimal(r["tax"]) for r in vat if Decimal(r["rate"]) == rate)


@given(CENTS, st.decimals(-1000, 1000, places=2), st.decimals(-1000, 1000, places=2))
def test_a_breakdown_of_both_signs_still_sums_up(amount: Decimal, one: Decimal, other: Decimal) -> None:
    vat = [row("20", str(one), "0"), row("10", str(other), "0")]

    assert sum(part for _, part in split_by_rate(amount, vat)) == amount


@pytest.mark.parametrize(("amount", "vat", "parts"), [
    ("120", [row("20", "100", "20")], [("20", "120.00")]),
    ("100", [row("20", "100", "20"), row("10", "100", "10")], [("10", "47.83"), ("20", "52.17")]),
    ("0.01", [row("20", "100", "20"), row("10", "109.09", "10.91")], [("20", "0.01")]),
    ("-0.01", [row("20", "100", "20"), row("10", "109.09", "10.91")], [("20", "-0.01")]),
    ("10", [row("20", "0", "0"), row("10", "0", "0")], [("20", "10.00")]),
    ("33", [row("20", "10", "2"), row("0", "12", "0", "E"), row("0", "9", "0", "AE")],
     [("0", "21.00"), ("20", "12.00")]),
], ids=str)
def test_worked_examples(amount: str, vat: list[dict[str, str]], parts: list[tuple[str, str]]) -> None:
    found = [(rate, str(part)) for rate, part in split_by_rate(Decimal(amount), vat)]
    assert found == [(Decimal(rate), part) for rate, part in parts]


@pytest.mark.parametrize(("amount", "vat"), [("1.005", [row("20", "1", "0.2")]), ("1", [])])
def test_what_cannot_be_split_is_said(amount: str, vat: list[dict[str, str]]) -> None:
    with pytest.raises(ValueError, match=r"whole cents|breakdown"):
        split_by_rate(Decimal(amount), vat)


MOVES = st.decimals(Decimal("-99999.99"), Decimal("99999.99"), places=2).filter(bool)
PAYMENTS = st.lists(MOVES, min_size=1, max_size=6)


def told(payments: list[Decimal], vat: list[dict[str, str]]) -> dict[Decimal, Decimal]:
    """What the 212 of these payments say together, by rate; each is checked on the way."""
    sums: dict[Decimal, Decimal] = {}
    for place, payment in enumerate(payments):
        parts = split_next(payment, payments[:place], vat)
        assert sum(part for _, part in parts) == payment
        assert all(part * payment > 0 for _, part in parts), "no part goes against its payment"
        for rate, part in parts:
            sums[rate] = sums.get(rate, Decimal(0)) + part
    return {rate: amount for rate, amount in sums.items() if amount}


@given(PAYMENTS, breakdowns())
def test_whatever_is_paid_and_taken_back_the_parts_follow_the_sum(
    payments: list[Decimal], vat: list[dict[str, str]]
) -> None:
    parts, shares = told(payments, vat), dict(split_by_rate(sum(payments, Decimal(0)), vat))
    for rate in {Decimal(r["rate"]) for r in vat}:
        apart = abs(parts.get(rate, Decimal(0)) - shares.get(rate, Decimal(0)))
        assert apart <= Decimal("0.01") * len(payments), "only payments of a few cents leave anything, and cents"
    back = -sum(payments, Decimal(0))
    assert not back or sum(told([*payments, back], vat).values()) == 0


@given(st.lists(st.decimals(Decimal("0.10"), Decimal("9999.99"), places=2), max_size=6), breakdowns())
def test_an_invoice_paid_in_parts_gives_its_breakdown(payments: list[Decimal], vat: list[dict[str, str]]) -> None:
    breakdown: dict[Decimal, Decimal] = {}
    for r in vat:
        rate = Decimal(r["rate"])
        breakdown[rate] = breakdown.get(rate, Decimal(0)) + Decimal(r["taxable"]) + Decimal(r["tax"])
    total = sum(breakdown.values())
    rest = total - sum(payments, Decimal(0))
    smallest = min(breakdown.values()) * abs(rest) / total
    if smallest >= Decimal("0.02"):  # smaller parts may have to wait for the next payment
        assert told([*payments, rest], vat) == breakdown


def test_thirds_of_an_invoice_end_on_the_right_rates() -> None:
    vat = [row("20", "83.34", "16.67"), row("10", "90.91", "9.09")]
    thirds = [Decimal("66.67"), Decimal("66.67"), Decimal("66.67")]
    alone: dict[Decimal, Decimal] = {}
    for rate, part in (part for third in thirds for part in split_by_rate(third, vat)):
        alone[rate] = alone.get(rate, Decimal(0)) + part
    assert alone != {Decimal(20): Decimal("100.01"), Decimal(10): Decimal("100.00")}
    assert told(thirds, vat) == {Decimal(20): Decimal("100.01"), Decimal(10): Decimal("100.00")}


WITH_VAT = [row("20", "100", "20")]
WITHOUT_VAT = [row("0", "100", "0", "AE")]


@pytest.mark.parametrize(("case", "due"), [
    ({}, True),
    ({"business_process": "M1"}, True),
    ({"business_process": "B1"}, False),
    ({"business_process": None}, False),
    ({"vat_on_debits": True}, False),
    ({"type_code": "386", "business_process": "B1"}, True),
    ({"type_code": "503", "business_process": "B1"}, True),
    ({"type_code": "386", "business_process": "S1", "vat_on_debits": True}, False),
    ({"business_process": "S7"}, False),
    ({"vat_regime": "franchise"}, False),
    ({"vat": WITHOUT_VAT}, False),
    ({"type_code": "381"}, True),
    ({"processing_rule": "B2C"}, False),
    ({"processing_rule": "B2BInt"}, False),
], ids=str)
def test_when_vat_is_due_on_receipt(case: dict[str, object], due: bool) -> None:  # noqa: FBT001 - expected value
    usual: dict[str, object] = {"type_code": "380", "business_process": "S1", "vat": WITH_VAT,
                                "vat_on_debits": False, "vat_regime": "normal-monthly"}
    assert is_due_on_receipt(**{**usual, **case}) is due  # type: ignore[arg-type]  # a table of keywords


def test_what_settles_a_credit_note_goes_out() -> None:
    assert stated_amount(Decimal(5), "381") == Decimal(-5)
    assert stated_amount(Decimal(5), "380") == Decimal(5)
