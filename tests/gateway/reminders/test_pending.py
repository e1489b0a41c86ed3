"""Money that is on the bank account and that nobody has confirmed yet: no letter goes to whoever probably paid."""

import json
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

sys.path.append(str(Path(__file__).parents[1] / "bank"))

from statements import paid, statement

from gateway.bank.deciding import allocate, decide
from gateway.bank.files import take_in
from gateway.bank.proposals import movements
from gateway.bank.schemas import AllocationIn, MovementDecisionIn
from gateway.receivables.lines import catch_up
from gateway.reminders import service
from gateway.reminders.cases import cases
from gateway.reminders.nightly import decide_all
from gateway.reminders.planning import preview, reminders_of
from gateway.reminders.state import look
from gateway.reminders.trying import decided_again, try_out

if TYPE_CHECKING:
    from gateway.auth import Principal
    from tests.gateway.reminders.conftest import Play

WAITING = ("held", "payment-to-confirm", "friendly")
NAMED = ("1200.00", "Votre facture FA-2026-0042 merci", {"name": "Quelqu'un d'autre"})


def bank_says(play: "Play", principal: "Principal", *entries: tuple[str, str, dict[str, Any]], **more: Any) -> None:
    take_in(play.deps, principal, statement(*(
        paid(amount, text, booked="2026-03-20", value="2026-03-20", **{"iban": None, **named})
        for amount, text, named in entries), **more), "releve.xml")


def only_movement(play: "Play", state: str = "open") -> str:
    (one,) = movements(play.deps, play.invoice.tenant_id, state=state).items
    return one.id


def payment_cases(play: "Play") -> list[str]:
    with play.deps.db.reading(play.invoice.tenant_id) as session:
        return [case.reason for case, _ in cases(session, kinds=("payment",))]


@pytest.mark.parametrize(("amount", "text", "more", "letters"), [
    (*NAMED, 0),
    ("300.00", "acompte FA-2026-0042", {"name": None}, 0),
    ("1200.00", "virement", {"name": "MAIRIE INVENTEE"}, 0),
    ("1200.00", "facture FA-2026-0042", {"name": None, "currency": "USD"}, 0),
    ("1200.00", "virement", {"name": None}, 1),
    ("100.00", "virement", {"name": "MAIRIE INVENTEE"}, 1),
    ("1200.00", "facture FA-2026-0042", {"name": None, "sign": "DBIT"}, 1),
])
def test_what_probably_paid_the_invoice_stops_its_letter(
    play: "Play", principal: "Principal", amount: str, text: str, more: dict[str, Any], letters: int
) -> None:
    with play.deps.db.transaction(play.invoice.tenant_id) as session:
        session.merge(play.invoice).buyer_name = "Mairie Inventée"
    play.on("2026-03-23")
    bank_says(play, principal, (amount, text, more))
    play.work()
    assert play.told() == ([("sent", "due", "friendly")] if letters else [WAITING])
    assert len(payment_cases(play)) == 1 - letters


def test_the_reason_says_which_money_and_where_to_confirm_it(play: "Play", principal: "Principal") -> None:
    play.on("2026-03-23")
    bank_says(play, principal, NAMED)
    play.work()
    (row,) = play.decisions()
    french, _, english = row.reason.replace("\u00a0", " ").replace("\u202f", " ").partition(" / ")
    assert french == ("1 200,00 € reçus en banque le 20 mars 2026 règlent sans doute la facture FA-2026-0042 : "
                      "confirmez ou écartez ce mouvement, page Banque.")
    assert english == ("€1,200.00 that came in on 20 Mar 2026 probably pays invoice FA-2026-0042: confirm it or set it "
                       "aside, page Bank.")
    assert row.facts["pending"] == {"movement": only_movement(play), "on": "2026-03-20", "amount": "1200.00",
                                    "currency": "EUR", "number": "FA-2026-0042"}
    assert json.dumps(row.facts)
    assert decided_again(play.deps, play.invoice.tenant_id) == (1, [])
    shown = reminders_of(play.deps, play.invoice.tenant_id, play.invoice.id)
    assert [(one.on, one.reason) for one in shown.planned] == [(None, row.reason)]
    assert [one.reason for one in preview(play.deps, play.invoice.tenant_id).letters] == [row.reason]
    assert payment_cases(play) == [row.reason]


def test_a_letter_that_would_name_it_waits_and_a_person_is_asked_once(play: "Play", principal: "Principal") -> None:
    others = [play.another(f"FA-2026-005{number}", "2026-03-13", "50.00") for number in range(3)]
    elsewhere = play.another("FA-2026-0060", "2026-03-13", "70.00", buyer_siren="000002014", buyer_name="Ailleurs")
    play.on("2026-03-23")
    bank_says(play, principal, NAMED)
    play.work()
    for play.invoice in others:
        assert play.told() == [WAITING], "its letter names everything that the client owes"
        assert "FA-2026-0042" in play.decisions()[0].reason
    assert len(payment_cases(play)) == 1
    play.invoice = elsewhere
    assert play.told() == [("sent", "due", "friendly")]


