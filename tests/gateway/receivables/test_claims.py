"""Claims for lateness: the forty euro once, interest never twice, balances of their own, rates with a source."""

import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from statements import paid, statement

from gateway.bank.routes import router as bank
from gateway.deps import Deps
from gateway.receivables.claim_routes import router as claims
from gateway.receivables.open_items import claims_of, open_items, owed
from gateway.receivables.routes import router as payments
from gateway.tables import Document, Event, LegalEntity, OutboxEntry, Submission
from gateway.tables_reminders import ReminderClient

MakeInvoice = Callable[..., Submission]


@pytest.fixture
def api(serve: Callable[..., Any], clock: Any) -> Any:
    clock.now = datetime(2026, 6, 30, 9, 0, tzinfo=UTC)
    return serve(claims, payments, bank)


@pytest.fixture
def late(api: Any, make_invoice: MakeInvoice) -> Submission:
    """Thirty days late today: 10 000 EUR."""
    assert api
    return make_invoice(total=Decimal(10000), due=Decimal(10000), issue_date=date(2026, 4, 30),
                        due_date=date(2026, 5, 31))


def claim(api: Any, invoice: Submission, kind: str, key: str = "k", **more: Any) -> Any:
    return api.post(f"/v1/invoices/{invoice.id}/claims", headers={"Idempotency-Key": key}, json={"kind": kind, **more})


def pay(api: Any, path: str, amount: str, on: str, key: str = "p") -> Any:
    return api.post(f"/v1/{path}/payments", headers={"Idempotency-Key": key}, json={"amount": amount, "paid_on": on})


def test_the_forty_euro_are_owed_once(api: Any, deps: Deps, tenant: str, late: Submission) -> None:
    assert api.get(f"/v1/invoices/{late.id}/claims").json()["indemnity_due"] is True
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda number: claim(api, late, "indemnity", f"k{number}"), range(4)))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    [made] = [answer.json() for answer in answers if answer.status_code == 201]
    assert (made["amount"], made["outstanding"], made["currency"]) == ("40.00", "40.00", "EUR")
    assert "D441-5" in made["basis"]["law"]
    body = api.get(f"/v1/invoices/{late.id}/claims").json()
    assert (len(body["items"]), body["indemnity_due"]) == (1, False)
    with deps.db.reading(tenant) as session:
        [event] = session.scalars(select(Event).where(Event.code == "claimed")).all()
        [document] = session.scalars(select(Document).where(Document.role == "claim")).all()
        assert (event.submission_id, event.sha256) == (late.id, document.sha256)
        assert session.scalars(select(OutboxEntry)).all() == [], "no VAT, no 212"


def test_interest_is_claimed_once_for_each_day(api: Any, clock: Any, late: Submission) -> None:
    shown = api.get(f"/v1/invoices/{late.id}/interest").json()
    # 10 000 x 12.15 % x 30 / 365 = 99.863
    assert (shown["total"], shown["segments"][0]["days"], shown["segments"][0]["rate"]) == ("99.86", 30, "12.15")
    half = claim(api, late, "interest", until="2026-06-15").json()
    # 15 days: 49.9315
    assert (half["amount"], half["first_day"], half["last_day"]) == ("49.93", "2026-06-01", "2026-06-15")
    rest = claim(api, late, "interest", "k2").json()
    assert rest["amount"] == "49.93"
    nothing = claim(api, late, "interest", "k3")
    assert (nothing.status_code, nothing.json()["code"]) == (422, "nothing-to-claim")

    pay(api, f"invoices/{late.id}", "10000", "2026-06-10")
    later = api.get(f"/v1/invoices/{late.id}/interest").json()
    assert (later["total"], later["claimed"], later["to_claim"]) == ("33.29", "99.86", "0"), "known too late: shown"
    clock.now = datetime(2026, 7, 20, 9, 0, tzinfo=UTC)
    assert api.get(f"/v1/invoices/{late.id}/interest").status_code == 200, "nothing was owed after 30 June"


