"""Proposals found by number, amount, client and name are those of a search through everything; lines follow events."""

import random
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from gateway.bank import pending
from gateway.bank.finding import items_for, items_of
from gateway.bank.matching import Findings, Money, book_of, find, may_be_strong
from gateway.bank.proposals import open_item_of
from gateway.deps import Deps
from gateway.receivables import lines
from gateway.receivables.documents import netted_all
from gateway.receivables.names import numbers_in
from gateway.receivables.open_items import all_items
from gateway.record import Change, record
from gateway.tables import Payment, Submission
from gateway.tables_receivables import LedgerLine, LedgerMark

MakeInvoice = Callable[..., Submission]
NAMES = ("Aubrac Approuve SAS", "AUBRAC APROUVE", "Maison Lédrut", "Ledrut Maison SARL", "Café de l'Été", "", "Zinc")
TEXTS = ("F-10{0}", "facture F10{0} merci", "RF18F10{0}", "{0}", "F-10{0} F-102", "rien", "")
CLIENTS = {"FR1": "000001016", "FR2": "nom:cafe de l'ete"}


def of_everything(session: Session) -> list[Any]:
    """The items of the whole ledger, with clients as the lines name them."""
    return [replace(one, client=lines.client_hash(one.client))
            for one in map(open_item_of, all_items(session, date.max))]


def told(found: Findings) -> list[Any]:
    return [[(([(item.id, amount) for item, amount in one.parts]), one.left, one.score, one.reasons)
             for one in found.proposals], [one.id for one in found.other_currency], [one.id for one in found.settled]]


def happen(dice: random.Random, deps: Deps, tenant: str, make: MakeInvoice, number: int) -> None:
    """One thing that may change what is owed, with its event."""
    what = dice.choice(("380", "380", "381", "384", "payment", "payment", "end"))
    made = make(
        id=f"{dice.randrange(1 << 32):08x}", number=f"F-{dice.randint(100, 109)}", issue_year=2000 + number,
        type_code=what, preceding=[f"F-{dice.randint(100, 109)}" for _ in range(dice.choice((1, 1, 2)))],
        buyer_siren=dice.choice(("000001016", None)), buyer_name=dice.choice(NAMES),
        currency=dice.choice(("EUR", "EUR", "USD")), due=dice.choice((Decimal(120), Decimal("60.00"), None)),
        issue_date=date(2026, 1, 1) + timedelta(days=dice.randrange(300))) if what.isdigit() else None
    with deps.db.transaction(tenant) as session:
        one = made or dice.choice([*session.scalars(select(Submission).order_by(Submission.id))] or [None])
        if one is None:
            return
        if what == "payment":
            session.add(Payment(
                tenant_id=tenant, id=f"p{number}", submission_id=one.id, currency="EUR", method=None, reference=None,
                amount=dice.choice((Decimal("60.00"), Decimal("120.0"), Decimal(-20))), paid_on=date(2026, 11, 1),
                recorded_at=deps.now(), actor="x"))
        if what == "end":
            one.lifecycle, one.active = dice.choice(("210", "220")), None
        record(session, tenant, Change(kind=dice.choice(lines.KINDS), code="x", actor="x", submission_id=one.id),
               now=deps.now())


@pytest.mark.parametrize("seed", range(2))
def test_what_is_found_is_what_a_full_search_finds(
    deps: Deps, tenant: str, make_invoice: MakeInvoice, seed: int
) -> None:
    dice = random.Random(seed)
    compared = stopping = left_out = 0
    for turn in range(5):
        for number in range(8):
            happen(dice, deps, tenant, make_invoice, turn * 8 + number)
        lines.catch_up(deps, tenant)
        with deps.db.reading(tenant) as session:
            everything = of_everything(session)
            kept = {line.submission_id: line.balance for line in session.scalars(select(LedgerLine))}
            assert kept == {item.id: item.balance for item in everything}
            moneys = [Money(
                amount=dice.choice((Decimal(120), Decimal("60.00"), Decimal(180), Decimal(7))),
                currency=dice.choice(("EUR", "USD")), name=dice.choice((*NAMES, None)),
                iban=dice.choice(("FR1", "FR2", None)),
                texts=tuple(dice.choice(TEXTS).format(dice.randint(0, 9)) for _ in range(2))) for _ in range(12)]
            seen = {iban: lines.client_hash(client) for iban, client in CLIENTS.items()}
            few = book_of(items_for(session, moneys, seen.values()), seen)
            for money in moneys:
                assert told(find(money, few)) == told(find(money, book_of(everything, seen)))
                compared += bool(find(money, few).proposals)
                for client in {item.client for item in everything}:
                    own = book_of(items_of(session, [client]), seen)
                    strong = any(item.client == client for item in pending.strongly_named(money, few))
                    may_be = any(may_be_strong(money, own, items) for items in own.by_client.values())
                    assert may_be or not strong, "what stops a letter is never left out before it is looked at"
                    stopping, left_out = stopping + strong, left_out + (not may_be)
    assert compared > 20
    assert stopping > 20
    assert left_out > 20


def test_no_document_is_too_odd_for_the_ledger(deps: Deps, tenant: str, make_invoice: MakeInvoice) -> None:
    """One that no line could hold would stop the ledger of the whole house."""
    huge = Decimal(1234567890123456789012345678)
    make_invoice(total=huge, due=huge, number="ß" * 255)
    make_invoice(active=None, currency="".join(random.Random(1).choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=9_000)))
    naming = make_invoice(active=None, type_code="384", preceding=["F-2026-001" * 9_000])
    make_invoice(active=None, type_code="384", number="F-2026-002")
    lines.catch_up(deps, tenant)
    with deps.db.reading(tenant) as session:
        line = session.scalars(select(LedgerLine).where(LedgerLine.is_open)).one()
        assert netted_all(session, [naming])[naming.id].balance.outstanding == 0
        assert (str(line.balance), len(line.signs)) == (f"{huge}.00", 255)
    assert [str(lines.as_kept(Decimal(text))) for text in ("1E+2", "0.5", "120.0000", "-0.125", "7.")] == [
        "100.00", "0.50", "120.00", "-0.125", "7.00"]


def test_lines_are_made_once_and_again_after_an_interruption(
    deps: Deps, tenant: str, make_invoice: MakeInvoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "FIRST", 2)
    for number in range(5):
        make_invoice(number=f"F-{number}")
    lines.tick(deps)
    with deps.db.transaction(tenant) as session:
        assert len(session.scalars(select(LedgerLine)).all()) == 5
        mark = session.get_one(LedgerMark, tenant)
        session.execute(delete(LedgerLine))
        mark.made_to = ""
    lines.catch_up(deps, tenant)
    with deps.db.reading(tenant) as session:
        assert len(session.scalars(select(LedgerLine)).all()) == 5
        assert session.get_one(LedgerMark, tenant).made_to is None


@given(st.text("aF-1 2é/", max_size=12), st.text("F12-", max_size=4))
def test_a_number_is_in_a_text_as_a_whole(text: str, number: str) -> None:
    """Against a plain search with a regular expression."""
    wanted = re.sub("[^0-9A-Z]", "", number.upper())
    pattern = "[^0-9A-Z]*".join(wanted)
    plain = bool(wanted) and re.search(f"(?<![0-9A-Z]){pattern}(?![0-9A-Z])", text.upper()) is not None
    assert (wanted in set(numbers_in(text))) is plain
