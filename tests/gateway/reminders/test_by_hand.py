"""Stages that a person finishes: calls, letters, notices, files for an agency, one for all invoices of a client."""

import io
import json
import subprocess
import zipfile
from dataclasses import replace
from datetime import date
from shutil import which
from typing import TYPE_CHECKING, Any

import pytest
from reminder_cases import cases_of_kind, only_case, open_cases
from sqlalchemy import select

from archive.store import Digest
from formats.invoice import Address
from gateway.record import Change, record
from gateway.reminders.cases import close_case
from gateway.reminders.letters import byhand
from gateway.reminders.letters.drafting import letter_of
from gateway.reminders.letters.paper import page_of
from gateway.reminders.people import add_hold, save_scenario
from gateway.reminders.scenario import DEFAULT, to_json
from gateway.reminders.schemas import HoldIn
from gateway.reminders.state import look
from gateway.tables import Document
from gateway.tables_reminders import Decision

if TYPE_CHECKING:
    from tests.gateway.reminders.conftest import Play


def papers(play: "Play") -> dict[str, bytes]:
    with play.deps.db.reading(play.invoice.tenant_id) as session:
        rows = session.scalars(select(Document).where(Document.role == "reminder")).all()
    return {row.name: play.deps.store.get(Digest(row.sha256)) for row in rows}


def by_hand(play: "Play", principal: Any, *channels: str) -> None:
    """A scenario of these steps alone, from the tenth day on, ten days apart."""
    stages = [{**stage, "offset": 10 * place} for place, stage in enumerate(
        (one for one in to_json(DEFAULT)["stages"] if one["channel"] in channels), start=1)]
    save_scenario(play.deps, principal, {**to_json(DEFAULT), "name": "à la main", "stages": stages})


def test_calls_letters_notice_and_file_are_prepared_for_a_person(play: "Play", principal: Any) -> None:
    for day in ("2026-03-23", "2026-04-02", "2026-04-07", "2026-04-13", "2026-04-22", "2026-05-04", "2026-05-12"):
        play.on(day)
        play.work()
    assert [kind for kind, _, _ in open_cases(play)] == ["approval", "call", "letter"]
    close_case(play.deps, principal, only_case(play, "approval").id, "granted", "À envoyer")
    play.work()
    play.on("2026-06-11")
    play.work()
    close_case(play.deps, principal, only_case(play, "approval").id, "granted", "À remettre")
    play.work()
    made = papers(play)
    pdfs = {name: content for name, content in made.items() if name.endswith(".pdf")}
    assert sorted(pdfs) == ["FA-2026-0042-lettre.pdf", "FA-2026-0042-mise-en-demeure.pdf"]
    assert all(content.startswith(b"%PDF-") for content in pdfs.values())
    with zipfile.ZipFile(io.BytesIO(made["FA-2026-0042-recouvrement.zip"])) as file:
        names = file.namelist()
        assert names[:3] == ["creances.csv", "historique.csv", "recapitulatif.pdf"]
        assert "FA-2026-0042;2026-03-13;1200.00;EUR;non" in file.read("creances.csv").decode("utf-8-sig")
        assert "Relance amicale;sent" in file.read("historique.csv").decode("utf-8-sig")
        assert any(name.endswith("mise-en-demeure.pdf") for name in names)
    if which("pdftotext"):
        text = subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdfs["FA-2026-0042-mise-en-demeure.pdf"],
                              capture_output=True, check=True).stdout.decode()
        text = text.replace("\u202f", " ").replace("\xa0", " ")
        for said in ("Mise en demeure de payer", "Lettre recommandée avec avis de réception", "Aubrac Approuve SAS",
                     "1 200,00 €", "1344 du code civil", "FR76 0000", "40 €", "Claire Morel"):
            assert said in text, said
    play.pay("1200.00")
    play.remind()
    assert open_cases(play) == []
    assert play.told()[-1][2] == "thanks"