@pytest.mark.parametrize("settled", ["aside", "elsewhere"])
def test_it_is_reminded_again_once_the_money_was_something_else(
    play: "Play", principal: "Principal", settled: str
) -> None:
    stranger = play.another("FA-9", "2026-06-30", "1200.00", buyer_siren="000002014", buyer_name="Ailleurs")
    play.on("2026-03-23")
    bank_says(play, principal, NAMED)
    play.work()
    movement = only_movement(play)
    if settled == "aside":
        decide(play.deps, principal, movement, MovementDecisionIn(action="aside", reason="Autre affaire"))
    else:
        allocate(play.deps, principal, movement, AllocationIn.model_validate(
            {"parts": [{"invoice_id": stranger.id, "amount": "1200.00"}]}), "k")
    play.work()
    assert play.told() == [WAITING, ("sent", "due", "friendly")]
    assert payment_cases(play) == []


def test_confirmed_it_is_thanked_for(play: "Play", principal: "Principal") -> None:
    play.on("2026-03-23")
    bank_says(play, principal, NAMED)
    play.work()
    allocate(play.deps, principal, only_movement(play), AllocationIn.model_validate(
        {"parts": [{"invoice_id": play.invoice.id, "amount": "1200.00"}]}), "k")
    play.work()
    assert play.told() == [WAITING, ("sent", "thanks", "thanks")]
    assert payment_cases(play) == []


def test_money_that_comes_in_while_the_letter_is_written_stops_it(
    play: "Play", principal: "Principal", monkeypatch: pytest.MonkeyPatch
) -> None:
    play.on("2026-03-23")
    really, told = service.draft, []

    def draft(*given: Any) -> Any:
        letter = really(*given)
        if not told:
            told.append(bank_says(play, principal, NAMED))
        return letter

    monkeypatch.setattr(service, "draft", draft)
    play.remind()
    assert play.told() == [WAITING]
    assert play.mails() == []


def test_money_that_may_have_been_told_twice_waits_too(play: "Play", principal: "Principal") -> None:
    second = play.another("FA-2026-0043", "2026-03-13", "1200.00")
    play.on("2026-03-23")
    for number in range(2):
        bank_says(play, principal, ("1200.00", "loyer FA-2026-0042 FA-2026-0043", {"reference": None}),
                  id=f"STMT-{number}")
    allocate(play.deps, principal, only_movement(play), AllocationIn.model_validate(
        {"parts": [{"invoice_id": play.invoice.id, "amount": "1200.00"}]}), "k")
    play.invoice = second
    play.work()
    assert play.told() == [WAITING]
    decide(play.deps, principal, only_movement(play, "doubtful"), MovementDecisionIn(action="same", reason="Doublon"))
    play.work()
    assert play.told()[-1] == ("sent", "due", "friendly")


def test_what_one_invoice_is_told_is_what_the_nightly_run_says(play: "Play", principal: "Principal") -> None:
    ones = [play.invoice, *(play.another(f"FA-2026-010{number}", "2026-03-13", f"{number + 1}0.00",
                                         buyer_siren=f"00000{number}", buyer_name=f"Client {number}")
                            for number in range(6))]
    play.on("2026-03-23")
    bank_says(play, principal, ("20.00", "rien", {"name": "Client 1"}), ("30.00", "FA-2026-0102", {"name": None}),
              ("50.00", "FA-2026-0103, FA-2026-0104", {"name": "Client 5"}), ("40.00", "x", {"name": None}))
    alone = {}
    catch_up(play.deps, play.invoice.tenant_id)
    for one in ones:
        with play.deps.db.reading(one.tenant_id) as session:
            seen = look(session, one.tenant_id, one.id, play.deps.today())
            assert seen is not None
            alone[one.id] = seen.decision.outcome.value, seen.facts.pending
    assert sum(pending is not None for _, pending in alone.values()) == 4
    decide_all(play.deps, play.invoice.tenant_id)
    for play.invoice in ones:
        told = [(row.outcome, (row.facts["pending"] or {}).get("number")) for row in play.decisions()]
        outcome, pending = alone[play.invoice.id]
        assert told == ([] if pending is None else [(outcome, pending.number)])


def test_a_trial_knows_of_the_money_from_the_day_of_its_file(play: "Play", principal: "Principal") -> None:
    play.on("2026-03-25")
    bank_says(play, principal, NAMED)
    play.on("2026-04-30")
    trial = try_out(play.deps, play.invoice.tenant_id, None, date(2026, 3, 1), date(2026, 4, 29))
    assert dict(trial.would) == {"before": 1, "due": 1, "friendly": 1}
    assert "payment-to-confirm" in trial.against
