"""Bank files: read in four versions, no movement twice, proposals that say why, and a person who confirms."""

from argparse import Namespace
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from statements import VERSIONS, Entry, Part, paid, statement

from formats.camt import read_bank_file
from formats.errors import BadValue, FormatError, MalformedXml, UnknownSyntax
from gateway.bank.repeats import told_in
from gateway.bank.routes import router as bank
from gateway.commands import bank as command
from gateway.deps import Deps
from gateway.receivables.routes import router as payments
from gateway.tables import Event, JournalEntry, OutboxEntry, Payment, Submission
from gateway.tables_receivables import BankFile, BankMovement

MakeInvoice = Callable[..., Submission]
BATCH = Entry(parts=(Part(amount="100.00", text="F-2026-001"), Part(amount="20.50", text="F-2026-002", name=None)))


@pytest.fixture
def api(serve: Callable[..., Any]) -> Any:
    return serve(bank, payments)


def take_in(api: Any, document: bytes, name: str = "releve.xml") -> Any:
    return api.post(f"/v1/bank-files?name={name}", content=document, headers={"Content-Type": "application/xml"})


def movements(api: Any, state: str = "open") -> list[dict[str, Any]]:
    answer = api.get(f"/v1/bank-movements?state={state}")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def allocate(api: Any, movement: dict[str, Any], parts: list[tuple[str, str]], key: str = "k", **more: Any) -> Any:
    return api.post(f"/v1/bank-movements/{movement['id']}/allocations", headers={"Idempotency-Key": key}, json={
        "parts": [{"invoice_id": invoice, "amount": amount} for invoice, amount in parts], **more})


def confirm(api: Any, movement: dict[str, Any], number: int = 0, key: str = "k", **more: Any) -> Any:
    chosen = movement["proposals"][number]["parts"]
    return allocate(api, movement, [(part["invoice_id"], part["amount"]) for part in chosen], key, **more)


def count(deps: Deps, tenant: str, table: type[Any]) -> int:
    with deps.db.reading(tenant) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


# --- reading


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_says_the_same(version: str) -> None:
    document = statement(
        paid("120.00", "Facture F-2026-001", end_to_end="E2E-1", structured="RF18539007547034", value="2026-11-23"),
        BATCH, paid("5.00", sign="DBIT", reversal=True), paid("9.00", status="PDNG"), version=version)
    read = read_bank_file(document)
    [told] = read.statements
    first, second, third, fourth = told.movements

    assert (read.version, told.pending, told.unsplit, told.difference) == (f"camt.053.{version}", 1, 0, Decimal(0))
    assert (first.amount, first.booked_on, first.value_on) == (
        Decimal("120.00"), date(2026, 11, 20), date(2026, 11, 23))
    assert (first.end_to_end, first.remittance, first.creditor_reference) == (
        "E2E-1", "Facture F-2026-001", "RF18539007547034")
    assert (first.name, first.iban) == ("Aubrac Approuve", "FR7600000000020000000000245")
    assert [(one.amount, one.remittance, one.name) for one in (second, third)] == [
        (Decimal("100.00"), "F-2026-001", "Aubrac Approuve"), (Decimal("20.50"), "F-2026-002", None)]
    assert (fourth.amount, fourth.returned) == (Decimal("-5.00"), True)


def test_a_payer_that_the_bank_does_not_tell_has_no_name_and_no_account() -> None:
    """Else all who come without one would be the client whose money was confirmed first."""
    document = statement(paid("120.00", name="NOTPROVIDED", iban="NOTPROVIDED")).replace(
        b"<IBAN>NOTPROVIDED</IBAN>", b"<Othr><Id>NOTPROVIDED</Id></Othr>")
    [[told]] = [one.movements for one in read_bank_file(document).statements]
    assert (told.name, told.iban) == (None, None)


@pytest.mark.parametrize("entry", [
    Entry(parts=BATCH.parts, told=False), Entry(parts=BATCH.parts, amount="120.51"),
], ids=["no details", "details that do not add up"])
def test_a_batch_that_cannot_be_split_is_one_movement(entry: Entry) -> None:
    [told] = read_bank_file(statement(entry)).statements
    assert ([one.amount for one in told.movements], told.unsplit) == ([Decimal(entry.amount or "120.50")], 1)


