"""The client's account: what nets what, and the invariants of the ledger."""

from collections import defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_years import CENTS, CLIENT, DAYS, OTHER, day, document, paid, tangles, years

from gateway.receivables.account import Document, Item, Received, client_of, positions
from gateway.receivables.documents import netted, related


def balances(documents: list[Document], payments: list[Received], on: int = 300) -> dict[str, str]:
    return {item.document.number: format(item.balance, "f") for item in positions(documents, payments, day(on))}


F1 = document("F1")
CASES = [
    ("nothing came", [F1], [], {"F1": "120.00"}),
    ("in parts, one taken back", [F1], [paid("F1", "50.00"), paid("F1", "70.00"), paid("F1", "-50.00")],
     {"F1": "50.00"}),
    ("too much stays as credit", [F1], [paid("F1", "150.00")], {"F1": "-30.00"}),
    ("a credit note nets the invoice that it names", [F1, document("A1", "20.00", 2, type_code="381", names=("F1",))],
     [], {"F1": "100.00"}),
    ("credit note on a paid invoice", [F1, document("A1", "20.00", 2, type_code="381", names=("F1",))],
     [paid("F1", "120.00")], {"F1": "-20.00"}),
    ("paid back later", [F1, document("A1", "20.00", 2, type_code="381", names=("F1",))],
     [paid("F1", "120.00"), paid("A1", "20.00", 9)], {"F1": "0.00"}),
    ("paid back before, as the credit note says", [F1, document("A1", "20.00", 2, type_code="381", names=("F1",),
     due=Decimal("0.00"))], [paid("F1", "120.00")], {"F1": "0.00"}),
    ("the same, on an unpaid invoice: it reduces", [F1, document("A1", "20.00", 2, type_code="381", names=("F1",),
     due=Decimal("0.00"))], [], {"F1": "100.00"}),
    ("names none: on the account", [F1, document("A1", "20.00", 2, type_code="381")], [],
     {"F1": "120.00", "A1": "-20.00"}),
    ("names two: on the account", [F1, document("F2", on=1), document("A1", "20.00", 2, type_code="381",
     names=("F1", "F2"))], [], {"F1": "120.00", "F2": "120.00", "A1": "-20.00"}),
    ("names one that is not here", [document("A1", "20.00", 2, type_code="381", names=("F0",))], [paid("A1", "5.00")],
     {"A1": "-15.00"}),
    ("another currency", [F1, document("A1", "20.00", 2, type_code="381", names=("F1",), currency="USD")], [],
     {"F1": "120.00", "A1": "-20.00"}),
    ("another client's", [F1, document("A1", "20.00", 2, type_code="381", names=("F1",), client=OTHER)], [],
     {"F1": "120.00", "A1": "-20.00"}),
    ("corrected: the payment becomes a credit", [F1, document("R1", "90.00", 3, type_code="384", names=("F1",))],
     [paid("F1", "50.00")], {"F1": "-50.00", "R1": "90.00"}),
    ("credited and corrected: taken off once", [F1, document("A1", "120.00", 2, type_code="381", names=("F1",)),
     document("R1", "90.00", 3, type_code="384", names=("F1",))], [], {"F1": "0.00", "R1": "90.00"}),
    ("refused by the buyer", [replace(F1, ended_on=day(4))], [paid("F1", "50.00", 2)], {"F1": "-50.00"}),
    ("refused and credited for the books", [replace(F1, ended_on=day(4)),
     document("A1", "120.00", 6, type_code="381", names=("F1",))], [], {"F1": "0.00"}),
    ("a credit note that was rejected counts nowhere", [F1, document("A1", "20.00", 2, type_code="381", names=("F1",),
     ended_on=day(4))], [], {"F1": "120.00", "A1": "0.00"}),
    ("a corrected invoice that was rejected replaces nothing", [F1, document("R1", "90.00", 3, type_code="384",
     names=("F1",), ended_on=day(5))], [], {"F1": "120.00", "R1": "0.00"}),
    ("a down payment deducted in the final invoice (BT-113)", [document("AC1", "300.00", type_code="386"),
     document("F9", "1000.00", 9, due=Decimal("700.00"), names=("AC1",))], [paid("AC1", "300.00")],
     {"AC1": "0.00", "F9": "700.00"}),
    ("a down payment that is still open is owed beside it", [document("AC1", "300.00", type_code="386"),
     document("F9", "1000.00", 9, due=Decimal("700.00"), names=("AC1",))], [], {"AC1": "300.00", "F9": "700.00"}),
    ("a corrected invoice below zero tells a difference and replaces nothing", [F1, document("R1", "-20.00", 3,
     type_code="384", names=("F1",))], [], {"F1": "120.00", "R1": "-20.00"}),
    ("below zero and refused: nothing is owed back", [document("F1", "-120.00", ended_on=day(4))], [], {"F1": "0.00"}),
    ("below zero and replaced, what was paid out comes back", [document("F1", "-120.00"), document("R1", "90.00", 3,
     type_code="384", names=("F1",))], [paid("F1", "-120.00")], {"F1": "120.00", "R1": "90.00"}),
    ("a number used again: the newer one", [document("F1", id="old", on=-300), document("F1", id="new"),
     document("A1", "20.00", 2, type_code="381", names=("F1",))], [paid("old", "120.00")], {"F1": "100.00"}),
]


