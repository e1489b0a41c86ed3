"""What a document stood for from day to day is what netting says of each day."""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_years import OTHER, START, day, document, tangles, years

from gateway.receivables.account import Document, Item, Received, client_of, positions
from gateway.receivables.documents import related
from gateway.receivables.figures import bills, sale_of
from gateway.receivables.spells import (
    FOREVER,
    MOST,
    Standing,
    client_from,
    hundredths,
    in_full,
    last_of,
    rows_of,
    spells_of,
)

YEARS = st.one_of(years(), tangles())


def histories_of(documents: list[Document], payments: list[Received]) -> list[list[Standing]]:
    money: dict[str, list[Received]] = defaultdict(list)
    for one in payments:
        money[one.document].append(one)
    relations = related(documents, payments)
    return [spells_of(one, money[one.id], relations) for one in documents]


def told(item: Item) -> tuple[Any, ...]:
    return (item.stated - item.ended, item.paid, item.credited - item.refunded, item.balance, sale_of(item))


@settings(max_examples=60)
@given(YEARS, st.lists(st.integers(-1, 200), min_size=3, max_size=3))
def test_the_spell_of_any_day_is_the_position_of_that_day(
    year: tuple[list[Document], list[Received]], days: list[int]
) -> None:
    documents, payments = year
    kept = [one for history in histories_of(documents, payments) for one in history]
    for on in map(day, days):
        items = positions(documents, payments, on)
        standing = {one.document.id: one for one in kept if one.since <= on < one.until}
        assert {key: tuple(one.amounts) for key, one in standing.items()} == {
            item.document.id: told(item) for item in items}
        settled = {key: one.settled_on for key, one in standing.items()
                   if one.amounts.sale > 0 and not one.document.is_credit}
        assert sorted(settled.values(), key=str) == sorted(
            (bill.settled_on for bill in bills(items, payments, on)), key=str)


@given(YEARS)
def test_a_history_has_one_spell_a_day_and_no_two_alike_in_a_row(year: tuple[list[Document], list[Received]]) -> None:
    for history in histories_of(*year):
        for one, after in pairwise(history):
            assert one.since < one.until <= after.since
            assert one.until < after.since or (one.amounts, one.settled_on) != (after.amounts, after.settled_on)
        assert not history or history[0].since >= history[0].document.issued_on
        assert last_of(history) is (history[-1] if history and history[-1].until == FOREVER else None)


@pytest.mark.parametrize(("amount", "cents"), [
    ("0", 0), ("120.00", 12000), ("-0.01", -1), ("0.001", 1), ("-0.001", -1), (str(MOST), 10**13), ("1e30", 10**13),
    ("-1e30", -10**13), ("1." + 40 * "0" + "1", 101)])
def test_amounts_in_hundredths(amount: str, cents: int) -> None:
    assert hundredths(Decimal(amount)) == cents


def test_a_row_says_where_hundredths_are_not_all() -> None:
    [[whole], [more], [great]] = histories_of(
        [document("F1", "12.30"), document("F2", "12.301"), document("F3", "1e20")], [])
    rows = [*rows_of("t", (whole, more, great))]
    assert [(row["fits"], row["exact"] is None) for row in rows] == [(True, True), (False, False), (False, False)]
    for row, one in zip(rows, (whole, more, great), strict=True):
        assert in_full(SimpleNamespace(**row)) == one.amounts


@pytest.mark.parametrize("client", [client_of("000001016", "Aubrac"), OTHER, client_of(None, None)])
def test_a_mark_and_a_name_give_the_client_back(client: Any) -> None:
    assert client_from(client.mark, client.name) == client
    assert len(client.mark) <= 64


def test_days_of_history_start_at_the_issue() -> None:
    [history] = histories_of([document("F1", on=3)], [Received("F1", Decimal(20), START), Received(
        "F1", Decimal(100), date(2026, 2, 1))])
    assert [(one.since, one.amounts.balance, one.settled_on) for one in history] == [
        (day(3), Decimal(100), None), (date(2026, 2, 1), Decimal(0), date(2026, 2, 1))]