@pytest.mark.parametrize(("document", "error", "words"), [
    (b"<a/>", UnknownSyntax, "not a CAMT.053"),
    (b"%PDF-1.7", FormatError, "line 1"),
    (b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", FormatError, "DOCTYPE"),
    (statement(paid("1.00")).replace(b"camt.053.001.08", b"camt.054.001.08"), UnknownSyntax,
     "camt.054.001.08, a notification"),
    (statement(paid("1.00")).replace(b"camt.053.001.08", b"camt.052.001.08"), UnknownSyntax, "not final"),
    (statement(paid("1.00"))[:-40], MalformedXml, "line"),
    (b"<Document>" * 5000, FormatError, "."),
    (statement(paid("1.00")).replace(b"camt.053.001.08", b"camt.053.001.99"), UnknownSyntax, "camt.053.001.99"),
    (statement(paid("1.00")).replace(b'Ccy="EUR">1.00', b'Ccy="EUR">1,00'), BadValue, "1,00"),
    (statement(paid("1.00")).replace(b'Ccy="EUR">1.00', b'Ccy="EUR">-1.00'), BadValue, "-1.00"),
    (statement(paid("1.00")).replace(b'<Amt Ccy="EUR">1.00', b"<Amt>1.00"), BadValue, "currency"),
    (statement(paid("1.00"), opening=None).replace(b"CRDT", b"PLUS"), BadValue, "CRDT or DBIT"),
    (statement(paid("1.00", booked="2026-02-30")), BadValue, "2026-02-30"),
    (statement(paid("1.00"), account="").replace(b"<IBAN/>", b""), BadValue, "an account"),
], ids=["xml", "pdf", "doctype", "camt.054", "camt.052", "truncated", "deep", "version", "comma", "sign",
        "currency", "direction", "date", "account"])
def test_what_is_no_statement_is_refused_by_its_name(document: bytes, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        read_bank_file(document)


BOOKED = st.lists(st.tuples(st.integers(1, 3), st.sampled_from(("a", "b"))), min_size=1, max_size=8)


@settings(max_examples=60)
@given(BOOKED, st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=5))
def test_overlapping_statements_tell_each_movement_once(
    booked: list[tuple[int, str]], windows: list[tuple[int, int]]
) -> None:
    """Whatever parts of the account statements show, in whatever order: as many movements as were shown."""
    shown: set[int] = set()
    keys: set[str] = set()
    for number, (first, last) in enumerate(windows):
        part = list(enumerate(booked))[first:last]
        [told] = read_bank_file(statement(
            *(paid(f"{euros}.00", text, reference=f"R{place}") for place, (euros, text) in part),
            id=f"S{number}", version=VERSIONS[number % len(VERSIONS)])).statements
        keys |= {one.key for one in told_in(told)}
        shown |= {place for place, _ in part}
        assert sum((one.movement.amount for one in told_in(told)), Decimal(0)) == sum(euros for _, (euros, _) in part)
    assert len(keys) == len(shown)


# --- taking in


def test_a_bad_file_is_a_problem_and_leaves_nothing(api: Any, deps: Deps, tenant: str) -> None:
    answer = take_in(api, b"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.052.001.08'/>")
    assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (
        422, "bank-file-unreadable", "unknown-syntax")
    assert "camt.052.001.08" in answer.json()["detail"]
    bomb = b"<!DOCTYPE a [<!ENTITY b 'bbbbbbbb'><!ENTITY c '&b;&b;&b;'>]><a>&c;</a>"
    assert take_in(api, b"").status_code == 422
    for bad, code, words in ((statement(paid("1.00"))[:-9], "malformed-xml", "tronqué"),
                             (bomb, "forbidden-doctype", "DOCTYPE"), (b"\x00" * 1000, "malformed-xml", "mal formé"),
                             (statement(paid("1.00", booked="hier")), "bad-value", "une date")):
        answer = take_in(api, bad)
        assert (answer.status_code, answer.json()["reason"], words in answer.json()["detail"]) == (422, code, True)
    assert count(deps, tenant, BankFile) == count(deps, tenant, BankMovement) == 0


def test_the_file_is_kept_and_journaled(api: Any, deps: Deps, tenant: str) -> None:
    document = statement(paid("120.00"), closing="2000.00")
    body = take_in(api, document).json()

    assert (body["added"], body["repeated"], body["already_known"], body["version"]) == (1, 0, False, "camt.053.001.08")
    assert "880.00" in body["remarks"][0]
    assert deps.store.get(type(deps.store.put(b"x"))(body["sha256"])) == document
    with deps.db.reading(tenant) as session:
        [event] = session.scalars(select(Event).where(Event.code == "bank-file")).all()
        assert (event.sha256, event.data["added"]) == (body["sha256"], 1)
        assert session.scalars(select(JournalEntry).where(JournalEntry.subject == f"bank-file:{body['id']}")).all()
    assert api.get("/v1/bank-files").json()["items"] == [body]


def test_no_movement_counts_twice(api: Any, deps: Deps, tenant: str) -> None:
    one, two, three = paid("10.00", "a"), paid("20.00", "b"), paid("30.00", "c", reference="B-3")
    first = statement(one, two)
    assert take_in(api, first).json()["added"] == 2
    again = take_in(api, first, "autre-nom.xml").json()
    assert (again["already_known"], again["added"]) == (True, 2)

    longer = take_in(api, statement(one, two, three, id="STMT-2")).json()
    other_version = take_in(api, statement(one, two, three, id="STMT-3", version="001.02")).json()

    assert (longer["added"], longer["repeated"]) == (1, 2)
    assert (other_version["added"], other_version["repeated"]) == (0, 3)
    assert count(deps, tenant, BankMovement) == 3


def test_equal_payments_in_one_statement_are_two(api: Any, deps: Deps, tenant: str) -> None:
    twins = [paid("10.00", "same", reference=None)] * 2
    assert take_in(api, statement(*twins)).json()["added"] == 2
    assert take_in(api, statement(*twins, opening=None)).json()["repeated"] == 2, "the same, written otherwise"
    assert count(deps, tenant, BankMovement) == 2


def test_two_pages_of_one_statement_are_two(api: Any, deps: Deps, tenant: str) -> None:
    unnamed = paid("10.00", "same", reference=None)
    for page in ("1", "2", "1"):
        take_in(api, statement(unnamed, page=page, opening=None))
    assert [len(movements(api, state)) for state in ("open", "doubtful")] == [1, 1], "none is lost, none counts twice"
    assert count(deps, tenant, BankMovement) == 2


def test_charges_and_what_came_back_of_our_own_payments(api: Any, make_invoice: MakeInvoice) -> None:
    make_invoice()
    charged = Entry(parts=(Part(amount="120.00", text="F-2026-001"),), amount="118.50")
    fees = Entry(parts=(Part(amount="3.20", text="FRAIS", name=None, iban=None),), sign="DBIT")
    back = paid("55.00", "rejet de notre virement", name="Fournisseur", returned=True)
    body = take_in(api, statement(charged, fees, back)).json()
    assert (body["added"], body["remarks"]) == (3, [])
    returned, received = sorted(movements(api), key=lambda one: Decimal(one["amount"]))
    assert (received["amount"], received["proposals"][0]["reasons"][:3]) == (
        "118.50", ["reference", "partial", "shortfall"]), "what came in counts, a person decides on the charges"
    assert (returned["proposals"], "vos sorties" in returned["question"]) == ([], True)
    assert [one["amount"] for one in movements(api, "aside")] == ["-3.20"]


def test_without_a_reference_a_person_says_whether_it_is_the_same(api: Any) -> None:
    unnamed = paid("10.00", "same", reference=None)
    take_in(api, statement(unnamed))
    for number in (2, 3):
        body = take_in(api, statement(unnamed, id=f"STMT-{number}")).json()
        assert (body["added"], "à trancher" in body["remarks"][-1]) == (1, True)

    same, another = movements(api, "doubtful")
    assert "est-ce le même" in same["question"]
    for movement, action in ((same, "same"), (another, "another")):
        answer = api.post(f"/v1/bank-movements/{movement['id']}/decision", json={"action": action, "reason": "Vérifié"})
        assert answer.json()["state"] == {"same": "repeated", "another": "open"}[action]
    assert (len(movements(api)), movements(api, "doubtful")) == (2, [])
    refused = allocate(api, same, [("x", "10.00")])
    assert (refused.status_code, refused.json()["code"]) == (409, "movement-not-open")


def test_a_reference_that_two_statements_give_with_other_details_is_doubtful(api: Any) -> None:
    """One channel of the bank tells who paid, another does not: never counted twice, never lost."""
    bare = Entry(parts=(Part(amount="120.00", name=None, iban=None),), reference="X-1")
    told = Entry(parts=(Part(amount="120.00", text="F-2026-001", end_to_end="E-1"),), reference="X-1")
    take_in(api, statement(bare, id="STMT-1"))
    body = take_in(api, statement(told, id="STMT-2")).json()
    assert (body["added"], "à trancher" in body["remarks"][-1]) == (1, True)
    assert [len(movements(api, state)) for state in ("open", "doubtful")] == [1, 1]
    twins = Entry(parts=(Part(amount="7.00", end_to_end="E-1"), Part(amount="7.00", end_to_end="E-2")), reference="X-2")
    assert take_in(api, statement(twins, id="STMT-3")).json()["remarks"] == [], "two parts of one batch are two"
    more = Entry(parts=(Part(amount="7.00", end_to_end="E-3"), Part(amount="7.00", end_to_end="E-4")), reference="X-2")
    assert take_in(api, statement(more, id="STMT-4")).json()["remarks"] == [], "so are those on its next page"


def test_what_went_out_waits_for_nobody(api: Any) -> None:
    take_in(api, statement(paid("10.00", sign="DBIT")))
    assert (movements(api), [one["amount"] for one in movements(api, "aside")]) == ([], ["-10.00"])


# --- matching and confirming


def test_the_invoice_number_and_the_exact_amount(
    api: Any, deps: Deps, tenant: str, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice()
    make_invoice(number="F-2026-0011")
    take_in(api, statement(paid("120.00", "VIR AUBRAC FACT F 2026-001 MERCI", value="2026-11-21")))
    [movement] = movements(api)
    [best, *_] = movement["proposals"]
    assert [(part["invoice_id"], part["amount"]) for part in best["parts"]] == [(invoice.id, "120.00")]
    assert best["reasons"] == ["reference", "exact", "name"] or best["reasons"][:2] == ["reference", "exact"]
    assert "numéro de facture" in best["why"]

    answer = confirm(api, movement)

    assert (answer.status_code, answer.json()["state"], answer.json()["left"]) == (200, "matched", "0.00")
    assert confirm(api, movement).json() == answer.json(), "the same key is the same payment"
    assert confirm(api, movement, key="other").json()["code"] == "movement-not-open"
    with deps.db.reading(tenant) as session:
        [payment] = session.scalars(select(Payment)).all()
        assert (payment.amount, payment.paid_on, payment.submission_id) == (
            Decimal("120.00"), date(2026, 11, 21), invoice.id)
        assert len(session.scalars(select(OutboxEntry).where(OutboxEntry.topic == "send-status")).all()) == 1
        assert session.scalars(select(Event).where(Event.code == "bank-matched")).one().data["left"] == "0.00"
    shown = api.get(f"/v1/bank-movements/{movement['id']}").json()
    assert [(part["number"], part["amount"]) for part in shown["allocations"]] == [("F-2026-001", "120.00")]


def test_a_bank_may_write_more_decimals_than_an_invoice(api: Any, make_invoice: MakeInvoice) -> None:
    make_invoice()
    take_in(api, statement(paid("100.00000", "F-2026-001"), paid("20.000", "F-2026-001"), opening=None))
    for number in range(2):
        answer = confirm(api, movements(api)[0], key=f"k{number}")
        assert (answer.status_code, answer.json()["state"]) == (200, "matched"), answer.text


def test_several_invoices_in_one_transfer(api: Any, make_invoice: MakeInvoice) -> None:
    invoices = [make_invoice(number=f"F-{number}", due_date=date(2026, 12, number)) for number in (10, 11, 12)]
    take_in(api, statement(paid("240.00", "F-10, F-12"), paid("360.00", name="AUBRAC APPROUVE SAS"),
                           paid("1.00", name="X")))
    unknown, by_text, by_sum = sorted(movements(api), key=lambda one: Decimal(one["amount"]))
    assert [part["number"] for part in by_text["proposals"][0]["parts"]] == ["F-10", "F-12"]
    assert by_text["proposals"][0]["reasons"][:2] == ["reference", "sum"]
    assert (len(by_sum["proposals"][0]["parts"]), by_sum["proposals"][0]["reasons"]) == (3, ["sum", "name"])
    assert (unknown["proposals"], "Rien ne dit" in unknown["question"]) == ([], True)

    assert confirm(api, by_text).status_code == 200
    left = api.get(f"/v1/invoices/{invoices[1].id}/payments").json()["balance"]["outstanding"]
    assert left == "120.00"


def test_a_part_an_account_seen_before_and_a_shortfall(api: Any, make_invoice: MakeInvoice) -> None:
    invoice = make_invoice()
    take_in(api, statement(paid("50.00", "acompte F-2026-001", name="Autre Nom")))
    assert confirm(api, movements(api)[0]).json()["state"] == "matched"
    take_in(api, statement(paid("69.00", "merci", name="Autre Nom"), id="STMT-2"))
    [movement] = movements(api)
    [best] = movement["proposals"]
    assert best["reasons"] == ["oldest", "partial", "shortfall", "account"]
    assert [(part["invoice_id"], part["amount"]) for part in best["parts"]] == [(invoice.id, "69.00")]


def test_more_than_is_due_asks_a_person(api: Any, make_invoice: MakeInvoice) -> None:
    invoice = make_invoice()
    take_in(api, statement(paid("150.00", "F-2026-001")))
    [movement] = movements(api)
    [best] = movement["proposals"]
    assert (best["left"], "over" in best["reasons"], best["parts"][0]["amount"]) == ("30.00", True, "120.00")

    refused = allocate(api, movement, [(invoice.id, "150.00")])
    assert (refused.status_code, refused.json()["code"], refused.json()["open"]) == (
        422, "overpayment-needs-confirmation", "120.00")
    assert api.get(f"/v1/invoices/{invoice.id}/payments").json()["items"] == [], "all or nothing"
    part = confirm(api, movement, key="part").json()
    assert (part["state"], part["left"]) == ("open", "30.00")
    assert allocate(api, movement, [(invoice.id, "31.00")], "more").json()["code"] == "allocation-too-large"
    rest = allocate(api, movement, [(invoice.id, "30.00")], "rest", overpayment=True)
    assert rest.json()["state"] == "matched"
    assert api.get(f"/v1/invoices/{invoice.id}/payments").json()["balance"]["state"] == "overpaid"


def test_two_persons_at_once_cannot_give_out_more_than_came_in(
    api: Any, deps: Deps, tenant: str, make_invoice: MakeInvoice
) -> None:
    invoices = [make_invoice(number=f"F-100{number}") for number in range(4)]
    take_in(api, statement(paid("250.00", "avance")))
    [movement] = movements(api)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda one: allocate(api, movement, [(one.id, "120.00")], one.id), invoices))

    assert sorted(answer.status_code for answer in answers) == [200, 200, 422, 422]
    assert {answer.json().get("code") for answer in answers} == {None, "allocation-too-large"}
    with deps.db.reading(tenant) as session:
        assert sum(session.scalars(select(Payment.amount)).all()) == Decimal("240.00")
    assert movements(api)[0]["left"] == "10.00"


