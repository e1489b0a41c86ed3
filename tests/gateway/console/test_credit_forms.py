"""What a credit controller types is kept, what is over is not shown as in force, and what is cut says so."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from console_seed import NOW
from lxml import html
from sqlalchemy import delete

from gateway.deps import Deps
from gateway.keeping.erasure import PERSONAL
from gateway.reminders.letters.links import Link, addressee_of, token_for
from gateway.tables import Submission
from gateway.tables_receivables import BankFile, BankMovement
from gateway.tables_reminders import Case, Decision, Hold, ReminderClient

TILLEUL = "000001016"
OWED = "F-2026-0430"
HELD = "F-2026-0441"


def a_case(story: Any, n: int = 0, **changes: Any) -> Case:
    usual: dict[str, Any] = {
        "tenant_id": story.tenant_id, "id": f"typed-{n}", "submission_id": story.invoices[OWED], "client": TILLEUL,
        "kind": "call", "stage": str(n), "reason": f"Raison {n}", "balance": Decimal("845.16"), "opened_at": NOW,
        "due_on": date(2026, 11, 20), "owner": None, "active": True, "outcome": None, "closed_at": None,
        "closed_by": None, "resolution": None, "proposal": None}
    return Case(**{**usual, **changes})


def a_decision(story: Any, n: int = 0, **changes: Any) -> Decision:
    usual: dict[str, Any] = {
        "tenant_id": story.tenant_id, "id": f"typed-{n}", "submission_id": story.invoices[OWED], "intent": None,
        "stage": "formal", "at": NOW - timedelta(hours=n), "outcome": "held", "reason": f"Motif {n}.",
        "scenario": "relances-v2", "facts": {"code": "due", "balance": "845.16"}, "channel": None, "recipient": None,
        "sha256": None}
    return Decision(**{**usual, **changes})


def a_hold(story: Any, until: date) -> Hold:
    return Hold(tenant_id=story.tenant_id, id="typed-0", submission_id=story.invoices[OWED], kind="promise",
                reason="Promis au téléphone", until=until, created_at=NOW - timedelta(days=20), actor="user:x",
                lifted_at=None)


def a_movement(story: Any, n: int = 0) -> BankMovement:
    return BankMovement(
        tenant_id=story.tenant_id, id=f"typed-{n}", file_id="f", key=f"k{n}", content=f"c{n}", account="FR76",
        name="X", statement="1", amount=Decimal("10.00"), currency="EUR", booked_on=date(2026, 11, 20), state="open",
        value_on=date(2026, 11, 20), returned=False, reference=None, end_to_end=None, iban=None, remittance="",
        creditor_reference=None, decided_at=None, decided_by=None, decided_reason=None)


def put(deps: Deps, story: Any, *made: Any) -> None:
    with deps.db.transaction(story.tenant_id) as session:
        session.add_all(made)


@pytest.fixture(autouse=True)
def _swept(seeded_deps: Deps, story: Any) -> Iterator[None]:
    yield
    with seeded_deps.db.transaction(story.tenant_id) as session:
        for table in (Case, Decision, Hold, BankFile, BankMovement):
            session.execute(delete(table).where(table.id.startswith("typed-")))
        session.execute(delete(ReminderClient).where(ReminderClient.key == TILLEUL))


def value_of(page: str, name: str) -> list[str]:
    return [str(one) for one in html.fromstring(page).xpath(f"//input[@name='{name}']/@value")]


def test_a_hold_whose_last_day_is_past_is_not_in_force(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    page = f"/factures/{story.invoices[OWED]}"
    put(seeded_deps, story, a_hold(story, date(2026, 11, 22)))
    assert "Promis au téléphone" not in visitor.get(page).text
    assert "Suspendre les relances" in visitor.get(page).text
    assert "Promis au téléphone" not in visitor.get("/relances").text
    with seeded_deps.db.transaction(story.tenant_id) as session:
        session.get_one(Hold, (story.tenant_id, "typed-0")).until = date(2026, 11, 23)  # today: its last day
    assert "Promis au téléphone" in visitor.get(page).text
    assert "Promis au téléphone" in visitor.get("/relances").text


@pytest.mark.parametrize(("until", "held"), [(date(2026, 11, 22), False), (date(2026, 11, 23), True), (None, True)])
def test_the_hold_of_a_client_is_shown_while_it_holds(
    visitor: Any, seeded_deps: Deps, story: Any, until: date | None, *, held: bool
) -> None:
    put(seeded_deps, story, ReminderClient(
        tenant_id=story.tenant_id, key=TILLEUL, name="Maison Tilleul", segment="", email=None, contact=None, lang=None,
        region=None, watched=False, hold="plan", hold_reason="Accord", hold_until=until, owner=None, changed_at=NOW,
        actor="user:x"))
    page = unescape(visitor.get(f"/encours/client?cle={TILLEUL}").text)
    assert ("Rien n'est envoyé à ce client" in page) == held


def test_the_plan_of_a_client_is_that_of_today_whatever_day_is_looked_at(visitor: Any) -> None:
    today = html.fromstring(visitor.get(f"/encours/client?cle={TILLEUL}").text)
    before = html.fromstring(visitor.get(f"/encours/client?cle={TILLEUL}&au=2026-10-01").text)

    def plan(page: Any) -> list[str]:
        return [row.text_content() for row in page.xpath("//section[@aria-labelledby='relances']//tbody/tr")]

    assert plan(today)
    assert plan(before) == plan(today)


def test_what_is_cut_on_the_page_of_a_client_says_so(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    put(seeded_deps, story, *(a_case(story, n) for n in range(31)), *(a_decision(story, n) for n in range(31)))
    page = unescape(visitor.get(f"/encours/client?cle={TILLEUL}").text)
    assert page.count('<td data-label="Pourquoi">Raison ') == 30
    assert "Les 30 premiers" in page
    assert page.count("Motif ") == 30
    assert "Les 30 dernières" in page


def test_what_is_cut_on_the_page_of_an_invoice_says_so(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    put(seeded_deps, story, *(a_decision(story, n) for n in range(9)))
    page = unescape(visitor.get(f"/factures/{story.invoices[OWED]}").text)
    assert "Motif 8." not in page
    assert "Les 8 dernières" in page


def test_tasks_that_are_cut_say_so(visitor: Any, seeded_deps: Deps, story: Any, monkeypatch: Any) -> None:
    put(seeded_deps, story, a_case(story, 0), a_case(story, 1))
    assert "d'autres attendent" not in unescape(visitor.get("/taches").text)
    monkeypatch.setattr("gateway.console.tasks.MOST", 1)
    assert "d'autres attendent" in unescape(visitor.get("/taches").text)


def test_a_doubt_about_somebody_who_was_erased_names_nobody(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    put(seeded_deps, story, a_decision(story, outcome="unknown"))
    page = unescape(visitor.get("/taches?genre=in-doubt").text)
    assert "À None" not in page
    assert "Dites si elle est arrivée." in page


def test_statements_that_are_cut_say_so(visitor: Any, seeded_deps: Deps, story: Any, monkeypatch: Any) -> None:
    for module in ("bank.files", "console.views.bank"):
        monkeypatch.setattr(f"gateway.{module}.SHOWN", 2)
    put(seeded_deps, story, *(BankFile(
        tenant_id=story.tenant_id, id=f"typed-{n}", sha256=f"{n:064}", size=1, name=f"releve-{n}.xml", version="v",
        message_id="M", received_at=NOW + timedelta(hours=n), actor="x", added=0, repeated=0, remarks=[],
        kept_until=None) for n in range(3)))
    page = unescape(visitor.get("/banque").text)
    assert "releve-0.xml" not in page
    assert "Les 2 derniers" in page


def test_a_hold_that_is_refused_keeps_what_was_typed(visitor: Any, story: Any) -> None:
    page = f"/factures/{story.invoices[OWED]}"
    answer = visitor.post(f"{page}/relances/suspendre", data={
        "csrf": visitor.token(page), "kind": "plan", "reason": "Trois échéances", "until": "2026-11-01"})
    assert answer.status_code == 422
    assert "La date de fin est passée." in answer.text
    assert value_of(answer.text, "reason") == ["Trois échéances"]
    assert '<option value="plan" selected>' in answer.text


def test_a_settlement_that_is_refused_keeps_what_was_typed(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    put(seeded_deps, story, a_decision(story, outcome="unknown"))
    page = f"/factures/{story.invoices[OWED]}"
    answer = visitor.post(f"{page}/relances/typed-0/constat", data={
        "csrf": visitor.token(page), "arrivee": "oui", "reason": "é" * 2001})
    assert answer.status_code == 422
    assert "de 3 à 2000 caractères." in answer.text
    assert "é" * 2001 in answer.text


def test_a_case_that_is_not_closed_keeps_what_was_typed(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    put(seeded_deps, story, a_case(story), a_case(story, 1))
    data = {"csrf": visitor.token("/relances/cas"), "raison": "Payé lundi, dit-elle.", "issue": "granted"}
    answer = visitor.post("/relances/cas/typed-0/fermer", data=data)
    assert answer.status_code == 422
    assert sorted(value_of(answer.text, "raison")) == ["", "Payé lundi, dit-elle."]


def test_a_movement_that_is_not_allocated_keeps_what_was_typed(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    put(seeded_deps, story, *(a_movement(story, n) for n in range(2)))
    data = {"csrf": visitor.token("/banque"), "number": "F-nulle part", "amount": "9,99", "overpayment": "oui"}
    answer = visitor.post("/banque/mouvements/typed-1/rapprocher", data=data)
    assert answer.status_code == 422
    assert "F-nulle part" in value_of(answer.text, "number")
    assert sorted(value_of(answer.text, "amount")) == ["10,00", "9,99"]
    assert 'name="overpayment" value="oui" checked' in answer.text
    refused = visitor.post("/banque/mouvements/typed-1/decision", data={**data, "action": "aside", "reason": "x" * 501})
    assert refused.status_code == 422
    assert "x" * 501 in value_of(refused.text, "reason")


def test_an_answer_that_is_refused_keeps_what_was_typed(stranger: Any, seeded_deps: Deps, story: Any) -> None:
    link = Link(story.tenant_id, story.invoices[OWED], date(2026, 12, 31), addressee_of("comptabilite@client.example"))
    path = f"/reponse/{token_for(seeded_deps.vault, link)}?lang=fr"
    assert stranger.get(path).status_code == 200
    answer = stranger.post(path, data={"answer": "missing", "remark": "m" * 1001})
    assert answer.status_code == 422
    assert value_of(answer.text, "remark") == ["m" * 1001]
    answer = stranger.post(path, data={"answer": "ready", "paid_on": "demain"})
    assert value_of(answer.text, "paid_on") == ["demain"]
    english = unescape(stranger.get(path.replace("lang=fr", "lang=en")).text)
    assert "€845.16" in english
    assert "11 nov. 2026" not in english


def test_a_fee_and_terms_that_are_refused_keep_what_was_typed(visitor: Any, story: Any) -> None:
    page = f"/factures/{story.invoices[OWED]}/penalites"
    answer = visitor.post(page, data={"csrf": visitor.token(page), "kind": "fee", "amount": "12,345",
                                      "reason": "Huissier, facture 7"})
    assert answer.status_code == 422
    assert value_of(answer.text, "amount") == ["12,345"]
    assert value_of(answer.text, "reason") == ["Huissier, facture 7"]
    tree = html.fromstring(visitor.get("/penalites").text)
    action = tree.xpath("//form[contains(@action, '/conditions/')]/@action")[0]
    refused = visitor.post(action, data={"csrf": visitor.token("/penalites"), "rate": "douze", "day_count": "360"})
    assert refused.status_code == 422
    kept = html.fromstring(refused.text).xpath(f"//form[@action='{action}']")[0]
    assert kept.xpath(".//input[@name='rate']/@value") == ["douze"]
    assert kept.xpath(".//option[@selected]/@value") == ["360"]


@pytest.mark.parametrize("role", ["officer", "credit", "operator", "billing"])
def test_a_page_offers_nothing_that_its_reader_may_not_do(signed_in: Any, story: Any, role: str) -> None:
    reader = signed_in(role)
    numbers = ("F-2026-0415", "F-2026-0448", "F-2026-0449")
    pages = [f"/factures/{story.invoices[number]}" for number in numbers]
    answers = {page: reader.get(page) for page in (
        "/", *pages, f"{pages[0]}/penalites", f"/encours/client?cle={TILLEUL}", "/encours/indicateurs", "/taches",
        "/relances", "/relances/cas", "/relances/scenarios", "/relances/scenarios/editer", "/penalites", "/banque")}
    seen: set[str] = set()
    for page, answer in answers.items():
        tree = html.fromstring(answer.text)
        for form in tree.xpath("//form[@method='post']/@action"):
            if (kind := re.sub(r"[0-9a-f-]{36}", "*", form)) not in seen:
                seen.add(kind)
                assert "expiré" in reader.post(form, data={"csrf": "no"}).text, (page, form)
        for link in tree.xpath("//main//a[starts-with(@href, '/')]/@href"):
            if re.search(r"^/regles|/essai|/dossier|\.(pdf|xlsx|csv)", link):  # long work
                continue
            if (kind := re.sub(r"[0-9a-f-]{36}|[?#].*", "*", link)) not in seen:
                seen.add(kind)
                assert reader.get(link).status_code != 403, (page, link)


def test_nothing_erased_is_none_on_any_page(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    ended = a_case(story, 1, active=None, outcome="done", closed_at=NOW, closed_by="worker", client="", reason="",
                   kind="letter")
    put(seeded_deps, story, a_case(story), ended, a_decision(story, facts={}, reason=""),
        a_hold(story, date(2026, 11, 30)))
    with seeded_deps.db.transaction(story.tenant_id) as session:
        invoice = session.get_one(Submission, (story.tenant_id, story.invoices[OWED]))
        before = {name: getattr(invoice, name) for name in PERSONAL}
        for name in PERSONAL:
            setattr(invoice, name, None)
    for page in ("/", "/relances", "/relances?issue=held", f"/relances/clients/{story.invoices[OWED]}", "/relances/cas",
                 "/relances/cas?fermes=1", "/taches", f"/factures/{story.invoices[OWED]}", "/factures?q=0430",
                 f"/factures/{story.invoices[OWED]}/penalites"):
        answer = visitor.get(page)
        assert answer.status_code == 200, page
        assert "None" not in answer.text, page
    with seeded_deps.db.transaction(story.tenant_id) as session:
        invoice = session.get_one(Submission, (story.tenant_id, story.invoices[OWED]))
        for name, value in before.items():
            setattr(invoice, name, value)


def test_every_wrong_field_of_a_client_is_named_in_french(visitor: Any, story: Any) -> None:
    page = f"/relances/clients/{story.invoices[OWED]}"
    answer = visitor.post(page, data={"csrf": visitor.token(page), "hold": "guerre", "hold_until": "2026-13-45",
                                      "lang": "de", "contact": "c" * 141, "hold_reason": "r" * 2001})
    assert answer.status_code == 422
    told = html.fromstring(answer.text).xpath("//*[@id='problemes']//li/a/text()")
    assert told == ["Contact", "Langue", "Ne rien envoyer", "Raison", "Jusqu'au"]
    assert value_of(answer.text, "hold_reason") == ["r" * 2001]


def test_an_amount_of_the_bank_that_is_none_is_said(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    put(seeded_deps, story, a_movement(story))
    answer = visitor.post("/banque/mouvements/typed-0/rapprocher", data={
        "csrf": visitor.token("/banque"), "number": OWED, "amount": "12,345"})
    assert "Montant avec deux décimales au plus" in answer.text


def test_what_a_colleague_settled_meanwhile_is_not_undone_unseen(visitor: Any, signed_in: Any, story: Any) -> None:
    page = f"/relances/clients/{story.invoices[OWED]}"
    opened = {str(one.get("name")): str(one.get("value")) for one in html.fromstring(visitor.get(page).text).xpath(
        f"//form[@action='{page}']//input[@type='hidden']")}
    colleague = signed_in("credit")
    there = html.fromstring(colleague.get(page).text).xpath(f"//form[@action='{page}']//input[@type='hidden']")
    saved = colleague.post(page, data={**{one.get("name"): one.get("value") for one in there}, "hold": "insolvency",
                                       "hold_reason": "Jugement du 20 novembre"})
    assert "enregistré" in saved.text
    late = visitor.post(page, data={**opened, "lang": "en", "contact": "Mme Roux"})
    assert late.status_code == 422
    assert "Hugo Lenoir" in late.text
    assert value_of(late.text, "contact") == ["Mme Roux"]
    assert "Jugement du 20 novembre" in visitor.get(page).text
    again = {str(one.get("name")): str(one.get("value")) for one in html.fromstring(late.text).xpath(
        f"//form[@action='{page}']//input[@type='hidden']")}
    assert "enregistré" in visitor.post(page, data={**again, "lang": "en", "contact": "Mme Roux"}).text


def test_a_hold_of_a_client_that_ended_before_it_began_is_refused(visitor: Any, story: Any) -> None:
    page = f"/relances/clients/{story.invoices[OWED]}"
    answer = visitor.post(page, data={"csrf": visitor.token(page), "hold": "plan", "hold_reason": "Trois fois",
                                      "hold_until": "2026-11-22"})
    assert answer.status_code == 422
    assert "La date de fin est passée." in answer.text
    assert value_of(answer.text, "hold_until") == ["2026-11-22"]


def test_a_hold_that_is_over_does_not_stand_in_the_way_of_other_settings(
    visitor: Any, seeded_deps: Deps, story: Any
) -> None:
    put(seeded_deps, story, ReminderClient(
        tenant_id=story.tenant_id, key=TILLEUL, name="Maison Tilleul", segment="", email=None, contact=None, lang=None,
        region=None, watched=False, hold="plan", hold_reason="Accord", hold_until=date(2026, 11, 1), owner=None,
        changed_at=NOW, actor="user:x"))
    page = f"/relances/clients/{story.invoices[OWED]}"
    fields = {"csrf": visitor.token(page), "hold": "plan", "hold_reason": "Accord", "hold_until": "2026-11-01"}
    assert "enregistré" in visitor.post(page, data={**fields, "lang": "en"}).text