def test_a_half_year_without_rates_stops_until_a_person_adds_them(api: Any, clock: Any, late: Submission) -> None:
    clock.now = datetime(2026, 7, 10, 9, 0, tzinfo=UTC)
    answer = api.get(f"/v1/invoices/{late.id}/interest")
    assert (answer.status_code, answer.json()["code"], answer.json()["half_year"]) == (422, "rate-missing", "2026-H2")
    assert "2026-H2" in api.get(f"/v1/invoices/{late.id}/claims").json()["trouble"]
    wanted = {"refinancing": "3.00", "legal": "2.50", "source": "Un taux inventé pour cet essai"}
    assert api.request("PUT", "/v1/penalty-rates/2027-H1", json=wanted).json()["code"] == "half-year-unknown"
    assert api.request("PUT", "/v1/penalty-rates/2026-H2", json={**wanted, "source": ""}).status_code == 422
    assert api.request("PUT", "/v1/penalty-rates/2026-H2", json=wanted).json()["by_law"] == "13.00"

    shown = api.get(f"/v1/invoices/{late.id}/interest").json()
    # 99.863 -> 99.86; 10 days of July at 13 %: 10 000 x 13 % x 10 / 365 = 35.616
    assert [part["amount"] for part in shown["segments"]] == ["99.86", "35.62"]
    assert shown["segments"][1]["source"] == "Un taux inventé pour cet essai"
    assert [rate["half_year"] for rate in api.get("/v1/penalty-rates").json()["items"]][-1] == "2026-H2"


def test_the_terms_of_the_seller_of_a_segment_and_of_one_client(
    api: Any, deps: Deps, entity: LegalEntity, late: Submission
) -> None:
    path = f"/v1/entities/{entity.id}/penalty-terms"
    assert api.get(path).json() == {"rate": None, "day_count": "365", "clients": {}, "segments": {}}
    api.request("PUT", path, json={"rate": "9.00", "day_count": "360"})
    # 10 000 x 9 % x 30 / 360 = 75
    assert api.get(f"/v1/invoices/{late.id}/interest").json()["total"] == "75.00"
    with deps.db.transaction(late.tenant_id) as session:
        session.add(ReminderClient(
            tenant_id=late.tenant_id, key=late.buyer_siren, name="Aubrac", segment="fidèles", email=None, contact=None,
            lang=None, region=None, watched=False, hold=None, hold_reason=None, hold_until=None, owner=None,
            changed_at=deps.now(), actor="user:x"))
    kept = {"rate": "9.00", "day_count": "365", "clients": {}, "segments": {"fidèles": "8.00"}}
    assert api.request("PUT", path, json=kept).json() == api.get(path).json() == kept
    # 10 000 x 8 % x 30 / 365 = 65.753
    assert api.get(f"/v1/invoices/{late.id}/interest").json()["total"] == "65.75"
    api.request("PUT", path, json={**kept, "clients": {late.buyer_siren: "7.00"}})
    shown = api.get(f"/v1/invoices/{late.id}/interest").json()["segments"][0]
    assert (shown["rate"], shown["origin"]) == ("12.15", "law"), "less than three times legal interest says nothing"
    assert api.request("PUT", path, json={"rate": "-1"}).status_code == 422
    assert api.request("PUT", "/v1/entities/none/penalty-terms", json={}).status_code == 404


NOT_OWED: list[tuple[dict[str, Any], str]] = [
    ({"processing_rule": "B2C"}, "penalties-not-applicable"),
    ({"processing_rule": "B2BInt"}, "penalties-not-applicable"),
    ({"type_code": "381"}, "penalties-not-applicable"),
    ({"due_date": date(2026, 6, 30)}, "nothing-late"),
    ({"due_date": None}, "nothing-late"),
]


def test_where_the_law_gives_nothing(api: Any, make_invoice: MakeInvoice) -> None:
    for number, (changes, code) in enumerate(NOT_OWED):
        invoice = make_invoice(**{"number": f"F-{number}", "issue_date": date(2026, 4, 1),
                                  "due_date": date(2026, 5, 1), **changes})
        for kind in ("indemnity", "interest"):
            assert claim(api, invoice, kind, f"{number}{kind}").json()["code"] == code, changes
        assert api.get(f"/v1/invoices/{invoice.id}/claims").json()["trouble"], changes