@pytest.mark.parametrize(("documents", "payments", "expected"), [case[1:] for case in CASES],
                         ids=[case[0] for case in CASES])
def test_what_nets_what(documents: list[Document], payments: list[Received], expected: dict[str, str]) -> None:
    assert balances(documents, payments) == expected


def test_a_day_knows_nothing_of_the_days_after_it() -> None:
    documents = [F1, document("A1", "20.00", 10, type_code="381", names=("F1",)),
                 document("R1", "90.00", 20, type_code="384", names=("F1",))]
    payments = [paid("F1", "30.00", 5), paid("F1", "-30.00", 15)]
    assert balances(documents, payments, -1) == {}
    assert balances(documents, payments, 4) == {"F1": "120.00"}
    assert balances(documents, payments, 5) == {"F1": "90.00"}
    assert balances(documents, payments, 10) == {"F1": "70.00"}
    assert balances(documents, payments, 15) == {"F1": "100.00"}
    assert balances(documents, payments, 20) == {"F1": "0.00", "R1": "90.00"}


def test_lateness_is_counted_from_the_due_date_and_only_for_what_is_owed() -> None:
    [item] = positions([F1], [], day(31))
    assert (item.days_late, positions([F1], [], day(30))[0].days_late) == (1, 0)
    assert positions([F1], [paid("F1", "120.00")], day(90))[0].days_late == 0


def test_a_name_is_one_client_however_it_is_written() -> None:
    assert client_of(None, "CAFE de l'ete").key == OTHER.key == "nom:cafe de l'ete"
    assert client_of("000001016", "any").key == CLIENT.key


class Replay:
    """The account once more, kept the way a bookkeeper does: day by day, one fact at a time, nothing recomputed.

    Every document has an account; money and credit notes move it. What a refusal or a correction takes away is booked
    when it happens and booked again when a credit note says it once more.
    """

    def __init__(self) -> None:
        self.balance: dict[str, Decimal] = defaultdict(Decimal)
        self.written_off: dict[str, Decimal] = defaultdict(Decimal)
        self.gone: set[str] = set()

    def invoice(self, key: str, amount: Decimal) -> None:
        self.balance[key] += amount

    def money(self, key: str, amount: Decimal) -> None:
        self.balance[key] -= amount

    def credit(self, key: str, amount: Decimal) -> None:
        back = min(amount, self.written_off[key])
        self.written_off[key] -= back
        self.balance[key] += back - amount

    def ends(self, key: str, amount: Decimal, credited: Decimal) -> None:
        left = max(Decimal(0), amount - credited)
        self.written_off[key] += left
        self.balance[key] -= left


def replayed(documents: list[Document], payments: list[Received], until: date) -> dict[str, Decimal]:
    """The balances after every fact up to a day, one after the other."""
    by_number = {one.number: one for one in documents}
    facts: list[tuple[date, int, str, str, Decimal]] = []
    for one in documents:
        if one.is_credit:
            facts.append((one.issued_on, 1, "credit", by_number[one.names[0]].id, one.total))
        else:
            facts.append((one.issued_on, 0, "invoice", one.id, one.due))
            if one.ended_on is not None:
                facts.append((one.ended_on, 2, "ends", one.id, one.due))
    facts += [(one.on, 3, "money", one.document, one.amount) for one in payments]
    account, credited = Replay(), defaultdict(Decimal)
    for on, _, kind, key, amount in sorted(facts):
        if on > until:
            break
        if kind == "ends":
            account.ends(key, amount, credited[key])
        else:
            getattr(account, kind)(key, amount)
        credited[key] += amount if kind == "credit" else 0
    return dict(account.balance)


