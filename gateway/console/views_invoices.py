"""The list of invoices, on the page and as CSV. The filters live in the URL."""

import csv
import io
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from sqlalchemy import select

from gateway.auth import Permission
from gateway.console import queries, words
from gateway.console.page import Page, Sees, Visit
from gateway.evidence import looks
from gateway.tables import LegalEntity

router = APIRouter(route_class=Page, include_in_schema=False)
Reading = Annotated[Visit, Sees(Permission.INVOICES_READ)]
MOST_EXPORTED = 20_000


def wanted(  # noqa: PLR0917 - each is a parameter of the URL
    q: str = "", etat: str = "", entite: str = "", du: str = "", au: str = "", retard: str = "", page: str = ""
) -> queries.Filter:
    """The filter that the URL asks for; what makes no sense is left out."""
    return queries.Filter(
        q=q.strip()[:100], state=etat if etat in queries.STATES else "", entity=entite[:64], since=day(du),
        until=day(au), overdue=retard == "1", page=min(max(int(page), 1), 10_000) if page.isdecimal() else 1,
    )


def day(text: str) -> date | None:
    """A date of a form field; None for what is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


Wanted = Annotated[queries.Filter, Depends(wanted)]


@router.get("/factures")
def show_invoices(visit: Reading, asked: Wanted) -> Response:
    """One page of invoices."""
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        listing = queries.invoices(session, asked, visit.deps.today())
        entities = session.execute(select(LegalEntity.id, LegalEntity.name).order_by(LegalEntity.name)).all()
    return visit.draw("factures.html", listing=listing, asked=asked, states=queries.STATES, entities=entities)


@router.get("/factures.csv")
def export_invoices(visit: Reading, asked: Wanted) -> Response:
    """Exactly what is shown, all pages, as CSV for a spreadsheet (semicolons, decimal comma, UTF-8 with mark)."""
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        listing = queries.invoices(session, asked, visit.deps.today(), per_page=MOST_EXPORTED)
    looks.at_list(visit.deps, visit.principal, looks.LIST_EXPORTED, "invoices", **asked.values())
    header = ("Numéro", "Type", "Date", "Échéance", "Vendeur", "SIREN vendeur", "Acheteur", "SIREN acheteur",
              "Total TTC", "Payé", "Reste dû", "Devise", "État", "Jours de retard", "Identifiant")
    return table("factures.csv", header, [_line(row) for row in listing.rows])


def _line(row: queries.InvoiceRow) -> tuple[Any, ...]:
    invoice = row.invoice
    return (
        invoice.number, words.document_type(invoice.type_code), invoice.issue_date, invoice.due_date,
        invoice.seller_name, invoice.seller_siren, invoice.buyer_name, invoice.buyer_siren,
        comma(invoice.total), comma(row.paid), comma(row.outstanding), invoice.currency, row.word.text,
        row.overdue_days or "", invoice.id,
    )


def comma(value: Any) -> str:
    """A number for a French spreadsheet."""
    return "" if value is None else format(value, "f").replace(".", ",")


def table(name: str, header: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Response:
    """A CSV to download. Texts that a spreadsheet would run as a formula are quoted with an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerow(header)
    writer.writerows([tuple(harmless(value) for value in row) for row in rows])
    return Response(text.getvalue().encode("utf-8-sig"), media_type="text/csv; charset=utf-8",
                    headers={"Content-Disposition": f'attachment; filename="{name}"'})


def harmless(value: Any) -> str:
    """The text of a cell: numbers as they are, other texts never as a formula."""
    text = "" if value is None else str(value)
    is_number = text.lstrip("-").replace(",", "", 1).isdecimal()
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) and not is_number else text