def test_what_a_person_finishes_is_one_task_and_one_paper_for_the_client(play: "Play", principal: Any) -> None:
    """Three late invoices of a client, one of them disputed, and one of another client: call, letter, notice."""
    by_hand(play, principal, "call", "letter", "notice")
    second, disputed = play.another("FA-2", "2026-03-13", "50.00"), play.another("FA-3", "2026-03-13", "70.00")
    play.another("FA-4", "2026-03-13", "80.00", buyer_siren="000003004", buyer_name="Autre client")
    with play.deps.db.transaction(disputed.tenant_id) as session:
        record(session, disputed.tenant_id, Change(kind="lifecycle", code="207", actor="buyer",
                                                   submission_id=disputed.id), now=play.deps.now())
    for day in ("2026-03-23", "2026-04-02", "2026-04-13"):
        play.on(day)
        play.work()
    calls = {case.balance: case for case in cases_of_kind(play, "call")}
    assert sorted(map(str, calls)) == ["1250.00", "80.00"], "one task a client"
    joint = next(case for case in calls.values() if case.beside)
    assert {joint.submission_id, *joint.beside} == {play.invoice.id, second.id}
    told = ["FA-2026-0042 (1 200,00 €)", "FA-2 (50,00 €)"]
    assert joint.reason.replace("\xa0", " ").replace("\u202f", " ") == "Reste à payer : " + ", ".join(
        told if joint.submission_id == play.invoice.id else reversed(told))
    made = papers(play)
    assert made["FA-2-lettre.pdf"] == made["FA-2026-0042-lettre.pdf"] != made["FA-4-lettre.pdf"]
    assert "FA-3-lettre.pdf" not in made
    first, other = (case for case in cases_of_kind(play, "approval") if case.client != "000003004")
    close_case(play.deps, principal, first.id, "granted", "À envoyer")
    play.work()
    assert not [name for name in papers(play) if "mise-en-demeure" in name], "the other one is still asked about"
    close_case(play.deps, principal, other.id, "granted", "À envoyer aussi")
    play.work()
    made = papers(play)
    assert made["FA-2-mise-en-demeure.pdf"] == made["FA-2026-0042-mise-en-demeure.pdf"]
    assert [len(case.beside) for case in cases_of_kind(play, "notice")] == [1]
    with play.deps.db.reading(play.invoice.tenant_id) as session:
        rows = session.scalars(select(Decision).where(Decision.outcome == "sent")).all()
    intents = [row.intent for row in rows]
    assert len(intents) == len(set(intents)) == 8, "each invoice has its own record of each stage"
    assert {tuple(sorted(row.facts["together"])) for row in rows} == {("FA-2", "FA-2026-0042"), ("FA-4",)}


def test_a_task_about_several_goes_on_about_those_still_owed(play: "Play", principal: Any) -> None:
    by_hand(play, principal, "call")
    second = play.another("FA-2", "2026-03-13", "50.00")
    play.on("2026-03-23")
    play.work()
    play.pay("1200.00")
    play.work()
    play.remind()
    (call,) = cases_of_kind(play, "call")
    assert (call.submission_id, call.beside, str(call.balance)) == (second.id, [], "50.00")
    assert "FA-2026-0042" not in call.reason
    play.invoice = second
    play.pay("50.00")
    play.remind()
    assert cases_of_kind(play, "call") == []


