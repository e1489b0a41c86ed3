"""The balance of an invoice at any date."""

from datetime import date
from decimal import Decimal

import pytest

from gateway.receivables.balance import Settlement, balance_of
from gateway.tables import Payment, Submission

FIRST, SECOND = date(2026, 11, 3), date(2026, 11, 20)


def invoice(due: str | None, total: str | None = "120") -> Submission:
    return Submission(due=None if due is None else Decimal(due), total=None if total is None else Decimal(total))


def paid(amount: str, on: date = FIRST) -> Payment:
    return Payment(amount=Decimal(amount), paid_on=on)


@pytest.mark.parametrize(("due", "amounts", "settlement", "outstanding"), [
    ("120", (), Settlement.OPEN, "120"),
    ("120", ("50",), Settlement.PARTIAL, "70"),
    ("120", ("50", "70"), Settlement.PAID, "0"),
    ("120", ("50", "71"), Settlement.OVERPAID, "-1"),
    ("120", ("120", "-120"), Settlement.OPEN, "120"),
    ("0", (), Settlement.PAID, "0"),
    ("-30", (), Settlement.OPEN, "-30"),
    (None, ("20",), Settlement.PARTIAL, "100"),
], ids=str)
def test_settlement(due: str | None, amounts: tuple[str, ...], settlement: Settlement, outstanding: str) -> None:
    balance = balance_of(invoice(due), [paid(amount) for amount in amounts])

    assert balance.settlement is settlement
    assert balance.outstanding == Decimal(outstanding)


def test_the_balance_of_a_day_knows_no_later_payment() -> None:
    payments = [paid("50", FIRST), paid("70", SECOND)]

    assert balance_of(invoice("120"), payments, date(2026, 11, 2)).settlement is Settlement.OPEN
    assert balance_of(invoice("120"), payments, FIRST).outstanding == Decimal(70)
    assert balance_of(invoice("120"), payments, SECOND).settlement is Settlement.PAID