def test_another_currency_is_a_task_and_no_match(api: Any, make_invoice: MakeInvoice) -> None:
    invoice = make_invoice(currency="USD")
    take_in(api, statement(paid("120.00", "F-2026-001")))
    [movement] = movements(api)
    assert (movement["proposals"], "autre devise" in movement["question"]) == ([], True)
    assert allocate(api, movement, [(invoice.id, "120.00")]).json()["code"] == "currency-mismatch"


def test_money_taken_back_takes_the_payment_back(api: Any, make_invoice: MakeInvoice) -> None:
    invoice = make_invoice()
    take_in(api, statement(paid("120.00", "F-2026-001", end_to_end="E-1")))
    confirm(api, movements(api)[0])
    take_in(api, statement(paid("120.00", sign="DBIT", end_to_end="E-1", returned=True, booked="2026-11-22"),
                           id="STMT-2"))
    [movement] = movements(api)
    assert movement["proposals"][0]["reasons"] == ["takes-back"]
    assert allocate(api, movement, [(invoice.id, "120.00")], "wrong").json()["code"] == "allocation-wrong-sign"

    assert confirm(api, movement, key="back").json()["state"] == "matched"

    assert api.get(f"/v1/invoices/{invoice.id}/payments").json()["balance"]["outstanding"] == "120.00"


