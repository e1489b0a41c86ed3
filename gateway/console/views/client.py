"""The page of a client: what it owes and since when, what was said to it and comes next, what waits for a person."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from gateway.auth import Permission
from gateway.bank.proposals import WHY
from gateway.console import owing, people, reminding
from gateway.console.client_file import MOST_PLANNED, MOST_SHOWN, client_file
from gateway.console.page import Page, Sees, Visit
from gateway.console.sheets import Ending, Sheet, export, in_order
from gateway.console.templating import CLIENT_PAGE
from gateway.console.views.receivables import LIST, Wanted
from gateway.problems import not_found
from gateway.receivables.account import Item
from gateway.receivables.open_items import all_items
from gateway.reminders.cases import KINDS
from gateway.reminders.state import scenario_for, scenarios_of

router = APIRouter(route_class=Page, include_in_schema=False)
Reading = Annotated[Visit, Sees(Permission.REMINDERS_READ)]


@router.get(CLIENT_PAGE)
def show_client(visit: Reading, wanted: Wanted, cle: str = "", tout: str = "") -> Response:
    """Everything about one client; `tout`: its settled items too."""
    deps, tenant_id = visit.deps, visit.principal.tenant_id
    with deps.db.reading(tenant_id) as session:
        file = client_file(session, deps, tenant_id, cle, wanted.as_of, bank=visit.may(Permission.PAYMENTS_WRITE))
        if file is None:
            raise not_found()
        sheet = items_sheet(session, file.items, wanted, whole=bool(tout))
        scenario = scenario_for(scenarios_of(session), file.settled.segment if file.settled is not None else "")
        names = people.names(session)
    return visit.draw(
        "client.html", file=file, sheet=in_order(sheet, wanted.order, wanted.page), asked=wanted, names=names,
        values={**wanted.values(), "cle": cle, "tout": tout}, whole=bool(tout), kinds=KINDS, signs=WHY,
        scenario=scenario, stages=reminding.stage_names(scenario), most=MOST_SHOWN, most_planned=MOST_PLANNED)


@router.get(CLIENT_PAGE + ".{ending}")
def export_client(visit: Reading, wanted: Wanted, ending: Ending, cle: str = "", tout: str = "") -> Response:
    """The items of one client as a file."""
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        items = all_items(session, wanted.as_of, cle)
        if not items and not all_items(session, date.max, cle):
            raise not_found()
        sheet = items_sheet(session, items, wanted, whole=bool(tout))
    return export(visit, ending, in_order(sheet, wanted.order), {**wanted.values(), "client": cle, "all": tout}, LIST)


def items_sheet(session: Session, items: Sequence[Item], wanted: owing.Asked, *, whole: bool) -> Sheet:
    """The open items of a client as a list, or all of them."""
    shown = [item for item in items if whole or item.balance]
    return owing.items_of(session, shown, f"client-{wanted.as_of}")
