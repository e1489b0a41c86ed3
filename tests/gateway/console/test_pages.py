"""What the pages show and do, on the seeded tenant."""

import csv
import io
import re
import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from console_seed import forget_lines
from sqlalchemy import func, select

from gateway.console import queries
from gateway.console.verdict import arrange
from gateway.deps import Deps
from gateway.outgoing.decisions import close
from gateway.problems import Problem
from gateway.record import Change, record
from gateway.tables import Document, Event, JournalEntry, OutboxEntry, Payment, Submission

NUMBER = re.compile(r'<th scope="row" class="c-number"><a href="/factures/[^"]+">([^<]+)</a>')


def numbers(page: str) -> list[str]:
    return NUMBER.findall(page)


def test_the_home_page_names_what_waits_and_sums_what_is_owed(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    with seeded_deps.db.transaction(story.tenant_id) as session:  # other tests add rows without an event
        forget_lines(session)
    page = visitor.get("/").text
    assert "1 facture rejetée par une plateforme" in page
    assert "2 factures en litige ou suspendues" in page
    assert "1 facture non conforme" in page
    with seeded_deps.db.reading(story.tenant_id) as session:
        rows = session.scalars(select(Submission)).all()
        paid: dict[str, Decimal] = {}
        for payment in session.scalars(select(Payment)):
            paid[payment.submission_id] = paid.get(payment.submission_id, Decimal(0)) + payment.amount
    paid[story.invoices["F-2026-0421"]] = Decimal("320.00")  # by a credit note
    owed = sum(((row.total or Decimal(0)) - paid.get(row.id, Decimal(0)) for row in rows
                if row.currency == "EUR" and row.type_code != "381" and row.transmission != "refused"
                and row.lifecycle not in {"210", "213", "220"} and row.number != "F-2026-0434"), Decimal(0))
    assert queries_amount(owed) in page
    assert "hors USD" in page


def queries_amount(value: Decimal) -> str:
    whole, cents = f"{value:.2f}".split(".")
    groups = re.sub(r"(?<=\d)(?=(\d{3})+$)", "\u202f", whole)
    return f"{groups},{cents}\u00a0€"


def test_the_filters_choose_what_they_say(visitor: Any) -> None:
    assert numbers(visitor.get("/factures?q=0415").text) == ["F-2026-0415"]
    assert set(numbers(visitor.get("/factures?q=tilleul").text)) >= {"F-2026-0413", "F-2026-0441"}
    assert numbers(visitor.get("/factures?q=100%25").text) == []
    assert numbers(visitor.get("/factures?etat=rejetee").text) == ["F-2026-0438"]
    assert numbers(visitor.get("/factures?etat=refusee").text) == ["F-2026-0417"]
    assert set(numbers(visitor.get("/factures?etat=litige").text)) == {"F-2026-0421", "F-2026-0436"}
    assert numbers(visitor.get("/factures?etat=non-envoyee").text) == ["F-2026-0448"]
    assert set(numbers(visitor.get("/factures?du=2026-11-20&au=2026-11-22").text)) == {
        "F-2026-0450", "F-2026-0451", "F-2026-0452"}
    for nonsense in ("etat=xyz", "du=hier", "page=0", "page=abc", "page=99999999999999999999"):
        assert visitor.get(f"/factures?{nonsense}").status_code == 200


def test_late_means_due_sent_not_ended_and_not_paid(visitor: Any) -> None:
    late = set(numbers(visitor.get("/factures?retard=1").text))
    assert {"F-2026-0415", "F-2026-0418", "F-2026-0421", "F-2026-0423"} <= late
    assert not late & {"F-2026-0434", "F-2026-0412", "F-2026-0413", "F-2026-0424", "F-2026-0417", "A-2026-0031",
                       "F-2026-0448"}


def test_credit_notes_and_corrections_leave_less_or_nothing(visitor: Any, story: Any) -> None:
    credited = visitor.get(f"/factures/{story.invoices['F-2026-0421']}").text
    assert "Avoir de 320,00" in credited
    assert "192,30" in credited
    corrected = visitor.get(f"/factures/{story.invoices['F-2026-0434']}").text
    assert "Rectifiée par" in corrected
    assert "rectifiée" in visitor.get("/factures?q=0434").text


def test_the_export_is_exactly_what_is_shown(visitor: Any) -> None:
    shown = numbers(visitor.get("/factures?etat=approuvee").text)
    text = visitor.get("/factures.csv?etat=approuvee").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert [row["Numéro"] for row in rows] == shown
    part = next(row for row in rows if row["Numéro"] == "F-2026-0418")
    assert (part["Total TTC"], part["Payé"], part["Reste dû"]) == ("2640.00".replace(".", ","), "1320,00", "1320,00")


def test_the_page_of_every_document_opens(visitor: Any, story: Any) -> None:
    """Of every state and type: the credit note that is netted against its invoice has no item of its own."""
    assert "A-2026-0031" in story.invoices
    for number, invoice in story.invoices.items():
        page = visitor.get(f"/factures/{invoice}")
        assert (page.status_code, f"<h1>{number}</h1>" in page.text) == (200, True), number


@pytest.mark.parametrize(("path", "status"), [
    ("/factures?page=", 200), ("/encours/indicateurs?periode=", 200), ("/journal/2026/", 404)])
def test_a_number_without_end_is_no_fault(visitor: Any, path: str, status: int) -> None:
    assert visitor.get(path + "9" * 5000).status_code == status
    assert visitor.get(path + "9" * 30).status_code == status


def test_pages_turn(seeded_deps: Deps, story: Any) -> None:
    with seeded_deps.db.reading(story.tenant_id) as session:
        seen = []
        for page in range(1, 12):
            listing = queries.invoices(session, queries.Filter(page=page), seeded_deps.today(), per_page=5)
            seen += [row.invoice.id for row in listing.rows]
    assert len(seen) == len(set(seen)) == listing.total


def insert(deps: Deps, tenant_id: str, **changes: Any) -> str:
    """A copy of an invoice with changed columns; it comes in as every other, so that the journal finds it."""
    with deps.db.transaction(tenant_id) as session:
        model = session.scalars(select(Submission).where(Submission.number == "F-2026-0446")).one()
        values = {column.name: getattr(model, column.name) for column in Submission.__table__.columns}
        row = Submission(**{**values, "id": str(uuid.uuid4()), "active": None, **changes})
        session.add(row)
        session.flush()
        record(session, tenant_id, Change(kind="submission", code="accepted", actor="worker", submission_id=row.id),
               now=deps.now())
    return str(row.id)


def test_texts_from_invoices_are_only_texts(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    wicked = '<img src=x onerror=alert(1)>"\'{{7*7}}'
    made = insert(seeded_deps, story.tenant_id, number=wicked, buyer_name=wicked, transmission_reason=wicked,
                  received_at=seeded_deps.now() - timedelta(days=400), due_date=None,
                  total=Decimal("1.005"))
    for page in (f"/factures/{made}", "/factures?q=onerror", "/journal?q=" + wicked):
        text = visitor.get(page).text
        assert "<img" not in text, page
        assert "&lt;img" in text
    assert "1,005" in visitor.get(f"/factures/{made}").text  # never rounded away


def test_a_spreadsheet_runs_no_formula_of_ours(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    insert(seeded_deps, story.tenant_id, number="=cmd|' /C calc'!A1", buyer_name="+Formule",
           received_at=seeded_deps.now() - timedelta(days=401))
    text = visitor.get("/factures.csv?q=cmd").content.decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(text), delimiter=";")
    assert (row["Numéro"][0], row["Acheteur"][0]) == ("'", "'")


def test_an_invoice_without_anything_still_has_a_page(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    empty = dict.fromkeys(("number", "issue_date", "type_code", "buyer_name", "seller_name", "total", "due", "due_date",
                           "currency", "buyer_siren", "seller_siren", "legal_entity_id", "connection_id"))
    made = insert(seeded_deps, story.tenant_id, **empty, transmission="refused", verdict="error",
                  received_at=seeded_deps.now() - timedelta(days=402))
    answer = visitor.get(f"/factures/{made}")
    assert answer.status_code == 200
    assert "Sans numéro" in answer.text


def test_an_amount_that_no_invoice_should_have_is_shown_as_it_is(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    made = insert(seeded_deps, story.tenant_id, number="DÉMESURÉE", total=Decimal(f"{'9' * 40}.12"),
                  transmission="refused", verdict="invalid", received_at=seeded_deps.now() - timedelta(days=403))
    for page in (f"/factures/{made}", "/factures?q=DÉMESURÉE"):
        assert "\u202f999,12\u00a0€" in visitor.get(page).text, page


def test_the_page_of_an_invoice_tells_everything(visitor: Any, story: Any) -> None:
    page = visitor.get(f"/factures/{story.invoices['F-2026-0421']}").text
    assert "Quantité erronée (Il manque deux palettes" in page
    assert "Transports Morvan Express" in page
    assert re.search(r"plateforme.*?<time", page)
    assert page.index("En litige") < page.index("Mise à disposition") < page.index("Facture reçue et contrôlée")
    assert "Scellée" in page
    refused = visitor.get(f"/factures/{story.invoices['F-2026-0448']}").text
    assert "3 anomalies bloquantes, 1 avertissement" in refused
    assert refused.count('class="cause"') == 4  # two of the five findings have one cause
    assert "Enregistrer un paiement" not in refused


def test_documents_are_downloads_and_only_of_their_invoice(
    visitor: Any, seeded_deps: Deps, story: Any
) -> None:
    one, other = story.invoices["F-2026-0415"], story.invoices["F-2026-0418"]
    with seeded_deps.db.reading(story.tenant_id) as session:
        row = session.scalars(select(Document).where(Document.submission_id == one, Document.role == "original")).one()
    answer = visitor.get(f"/factures/{one}/documents/{row.id}")
    assert answer.content == b"<facture>F-2026-0415</facture>"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert visitor.get(f"/factures/{other}/documents/{row.id}").status_code == 404


def test_a_double_click_is_one_payment(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    invoice = story.invoices["F-2026-0432"]
    form = {"csrf": visitor.token("/"), "key": "cle-du-formulaire", "amount": "1 000,50 €", "paid_on": "2026-11-20",
            "method": "virement", "reference": "VIR 7"}
    for _ in range(2):
        answer = visitor.post(f"/factures/{invoice}/paiements", data=form, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/factures/{invoice}?fait=paiement")
    with seeded_deps.db.reading(story.tenant_id) as session:
        [row] = session.scalars(select(Payment).where(Payment.submission_id == invoice))
    assert (row.amount, row.reference) == (Decimal("1000.50"), "VIR 7")
    assert row.actor.startswith("user:")
    assert "2\u202f999,49" in visitor.get(f"/factures/{invoice}").text


@pytest.mark.parametrize(("field", "value", "said"), [
    ("amount", "beaucoup", "Montant avec deux décimales"), ("amount", "1,005", "Montant avec deux décimales"),
    ("amount", "0", "ne peut pas être nul"), ("paid_on", "demain", "Indiquez une date"),
    ("paid_on", "2030-01-01", "futur")])
def test_a_wrong_payment_is_explained_and_the_form_keeps_its_values(
    visitor: Any, story: Any, field: str, value: str, said: str
) -> None:
    invoice = story.invoices["F-2026-0433"]
    form = {"csrf": visitor.token("/"), "amount": "10,00", "paid_on": "2026-11-20", "reference": "MA-REFERENCE",
            "key": uuid.uuid4().hex, field: value}
    answer = visitor.post(f"/factures/{invoice}/paiements", data=form)
    assert answer.status_code == 422
    assert said in answer.text
    assert "MA-REFERENCE" in answer.text
    assert "Rien n&#39;a été enregistré" in answer.text or "Rien n'a été enregistré" in answer.text


def test_reminders_are_suspended_and_taken_up_again(visitor: Any, story: Any) -> None:
    invoice = story.invoices["F-2026-0431"]
    form = {"csrf": visitor.token("/"), "kind": "promise", "reason": "Promis au téléphone.", "until": "2026-12-01"}
    assert visitor.post(f"/factures/{invoice}/relances/suspendre", data=form).status_code == 200
    page = visitor.get(f"/factures/{invoice}").text
    assert "Promis au téléphone." in page
    lift = re.search(rf'action="(/factures/{invoice}/relances/[^"]+/reprendre)"', page)
    assert lift is not None
    visitor.post(lift[1], data={"csrf": form["csrf"]})
    assert "Reprendre les relances" not in visitor.get(f"/factures/{invoice}").text
    assert visitor.post(f"/factures/{invoice}/relances/suspendre", data={**form, "reason": ""}).status_code == 422


def parked(deps: Deps, tenant_id: str, subject: str, topic: str = "deliver") -> str:
    with deps.db.transaction(tenant_id) as session:
        row = OutboxEntry(tenant_id=tenant_id, id=str(uuid.uuid4()), topic=topic, subject_id=subject, payload={},
                          created_at=deps.now(), due_at=deps.now(), lease_until=None, attempts=3, state="parked",
                          reason="essai")
        session.add(row)
    return str(row.id)


def state_of(deps: Deps, tenant_id: str, entry: str) -> tuple[str, str | None]:
    with deps.db.reading(tenant_id) as session:
        row = session.get_one(OutboxEntry, (tenant_id, entry))
    return row.state, row.reason


def test_parked_work_is_retried_once(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    entry = parked(seeded_deps, story.tenant_id, story.invoices["F-2026-0433"], "remind")
    csrf = visitor.token("/plateforme")
    assert visitor.post(f"/plateforme/{entry}/relancer", data={"csrf": csrf}).status_code == 200
    assert state_of(seeded_deps, story.tenant_id, entry)[0] == "pending"
    again = visitor.post(f"/plateforme/{entry}/relancer", data={"csrf": csrf})
    assert again.status_code == 409
    assert "déjà décidé" in again.text


def test_closing_asks_for_a_reason_and_keeps_it(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    invoice = insert(seeded_deps, story.tenant_id, number="P-1", transmission="parked", active=True, issue_year=1999,
                     received_at=seeded_deps.now() - timedelta(days=403))
    entry = parked(seeded_deps, story.tenant_id, invoice)
    csrf = visitor.token("/plateforme")
    assert visitor.post(f"/plateforme/{entry}/classer", data={"csrf": csrf, "raison": " "}).status_code == 422
    assert state_of(seeded_deps, story.tenant_id, entry)[0] == "parked"
    visitor.post(f"/plateforme/{entry}/classer", data={"csrf": csrf, "raison": "Client disparu."})
    assert state_of(seeded_deps, story.tenant_id, entry) == ("closed", "Client disparu.")
    with seeded_deps.db.reading(story.tenant_id) as session:
        row = session.get_one(Submission, (story.tenant_id, invoice))
        event = session.scalars(select(Event).where(
            Event.submission_id == invoice, Event.kind == "transmission")).one()
    assert (row.transmission, row.active) == ("failed", None)  # never tried: the number is free again
    assert (event.code, event.reason) == ("closed", "Client disparu.")
    assert event.actor.startswith("user:")


def test_a_number_that_may_have_left_stays_taken(seeded_deps: Deps, story: Any) -> None:
    invoice = insert(seeded_deps, story.tenant_id, number="P-2", transmission="parked", active=True, issue_year=1998,
                     received_at=seeded_deps.now() - timedelta(days=404))
    with seeded_deps.db.transaction(story.tenant_id) as session:
        record(session, story.tenant_id, Change(kind="transmission", code="sending", actor="worker",
                                                submission_id=invoice), now=seeded_deps.now())
    close(seeded_deps, story.tenant_id, parked(seeded_deps, story.tenant_id, invoice), "Sans suite.", "user:x")
    with seeded_deps.db.reading(story.tenant_id) as session:
        assert session.get_one(Submission, (story.tenant_id, invoice)).active is True
    with pytest.raises(Problem, match="reason-missing"):
        close(seeded_deps, story.tenant_id, "x", "", "user:x")


def test_the_journal_finds_by_what_people_know(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    def hits(query: str) -> int:
        found = re.search(r'class="soft counted">([\d\u202f]+) entrée', visitor.get(f"/journal?{query}").text)
        return int(found[1].replace("\u202f", "")) if found else 0

    with seeded_deps.db.reading(story.tenant_id) as session:
        invoice = session.get_one(Submission, (story.tenant_id, story.invoices["F-2026-0415"]))
        events = session.scalar(select(func.count()).select_from(Event).where(Event.submission_id == invoice.id))
        named = session.scalar(select(func.count()).select_from(Event).where(
            (Event.submission_id == invoice.id) | (Event.sha256 == invoice.sha256)))
    assert hits("q=F-2026-0415") == events
    assert hits(f"q={invoice.sha256}") == named  # whoever read it too
    assert hits(f"q={invoice.buyer_siren}") > (events or 0)
    assert hits("q=Trois+Ponts") == hits(f"q={invoice.buyer_siren}")
    assert hits("statut=213") == 1
    assert hits("qui=Hugo") >= 5
    assert hits("type=setting") >= hits("type=setting&du=2026-08-25&au=2026-08-25") >= 5
    assert hits("au=2026-08-24") == 0
    assert hits("q=" + "0" * 64) == 0
    entries = re.findall(r'href="(/journal/2026/\d+)"', visitor.get("/journal?q=F-2026-0415").text)
    assert entries
    page = visitor.get(entries[-1]).text  # its first one: what others did to it since may wait for its seal
    leaf = re.search(r"Empreinte de l'entrée</dt><dd><code class=\"whole\">([0-9a-f]{64})", page)
    assert leaf is not None
    assert "donne bien l'empreinte" in page
    assert "Couverte par le scellement" in page
    assert hits(f"q={leaf[1]}") == events


def test_an_altered_entry_shows(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    with seeded_deps.db.transaction(story.tenant_id) as session:
        entry = session.get_one(JournalEntry, (story.tenant_id, "2026", 3))
        kept = entry.line
        entry.line = kept.replace(b"2026", b"2025", 1)
    assert "a été altérée" in visitor.get("/journal/2026/3").text
    with seeded_deps.db.transaction(story.tenant_id) as session:
        session.get_one(JournalEntry, (story.tenant_id, "2026", 3)).line = kept
    for nowhere in ("2026/99999", "2025/1", "2026/x"):
        assert visitor.get(f"/journal/{nowhere}").status_code == 404


def test_checking_a_file_keeps_nothing(visitor: Any, seeded_deps: Deps, story: Any) -> None:
    def kept() -> tuple[int, int, int]:
        with seeded_deps.db.reading(story.tenant_id) as session:
            return (session.scalar(select(func.count()).select_from(Submission)) or 0,
                    session.scalar(select(func.count()).select_from(Event)) or 0, seeded_deps.store.count())

    csrf, before = visitor.token("/valider"), kept()
    answer = visitor.post("/valider", data={"csrf": csrf, "date": "2026-11-20"},
                          files={"document": ("<b>facture</b>.xml", b"<pas-une-facture/>", "application/xml")})
    assert answer.status_code == 200
    assert "Non conforme" in answer.text
    assert "&lt;b&gt;facture" in answer.text
    assert visitor.post("/valider", data={"csrf": csrf}).status_code == 422
    assert kept() == before


def test_findings_of_one_cause_are_one_block() -> None:
    def finding(rule: str, severity: str, group: str | None) -> dict[str, Any]:
        return {"rule": rule, "severity": severity, "group": group, "terms": ["BT-1"], "layer": "xsd",
                "message": {"fr": rule, "en": ""}, "remedy": None, "values": {}, "aliases": [], "ruling": None,
                "location": None, "line": None}

    reading = arrange({"verdict": "invalid", "layers": [], "findings": [
        finding("W", "warning", None), finding("A", "fatal", "g"), finding("B", "fatal", "g"),
        finding("C", "error", None), finding("C", "error", None)]})
    assert [(cause.rules, len(cause.findings)) for cause in reading.causes] == [(["A", "B"], 2), (["C"], 2), (["W"], 1)]
    assert (reading.blocking, reading.warnings) == (2, 1)
