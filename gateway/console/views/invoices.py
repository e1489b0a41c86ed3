"""The list of invoices, on the page and as a file. The filters live in the URL."""

from dataclasses import replace
from datetime import MAXYEAR, MINYEAR, date
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from sqlalchemy import select

from gateway.auth import Permission
from gateway.console import queries, words
from gateway.console.page import Page, Sees, Visit
from gateway.console.sheets import MOST_EXPORTED, Column, Ending, Kind, Line, Sheet, export
from gateway.receivables.lines import catch_up
from gateway.tables import LegalEntity

router = APIRouter(route_class=Page, include_in_schema=False)
Reading = Annotated[Visit, Sees(Permission.INVOICES_READ)]
COLUMNS = (
    Column("numero", "Numéro"), Column("type", "Type"), Column("date", "Date", Kind.DAY),
    Column("echeance", "Échéance", Kind.DAY), Column("vendeur", "Vendeur"), Column("siren-vendeur", "SIREN vendeur"),
    Column("acheteur", "Acheteur"), Column("siren-acheteur", "SIREN acheteur"),
    Column("total", "Total TTC", Kind.AMOUNT), Column("paye", "Payé", Kind.AMOUNT),
    Column("reste", "Reste dû", Kind.AMOUNT), Column("devise", "Devise", Kind.CURRENCY), Column("etat", "État"),
    Column("retard", "Jours de retard", Kind.NUMBER), Column("id", "Identifiant"),
)
"""Of the file, which says more than the page."""


def wanted(
    *, q: str = "", etat: str = "", entite: str = "", du: str = "", au: str = "", retard: str = "", page: str = ""
) -> queries.Filter:
    """The filter that the URL asks for; what makes no sense is left out."""
    return queries.Filter(
        q=q.strip()[:100], state=etat if etat in queries.STATES else "", entity=entite[:64], since=day(du),
        until=day(au), overdue=retard == "1", page=page_number(page),
    )


def day(text: str) -> date | None:
    """A date of a form field; None for what is none, and for days at the ends of the calendar, which have no next."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if MINYEAR < found.year < MAXYEAR else None


def page_number(text: str) -> int:
    """Of a list; the first where the text is no number."""
    return min(max(int(text[:9]), 1), 10_000) if text.isdecimal() else 1


Wanted = Annotated[queries.Filter, Depends(wanted)]


@router.get("/factures")
def show_invoices(visit: Reading, asked: Wanted) -> Response:
    """One page of invoices."""
    _follow(visit, asked)
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        listing = queries.invoices(session, asked, visit.deps.today())
        entities = session.execute(select(LegalEntity.id, LegalEntity.name).order_by(LegalEntity.name)).all()
    return visit.draw("factures.html", listing=listing, asked=asked, states=queries.STATES, entities=entities)


@router.get("/factures.{ending}")
def export_invoices(visit: Reading, asked: Wanted, ending: Ending) -> Response:
    """Exactly what is shown, all pages, as a file."""
    _follow(visit, asked)
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        listing = queries.invoices(session, replace(asked, page=1), visit.deps.today(), per_page=MOST_EXPORTED + 1)
    sheet = Sheet(name="factures", columns=COLUMNS, lines=[_line(row) for row in listing.rows])
    return export(visit, ending, sheet, asked.values(), "invoices")


def _follow(visit: Visit, asked: queries.Filter) -> None:
    """What is overdue is read from the lines of the ledger."""
    if asked.overdue:
        catch_up(visit.deps, visit.principal.tenant_id)


def _line(row: queries.InvoiceRow) -> Line:
    invoice = row.invoice
    return Line((
        invoice.number, words.document_type(invoice.type_code), invoice.issue_date, invoice.due_date,
        invoice.seller_name, invoice.seller_siren, invoice.buyer_name, invoice.buyer_siren, invoice.total, row.paid,
        row.outstanding, invoice.currency, row.word.text, row.overdue_days or None, invoice.id))