def test_a_task_says_what_speaks_against_it_by_now(play: "Play", principal: Any) -> None:
    by_hand(play, principal, "call")
    second = play.another("FA-2", "2026-03-13", "50.00")
    play.on("2026-03-23")
    play.work()
    (call,) = cases_of_kind(play, "call")
    before = call.reason
    add_hold(play.deps, principal, second.id, HoldIn(kind="manual", reason="Voir", until=date(2026, 3, 26)))
    play.status("207")
    play.work()
    stops = {"FA-2026-0042 (en litige (207))", "FA-2 (suspendue par une personne)"}
    (call,) = cases_of_kind(play, "call")
    told, _, against = call.reason.partition(" — Attendez : ")
    assert (told, set(against.split(", "))) == (before, stops)
    play.status("205")
    play.work()
    assert cases_of_kind(play, "call")[0].reason == f"{before} — Attendez : FA-2 (suspendue par une personne)"
    play.on("2026-03-27")
    play.work()
    assert cases_of_kind(play, "call")[0].reason == before, "a hold ends by itself"


def test_a_task_says_what_is_owed_by_now(play: "Play", principal: Any) -> None:
    """Nobody asks on the phone for what was paid in part, or posts a letter that does."""
    by_hand(play, principal, "call", "letter")
    for day in ("2026-03-23", "2026-04-02"):
        play.on(day)
        play.work()
    for paid, balance, owed, outdated in (
            ("700.00", "500.00", "500,00 €", True), ("-700.00", "1200.00", "1 200,00 €", False)):
        play.pay(paid)
        play.remind()
        (call,), (letter,) = cases_of_kind(play, "call"), cases_of_kind(play, "letter")
        assert {str(call.balance), str(letter.balance)} == {balance}
        told = call.reason.replace("\xa0", " ").replace("\u202f", " ")
        assert told == f"Reste à payer : FA-2026-0042 ({owed})"
        assert letter.reason == call.reason + " — Attendez : le document joint ne dit plus ce qui est dû" * outdated


