"""Bank files: read in four versions, no movement twice, a bad one leaves nothing."""

from argparse import Namespace
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from bank_calls import allocate, count, movements, take_in
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from statements import VERSIONS, Entry, Part, paid, statement

from formats.camt import read_bank_file
from formats.errors import BadValue, FormatError, MalformedXml, UnknownSyntax
from gateway.bank.repeats import told_in
from gateway.commands import bank as command
from gateway.deps import Deps
from gateway.tables import Event, JournalEntry, Submission
from gateway.tables_receivables import BankFile, BankMovement

MakeInvoice = Callable[..., Submission]
BATCH = Entry(parts=(Part(amount="100.00", text="F-2026-001"), Part(amount="20.50", text="F-2026-002", name=None)))


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