@settings(max_examples=50)
@given(years(), st.integers(-1, 190))
def test_any_day_equals_a_replay_up_to_it(year: tuple[list[Document], list[Received]], on: int) -> None:
    documents, payments = year
    expected = replayed(documents, payments, day(on))
    assert {item.document.id: item.balance for item in positions(documents, payments, day(on))} == expected


@settings(max_examples=50)
@given(years(), st.integers(0, 190), st.randoms())
def test_the_order_of_recording_changes_nothing_and_sums_add_up(
    year: tuple[list[Document], list[Received]], on: int, random: object
) -> None:
    documents, payments = year
    items = positions(documents, payments, day(on))
    shuffled_documents, shuffled_payments = list(documents), list(payments)
    random.shuffle(shuffled_documents)  # type: ignore[attr-defined]  # hypothesis' own Random
    random.shuffle(shuffled_payments)  # type: ignore[attr-defined]
    assert positions(shuffled_documents, shuffled_payments, day(on)) == items
    apart = [item for client in (CLIENT, OTHER) for item in positions(
        [one for one in documents if one.client == client], payments, day(on))]
    assert sorted(map(told, apart)) == sorted(map(told, items)), "each client alone is the same"
    received = sum((one.amount for one in payments if one.on <= day(on)
                    and any(item.document.id == one.document for item in items)), Decimal(0))
    assert sum((item.balance + item.paid for item in items), Decimal(0)) == sum(
        (item.balance for item in positions(documents, [], day(on))), Decimal(0))
    assert sum((item.paid for item in items), Decimal(0)) == received


@settings(max_examples=50)
@given(years(), CENTS, DAYS, DAYS)
def test_a_reversal_restores(
    year: tuple[list[Document], list[Received]], amount: Decimal, on: int, later: int
) -> None:
    documents, payments = year
    before = positions(documents, payments, day(300))
    both = [Received(documents[0].id, amount, day(on)), Received(documents[0].id, -amount, day(on + later))]
    assert positions(documents, [*payments, *both], day(300)) == before


@settings(max_examples=100)
@given(tangles(), st.integers(0, 20))
def test_one_document_among_its_own_is_what_it_is_among_all(
    tangle: tuple[list[Document], list[Received]], on: int
) -> None:
    documents, payments = tangle
    among_all = {item.document.id: item for item in positions(documents, payments, day(on))}
    relations = related(documents, payments)
    for one in documents:
        alone = netted(one, [money for money in payments if money.document == one.id], relations, day(on))
        assert alone.item == among_all.get(one.id)
        if alone.item is not None and not one.is_credit:
            assert alone.balance.outstanding == alone.item.balance


def test_what_names_an_invoice_and_changes_nothing_is_a_question() -> None:
    shared = document("A1", "20.00", 2, type_code="381", names=("F1", "F2"))
    foreign = document("A2", "20.00", 2, type_code="381", names=("F1",), client=OTHER)
    sure = document("A3", "20.00", 2, type_code="381", names=("F1",))
    less = document("R2", "-5.00", 3, type_code="384", names=("F1",))
    gone = document("R1", "1.00", 3, type_code="384", names=("F1",), ended_on=day(3))
    documents = [F1, shared, foreign, sure, less, gone]
    item = netted(F1, [], related(documents, [])).item
    assert item is not None
    assert (item.balance, [one.number for one in item.followers], [one.number for one in item.unsure]) == (
        Decimal("100.00"), ["A1", "A2", "A3", "R2"], ["A1", "A2", "R2"])


def told(item: Item) -> tuple[str, Decimal]:
    return item.document.id, item.balance


def test_a_long_name_is_one_client_under_a_key_that_a_column_holds() -> None:
    long = "Œuvre " * 300
    keys = {client_of(None, name).key for name in (long, long.upper(), f"{long}b")}
    assert len(keys) == 2
    assert {len(key) for key in keys} == {255}
    assert client_of(None, long).name == long.strip()
