"""Tâches: what a credit controller does today, on the page and as a file."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from gateway.auth import Permission
from gateway.console import people, tasks
from gateway.console.page import Page, Sees, Visit
from gateway.console.sheets import Ending, Sheet, export, in_order
from gateway.console.views.invoices import page_number
from gateway.console.views.receivables import LIST

router = APIRouter(route_class=Page, include_in_schema=False)
Reading = Annotated[Visit, Sees(Permission.REMINDERS_READ)]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader asked for; lives in the URL."""

    kind: str
    whose: str
    order: str
    page: int

    def values(self) -> dict[str, Any]:
        """As the parameters of the URL."""
        return {"genre": self.kind, "pour": self.whose, "tri": self.order, "page": self.page if self.page > 1 else ""}


def asked(genre: str = "", pour: str = "", tri: str = "", page: str = "") -> Asked:
    """What the URL asks for; what makes no sense is left out."""
    return Asked(genre if genre in tasks.TASKS else "", pour if pour in tasks.FOR else "", tri[:20], page_number(page))


Wanted = Annotated[Asked, Depends(asked)]


@router.get("/taches")
def show_tasks(visit: Reading, wanted: Wanted) -> Response:
    """What is to be done, the most urgent first."""
    found, cut, sheet = _read(visit, wanted)
    return visit.draw("taches.html", cut=cut, most=tasks.MOST, sheet=sheet, asked=wanted, kinds=tasks.TASKS,
                      whose=tasks.FOR, whole=len(found), tallies=tasks.tallies(found, visit.deps.today()))


@router.get("/taches.{ending}")
def export_tasks(visit: Reading, wanted: Wanted, ending: Ending) -> Response:
    """The same as a file."""
    return export(visit, ending, _read(visit, wanted)[2], wanted.values(), LIST)


def _read(visit: Visit, wanted: Asked) -> tuple[list[tasks.Task], bool, Sheet]:
    """All tasks, whether there are more, and those that were asked for as a list."""
    today = visit.deps.today()
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        found, cut = tasks.tasks(session, today, bank=visit.may(Permission.PAYMENTS_WRITE))
        names = people.names(session)
    chosen = tasks.wanted(found, today, wanted.kind, wanted.whose, visit.principal.actor)
    return found, cut, in_order(tasks.tasks_sheet(chosen, today, names), wanted.order, wanted.page)
