"""Figures of a credit controller: worked by hand (vectors), and what must hold of them whatever the numbers."""

import tomllib
from dataclasses import asdict, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.receivables import figures
from gateway.receivables.account import Document, Item, Received, client_of, positions
from gateway.receivables.ageing import CLASSES, Claimed, age_class, ageing, piece_of, total, totals
from gateway.receivables.figures import Bill, Spell

VECTORS = tomllib.loads(
    (Path(__file__).parents[2] / "vectors" / "receivables" / "figures.toml").read_text(encoding="utf-8"))
CLIENT = client_of("000001016", "Aubrac SAS")
DAY = date(2026, 6, 30)
amounts = st.decimals(min_value=1, max_value=10**6, places=2)


def of(kind: str) -> Any:
    return pytest.mark.parametrize("case", VECTORS[kind], ids=lambda case: case.get("why", "")[:40])


def number(case: dict[str, Any], name: str = "want") -> Decimal | None:
    return Decimal(case[name]) if name in case else None


def bills_of(case: dict[str, Any]) -> list[Bill]:
    return [Bill(client=CLIENT.key, amount=Decimal(one["amount"]), due_date=one.get("due"),
                 settled_on=one.get("settled")) for one in case["bills"]]


@of("simple")
def test_simple_dso(case: dict[str, Any]) -> None:
    assert figures.dso_simple(Decimal(case["owed"]), Decimal(case["sales"]), case["days"]) == number(case)


@of("best")
def test_best_possible_dso(case: dict[str, Any]) -> None:
    found = figures.dso_best_possible(
        Decimal(case["owed"]), Decimal(case["overdue"]), Decimal(case["sales"]), case["days"])
    assert found == number(case)


@of("countback")
def test_countback_dso(case: dict[str, Any]) -> None:
    sales = {date.fromisoformat(day): Decimal(amount) for day, amount in case["sales"].items()}
    assert figures.dso_countback(Decimal(case["owed"]), sales, case["as_of"]) == number(case)


@of("delay")
def test_delays(case: dict[str, Any]) -> None:
    found = figures.delays(bills_of(case), case["as_of"])
    assert figures.average_delay(found) == number(case, "average")
    assert figures.weighted_delay(found) == number(case, "weighted")


@of("late")
def test_late_share(case: dict[str, Any]) -> None:
    assert list(figures.late_share(figures.dues(bills_of(case), case["as_of"]))) == case["want"]


@of("disputes")
def test_disputes(case: dict[str, Any]) -> None:
    found = asdict(figures.dispute_figures(
        [Spell(one["since"], one.get("until")) for one in case["spells"]], case["as_of"]))
    assert {name: str(value) for name, value in found.items()} == {name: str(case[name]) for name in found}


@of("cost")
def test_cost_per_euro(case: dict[str, Any]) -> None:
    cost = Decimal(case["unit"]) * case["messages"] if "unit" in case else None
    assert figures.cost_per_euro(cost, Decimal(case["collected"])) == number(case)


@of("settled")
def test_settled_on(case: dict[str, Any]) -> None:
    items = positions([document("F-1", case["amount"])], money(case["payments"]), DAY)
    assert figures.bills(items, money(case["payments"]), DAY)[0].settled_on == case.get("want")


def test_a_client_is_pointed_out_above_thirty_percent_only() -> None:
    def of_client(client: str, late: int, whole: int) -> list[Bill]:
        return [Bill(client=client, amount=Decimal(1), due_date=date(2026, 1, 10),
                     settled_on=date(2026, 1, 11 if n < late else 10)) for n in range(whole)]

    known = [*of_client("a", 3, 10), *of_client("b", 4, 10), *of_client("c", 1, 1), *of_client("d", 0, 5)]
    assert figures.late_clients(figures.dues(known, DAY)) == [("c", 1, 1), ("b", 4, 10)]


def test_sales_are_what_was_asked_for_and_stands() -> None:
    """A down payment and its final invoice, a credit note that nets and one that is open, a refusal, a correction."""
    issued = date(2026, 6, 1)
    documents = [
        document("A-1", "200", type_code="386", issued_on=issued),
        replace(document("F-1", "1000", issued_on=issued), due=Decimal(800)),
        document("C-1", "100", type_code="381", issued_on=DAY, names=("F-1",)),
        document("C-2", "30", type_code="381", issued_on=issued),
        document("F-2", "500", issued_on=issued, ended_on=DAY),
        document("F-3", "70", issued_on=issued), document("F-4", "60", type_code="384", issued_on=DAY, names=("F-3",)),
    ]
    before = figures.sales_by_day(positions(documents, (), date(2026, 6, 15)))
    assert before == {issued: Decimal(200 + 800 - 30 + 500 + 70)}
    assert figures.sales_by_day(positions(documents, (), DAY)) == {
        issued: Decimal(200 + 800 - 100 - 30), DAY: Decimal(60)}


