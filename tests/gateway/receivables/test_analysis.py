"""Ageing and figures from the database, on any day; what programs get; what reminders cost."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.auth import Principal
from gateway.deps import Deps
from gateway.receivables.claim_schemas import ClaimIn
from gateway.receivables.claims import claim
from gateway.record import Change, record
from gateway.reminders.cases import open_case
from gateway.reminders.effect import CostsIn, costs_of, disputes_on, effects, set_costs
from gateway.tables import Payment, Submission
from gateway.tables_reminders import Decision

MakeInvoice = Callable[..., Submission]
TODAY = date(2026, 11, 23)


@pytest.fixture
def pay(deps: Deps, tenant: str) -> Callable[..., None]:
    def make(invoice: Submission, amount: str, on: date) -> None:
        with deps.db.transaction(tenant) as session:
            session.add(Payment(
                tenant_id=tenant, id=f"{invoice.id}-{on}-{amount}", submission_id=invoice.id, amount=Decimal(amount),
                currency=invoice.currency or "EUR", paid_on=on, method=None, reference=None, recorded_at=deps.now(),
                actor="user:x"))

    return make


@pytest.fixture
def remind(deps: Deps, tenant: str) -> Callable[..., None]:
    def make(invoice: Submission, channel: str, on: date, mail: str = "", outcome: str = "sent") -> None:
        with deps.db.transaction(tenant) as session:
            session.add(Decision(
                tenant_id=tenant, id=f"{invoice.id}-{channel}-{on}", submission_id=invoice.id, intent=None,
                stage="friendly", at=datetime(on.year, on.month, on.day, 9, tzinfo=UTC), outcome=outcome, reason="",
                facts={}, scenario="s", channel=channel, recipient=None, sha256=mail or None))

    return make


def test_the_ageing_of_two_days(client: Any, make_invoice: MakeInvoice, pay: Any, deps: Deps, officer: Principal
                                ) -> None:
    """Worked by hand: 120 due 9 days ago, 120 due 100 days ago of which 50 were paid today, a credit, another money."""
    first = make_invoice(number="F-1", issue_date=date(2026, 10, 15), due_date=date(2026, 11, 14))
    old = make_invoice(number="F-2", issue_date=date(2026, 7, 15), due_date=date(2026, 8, 15))
    make_invoice(number="F-3", issue_date=date(2026, 11, 1), due_date=date(2026, 12, 20), currency="USD")
    make_invoice(number="A-1", type_code="381", issue_date=date(2026, 11, 1), due_date=None, total=Decimal(30),
                 due=Decimal(30))
    make_invoice(number="F-4", issue_date=date(2026, 11, 1), due_date=None, buyer_siren=None, buyer_name="Zoé & Cie")
    pay(old, "50.00", TODAY)
    claim(deps, officer, first.id, ClaimIn(kind="indemnity"), "claim-0001")
    told = client.get("/v1/receivables/ageing").json()
    assert told["as_of"] == "2026-11-23"
    aubrac, dollars, nameless = told["clients"]
    assert aubrac == {
        "client": "000001016", "name": "Aubrac Approuve SAS", "siren": "000001016", "currency": "EUR", "items": 3,
        "classes": {"current": "0.00", "1-30": "120.00", "31-60": "0.00", "61-90": "0.00", "over-90": "70.00"},
        "overdue": "190.00", "credits": "30.00", "balance": "160.00", "claimed": "40.00", "oldest_due": "2026-08-15"}
    assert (dollars["currency"], dollars["balance"]) == ("USD", "120.00")
    assert (nameless["client"], nameless["classes"]["current"]) == ("nom:zoe & cie", "120.00"), "without a due date"
    assert [(one["currency"], one["balance"], one["claimed"]) for one in told["totals"]] == [
        ("EUR", "280.00", "40.00"), ("USD", "120.00", "0.00")]
    before = client.get("/v1/receivables/ageing?as_of=2026-10-20&currency=EUR").json()["clients"]
    assert [(one["classes"]["current"], one["classes"]["61-90"], one["claimed"]) for one in before] == [
        ("120.00", "120.00", "0.00")]
    page = client.get("/v1/receivables/ageing?limit=2").json()
    rest = client.get("/v1/receivables/ageing", params={"limit": 2, "after": page["next"]}).json()
    assert page["clients"] + rest["clients"] == told["clients"]
    assert rest["next"] is None


def test_the_figures_of_a_day(client: Any, make_invoice: MakeInvoice, pay: Any) -> None:
    """300 owed, 200 of it overdue since 101 days; sales of 90 days 400: 67.5 days simple, 22.5 at best.

    Count-back: November's 400 in 23 days, 300 of them: 17.25.
    """
    late = make_invoice(number="F-1", issue_date=date(2026, 7, 15), due_date=date(2026, 8, 14), due=Decimal(300))
    paid = make_invoice(number="F-2", issue_date=date(2026, 11, 1), due_date=date(2026, 11, 5), due=Decimal(300))
    make_invoice(number="F-3", issue_date=date(2026, 11, 2), due_date=date(2026, 12, 20), due=Decimal(100))
    pay(late, "100", date(2026, 11, 1))
    pay(paid, "300", date(2026, 11, 15))
    told = client.get("/v1/receivables/figures").json()
    euro = told["currencies"][0]
    assert euro == {
        "currency": "EUR", "owed": "300.00", "overdue": "200.00", "over_90": "200.00", "over_90_share": "66.7",
        "sales": "400.00",
        "dso_simple": "67.5", "dso_countback": "17.3", "dso_best_possible": "22.5", "settled": 1,
        "average_delay": "10.0", "weighted_delay": "10.0", "late": 2, "due": 2, "late_share": "100.0",
        "late_clients": [{"client": "000001016", "name": "Aubrac Approuve SAS", "late": 2, "due": 2,
                          "share": "100.0"}]}
    assert told["disputes"] == {"open": 0, "average_age": None, "oldest": None, "solved": 0, "average_solving": None}
    before = client.get("/v1/receivables/figures?as_of=2026-07-31&days=31").json()["currencies"][0]
    assert (before["owed"], before["dso_simple"], before["dso_best_possible"]) == ("300.00", "31.0", "31.0")
    assert client.get("/v1/receivables/figures?as_of=2026-07-01").json()["currencies"] == []


@pytest.mark.parametrize("query", ["as_of=0001-01-01", "as_of=9999-12-31", "as_of=hier", "days=0", "days=99999"])
def test_a_day_that_nobody_can_mean_is_refused(client: Any, query: str) -> None:
    assert client.get(f"/v1/receivables/figures?{query}").status_code == 422


def test_what_a_channel_costs_for_each_euro(
    deps: Deps, make_invoice: MakeInvoice, pay: Any, remind: Any, officer: Principal
) -> None:
    """A mail or call about two invoices is one message; money counts for the last one before it, for thirty days."""
    one, two, three = (make_invoice(number=f"F-{n}", due=Decimal(1000)) for n in range(3))
    remind(one, "smtp", TODAY - timedelta(days=20), mail="m1")
    remind(two, "spool", TODAY - timedelta(days=20), mail="m1")
    remind(two, "letter", TODAY - timedelta(days=10))
    remind(one, "call", TODAY - timedelta(days=25))
    remind(two, "call", TODAY - timedelta(days=25))
    remind(three, "smtp", TODAY - timedelta(days=60), mail="m2")
    remind(three, "call", TODAY - timedelta(days=3), outcome="failed")
    pay(one, "400", TODAY - timedelta(days=5))
    pay(one, "-100", TODAY - timedelta(days=4))
    pay(two, "1000", TODAY)
    pay(three, "999", TODAY)
    set_costs(deps, officer, CostsIn(costs={"letter": "9.99"}))
    set_costs(deps, officer, CostsIn(costs={"mail": "0.06", "notice": "7"}))
    with deps.db.reading(officer.tenant_id) as session:
        assert costs_of(session) == {"mail": Decimal("0.06"), "notice": Decimal(7)}, "what was said last"
        found = [(row.channel, row.messages, row.cost, row.collected, row.per_euro)
                 for row in effects(session, TODAY, 30)]
        assert found == [
            ("mail", 1, Decimal("0.06"), Decimal(300), Decimal("0.0002")), ("call", 1, None, Decimal(0), None),
            ("letter", 1, None, Decimal(1000), None), ("notice", 0, Decimal(0), Decimal(0), None)]
        whole = {row.channel: row.messages for row in effects(session, TODAY, 90)}
        assert whole == {"mail": 2, "call": 1, "letter": 1, "notice": 0}
    with pytest.raises(ValueError, match="costs"):
        CostsIn(costs={"mail": "1e3"})


def test_the_age_of_disputes(deps: Deps, tenant: str, make_invoice: MakeInvoice) -> None:
    for number, kind, age, lasted in (("F-1", "207", 10, None), ("F-2", "208", 20, 4), ("F-3", "call", 30, None)):
        invoice = make_invoice(number=number)
        opened = deps.now() - timedelta(days=age)
        with deps.db.transaction(tenant) as session:
            case = open_case(session, invoice, kind, "r", now=opened, today=opened.date())
            case.closed_at = opened + timedelta(days=lasted) if lasted else None
            for days in (age + 2, age + 5, 1):  # the status that opened it, an earlier one, one that says it again
                record(session, tenant, Change(
                    kind="lifecycle", code=kind, actor="buyer", submission_id=invoice.id,
                    platform_at=deps.now() - timedelta(days=days)), now=deps.now() - timedelta(days=1))
    with deps.db.reading(tenant) as session:
        now, before = disputes_on(session, TODAY), disputes_on(session, TODAY - timedelta(days=18))
    assert (now.open, now.average_age, now.solved, now.average_solving) == (1, Decimal("12.0"), 1, Decimal("6.0"))
    assert (before.open, before.oldest, before.solved) == (1, 4, 0)
