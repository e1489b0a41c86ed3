"""What the credit controller sees, and that a file is exactly what the page shows."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from html import unescape
from typing import Any

import openpyxl
import pytest
from console_seed import forget_lines
from lxml import html
from sqlalchemy import delete, select

from gateway.console import french
from gateway.deps import Deps
from gateway.tables import Event, Submission
from gateway.tables_receivables import BankMovement
from gateway.tables_reminders import Case, Decision, ReminderClient

RISKY = '=HYPERLINK("http://evil.example";"Payez")'
OTHER_RISKY = ("+33 1", "@SUM(1)", "-2+3", "\tTab", "＝1+1")
TILLEUL = "000001016"
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("busy")


@pytest.fixture(scope="module")
def busy(world: tuple[Deps, Any]) -> Iterator[Any]:
    """A busy morning at the seeded tenant: cases, doubts, a mail in doubt, clients whose names are formulas."""
    deps, story = world
    tenant_id, ids = story.tenant_id, story.invoices

    def case(kind: str, number: str, due_on: date, **changes: Any) -> Case:
        usual: dict[str, Any] = {
            "tenant_id": tenant_id, "id": f"busy-{kind}-{number}", "submission_id": ids[number], "client": TILLEUL,
            "kind": kind, "stage": "", "reason": f"Raison de {kind}", "balance": Decimal("845.16"), "opened_at": NOW,
            "due_on": due_on, "owner": None, "active": True, "outcome": None, "closed_at": None, "closed_by": None,
            "resolution": None, "proposal": None}
        return Case(**{**usual, **changes})

    def movement(state: str, name: str, text: str) -> BankMovement:
        return BankMovement(
            tenant_id=tenant_id, id=f"busy-{state}", file_id="f", key=state, content=state, account="FR76", name=name,
            statement="1", amount=Decimal("845.16"), currency="EUR", booked_on=date(2026, 11, 20), state=state,
            value_on=date(2026, 11, 20), returned=False, reference=None, end_to_end=None, iban=None, remittance=text,
            creditor_reference=None, decided_at=None, decided_by=None, decided_reason=None)

    with deps.db.transaction(tenant_id) as session:
        forget_lines(session)
        model = session.get_one(Submission, (tenant_id, ids["F-2026-0430"]))
        told = {column.key: getattr(model, column.key) for column in Submission.__mapper__.column_attrs}
        for n, name in enumerate((RISKY, *OTHER_RISKY)):
            session.add(Submission(**{**told, "id": f"busy-{n}", "number": f"{name[0]}N-{n}", "buyer_name": name,
                                      "buyer_siren": None}))
        session.add_all([
            case("call", "F-2026-0430", date(2026, 11, 20)), case("207", "F-2026-0441", date(2026, 11, 30)),
            case("approval", "F-2026-0441", date(2026, 11, 24), owner="user:busy"),
            case("bounce", "F-2026-0451", date(2026, 11, 23), active=None, outcome="done", closed_at=NOW,
                 closed_by="worker", resolution="Adresse trouvée."),
            movement("doubtful", "Maison Tilleul et Fils", "don"), movement("open", "X", "VIR F-2026-0430"),
            Decision(tenant_id=tenant_id, id="busy-unknown", submission_id=ids["F-2026-0430"], intent=None,
                     stage="formal", at=NOW, outcome="unknown", reason="Échue.", scenario="relances-v2",
                     facts={"code": "due", "balance": "845.16"}, channel="smtp", recipient="a@client.example",
                     sha256=None),
            ReminderClient(tenant_id=tenant_id, key=TILLEUL, name="Maison Tilleul et Fils", segment="fideles",
                           email=None, contact=None, lang=None, region=None, watched=False, hold=None,
                           hold_reason=None, hold_until=None, owner="user:busy", changed_at=NOW, actor="user:x"),
        ])
    yield story
    with deps.db.transaction(tenant_id) as session:
        for row in (Case, BankMovement, Decision, Submission):
            session.execute(delete(row).where(row.id.startswith("busy-")))
        session.execute(delete(ReminderClient).where(ReminderClient.key == TILLEUL))
        forget_lines(session)


LISTS = {
    "/encours": ("", "tri=-total", "tri=nom&retard=1", "par=segment", "par=charge&au=2026-10-20", "q=pont",
                 "devise=USD", "tranche=31-60&tri=-1-30", "au=2026-10-01"),
    "/encours/postes": ("", "retard=1&tri=-reste", "tri=client&au=2026-10-15", "q=tilleul", "tranche=1-30"),
    "/encours/client": (f"cle={TILLEUL}", f"cle={TILLEUL}&tout=1&tri=-emise", f"cle={TILLEUL}&au=2026-10-20"),
    "/taches": ("", "genre=call", "pour=personne&tri=client", "genre=time-up"),
}


@pytest.mark.parametrize(("path", "query"), [(path, query) for path in LISTS for query in LISTS[path]])
def test_a_file_is_exactly_what_is_shown(visitor: Any, path: str, query: str) -> None:
    shown, headings = rows_of(visitor, path, query)
    heads, *rows = workbook(visitor.get(f"{path}.xlsx?{query}"))
    assert [head for head in heads if head != "Devise"] == headings
    assert [as_shown(heads, row) for row in rows] == shown
    assert shown
    text = visitor.get(f"{path}.csv?{query}").content.decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))
    assert lines[0] == heads
    assert len(lines) == len(rows) + 1
    for line, row in zip(lines[1:], rows, strict=True):
        assert all(is_same(cell, value) for cell, value in zip(line, row, strict=True)), (line, row)


@pytest.mark.parametrize("asked", ["tilleul", TILLEUL])
def test_a_client_is_found_in_its_group(visitor: Any, asked: str) -> None:
    alone, _ = rows_of(visitor, "/encours", f"q={asked}")
    shown, _ = rows_of(visitor, "/encours", f"q={asked}&par=segment")
    assert [row[0] for row in shown] == ["fideles", "Total"]
    assert [row[2:] for row in shown] == [row[2:] for row in alone], "what it owes, and nobody else of the segment"


def test_a_list_of_several_pages_is_one_file(visitor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("sheets", "open_list"):
        monkeypatch.setattr(f"gateway.console.{module}.PER_PAGE", 4)
    shown, _ = rows_of(visitor, "/encours/postes", "tri=-retard")
    heads, *rows = workbook(visitor.get("/encours/postes.xlsx?tri=-retard&page=2"))
    assert len(rows) > 12
    assert [as_shown(heads, row) for row in rows] == shown


def test_the_file_of_invoices_has_all_of_them_whichever_page_is_open(visitor: Any) -> None:
    every = workbook(visitor.get("/factures.xlsx"))
    assert len(every) > 30
    assert workbook(visitor.get("/factures.xlsx?page=2")) == every


def test_no_cell_is_a_formula(visitor: Any) -> None:
    book = openpyxl.load_workbook(io.BytesIO(visitor.get("/encours.xlsx").content)).active
    cells = {cell.value: cell for row in book.iter_rows() for cell in row if isinstance(cell.value, str)}
    for text in (RISKY, *(one for one in OTHER_RISKY if one.strip() == one)):
        assert cells[text].data_type == "s"
        assert cells[text].quotePrefix
    raw = visitor.get("/encours.csv").content.decode("utf-8-sig")
    first = [line[0] for line in csv.reader(io.StringIO(raw, newline=""), delimiter=";")]
    assert {f"'{RISKY}", "'+33 1", "'@SUM(1)", "'-2+3", "'＝1+1"} <= set(first)
    assert not [text for text in first if text.startswith(("=", "+", "-", "@", "\t"))]


def test_a_file_has_the_cases_that_the_page_leaves_out(visitor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    heads, *every = workbook(visitor.get("/relances/cas.xlsx"))
    monkeypatch.setattr("gateway.console.views.cases.SHOWN", 1)
    page = visitor.get("/relances/cas").text
    assert page.count('class="switch" id="cas-') == 1
    assert "Les 1 premiers" in page
    assert workbook(visitor.get("/relances/cas.xlsx")) == [heads, *every]
    assert len(every) > 1


def test_cases_are_exported_as_their_page_has_them(visitor: Any) -> None:
    for query in ("", "genre=call", "fermes=1"):
        page = unescape(visitor.get(f"/relances/cas?{query}").text)
        heads, *rows = workbook(visitor.get(f"/relances/cas.xlsx?{query}"))
        sections = re.findall(r'<section class="switch" id="cas-.*?</section>', page, re.DOTALL)
        assert len(rows) == len(sections) > 0
        for row, section in zip(rows, sections, strict=True):
            told = dict(zip(heads, row, strict=True))
            for name in ("Cas", "Facture", "Client", "Pourquoi"):
                assert told[name] in section
            assert french.amount(Decimal(str(told["Montant"]))) in section


def test_exports_are_in_the_journal(visitor: Any, busy: Any, seeded_deps: Deps) -> None:
    visitor.get("/encours.csv?q=tilleul")
    with seeded_deps.db.reading(busy.tenant_id) as session:
        newest = session.scalars(select(Event).where(Event.code == "list-exported").order_by(
            Event.position.desc()).limit(1)).one()
    assert newest.data["asked"]["q"] == "tilleul"
    assert newest.data["asked"]["list"] == "balance-agee-2026-11-23"


def test_the_page_of_a_client_tells_the_whole_story(visitor: Any) -> None:
    page = unescape(visitor.get(f"/encours/client?cle={TILLEUL}").text)
    for told in ("Maison Tilleul et Fils", "segment « fideles »", "Aucune étape prévue", "écartez ce mouvement",
                 "Relance ferme", "Appel à passer", "Accord demandé", "3 j de retard", "Adresse trouvée.", "à trancher",
                 "numéro de facture dans le libellé", "Incertaine", "F-2026-0441", "plus de 30 %"):
        assert told in page, told
    before = visitor.get(f"/encours/client?cle={TILLEUL}&au=2020-01-01")
    assert "Rien n'est ouvert à cette date" in unescape(before.text), "a day before its first invoice"
    assert visitor.get(f"/encours/client.xlsx?cle={TILLEUL}&au=2020-01-01").status_code == 200
    assert visitor.get("/encours/client?cle=999999999").status_code == 404
    assert visitor.get("/encours/client.csv?cle=999999999").status_code == 404
    assert visitor.get("/encours/client.pdf?cle=000001016").status_code == 404


def test_a_client_without_siren_has_a_page(visitor: Any) -> None:
    listed = html.fromstring(visitor.get("/encours?q=hyperlink").text)
    link = listed.xpath("//table//tbody//th/a/@href")[0]
    assert RISKY in unescape(visitor.get(link).text)


def test_tasks_of_the_day_lead_to_where_they_are_done(visitor: Any) -> None:
    page = html.fromstring(visitor.get("/taches").text)
    told = {row.xpath("string(th)").strip(): row.xpath("th/a/@href")[0] for row in page.xpath("//tbody/tr")}
    assert told.keys() == {"Appel à passer", "Accord demandé", "Relance partie ou non", "Mouvement bancaire à trancher",
                           "Mouvements bancaires à rapprocher"}, "a dispute has time until its day"
    for href in told.values():
        answer = visitor.get(href)
        assert answer.status_code == 200, href
        _, _, anchor = href.partition("#")
        assert not anchor or f'id="{anchor}"' in answer.text, href
    assert "Appel à passer" not in visitor.get("/taches?genre=approval").text


def test_the_first_page_shows_cases_with_their_clock(visitor: Any, signed_in: Any) -> None:
    home = unescape(visitor.get("/").text)
    assert "1 cas au délai dépassé" in home
    assert "3 j de retard" in home
    assert "Litige" in home
    assert "Cas les plus urgents" not in signed_in("billing").get("/").text


def test_figures_say_what_is_not_known_and_take_costs(visitor: Any) -> None:
    page = unescape(visitor.get("/encours/indicateurs").text)
    for told in ("DSO simple", "DSO par épuisement", "DSO au mieux", "Chiffres en USD", "non indiqué"):
        assert told in page, told
    wrong = visitor.post("/encours/indicateurs/couts", data={
        "csrf": visitor.token("/encours/indicateurs"), "cout-mail": "-1"})
    assert wrong.status_code == 422
    assert 'value="-1"' in wrong.text
    saved = visitor.post("/encours/indicateurs/couts", data={
        "csrf": visitor.token("/encours/indicateurs"), "cout-mail": "0,05", "cout-letter": ""})
    assert "Les coûts sont enregistrés" in saved.text
    assert 'value="0,05"' in saved.text
    assert visitor.get("/encours/indicateurs?au=0001-01-01&periode=7").status_code == 200


@pytest.mark.parametrize("path", ["/encours", "/encours/postes", "/encours/client", "/encours/indicateurs", "/taches"])
def test_who_may_not_read_reminders_sees_none_of_it(signed_in: Any, path: str) -> None:
    assert signed_in("billing").get(path).status_code == 403
    assert signed_in("officer").get(path).status_code in {200, 404}


def test_the_bank_is_for_whoever_may_enter_payments(signed_in: Any) -> None:
    assert "Mouvement bancaire" not in signed_in("officer").get("/taches").text
    assert "Argent peut-être reçu" not in signed_in("officer").get(f"/encours/client?cle={TILLEUL}").text


def rows_of(visitor: Any, path: str, query: str) -> tuple[list[list[str]], list[str]]:
    """The texts of all pages of a list, with its headings."""
    found: list[list[str]] = []
    page, pages = 1, 1
    while page <= pages:
        answer = visitor.get(f"{path}?{query}&page={page}")
        assert answer.status_code == 200
        tree = html.fromstring(answer.text)
        table = tree.xpath("//table[contains(@class, 'ledger')]")[0]
        headings = [text(cell) for cell in table.xpath("thead//th")]
        found += [[text(cell) for cell in row] for row in table.xpath("tbody/tr | tfoot/tr")]
        counted = re.search(r"Page \d+ sur (\d+)", answer.text)
        pages = int(counted[1]) if counted else 1
        page += 1
    return found, headings


def workbook(answer: Any) -> list[list[Any]]:
    assert answer.status_code == 200
    book = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    return [[cell.value for cell in row] for row in book.iter_rows()]


def as_shown(heads: list[str], row: list[Any]) -> list[str]:
    """A row of the workbook as the page writes it."""
    currency = row[heads.index("Devise")]
    foot = row[0] == "Total"
    return [cell_text(head, value, currency, "" if foot else "—")
            for head, value in zip(heads, row, strict=True) if head != "Devise"]


def cell_text(head: str, value: Any, currency: str, blank: str) -> str:
    if value is None:
        return blank
    if isinstance(value, datetime):
        return tidy(french.day(value.date()))
    if isinstance(value, int | float):
        return tidy(french.number(int(value)) if head == "Jours de retard"
                    else french.amount(Decimal(str(value)), currency))
    return tidy(str(value))


def is_same(cell: str, value: Any) -> bool:
    """Whether a cell of the CSV says what that of the workbook says."""
    if isinstance(value, datetime):
        return cell == f"{value:%Y-%m-%d}"
    if isinstance(value, int | float):
        return Decimal(cell.replace(",", ".")) == Decimal(str(value))
    return cell.removeprefix("'") == (value or "")


def text(element: Any) -> str:
    return tidy(element.text_content())


def tidy(words: str) -> str:
    return " ".join(words.split())



@pytest.mark.parametrize(("value", "currency", "shown"), [
    ("1000.50", "JPY", "1 000,50 JPY"), ("1000.00", "JPY", "1 000 JPY"), ("12.34", "TND", "12,340 TND"),
    ("1234.5", "EUR", "1 234,50 €"), ("0.0125", "EUR", "0,0125 €"), ("5.000", "EUR", "5,00 €"),
])
def test_an_amount_is_never_rounded_away(value: str, currency: str, shown: str) -> None:
    assert tidy(french.amount(Decimal(value), currency)) == shown
