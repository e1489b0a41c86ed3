"""Documents and money of invented years, for the tests of the ledger."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from gateway.receivables.account import Document, Received, client_of

START = date(2026, 1, 1)
CLIENT, OTHER = client_of("000001016", "Aubrac Approuve SAS"), client_of(None, "  Café   de l'Été ")


def day(number: int) -> date:
    return START + timedelta(days=number)


def document(number: str, total: str = "120.00", on: int = 0, **more: Any) -> Document:
    usual: dict[str, Any] = {"id": number, "number": number, "seller": "000002006", "entity_id": "e", "client": CLIENT,
             "type_code": "380", "processing_rule": "B2B", "currency": "EUR", "total": Decimal(total),
             "due": Decimal(total), "issued_on": day(on), "due_date": day(on + 30)}
    return Document(**{**usual, **more})


def paid(number: str, amount: str, on: int = 5) -> Received:
    return Received(number, Decimal(amount), day(on))


CENTS = st.integers(1, 50_000).map(lambda cents: Decimal(cents) / 100)
DAYS = st.integers(0, 60)


@st.composite
def years(draw: st.DrawFn) -> tuple[list[Document], list[Received]]:
    """Invoices with credit notes that name them, refusals, payments and reversals, on any days."""
    documents, payments = [], []
    for index in range(draw(st.integers(1, 4))):
        on = draw(DAYS)
        amount = draw(CENTS)
        ended = draw(st.none() | DAYS.map(lambda days, on=on: day(on + days)))
        invoice = document(f"F{index}", str(amount), on, ended_on=ended, client=draw(st.sampled_from((CLIENT, OTHER))))
        documents.append(invoice)
        documents += [document(f"A{index}{part}", str(draw(CENTS)), on + draw(DAYS), type_code="381",
                               names=(invoice.number,), client=invoice.client)
                      for part in range(draw(st.integers(0, 2)))]
        for _ in range(draw(st.integers(0, 3))):
            at, value = on + draw(DAYS), draw(CENTS)
            payments.append(Received(invoice.id, value, day(at)))
            if draw(st.booleans()):
                payments.append(Received(invoice.id, -value, day(at + draw(DAYS))))
    return documents, payments


@st.composite
def tangles(draw: st.DrawFn) -> tuple[list[Document], list[Received]]:
    """Few numbers, borne and named by everything: rivals, several names, other clients and currencies, corrections."""
    numbers = st.sampled_from(("N1", "N2", "N3"))
    documents = []
    for index in range(draw(st.integers(1, 7))):
        kind = draw(st.sampled_from(("380", "380", "381", "384")))
        on = draw(st.integers(0, 9))
        documents.append(document(
            draw(numbers), str(draw(CENTS)), on, id=f"d{index}", type_code=kind,
            names=() if kind == "380" else tuple(draw(st.lists(numbers, max_size=2, unique=True))),
            client=draw(st.sampled_from((CLIENT, CLIENT, OTHER))),
            currency=draw(st.sampled_from(("EUR", "EUR", "USD"))),
            ended_on=draw(st.none() | st.integers(0, 9).map(lambda days, on=on: day(on + days)))))
    payments = [Received(draw(st.sampled_from(documents)).id, draw(CENTS), day(draw(st.integers(0, 20))))
                for _ in range(draw(st.integers(0, 4)))]
    return documents, payments