def test_paid_in_time_owes_nothing(api: Any, late: Submission) -> None:
    pay(api, f"invoices/{late.id}", "10000", "2026-05-31")
    assert claim(api, late, "indemnity").json()["code"] == "nothing-late"
    assert claim(api, late, "interest").json()["code"] == "nothing-to-claim"


def test_a_claim_is_paid_waived_and_owed_beside_the_invoice(
    api: Any, deps: Deps, tenant: str, late: Submission
) -> None:
    made = claim(api, late, "indemnity").json()
    fee = claim(api, late, "fee", "fee", amount="15.00", reason="Frais de recommandé, justificatif au dossier").json()
    assert claim(api, late, "fee", "no", amount="15.00").json()["code"] == "fee-incomplete"
    path = f"claims/{made['id']}"
    assert pay(api, path, "25.00", "2026-06-20").json()["outstanding"] == "15.00"
    assert pay(api, path, "25.00", "2026-06-20").json()["outstanding"] == "15.00", "the same key"
    assert pay(api, path, "15.01", "2026-06-20", "more").json()["code"] == "claim-overpaid"
    assert pay(api, path, "-26.00", "2026-06-20", "back").json()["code"] == "reversal-too-large"
    assert pay(api, path, "-25.00", "2026-06-25", "back").json()["outstanding"] == "40.00"
    with deps.db.reading(tenant) as session:
        client = str(late.buyer_siren)
        [debt] = owed(session, client, date(2026, 6, 30)).values()
        assert (debt.balance, debt.overdue, debt.credit, debt.claimed) == (
            Decimal(10000), Decimal(10000), Decimal(0), Decimal("55.00"))
        assert claims_of(session, date(2026, 6, 29)) == [], "claimed today"
        assert [item.balance for item in open_items(session, date(2026, 6, 30))] == [Decimal(10000)]

    waiver = api.post(f"/v1/claims/{fee['id']}/waiver", json={"reason": "Geste commercial"}).json()
    assert (waiver["waived"], waiver["outstanding"], waiver["waived_reason"]) == ("15.00", "0.00", "Geste commercial")
    assert api.post(f"/v1/claims/{fee['id']}/waiver", json={"reason": "encore"}).json()["code"] == "nothing-left"
    assert api.post("/v1/claims/none/waiver", json={"reason": "encore"}).status_code == 404
    assert pay(api, path, "30.00", "2026-06-26", "again").json()["outstanding"] == "10.00"
    assert api.post(f"/v1/{path}/waiver", json={"reason": "Geste"}).json()["outstanding"] == "0.00"
    assert pay(api, path, "-30.00", "2026-06-27", "bounced").json()["outstanding"] == "30.00"
    waiver = api.post(f"/v1/{path}/waiver", json={"reason": "Le reste aussi"}).json()
    assert (waiver["waived"], waiver["outstanding"]) == ("40.00", "0.00")


def test_what_was_given_up_twice_was_never_less_than_nothing(
    api: Any, deps: Deps, tenant: str, clock: Any, late: Submission
) -> None:
    path = f"claims/{claim(api, late, 'indemnity').json()['id']}"
    pay(api, path, "30.00", "2026-06-30")
    api.post(f"/v1/{path}/waiver", json={"reason": "Geste"})
    clock.now = datetime(2026, 7, 3, 9, 0, tzinfo=UTC)
    pay(api, path, "-30.00", "2026-07-02", "back")
    assert api.post(f"/v1/{path}/waiver", json={"reason": "Le reste aussi"}).json()["waived"] == "40.00"
    with deps.db.reading(tenant) as session:
        [state] = claims_of(session, date(2026, 7, 1))
    assert (state.paid, state.waived, state.outstanding) == (Decimal(30), Decimal(10), Decimal(0))


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs poppler")
def test_the_debit_document_shows_every_step(api: Any, late: Submission) -> None:
    path = f"/v1/invoices/{late.id}/debit-document"
    assert api.get(path).json()["code"] == "nothing-claimed"
    made = claim(api, late, "indemnity").json()
    pay(api, f"claims/{made['id']}", "10.00", "2026-06-20")
    claim(api, late, "interest", "i")
    answer = api.get(path)
    assert answer.headers["content-type"] == "application/pdf"
    shown = subprocess.run(["pdftotext", "-layout", "-", "-"], input=answer.content, capture_output=True, check=True)
    text = " ".join(shown.stdout.decode().replace("\u202f", " ").replace("\xa0", " ").split())
    for words in ("facture F-2026-001", "30,00 €", "99,86 €", "Total à payer, en EUR 129,86 €",
                  "01/06/2026 au 30/06/2026", "30 j / 365",
                  "10 000,00 € à 12,15 %", "SIREN 000001016", "D441-5", "hors du champ de la TVA"):
        assert words in text, words