def test_a_task_goes_on_saying_that_it_has_no_paper(
    play: "Play", principal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hand(play, principal, "letter")
    trouble, really = "La lettre n'a pas pu être dessinée : bad-logo", byhand.prepare
    monkeypatch.setattr(byhand, "prepare", lambda *given: replace(really(*given), paper=None, trouble=trouble))
    play.on("2026-03-23")
    play.work()
    play.pay("700.00")
    play.remind()
    (letter,) = cases_of_kind(play, "letter")
    assert letter.reason.startswith(f"{trouble} Reste à payer : FA-2026-0042 (500")
    assert " — Attendez" not in letter.reason


def test_a_letter_about_what_was_paid_meanwhile_is_not_posted_unseen(play: "Play", principal: Any) -> None:
    by_hand(play, principal, "letter")
    second = play.another("FA-2", "2026-03-13", "50.00")
    play.on("2026-03-23")
    play.work()
    play.pay("1200.00")
    play.remind()
    (letter,) = cases_of_kind(play, "letter")
    assert (letter.submission_id, letter.beside, str(letter.balance)) == (second.id, [], "50.00")
    assert letter.reason.endswith(" — Attendez : le document joint ne dit plus ce qui est dû")


@pytest.mark.parametrize("code", ["210", "213"])
def test_nobody_calls_for_an_invoice_that_ended(play: "Play", principal: Any, code: str) -> None:
    by_hand(play, principal, "call")
    second = play.another("FA-2", "2026-03-13", "50.00")
    play.on("2026-03-23")
    play.work()
    play.status(code)
    play.remind()
    (call,) = cases_of_kind(play, "call")
    assert (call.submission_id, call.beside) == (second.id, [])
    play.invoice = second
    play.status("207")
    play.remind()
    play.status(code)
    play.remind()
    assert [kind for kind, _, _ in open_cases(play)] == [code, code]


def test_a_dispute_that_is_over_has_no_case_once_a_task_is_made(play: "Play", principal: Any) -> None:
    by_hand(play, principal, "call", "letter")
    play.on("2026-03-20")
    play.status("207")
    play.remind()
    play.on("2026-03-23")
    play.status("205")
    play.work()
    assert [kind for kind, _, _ in open_cases(play)] == ["call"]


def test_the_file_for_an_agency_holds_all_invoices_of_the_client(play: "Play", principal: Any) -> None:
    stages = [stage for stage in to_json(DEFAULT)["stages"] if stage["key"] in {"friendly", "handover"}]
    save_scenario(play.deps, principal, {**to_json(DEFAULT), "name": "brève", "stages": stages})
    play.another("FA-2", "2026-03-13", "50.00")
    play.another("FA-3", "2026-09-30", "70.00")
    disputed = play.another("FA-5", "2026-03-13", "90.00")
    add_hold(play.deps, principal, disputed.id, HoldIn(kind="dispute", reason="Cassé"))
    for day in ("2026-03-23", "2026-06-11"):
        play.on(day)
        play.work()
    for case in cases_of_kind(play, "approval"):
        close_case(play.deps, principal, case.id, "granted", "À remettre")
    play.work()
    made = papers(play)
    content = made["FA-2-recouvrement.zip"]
    assert content == made["FA-2026-0042-recouvrement.zip"]
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        owed = file.read("creances.csv").decode("utf-8-sig")
        assert {line.split(";")[0]: tuple(line.split(";")[4:]) for line in owed.split()[1:]} == {
            "FA-2": ("non", "oui"), "FA-2026-0042": ("non", "oui"), "FA-3": ("non", "non"), "FA-5": ("oui", "non")}
        told = file.read("historique.csv").decode("utf-8-sig")
        assert all(f";{number};Relance amicale;sent;" in told for number in ("FA-2", "FA-2026-0042"))
        mails = [name for name in file.namelist() if name.endswith(".eml")]
        assert len(mails) == 1, "the letter about both is there once"
    assert [len(case.beside) for case in cases_of_kind(play, "handover")] == [1]


def test_a_letter_goes_to_one_address(play: "Play", principal: Any) -> None:
    by_hand(play, principal, "letter")
    elsewhere = replace(play.document.buyer, address=Address(line_1="3 quai Inventé", city="Brest", country="FR"))
    play.document = replace(play.document, buyer=elsewhere)
    play.another("FA-2", "2026-03-13", "50.00")
    play.on("2026-03-23")
    play.work()
    made = papers(play)
    assert made["FA-2-lettre.pdf"] != made["FA-2026-0042-lettre.pdf"]
    assert [len(case.beside) for case in cases_of_kind(play, "letter")] == [0, 0]


@pytest.mark.parametrize(("country", "end"), [("DE", ["Land Inventé", "ALLEMAGNE"]), ("FR", []), (None, [])])
def test_a_letter_abroad_says_the_country(play: "Play", country: str | None, end: list[str]) -> None:
    address = Address(line_1="1 allée Inventée", post_code="10115", city="Ville", country_subdivision="Land Inventé",
                      country=country)
    invoice = replace(play.document, buyer=replace(play.document.buyer, address=address))
    play.on("2026-03-23")
    with play.deps.db.reading(play.invoice.tenant_id) as session:
        seen = look(session, play.invoice.tenant_id, play.invoice.id, play.deps.today())
    assert seen is not None
    page = page_of(letter_of(play.deps, [seen], [invoice], lang="en"), seen, invoice, registered=True)
    assert json.loads(page)["recipient"][1:] == ["1 allée Inventée", "10115 Ville", *end]


def test_a_payment_while_the_task_is_prepared_takes_that_invoice_out(
    play: "Play", principal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state is read again in the transaction that opens the task; the rest goes on without what was paid."""
    by_hand(play, principal, "call")
    play.another("FA-2", "2026-03-13", "50.00")
    really, done = byhand.prepare, []

    def slowly(*given: Any) -> Any:
        found = really(*given)
        if not done:
            done.append(play.pay("1200.00"))
        return found

    monkeypatch.setattr(byhand, "prepare", slowly)
    play.on("2026-03-23")
    play.work()
    (call,) = cases_of_kind(play, "call")
    assert (call.beside, str(call.balance)) == ([], "50.00")
    assert play.told()[-1][2] == "thanks"