def test_a_return_that_the_bank_dates_before_the_money_counts_from_its_day(
    api: Any, make_invoice: MakeInvoice
) -> None:
    invoice = make_invoice()
    take_in(api, statement(paid("120.00", "F-2026-001", end_to_end="E-1", value="2026-11-22")))
    confirm(api, movements(api)[0])
    take_in(api, statement(paid("120.00", sign="DBIT", end_to_end="E-1", returned=True), id="STMT-2"))
    assert confirm(api, movements(api)[0], key="back").json()["state"] == "matched"
    body = api.get(f"/v1/invoices/{invoice.id}/payments?on=2026-11-21").json()
    assert [one["paid_on"] for one in body["items"]] == ["2026-11-22", "2026-11-22"]
    assert body["balance"]["outstanding"] == "120.00"


def test_a_value_date_that_is_none_is_the_booking_day(api: Any, make_invoice: MakeInvoice) -> None:
    invoice = make_invoice()
    take_in(api, statement(paid("120.00", "F-2026-001", value="0001-01-01")))
    assert confirm(api, movements(api)[0]).json()["state"] == "matched"
    assert api.get(f"/v1/invoices/{invoice.id}/payments").json()["items"][0]["paid_on"] == "2026-11-20"


def test_money_and_a_credit_note(api: Any, make_invoice: MakeInvoice) -> None:
    """Money that came in takes nothing off what a client is owed; money that went out does."""
    credit = make_invoice(number="A-1", type_code="381", total=Decimal(50), due=Decimal(50))
    take_in(api, statement(paid("50.00", "A-1"), paid("50.00", "remboursement A-1", sign="DBIT", end_to_end="E-2")))
    [came] = movements(api)
    assert allocate(api, came, [(credit.id, "50.00")]).json()["code"] == "reversal-too-large"

    [went] = movements(api, "aside")
    again = api.post(f"/v1/bank-movements/{went['id']}/decision", json={"action": "reopen", "reason": "l'avoir"})
    assert (again.json()["state"], again.json()["question"] is not None) == ("open", True)
    assert allocate(api, went, [(credit.id, "-50.00")], "back").json()["state"] == "matched"
    body = api.get(f"/v1/invoices/{credit.id}/payments").json()
    assert ([one["amount"] for one in body["items"]], body["balance"]["outstanding"]) == (["50.00"], "0.00")


