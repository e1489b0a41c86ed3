"""Cases with their clock, approvals, stages that a person finishes, one mail for all invoices of a client."""

import io
import subprocess
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from shutil import which
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from archive.store import Digest
from formats.invoice import Address
from gateway.mail import InDoubt
from gateway.outbox import Park
from gateway.problems import Problem
from gateway.record import Change, record
from gateway.reminders import service
from gateway.reminders.cases import close_case, take_case
from gateway.reminders.clients import ClientIn, set_client
from gateway.reminders.effect import effects
from gateway.reminders.letters import byhand
from gateway.reminders.overdue import tell_late
from gateway.reminders.people import save_scenario, settle
from gateway.reminders.routes import router
from gateway.reminders.scenario import DEFAULT, to_json
from gateway.reminders.schemas import SettlementIn
from gateway.reminders.trying import decided_again, try_out
from gateway.tables import Document
from gateway.tables_reminders import Case, Decision

if TYPE_CHECKING:
    from tests.gateway.reminders.conftest import Play


def open_cases(play: "Play") -> list[tuple[str, str, str]]:
    with play.deps.db.reading(play.invoice.tenant_id) as session:
        rows = session.scalars(select(Case).where(Case.active.is_(True)).order_by(Case.kind)).all()
    return [(row.kind, row.stage, row.due_on.isoformat()) for row in rows]


def only_case(play: "Play", kind: str) -> Case:
    with play.deps.db.reading(play.invoice.tenant_id) as session:
        return session.scalars(select(Case).where(Case.kind == kind, Case.active.is_(True))).one()


def papers(play: "Play") -> dict[str, bytes]:
    with play.deps.db.reading(play.invoice.tenant_id) as session:
        rows = session.scalars(select(Document).where(Document.role == "reminder")).all()
    return {row.name: play.deps.store.get(Digest(row.sha256)) for row in rows}


@pytest.mark.parametrize(("code", "due_on", "ends"), [
    ("206", "2026-03-30", "205"), ("207", "2026-03-30", "205"), ("208", "2026-03-26", "209"),
    ("210", "2026-03-30", None), ("213", "2026-03-25", None)])
def test_a_status_opens_one_case_with_its_clock(play: "Play", code: str, due_on: str, ends: str | None) -> None:
    play.on("2026-03-23")
    play.status(code)
    for _ in range(2):
        play.remind()
    assert open_cases(play) == [(code, "", due_on)]
    assert play.mails() == []
    if ends is not None:
        play.on("2026-03-24")
        play.status(ends)
        play.remind()
        assert open_cases(play) == []
        assert len(play.mails()) == 1


def test_a_second_dispute_is_a_second_case(play: "Play", principal: Any) -> None:
    play.on("2026-03-23")
    play.status("207")
    play.remind()
    close_case(play.deps, principal, only_case(play, "207").id, "done", "Avoir promis")
    play.remind()
    assert open_cases(play) == []
    play.on("2026-03-26")
    play.status("205")
    play.remind()
    play.status("207")
    play.remind()
    assert [kind for kind, _, _ in open_cases(play)] == ["207"]


def test_a_dispute_that_comes_again_on_the_same_day_has_a_case_again(play: "Play") -> None:
    play.on("2026-03-23")
    for code, cases in (("207", ["207"]), ("205", []), ("207", ["207"])):
        play.status(code)
        play.remind()
        assert [kind for kind, _, _ in open_cases(play)] == cases
    play.pay("1200.00")
    for _ in range(2):
        play.remind()
        assert open_cases(play) == [], "nothing is owed, so nobody has to answer"
    play.pay("-1200.00")
    play.remind()
    assert [kind for kind, _, _ in open_cases(play)] == ["207"], "the money went back, and the question is still open"


def test_a_dispute_of_the_small_hours_has_one_case(play: "Play", principal: Any) -> None:
    play.clock.now = datetime(2026, 3, 22, 23, 30, tzinfo=UTC)  # the 23rd in France
    play.status("207")
    play.remind()
    close_case(play.deps, principal, only_case(play, "207").id, "done", "Avoir promis")
    play.on("2026-03-26")
    play.status("208")
    play.remind()
    assert [kind for kind, _, _ in open_cases(play)] == ["208"]


def test_a_case_has_an_owner_and_closes_once(play: "Play", principal: Any) -> None:
    play.on("2026-03-23")
    play.status("207")
    play.remind()
    case = take_case(play.deps, principal, only_case(play, "207").id)
    assert case.owner == "user:claire"
    with pytest.raises(Problem, match="bad-outcome"):
        close_case(play.deps, principal, case.id, "granted", "Oui")
    close_case(play.deps, principal, case.id, "done", "Avoir envoyé")
    with pytest.raises(Problem, match="case-closed"):
        close_case(play.deps, principal, case.id, "done", "Encore")