def test_a_transfer_pays_the_invoice_and_a_claim_on_it(api: Any, late: Submission) -> None:
    made = claim(api, late, "indemnity").json()
    api.post("/v1/bank-files", content=statement(paid("10040.00", "F-2026-001 et 40 EUR", booked="2026-06-29",
                                                      value="2026-06-29")))
    [movement] = api.get("/v1/bank-movements").json()["items"]
    assert movement["proposals"][0]["left"] == "40.00", "the invoice first; what is over waits for a person"
    done = api.post(f"/v1/bank-movements/{movement['id']}/allocations", headers={"Idempotency-Key": "b"}, json={
        "parts": [{"invoice_id": late.id, "amount": "10000.00"},
                  {"invoice_id": late.id, "claim_id": made["id"], "amount": "40.00"}]})
    assert (done.status_code, done.json()["state"]) == (200, "matched")
    [shown] = api.get(f"/v1/invoices/{late.id}/claims").json()["items"]
    assert (shown["paid"], shown["outstanding"]) == ("40.00", "0.00")


def test_a_credit_note_takes_its_part_off_the_base(api: Any, late: Submission, make_invoice: MakeInvoice) -> None:
    make_invoice(number="A-1", type_code="381", preceding=[late.number], total=Decimal(4000), due=Decimal(4000),
                 issue_date=date(2026, 6, 20), due_date=None)
    # 6 000 x 12.15 % x 30 / 365 = 59.918
    assert api.get(f"/v1/invoices/{late.id}/interest").json()["total"] == "59.92"
    balance = api.get(f"/v1/invoices/{late.id}/payments").json()["balance"]
    assert (balance["credited"], balance["outstanding"], balance["state"]) == ("4000", "6000", "partial")


@pytest.mark.parametrize("said_on_it", [True, False])
def test_what_a_credit_note_gave_back_bore_no_interest_before(
    api: Any, late: Submission, make_invoice: MakeInvoice, *, said_on_it: bool
) -> None:
    """6 000 of 10 000 were owed in the end, and there in time; what came on top was paid back."""
    pay(api, f"invoices/{late.id}", "6000", "2026-05-31", "p1")
    pay(api, f"invoices/{late.id}", "4000", "2026-06-10", "p2")
    credit = make_invoice(number="A-1", type_code="381", preceding=[late.number], total=Decimal(4000), due_date=None,
                          due=Decimal(0 if said_on_it else 4000), issue_date=date(2026, 6, 15))
    if not said_on_it:
        pay(api, f"invoices/{credit.id}", "4000", "2026-06-20", "p3")

    assert api.get(f"/v1/invoices/{late.id}/payments").json()["balance"]["outstanding"] == "0"
    assert claim(api, late, "indemnity").json()["code"] == "nothing-late"
    assert claim(api, late, "interest").json()["code"] == "nothing-to-claim"


def test_what_was_paid_back_too_much_bears_interest_from_then_on(
    api: Any, late: Submission, make_invoice: MakeInvoice
) -> None:
    credit = make_invoice(number="A-1", type_code="381", preceding=[late.number], total=Decimal(4000), due_date=None,
                          due=Decimal(4000), issue_date=date(2026, 5, 10))
    pay(api, f"invoices/{late.id}", "6000", "2026-05-31", "p1")
    pay(api, f"invoices/{credit.id}", "4000", "2026-06-20", "p2")
    # 4 000 x 12.15 % x 10 / 365 = 13.315
    assert api.get(f"/v1/invoices/{late.id}/interest").json()["total"] == "13.32"
    assert claim(api, late, "indemnity").json()["code"] == "nothing-late"
