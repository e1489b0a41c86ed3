"""The balance of an invoice at any date."""

from datetime import date
from decimal import Decimal

import pytest

from gateway.receivables.account import Received
from gateway.receivables.balance import Balance, Settlement
from gateway.receivables.documents import Relations, document_of, netted
from gateway.tables import Submission

FIRST, SECOND = date(2026, 11, 3), date(2026, 11, 20)


def balance(due: str | None, payments: list[Received], on: date = date.max, **more: object) -> Balance:
    row = Submission(id="i", due=None if due is None else Decimal(due), total=Decimal(120), preceding=[], active=True,
                     transmission="deposited", issue_date=date(2026, 11, 1), received_at=None, **more)
    return netted(document_of(row), payments, Relations({}, {}), on).balance


def paid(amount: str, on: date = FIRST) -> Received:
    return Received("i", Decimal(amount), on)


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
    found = balance(due, [paid(amount) for amount in amounts])

    assert found.settlement is settlement
    assert found.outstanding == Decimal(outstanding)


def test_the_balance_of_a_day_knows_no_later_payment() -> None:
    payments = [paid("50", FIRST), paid("70", SECOND)]

    assert balance("120", payments, date(2026, 11, 2)).settlement is Settlement.OPEN
    assert balance("120", payments, FIRST).outstanding == Decimal(70)
    assert balance("120", payments, SECOND).settlement is Settlement.PAID


def test_a_credit_note_and_a_day_before_the_issue_are_seen_alone() -> None:
    assert balance("120", [paid("20")], type_code="381").outstanding == Decimal(100)
    assert balance("120", [paid("20", date(2026, 10, 1))], date(2026, 10, 2)).outstanding == Decimal(100)