def test_aside_and_open_again(api: Any) -> None:
    take_in(api, statement(paid("10.00", "remboursement")))
    [movement] = movements(api)
    path = f"/v1/bank-movements/{movement['id']}/decision"
    assert api.post(path, json={"action": "aside", "reason": "Un fournisseur"}).json()["state"] == "aside"
    again = api.post(path, json={"action": "aside", "reason": "encore"})
    assert (again.status_code, again.json()["code"]) == (409, "movement-decided")
    assert api.post(path, json={"action": "reopen", "reason": "erreur"}).json()["state"] == "open"
    assert api.post("/v1/bank-movements/none/decision", json={"action": "aside", "reason": "xxx"}).status_code == 404


def test_a_page_goes_on_where_the_last_one_ended(api: Any) -> None:
    take_in(api, statement(*(paid(f"{number}.00", booked=f"2026-11-{number}") for number in range(10, 16))))
    first = api.get("/v1/bank-movements?limit=4").json()
    second = api.get(f"/v1/bank-movements?limit=4&before={first['next']}").json()
    assert [one["amount"] for one in (*first["items"], *second["items"])] == [
        f"{number}.00" for number in range(15, 9, -1)]
    assert second["next"] is None


def test_the_command_says_what_came_of_it(
    deps: Deps, tmp_path: Path, tenant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "releve.xml", tmp_path / "bad.xml"
    good.write_bytes(statement(paid("10.00")))
    bad.write_bytes(b"<a/>")
    assert command.import_files(deps, tenant, Namespace(files=[good, good])) == 0
    told = capsys.readouterr().out
    assert "1 nouveau" in told
    assert "déjà importé" in told
    assert command.import_files(deps, tenant, Namespace(files=[bad, good])) == 1
    assert "bank-file-unreadable" in capsys.readouterr().err
