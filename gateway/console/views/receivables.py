"""Encours: who owes what since when, by client or item by item, on any day; on the page, as CSV and as a workbook."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from gateway.auth import Permission
from gateway.console import owing, people
from gateway.console.open_list import open_items_sheet
from gateway.console.page import Page, Sees, Visit
from gateway.console.sheets import Ending, Sheet, export, in_order
from gateway.console.views.invoices import day, page_number
from gateway.deps import CurrentDeps
from gateway.receivables.ageing import CLASSES
from gateway.receivables.analysis import FIRST_DAY, LAST_DAY
from gateway.receivables.lines import catch_up

router = APIRouter(route_class=Page, include_in_schema=False)
Reading = Annotated[Visit, Sees(Permission.REMINDERS_READ)]
LIST = "receivables"
"""Under what the journal has exports of these lists."""


def asked(
    deps: CurrentDeps, *, au: str = "", q: str = "", devise: str = "", retard: str = "", tranche: str = "",
    par: str = "", tri: str = "", page: str = "",
) -> owing.Asked:
    """What the URL asks for; what makes no sense is left out."""
    today = deps.today()
    return owing.Asked(
        as_of=day_or(au, today), today=today, q=q.strip()[:100], currency=devise[:3], late=retard == "1",
        age=tranche if tranche in CLASSES else "", group=par if par in owing.GROUPS else "", order=tri[:20],
        page=page_number(page),
    )


def day_or(text: str, today: date) -> date:
    """A day that figures can be asked for; today for what is none."""
    found = day(text)
    return found if found is not None and FIRST_DAY <= found <= LAST_DAY else today


Wanted = Annotated[owing.Asked, Depends(asked)]


@router.get("/encours")
def show_ageing(visit: Reading, wanted: Wanted) -> Response:
    """The ageing of a day."""
    sheet = in_order(_ageing(visit, wanted), wanted.order, wanted.page)
    return visit.draw("encours.html", sheet=sheet, asked=wanted, groups=owing.GROUPS)


@router.get("/encours.{ending}")
def export_ageing(visit: Reading, wanted: Wanted, ending: Ending) -> Response:
    """The same as a file."""
    return export(visit, ending, in_order(_ageing(visit, wanted), wanted.order), wanted.values(), LIST)


@router.get("/encours/postes")
def show_items(visit: Reading, wanted: Wanted) -> Response:
    """The open items of a day."""
    sheet = _items(visit, wanted, whole=False)
    return visit.draw("postes.html", sheet=sheet, asked=wanted)


@router.get("/encours/postes.{ending}")
def export_items(visit: Reading, wanted: Wanted, ending: Ending) -> Response:
    """The same as a file."""
    return export(visit, ending, _items(visit, wanted, whole=True), wanted.values(), LIST)


def _ageing(visit: Visit, wanted: owing.Asked) -> Sheet:
    catch_up(visit.deps, visit.principal.tenant_id)
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        return owing.ageing_sheet(session, wanted, people.names(session))


def _items(visit: Visit, wanted: owing.Asked, *, whole: bool) -> Sheet:
    catch_up(visit.deps, visit.principal.tenant_id)
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        return open_items_sheet(session, wanted, whole=whole)