@given(st.integers(1, 200), amounts, st.integers(1, 80))
def test_even_sales_give_the_same_days_in_both_formulas(history: int, a_day: Decimal, share: int) -> None:
    """As much every day: what is owed is then so many days of sales, whichever way one counts."""
    sales = {DAY - timedelta(days=back): a_day for back in range(history)}
    days = max(1, history * share // 100)
    owed = a_day * days
    assert figures.dso_simple(owed, figures.sales_of(sales, DAY, history), history) == days
    first, reached = min(sales), DAY - timedelta(days=days - 1)
    if first.day == 1 or (reached.year, reached.month) != (first.year, first.month):  # a whole month, or not in it
        assert figures.dso_countback(owed, sales, DAY) == days


@given(amounts, amounts, amounts, st.integers(1, 365))
def test_the_best_possible_is_never_more(owed: Decimal, overdue: Decimal, sales: Decimal, days: int) -> None:
    simple, best = figures.dso_simple(owed, sales, days), figures.dso_best_possible(owed, overdue, sales, days)
    assert simple is not None
    assert best is not None
    assert 0 <= best <= simple


@settings(max_examples=40)
@given(st.dictionaries(st.dates(date(2025, 1, 1), DAY), amounts, min_size=1), amounts, amounts)
def test_whoever_is_owed_more_waits_longer(sales: dict[date, Decimal], owed: Decimal, more: Decimal) -> None:
    one, two = figures.dso_countback(owed, sales, DAY), figures.dso_countback(owed + more, sales, DAY)
    assert one is None or two is None or one <= two
    assert (figures.dso_countback(sum(sales.values()), sales, DAY) or 0) <= (DAY - min(sales)).days + 31


@pytest.mark.parametrize(("late", "name"), [(0, "current"), (1, "1-30"), (30, "1-30"), (31, "31-60"), (60, "31-60"),
                                            (61, "61-90"), (90, "61-90"), (91, "over-90"), (4000, "over-90")])
def test_age_classes(late: int, name: str) -> None:
    assert CLASSES[age_class(late)] == name


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(["EUR", "USD"]), amounts,
                          st.integers(-40, 200), st.booleans()), max_size=12))
def test_the_ageing_adds_up_to_what_is_open(told: list[tuple[str, str, Decimal, int, bool]]) -> None:
    """Whatever is grouped: nothing is lost, nothing counted twice, and a client alone is its row among all."""
    items = [item(number_, one) for number_, one in enumerate(told)]
    pieces = [piece_of(one) for one in items]
    rows = ageing(pieces, DAY, [Claimed(client_of(None, "a"), "EUR", Decimal(40))])
    for currency in ("EUR", "USD"):
        own = [one for one in items if one.document.currency == currency]
        found = total(currency, [row for row in rows if row.currency == currency])
        assert found.balance == sum((one.balance for one in own), Decimal(0))
        assert found.overdue == sum((one.balance for one in own if one.days_late), Decimal(0))
        assert found.items == len(own)
    assert [row.claimed for row in rows if row.claimed] == [Decimal(40)]
    assert [row.claimed for row in totals(rows) if row.currency == "EUR"] == [Decimal(40)]
    for row in rows:
        alone = [one for one in pieces if one.client.key == row.key and one.currency == row.currency]
        assert [replace(one, claimed=Decimal(0)) for one in ageing(alone, DAY)] == (
            [replace(row, claimed=Decimal(0))] if alone else [])


def item(number_: int, told: tuple[str, str, Decimal, int, bool]) -> Item:
    client, currency, balance, late, credit = told
    one = replace(document(f"F-{number_}", "1"), client=client_of(None, client), currency=currency,
                  due_date=DAY - timedelta(days=late))
    return Item(document=one, stated=-balance if credit else balance, as_of=DAY)


def document(number_: str, amount: str, **changes: Any) -> Document:
    usual: dict[str, Any] = {
        "id": number_, "number": number_, "seller": "000002006", "entity_id": None, "client": CLIENT,
        "type_code": "380", "processing_rule": "B2B", "currency": "EUR", "total": Decimal(amount),
        "due": Decimal(amount), "issued_on": date(2026, 1, 1), "due_date": date(2026, 1, 31)}
    return Document(**{**usual, **changes})


def money(told: list[list[Any]]) -> list[Received]:
    return [Received("F-1", Decimal(amount), on) for amount, on in told]