def test_too_big_waits_for_a_person_and_then_goes(play: "Play", principal: Any) -> None:
    save_scenario(play.deps, principal, {**to_json(DEFAULT), "name": "prudente", "largest": "1000"})
    play.on("2026-03-23")
    play.work()
    play.work()
    assert play.told() == [("held", "approval-large", "friendly")]
    assert open_cases(play) == [("approval", "friendly", "2026-03-25")]
    close_case(play.deps, principal, only_case(play, "approval").id, "granted", "D'accord")
    play.work()
    assert play.told()[-1] == ("sent", "due", "friendly")
    play.on("2026-04-02")
    play.work()
    close_case(play.deps, principal, only_case(play, "approval").id, "declined", "Nous les voyons mardi")
    play.on("2026-04-07")
    play.work()
    assert play.told()[-1] == ("held", "approval-large", "call")
    assert play.decisions()[-1].facts["passed_over"] == ["before", "due", "formal"]


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


def test_one_mail_for_all_invoices_of_a_client(play: "Play") -> None:
    play.another("FA-2", "2026-03-12", "50.00")
    play.another("FA-3", "2026-06-30", "50.00")
    play.another("FA-4", "2026-03-13", "50.00", buyer_siren="000003004", buyer_name="Autre client")
    play.on("2026-03-23")
    play.work()
    by_number = {mail["Subject"].split()[1]: mail for mail in play.mails()}
    assert sorted(by_number) == ["FA-2", "FA-4"], "two clients, two mails; the oldest invoice leads"
    mail = by_number["FA-2"]
    text = mail.get_body(("plain",)).get_content().replace("\xa0", " ").replace("\u202f", " ")
    assert "FA-2026-0042 | 13/03/2026 | 10 jours | 1 200,00 €" in text
    assert "Total à régler : 1 250,00 €" in text
    assert "Vos autres factures ouvertes" in text
    assert "FA-3 | 30/06/2026 | à échoir | 50,00 €" in text
    assert "Total ouvert, tout compris : 1 300,00 €" in text
    assert [part.get_filename() for part in mail.iter_attachments()] == [
        "FA-2-facture.pdf", "FA-2026-0042-facture.pdf", "FA-3-facture.pdf"]
    assert play.told() == [("sent", "due", "friendly")]
    with play.deps.db.reading(play.invoice.tenant_id) as session:
        rows = session.scalars(select(Decision).where(Decision.outcome == "sent")).all()
    both = ["FA-2", "FA-2026-0042"]
    assert sorted(row.facts["together"] for row in rows) == [both, both, ["FA-4"]]


def test_what_became_of_a_mail_became_of_all_its_invoices(
    play: "Play", principal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_given: Any) -> None:
        raise InDoubt("réponse perdue")

    play.another("FA-2", "2026-03-12", "50.00")
    play.on("2026-03-23")
    ticks = count()
    play.deps = replace(play.deps, clock=lambda: play.clock.now + timedelta(microseconds=next(ticks)))
    monkeypatch.setattr(service, "deliver", lose)
    with pytest.raises(Park):
        play.remind()
    settle(play.deps, principal, play.invoice.id, play.decisions()[0].id,
           SettlementIn(delivered=True, reason="Vu dans le journal du serveur"))
    with play.deps.db.reading(play.invoice.tenant_id) as session:
        assert session.scalars(select(Decision.outcome)).all() == ["sent", "sent"]
        assert [one.messages for one in effects(session, play.deps.today(), 30)] == [1]


def test_a_letter_that_came_back_stops_and_makes_a_task(play: "Play", serve: Any, principal: Any) -> None:
    play.on("2026-03-23")
    play.remind()
    api = serve(router)
    path = f"/v1/invoices/{play.invoice.id}/reminders/{play.decisions()[0].id}/bounce"
    for _ in range(2):
        assert api.post(path, json={"reason": "550 5.1.1 no such user"}).status_code == 200
    assert open_cases(play) == [("bounce", "", "2026-03-25")]
    play.on("2026-04-02")
    play.work()
    assert play.told()[-1] == ("held", "refused-address", "formal")
    set_client(play.deps, principal, play.invoice.id, ClientIn(email="lea@mairie.example", lang="en"))
    play.work()
    assert play.mails()[-1]["To"] == "lea@mairie.example"
    assert play.mails()[-1]["Subject"].startswith("Reminder: invoice")
    assert open_cases(play) == []


def test_what_is_settled_about_a_client_counts_for_all_its_invoices(play: "Play", principal: Any) -> None:
    soft = {**to_json(DEFAULT), "name": "douce", "stages": [{**to_json(DEFAULT)["stages"][2], "offset": 15}]}
    save_scenario(play.deps, principal, soft, "amis")
    set_client(play.deps, principal, play.invoice.id, ClientIn(segment="amis", hold="plan", hold_reason="Trois fois",
                                                               hold_until=date(2026, 4, 1)))
    play.on("2026-03-30")
    play.work()
    assert play.told() == [("held", "hold-plan", "friendly")]
    play.on("2026-04-02")
    play.work()
    assert play.told()[-1] == ("sent", "due", "friendly")
    assert play.decisions()[-1].scenario == "douce [amis], version 1"


