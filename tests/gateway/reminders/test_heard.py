"""What reminders hear of an invoice's life: its statuses that count, credit notes, corrections."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from gateway.record import Change, Work, record
from gateway.reminders.service import handle_remind
from gateway.reminders.trying import decided_again, try_out
from gateway.tables import Submission
from gateway.worker import relay

if TYPE_CHECKING:
    from tests.gateway.reminders.conftest import Play


def test_the_dispute_and_its_end(play: "Play") -> None:
    play.on("2026-03-23")
    play.status("207")
    for _ in range(3):
        play.remind()
    play.on("2026-03-25")
    play.status("205")
    play.remind()
    assert play.told() == [("held", "status-207", "friendly"), ("sent", "due", "friendly")]
    assert len(play.mails()) == 1
    assert "En litige (207) depuis le 23 mars 2026" in play.decisions()[0].reason
    assert play.events() == ["held", "case-opened", "sending", "case-closed", "sent"]


def test_statuses_count_in_the_order_in_which_they_were_set(play: "Play") -> None:
    play.on("2026-03-23")
    play.status("207", at=datetime(2026, 3, 20, 10, tzinfo=UTC))
    play.status("205", at=datetime(2026, 3, 18, 10, tzinfo=UTC))  # arrives late
    play.remind()
    assert play.told() == [("held", "status-207", "friendly")]


def test_a_status_from_the_future_pauses_no_longer_than_one_from_today(play: "Play") -> None:
    play.on("2026-03-23")
    play.status("211", at=datetime(2036, 1, 1, tzinfo=UTC))
    play.on("2026-03-27")
    play.remind()
    assert play.told() == [("sent", "due", "friendly")]


def test_a_completion_that_the_platform_refused_answers_nothing(play: "Play") -> None:
    play.on("2026-03-23")
    play.status("208")
    with play.deps.db.transaction(play.invoice.tenant_id) as session:
        for kind, code, data in (("lifecycle", "209", {"own": True}), ("transmission", "status-refused", {})):
            record(session, play.invoice.tenant_id, Change(
                kind=kind, code=code, actor="seller", submission_id=play.invoice.id, data={"flow_id": "f-1", **data},
            ), now=play.deps.now())
    play.remind()
    assert play.told() == [("held", "status-208", "friendly")]
    play.on("2026-03-24")
    trial = try_out(play.deps, play.invoice.tenant_id, None, date(2026, 3, 24), date(2026, 3, 25))
    assert (trial.would, set(trial.against)) == ({}, {"status-208"})
    play.status("209")
    play.remind()
    assert play.told()[-1] == ("sent", "due", "friendly")


@pytest.mark.parametrize(("told", "expected"), [
    ([("210", "seller")], ("sent", "due", "friendly")),
    ([("213", "buyer")], ("sent", "due", "friendly")),
    ([("220", "buyer")], ("sent", "due", "friendly")),
    ([("207", "seller")], ("sent", "due", "friendly")),
    ([("212", "seller")], ("sent", "due", "friendly")),  # of an invoice that no platform has
    ([("200", "platform"), ("212", "seller")], ("held", "cashed-unrecorded", "friendly")),
    ([("207", "buyer"), ("205", "seller")], ("held", "status-207", "friendly")),
    ([("207", "buyer"), ("209", "seller")], ("held", "status-207", "friendly")),  # completes what nobody suspended
    ([("208", "buyer"), ("209", "buyer")], ("held", "status-208", "friendly")),
    ([("208", "buyer"), ("209", "seller")], ("sent", "due", "friendly")),
    ([("210", "buyer"), ("205", "buyer")], ("skipped", "status-210", "")),
])
def test_only_what_the_lifecycle_counts_is_heard(
    play: "Play", told: list[tuple[str, str]], expected: tuple[str, str, str]
) -> None:
    play.on("2026-03-23")
    for code, by in told:
        play.status(code, by=by)
        play.clock.forward(minutes=1)
    play.on("2026-03-24")
    trial = try_out(play.deps, play.invoice.tenant_id, None, date(2026, 3, 24), date(2026, 3, 24))
    play.remind()
    assert play.told() == [expected]
    assert (dict(trial.would), set(trial.against)) == (
        ({"friendly": 1}, set()) if expected[0] == "sent" else ({}, {expected[1]}))


@pytest.mark.parametrize(("told", "recorded", "expected"), [
    (["900.00"], ["300.00"], "held"),  # the seller's other program tells of 900, here are 300
    (["300.00"], ["300.00"], "sent"),
    (["1200.00", "-1200.00"], ["1200.00", "-1200.00"], "sent"),  # a transfer that came back
    (["1200.00"], ["1200.00", "-1200.00"], "sent"),  # that, and its 212 is still on its way
    (["900.00", "-900.00"], [], "sent"),
])
def test_money_that_is_told_and_not_recorded_is_not_asked_for(
    play: "Play", told: list[str], recorded: list[str], expected: str
) -> None:
    play.on("2026-03-20")
    for amount in recorded:
        play.pay(amount)
    play.status("200")
    for amount in told:
        play.clock.forward(minutes=1)
        with play.deps.db.transaction(play.invoice.tenant_id) as session:
            record(session, play.invoice.tenant_id, Change(
                kind="lifecycle", code="212", actor="seller", submission_id=play.invoice.id,
                data={"details": [{"amounts": [{"type": "MEN", "amount": amount}]}]}), now=play.deps.now())
    play.on("2026-03-23")
    play.remind()
    assert [one[0] for one in play.told()] == [expected]
    assert decided_again(play.deps, play.invoice.tenant_id) == (1, [])


def test_a_credit_note_reduces_and_closes(play: "Play") -> None:
    play.on("2026-03-23")
    play.make(number="AV-1", type_code="381", total=Decimal("200.00"), preceding=["FA-2026-0042"])
    play.remind()
    assert "Son solde est de 1 000,00 €" in play.text()
    play.make(number="AV-2", type_code="381", total=Decimal("1000.00"), preceding=["FA-2026-0042"])
    play.on("2026-04-02")
    play.remind()
    assert play.told()[-1] == ("skipped", "credited", "")


@pytest.mark.parametrize(("type_code", "code"), [("381", "credited"), ("384", "corrected")])
def test_what_took_an_invoice_away_is_rejected_and_the_invoice_is_owed_again(
    play: "Play", type_code: str, code: str
) -> None:
    play.on("2026-03-23")
    follower = play.make(number="FA-2026-0050", type_code=type_code, total=Decimal("1200.00"),
                         preceding=["FA-2026-0042"])
    play.work()
    assert play.told() == [("skipped", code, "")]
    play.on("2026-03-30")
    with play.deps.db.transaction(follower.tenant_id) as session:
        row = session.get_one(Submission, (follower.tenant_id, follower.id))
        row.lifecycle, row.active = "213", None
        record(session, follower.tenant_id, Change(kind="lifecycle", code="213", actor="platform",
                                                   submission_id=follower.id,
                                                   then=(Work(topic="remind", subject_id=follower.id),)),
               now=play.deps.now())
    play.work()
    assert play.told() == [("skipped", code, ""), ("sent", "due", "friendly")]


def test_two_documents_that_name_each_other_wake_each_other_once(play: "Play") -> None:
    play.on("2026-03-23")
    ones = [play.make(number=number, type_code="384", preceding=[other])
            for number, other in (("FA-8", "FA-9"), ("FA-9", "FA-8"))]
    for play.invoice in ones:
        play.remind()
    assert relay(play.deps, {"remind": handle_remind}) <= 2


def test_a_shared_credit_note_waits_for_a_person(play: "Play") -> None:
    play.on("2026-03-23")
    play.make(number="AV-1", type_code="381", total=Decimal("900.00"), preceding=["FA-2026-0042", "FA-2"])
    play.remind()
    play.on("2026-03-24")
    play.pay("300.00")  # the share, recorded by a person
    play.remind()
    assert play.told() == [("held", "shared-credit", "friendly"), ("sent", "due", "friendly")]


def test_a_corrected_invoice_replaces_it(play: "Play") -> None:
    play.on("2026-03-23")
    play.make(number="FA-2026-0050", type_code="384", preceding=["FA-2026-0042"])
    play.remind()
    assert play.told() == [("skipped", "corrected", "")]


@pytest.mark.parametrize("nightly", [True, False])
def test_what_was_paid_before_the_correction_is_not_asked_for_again(play: "Play", *, nightly: bool) -> None:
    play.on("2026-03-12")
    first = play.invoice
    play.pay("1200.00")
    play.invoice = play.another("FA-2026-0050", "2026-03-13", "1100.00", type_code="384", preceding=["FA-2026-0042"])
    play.on("2026-03-23")
    say = play.work if nightly else play.remind
    say()
    assert play.told() == [("held", "paid-before", "friendly")]
    assert "FA-2026-0042" in play.decisions()[0].reason
    assert decided_again(play.deps, play.invoice.tenant_id)[1] == []

    play.invoice, second = first, play.invoice
    play.pay("-1200.00")
    play.invoice = second
    play.on("2026-03-24")
    say()
    assert play.told() == [("held", "paid-before", "friendly"), ("sent", "due", "friendly")]


def test_what_was_paid_before_and_given_back_by_a_credit_note_is_asked_for(play: "Play") -> None:
    play.on("2026-03-12")
    play.pay("1200.00")
    credit = play.another("AV-1", "2026-03-13", "1200.00", type_code="381", preceding=["FA-2026-0042"])
    second = play.another("FA-2026-0050", "2026-03-13", "1100.00", type_code="384", preceding=["FA-2026-0042"])
    play.invoice = credit
    play.pay("1200.00")
    play.on("2026-03-23")
    play.invoice = second
    play.remind()
    assert play.told() == [("sent", "due", "friendly")]
