"""Where an invoice stands: who rejected, what comes next, what counts today, and the 24 hours of a 212."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select

from formats.codes import STATUSES
from formats.lifecycle import read_status
from gateway import outbox
from gateway.console.attention import items
from gateway.console.people import names
from gateway.console.queries import STATES
from gateway.deps import Deps
from gateway.incoming.poll import poll
from gateway.lifecycle.derive import Status, derive
from gateway.lifecycle.duties import COMPULSORY, open_duties
from gateway.lifecycle.expecting import NEXT, expected
from gateway.lifecycle.guard import GUARD, OWN, PLATFORM, SELLER, Effect
from gateway.lifecycle.origin import BUYERS, PORTAL, SELLERS, UNTOLD, platform_of
from gateway.lifecycle.routes import router
from gateway.lifecycle.sending import handle_send_status
from gateway.record import Change, record
from gateway.tables import Event, OutboxEntry, PlatformConnection, Submission
from gateway.worker import relay

MakeInvoice = Callable[..., Submission]
AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
IBAN = "FR76 0000 0000 0000 0000 0000 000"


def said(code: str, minute: int = 0, number: str | None = None, role: str = "WK") -> Event:
    return Event(id=f"{code}-{minute}", position=minute, kind="lifecycle", code=code, actor=PLATFORM, at=AT,
                 platform_at=AT + timedelta(minutes=minute), data={"by": {"role": role, "siren": number}}, reason=None)


REJECTIONS = {
    "before anything was deposited": ((said("213"),), UNTOLD),
    "after the deposit": ((said("200"), said("213", 5)), BUYERS),
    "after the deposit, by a clock that is behind": ((said("200", 5), said("213")), BUYERS),
    "after the buyer's platform has it": ((said("202"), said("213", 5)), BUYERS),
    "signed as the seller's platform": ((said("200", 0, "0001"), said("213", 5, "0001")), SELLERS),
    "signed as the buyer's platform": ((said("202", 0, "0002"), said("213", 5, "0002")), BUYERS),
    "signed by a stranger": ((said("213", 5, "0003"),), UNTOLD),
    "by the portal": ((said("200"), said("213", 5, "0000", "DFH")), PORTAL),
}


@pytest.mark.parametrize("name", REJECTIONS)
def test_nobody_is_blamed_for_a_rejection_of_another(name: str) -> None:
    events, whose = REJECTIONS[name]
    rejection = next(event for event in events if event.code == "213")
    for order in permutations(events):
        assert platform_of(rejection, order) == whose


def test_a_status_of_one_platform_only_needs_no_other() -> None:
    assert [platform_of(said(code), ()) for code in ("200", "201", "202", "203", "221", "601")] == [
        SELLERS, SELLERS, BUYERS, BUYERS, UNTOLD, PORTAL]
    buyers = said("205")
    buyers.actor = "buyer"
    assert platform_of(buyers, ()) is None


def test_the_timeline_names_the_platform_that_rejected(
    deps: Deps, tenant: str
) -> None:
    with deps.db.reading(tenant) as session:
        who = names(session)
    assert who.author(said("213")) == "Une plateforme"
    assert who.author(said("213", 5), [said("200"), said("213", 5)]) == "La plateforme de l'acheteur"


def test_every_status_has_its_row_and_whoever_sets_it_may() -> None:
    assert set(GUARD) == set(STATUSES)
    side = {"buyer": "buyer", "seller": "seller"}
    for code, status in STATUSES.items():
        assert side.get(status.set_by, PLATFORM) in GUARD[code].by, code
        assert status.final == (GUARD[code].effect is Effect.END and code != "210")
    assert frozenset({"212"}) == COMPULSORY < OWN


def test_what_comes_next_is_said_for_every_state() -> None:
    shown = {code for code, rule in GUARD.items() if rule.effect is not Effect.NOTE}
    assert shown == set(NEXT)
    for code in shown:
        answer = expected(derive([Status(code="200", at=AT, by=PLATFORM), Status(code="208", at=AT, by="buyer"),
                                  Status(code=code, at=AT, by=next(iter(sorted(GUARD[code].by))))]))
        assert answer.words.fr
        assert answer.words.en
    assert expected(derive([Status(code="200", at=AT, by=PLATFORM)]), not_passed_on=True).by == SELLER


@pytest.fixture
def tell(deps: Deps) -> Callable[..., None]:
    """Statuses that came, a minute apart."""

    def told(invoice: Submission, *codes: str, data: dict[str, Any] | None = None) -> None:
        with deps.db.transaction(invoice.tenant_id) as session:
            for minute, code in enumerate(codes):
                set_by = STATUSES[code].set_by
                record(session, invoice.tenant_id, Change(
                    kind="lifecycle", code=code, actor=set_by if set_by in {"buyer", "seller"} else PLATFORM,
                    submission_id=invoice.id, platform_at=AT + timedelta(minutes=minute),
                    data={"by": {"role": "WK"}, **(data or {})}), now=deps.now())

    return told


def queue(deps: Deps, invoice: Submission, code: str = "212") -> str:
    with deps.db.transaction(invoice.tenant_id) as session:
        return outbox.put(session, invoice.tenant_id, "send-status", invoice.id, now=deps.now(), payload={
            "code": code, "id": "pay-1", "set_at": deps.now().isoformat(), "actor": "key:abc", "currency": "EUR",
            "amounts": [{"type": "MEN", "amount": "60.00", "rate": "20"}]})


def run(deps: Deps) -> None:
    relay(deps, {"send-status": handle_send_status, "remind": lambda *_: None})


def alarms(deps: Deps, invoice: Submission) -> list[str]:
    with deps.db.reading(invoice.tenant_id) as session:
        return [item.title for item in items(session, deps.now()) if "obligatoire" in item.title]


def test_the_lifecycle_is_told_with_what_comes_next(
    make_invoice: MakeInvoice, tell: Callable[..., None], serve: Any
) -> None:
    invoice, api = make_invoice(), serve(router)
    path = f"/v1/invoices/{invoice.id}/lifecycle"
    tell(invoice, "200", "203", "208")

    seen = api.get(path).json()

    assert (seen["code"], seen["label"], seen["open"]) == ("208", "Suspendue", ["208"])
    assert seen["expected"]["by"] == "seller"
    assert "209" in seen["expected"]["fr"]
    assert seen["may_set"] == ["209", "220", "227"]
    assert [(one["code"], one["by"], one["platform"]) for one in seen["statuses"]] == [
        ("200", "platform", SELLERS), ("203", "platform", BUYERS), ("208", "buyer", None)]
    tell(invoice, "213")
    seen = api.get(path).json()
    assert (seen["ended"], seen["may_set"]) == ("213", [])
    assert [one["platform"] for one in seen["statuses"] if one["code"] == "213"] == [BUYERS]
    assert [one["objection"] for one in seen["statuses"] if one["code"] == "208"] == ["after-end"]
    assert api.get("/v1/invoices/nobody/lifecycle").status_code == 404


def test_a_status_that_came_too_early_counts_once_what_it_needs_is_there(
    make_invoice: MakeInvoice, tell: Callable[..., None], serve: Any
) -> None:
    invoice, api = make_invoice(), serve(router)
    tell(invoice, "212", data={"objection": "not-deposited"})
    path = f"/v1/invoices/{invoice.id}/lifecycle"
    assert [one["objection"] for one in api.get(path).json()["statuses"]] == ["not-deposited"]

    tell(invoice, "200")

    assert [one["objection"] for one in api.get(path).json()["statuses"]] == [None, None]


def test_24_hours_are_watched_and_the_alarm_comes_before_the_end(
    deps: Deps, clock: Any, make_invoice: MakeInvoice, serve: Any
) -> None:
    invoice, api = make_invoice(), serve(router)
    queue(deps, invoice)
    [duty] = api.get("/v1/duties").json()["items"]
    assert (duty["invoice"], duty["code"], duty["state"], duty["alarm"], duty["late"]) == (
        invoice.id, "212", "pending", False, False)
    assert datetime.fromisoformat(duty["until"]) - datetime.fromisoformat(duty["since"]) == timedelta(hours=24)
    assert alarms(deps, invoice) == []

    clock.forward(hours=18)
    assert [one["alarm"] for one in api.get("/v1/duties").json()["items"]] == [True]
    assert len(alarms(deps, invoice)) == 1
    clock.forward(hours=6)
    assert [one["late"] for one in api.get("/v1/duties").json()["items"]] == [True]
    assert api.get(f"/v1/invoices/{invoice.id}/lifecycle").json()["duties"][0]["late"]


def test_a_refusal_of_the_portal_after_everything_seemed_done_is_seen(
    deps: Deps, make_invoice: MakeInvoice, tell: Callable[..., None]
) -> None:
    invoice = make_invoice()
    tell(invoice, "200", "203", "205", "212")
    with deps.db.reading(invoice.tenant_id) as session:
        assert [item for item in items(session, deps.now()) if "portail" in item.title] == []
    tell(invoice, "601")
    with deps.db.reading(invoice.tenant_id) as session:
        [item] = [item for item in items(session, deps.now()) if "portail" in item.title]
        chosen = session.scalars(select(Submission).where(STATES["portail"][1])).all()
    assert (item.title, item.href) == ("1 facture refusée par le portail public", "/factures?etat=portail")
    assert [row.id for row in chosen] == [invoice.id]


@pytest.mark.usefixtures("platform")
def test_a_duty_is_done_when_the_platform_has_it(
    deps: Deps, make_invoice: MakeInvoice, tell: Callable[..., None]
) -> None:
    invoice = make_invoice()
    tell(invoice, "200")
    queue(deps, invoice)
    run(deps)

    with deps.db.reading(invoice.tenant_id) as session:
        assert open_duties(session) == []


def test_a_parked_duty_alarms_at_once_and_a_closed_one_no_more(
    deps: Deps, make_invoice: MakeInvoice, tell: Callable[..., None]
) -> None:
    invoice = make_invoice()
    tell(invoice, "200", "210")
    entry = queue(deps, invoice)
    run(deps)
    with deps.db.reading(invoice.tenant_id) as session:
        [duty] = open_duties(session)
    assert (duty.state, duty.is_alarming(deps.now())) == ("parked", True)
    assert duty.reason
    assert len(alarms(deps, invoice)) == 1

    with deps.db.transaction(invoice.tenant_id) as session:
        session.get_one(OutboxEntry, (invoice.tenant_id, entry)).state = "closed"
    assert alarms(deps, invoice) == []


def test_a_refused_acknowledgement_opens_the_duty_again(
    deps: Deps, platform: Any, connection: PlatformConnection, make_invoice: MakeInvoice, tell: Callable[..., None],
) -> None:
    invoice = make_invoice()
    tell(invoice, "200")
    queue(deps, invoice)
    run(deps)
    [flow] = platform.outgoing("pay-1")
    deps.clock.forward(minutes=1)  # type: ignore[attr-defined]  # the tests' own clock
    platform.put(flow["flowId"], acknowledgement={"status": "Error", "details": [
        {"level": "Error", "item": "MDT-215", "reasonCode": "InvoiceLCAmountError", "reasonMessage": "no"}]})

    poll(deps, connection)

    with deps.db.reading(invoice.tenant_id) as session:
        [duty] = open_duties(session, invoice.id)
    assert (duty.code, duty.state, duty.is_alarming(deps.now())) == ("212", "refused", True)


def test_227_tells_the_new_account(
    deps: Deps, platform: Any, make_invoice: MakeInvoice, tell: Callable[..., None], serve: Any
) -> None:
    invoice, api = make_invoice(), serve(router)
    path = f"/v1/invoices/{invoice.id}/statuses"
    body = {"code": "227", "account": {"iban": IBAN, "bic": "ABCDFRPPXXX", "name": "Atelier"}}
    early = api.post(path, json=body, headers={"Idempotency-Key": "early-227"})
    assert (early.status_code, early.json()["objection"]) == (409, "not-deposited")
    tell(invoice, "200")

    answer = api.post(path, json=body, headers={"Idempotency-Key": "first-227"})
    run(deps)

    assert answer.status_code == 202
    [flow] = platform.outgoing(answer.json()["id"])
    message = read_status(platform.documents[flow["flowId"], "Original"])
    [detail] = message.details
    assert [(one.type_code, one.term, one.value) for one in detail.amounts] == [
        ("CBB", "BT-84", IBAN.replace(" ", "")), ("CBB", "BT-85", "Atelier"), ("CBB", "BT-86", "ABCDFRPPXXX")]
    with deps.db.reading(invoice.tenant_id) as session:
        assert session.scalars(select(Event).where(Event.code == "227")).one().data["own"]
        assert session.get_one(Submission, (invoice.tenant_id, invoice.id)).lifecycle == "200"


@pytest.mark.parametrize("body", [
    {"code": "227"},
    {"code": "209", "account": {"iban": IBAN}},
    {"code": "227", "account": {"iban": "FR77 0000 0000 0000 0000 0000 000"}},
    {"code": "227", "account": {"iban": "not an iban"}},
    {"code": "212"},
    {"code": "205"},
], ids=["no account", "account elsewhere", "check digits", "shape", "follows payments", "the buyer's"])
def test_what_a_seller_cannot_say_is_refused(
    make_invoice: MakeInvoice, serve: Any, tell: Callable[..., None], body: dict[str, Any]
) -> None:
    invoice = make_invoice()
    tell(invoice, "200", "208")
    answer = serve(router).post(f"/v1/invoices/{invoice.id}/statuses", json=body,
                                headers={"Idempotency-Key": "wrong-227"})
    assert answer.status_code == 422


def test_a_public_buyer_is_not_told_an_account_without_attachment(
    make_invoice: MakeInvoice, serve: Any, tell: Callable[..., None]
) -> None:
    invoice = make_invoice(processing_rule="B2G")
    tell(invoice, "200")
    answer = serve(router).post(f"/v1/invoices/{invoice.id}/statuses", json={
        "code": "227", "account": {"iban": IBAN}}, headers={"Idempotency-Key": "public-227"})
    assert (answer.status_code, answer.json()["code"]) == (409, "status-not-possible")