def test_own_words_of_a_scenario(play: "Play", principal: Any) -> None:
    stages = to_json(DEFAULT)["stages"]
    stages[2] |= {"subject_fr": "Un mot sur {{ numero }}", "text_fr": "Cher {{ client }},\n\nReste : {{ solde }}."}
    save_scenario(play.deps, principal, {**to_json(DEFAULT), "stages": stages})
    play.on("2026-03-23")
    play.remind()
    assert play.mails()[0]["Subject"] == "Un mot sur FA-2026-0042"
    assert play.text().startswith("Cher Aubrac Approuve SAS,\r\n\r\nReste : 1 200,00 €.")


def test_a_trial_on_the_past_and_every_decision_again(play: "Play") -> None:
    play.clock.forward(days=20)
    disputed = False
    while play.deps.today() < date(2026, 5, 20):
        if not disputed and play.deps.today() >= date(2026, 4, 3):
            play.status("207")
            disputed = True
        play.work()
        play.clock.forward(hours=24)
    count, differing = decided_again(play.deps, play.invoice.tenant_id)
    assert (count, differing) == (len(play.decisions()), [])
    trial = try_out(play.deps, play.invoice.tenant_id, DEFAULT, date(2026, 2, 11), date(2026, 5, 20))
    assert trial.would == trial.did == {"before": 1, "due": 1, "friendly": 1, "formal": 1}
    assert trial.against["status-207"] == 1
    assert [(step.on.isoformat(), step.stage) for step in trial.steps] == [
        (row.at.date().isoformat(), row.stage) for row in play.decisions() if row.outcome == "sent"]
    bolder = replace(DEFAULT, stages=(replace(DEFAULT.stages[2], offset=1), *DEFAULT.stages[3:]))
    assert try_out(play.deps, play.invoice.tenant_id, bolder, date(2026, 2, 11), date(2026, 3, 20)).would == {
        "friendly": 1}
    assert len(play.mails()) == 4, "a trial sends nothing"


def test_trial_preview_and_cases_over_http(play: "Play", serve: Any) -> None:
    api = serve(router)
    play.on("2026-03-23")
    play.status("207")
    play.remind()
    trial = api.get("/v1/reminders/scenario/trial", params={"since": "2026-02-11", "until": "2026-03-22"}).json()
    assert (trial["would"], trial["scenario"]) == ({"before": 1, "due": 1}, "relances-v2")
    for since, until in (("2026-03-22", "2026-02-11"), ("0001-01-01", "2026-02-11"), ("9999-12-31", "9999-12-31")):
        period = {"since": since, "until": until}
        assert api.get("/v1/reminders/scenario/trial", params=period).json()["code"] == "bad-period"
    (case,) = api.get("/v1/reminders/cases").json()
    assert (case["kind"], case["number"], case["open"]) == ("207", "FA-2026-0042", True)
    closed = api.post(f"/v1/reminders/cases/{case['id']}/resolution", json={"reason": "Avoir envoyé"})
    assert (closed.status_code, closed.json()["resolution"]) == (200, "Avoir envoyé")
    assert api.post(f"/v1/reminders/cases/{case['id']}/resolution", json={"reason": "Encore"}).status_code == 409
    coming = api.get("/v1/reminders/preview").json()
    assert [(one["number"], one["on"]) for one in coming["letters"]] == [("FA-2026-0042", None)]
    assert api.get("/v1/reminders/preview", params={"after": "nowhere"}).status_code == 422
    assert api.get("/v1/reminders/scenario", params={"version": 9}).status_code == 404


def by_hand(play: "Play", principal: Any, *channels: str) -> None:
    """A scenario of these steps alone, from the tenth day on, ten days apart."""
    stages = [{**stage, "offset": 10 * place} for place, stage in enumerate(
        (one for one in to_json(DEFAULT)["stages"] if one["channel"] in channels), start=1)]
    save_scenario(play.deps, principal, {**to_json(DEFAULT), "name": "à la main", "stages": stages})


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


def cases_of_kind(play: "Play", kind: str) -> list[Case]:
    with play.deps.db.reading(play.invoice.tenant_id) as session:
        return list(session.scalars(select(Case).where(Case.kind == kind, Case.active.is_(True)).order_by(Case.id)))


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


def test_the_file_for_an_agency_holds_all_invoices_of_the_client(play: "Play", principal: Any) -> None:
    stages = [stage for stage in to_json(DEFAULT)["stages"] if stage["key"] in {"friendly", "handover"}]
    save_scenario(play.deps, principal, {**to_json(DEFAULT), "name": "brève", "stages": stages})
    play.another("FA-2", "2026-03-13", "50.00")
    play.another("FA-3", "2026-09-30", "70.00")
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
        assert {line.split(";")[0]: line.split(";")[5] for line in owed.split()[1:]} == {
            "FA-2": "oui", "FA-2026-0042": "oui", "FA-3": "non"}
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


def test_a_case_whose_day_has_passed_is_told_once(play: "Play") -> None:
    play.on("2026-03-10")
    play.status("207")
    play.remind()
    for day in ("2026-03-17", "2026-03-18", "2026-03-19"):  # five working days after the tenth: the seventeenth
        play.on(day)
        tell_late(play.deps)
        tell_late(play.deps)
    assert play.events().count("case-late") == 1
