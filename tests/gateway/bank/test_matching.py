"""Which items a movement probably pays: what counts as a number in a text, as a name, as an amount."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.bank.matching import Money, OpenItem, book_of, find
from gateway.receivables.names import bare_name, bare_number, numbers_in

D = Decimal


def item(number: str, balance: str = "100.00", client: str = "a", **more: object) -> OpenItem:
    usual = {"id": f"{client}-{number}", "number": number, "client": client, "name": f"Maison {client * 4} SARL",
             "currency": "EUR", "balance": D(balance), "due_date": date(2026, 1, 1)}
    return OpenItem(**{**usual, **more})  # type: ignore[arg-type]  # keywords of many types


def money(amount: str, text: str = "", **more: object) -> Money:
    return Money(**{"amount": D(amount), "currency": "EUR", "texts": (text,), "name": None, "iban": None, **more})  # type: ignore[arg-type]  # as above


def best(found: Money, items: list[OpenItem], seen: dict[str, str] | None = None) -> list[tuple[str, str]]:
    proposals = find(found, book_of(items, seen or {})).proposals
    return [(one.number, format(amount, "f")) for one, amount in proposals[0].parts] if proposals else []


@pytest.mark.parametrize(("text", "number", "expected"), [
    ("FACT F-2026-12", "F-2026-12", True),
    ("fact f 2026/12 merci", "F-2026-12", True),
    ("FACTF202612", "F-2026-12", False),
    ("F-2026-123", "F-2026-12", False),
    ("AF-2026-12", "F-2026-12", False),
    ("2026-12", "F-2026-12", False),
    ("RF18 F202612", "F-2026-12", True),
    ("", "F1", False),
    ("anything", "--", False),
])
def test_a_number_is_found_as_a_whole(text: str, number: str, expected: bool) -> None:  # noqa: FBT001 - a column
    assert (bare_number(number) in set(numbers_in(text))) is expected


def test_a_structured_reference_carries_the_number() -> None:
    assert best(money("100.00", "RF18F202612"), [item("F-2026-12"), item("F-2026-13")]) == [("F-2026-12", "100.00")]


def test_a_number_that_any_text_may_hold_needs_its_amount() -> None:
    assert best(money("40.00", "le 12 mai"), [item("12")]) == []
    assert best(money("100.00", "le 12 mai"), [item("12"), item("13")]) == [("12", "100.00")]


def test_legal_forms_and_accents_are_no_part_of_a_name() -> None:
    assert bare_name("S.A.R.L. Société d'Été") == bare_name("d'ete SARL") == "d ete"
    items = [item("F-1001", name="Établissements Lédrut SAS"), item("F-1002", client="b")]
    assert best(money("100.00", name="LEDRUT"), items) == [("F-1001", "100.00")]


def test_the_only_sum_of_a_clients_items() -> None:
    items = [item("F-1001", "10.00"), item("F-1002", "20.50"), item("F-1003", "40.00"), item("F-2001", "60.50", "b")]
    assert best(money("60.50", iban="X"), items, {"X": "a"}) == [("F-1002", "20.50"), ("F-1003", "40.00")]
    assert best(money("60.50"), items) == [("F-2001", "60.50")], "nobody known: the only item of this amount"


def test_the_reference_weighs_more_than_the_amount() -> None:
    items = [item("F-1001", "80.00"), item("F-2001", "50.00", "b")]
    assert best(money("50.00", "acompte F-1001"), items) == [("F-1001", "50.00")]


def test_of_two_sellers_invoices_with_one_number_that_of_the_payer_comes_first() -> None:
    """Two companies of one house may number alike; each proposal says what speaks for its own client."""
    items = [item("F-1001", client="a"), item("F-1001", client="b", due_date=date(2026, 2, 1))]
    found = find(money("100.00", "F-1001", name="MAISON BBBB"), book_of(items, {})).proposals
    assert [([one.id for one, _ in each.parts], each.reasons) for each in found[:2]] == [
        (["b-F-1001"], ("reference", "exact", "name")), (["a-F-1001"], ("reference", "exact"))]


def test_nothing_crosses_currencies_or_credits() -> None:
    items = [item("F-1001", currency="USD"), item("F-1002", "-100.00")]
    found = find(money("100.00", "F-1001 F-1002"), book_of(items, {}))
    assert ([one.number for one in found.other_currency], found.proposals) == (["F-1001"], ())


def test_money_for_a_settled_item_pays_no_other() -> None:
    items = [item("F-1001", "0.00"), item("F-1002", "100.00")]
    found = find(money("100.00", "F-1001", iban="X"), book_of(items, {"X": "a"}))
    assert ([one.number for one in found.settled], found.proposals) == (["F-1001"], ())
    both = find(money("100.00", "F-1001 F-1002"), book_of(items, {}))
    assert [one.number for one, _ in both.proposals[0].parts] == ["F-1002"]


ITEMS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(-5000, 50_000)), max_size=12).map(
    lambda rows: [item(f"F-{1000 + place}", str(D(cents) / 100), client)
                  for place, (client, cents) in enumerate(rows)])


@settings(max_examples=40)
@given(ITEMS, st.integers(1, 100_000), st.lists(st.integers(1000, 1012), max_size=4), st.sampled_from(("", "X")))
def test_no_proposal_gives_more_than_there_is_or_than_is_open(
    items: list[OpenItem], cents: int, numbers: list[int], iban: str
) -> None:
    found = money(str(D(cents) / 100), " ".join(f"F-{number}" for number in numbers), iban=iban)
    for proposal in find(found, book_of(items, {"X": "a"})).proposals:
        given_out = sum((amount for _, amount in proposal.parts), D(0))
        assert given_out + proposal.left == found.amount or (proposal.left == 0 and given_out <= found.amount)
        assert all(0 < amount <= one.balance for one, amount in proposal.parts)
        assert len({one.id for one, _ in proposal.parts}) == len(proposal.parts)
        assert proposal.reasons
    first, again = (find(found, book_of(order, {"X": "a"})).proposals for order in (items, items[::-1]))
    assert first == again
