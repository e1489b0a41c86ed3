"""The sums of EN 16931, and that they never round by accident."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats import amounts
from formats.invoice import AllowanceCharge, Invoice, Line, Price, Totals, VatBreakdown


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1.005", "1.01"), ("-1.005", "-1.01"), ("1.0049", "1.00"), ("2", "2.00"),
     ("99999999999999999999.995", "100000000000000000000.00")],
)
def test_rounding_is_half_away_from_zero(value: str, expected: str) -> None:
    assert str(amounts.rounded(Decimal(value))) == expected


def line(quantity: str, net: str, base: str | None = None, **terms: object) -> Line:
    price = Price(net=Decimal(net), base_quantity=None if base is None else Decimal(base))
    return Line(quantity=Decimal(quantity), price=price, **terms)  # type: ignore[arg-type]  # terms are fields


def test_line_net_amount() -> None:
    assert amounts.line_net(line("3", "9.995")) == Decimal("29.99")
    assert amounts.line_net(line("-2", "10")) == Decimal("-20.00")
    assert amounts.line_net(line("250", "12.40", "100")) == Decimal("31.00")
    assert amounts.line_net(line("1", "1", "0")) is None
    assert amounts.line_net(Line(quantity=Decimal(1))) is None
    less, more = AllowanceCharge(amount=Decimal("1.50")), AllowanceCharge(amount=Decimal("0.25"))
    assert amounts.line_net(line("1", "10", allowances=(less,), charges=(more,))) == Decimal("8.75")


def test_totals_follow_from_the_lines() -> None:
    invoice = Invoice(
        lines=(
            Line(net_amount=Decimal("100.00"), vat_category="S", vat_rate=Decimal(20)),
            Line(net_amount=Decimal("50.00"), vat_category="S", vat_rate=Decimal("20.00")),
            Line(net_amount=Decimal("10.00"), vat_category="E", vat_rate=Decimal(0)),
            Line(vat_category="S"),
        ),
        allowances=(AllowanceCharge(amount=Decimal("15.00"), vat_category="S", vat_rate=Decimal(20)),),
        charges=(AllowanceCharge(amount=Decimal("5.00"), vat_category="E", vat_rate=Decimal(0)),),
        vat_breakdown=(VatBreakdown(tax_amount=amounts.vat_of(Decimal("135.00"), Decimal(20))), VatBreakdown()),
        totals=Totals(paid=Decimal("50.00"), rounding=Decimal("-0.01")),
    )
    expected = amounts.expected_totals(invoice)

    taxable = {("S", Decimal(20)): Decimal("135.00"), ("E", Decimal(0)): Decimal("15.00")}
    assert amounts.taxable_amounts(invoice) == taxable
    assert (expected.lines_net, expected.without_vat, expected.vat) == (Decimal(160), Decimal(150), Decimal(27))
    assert (expected.with_vat, expected.due) == (Decimal(177), Decimal("126.99"))
    assert amounts.without_vat(expected) == expected.without_vat
    assert amounts.with_vat(expected) == expected.with_vat
    assert amounts.due(expected) == expected.due


@given(st.lists(st.decimals(-10**19, 10**19, places=2), max_size=30))
def test_sums_are_exact_whatever_the_context_of_the_thread(values: list[Decimal]) -> None:
    with localcontext() as context:
        context.prec = 3
        found = amounts.total(values)
    assert found == Decimal(sum(int(value.scaleb(2)) for value in values)).scaleb(-2)
