"""Cases of reminders: what waits for a person, with its clock and owner; approvals; what is settled about a client."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import ValidationError

from gateway.auth import Permission
from gateway.console import people
from gateway.console.forms import errors_of, told
from gateway.console.page import Act, Does, Page, Sees, Visit, go
from gateway.console.sheets import MOST_EXPORTED, Ending, export
from gateway.console.tasks import cases_sheet
from gateway.console.views.receivables import LIST
from gateway.problems import Problem, not_found
from gateway.reminders.cases import KINDS, cases, close_case, take_case
from gateway.reminders.clients import (
    CHANGED,
    ClientIn,
    accept_contact,
    client_of_invoice,
    segments,
    set_client,
    settled_of,
)
from gateway.tables import Submission
from gateway.tables_reminders import Case

router = APIRouter(route_class=Page, include_in_schema=False)
Seeing = Annotated[Visit, Sees(Permission.REMINDERS_READ)]
Deciding = Annotated[Act, Does(Permission.REMINDERS_WRITE)]
SHOWN = 500
"""So many cases are on the page; a file has all of them."""

LONGEST_REASON = 1000
TICKS = ("watched", "mine", "by_sms")


@router.get("/relances/cas")
def show_cases(visit: Seeing, genre: str = "", fermes: str = "") -> Response:
    """What is open, the most urgent first; or what was closed."""
    return _page(visit, kind=genre if genre in KINDS else "", closed=bool(fermes))


@router.get("/relances/cas.{ending}")
def export_cases(visit: Seeing, ending: Ending, genre: str = "", fermes: str = "") -> Response:
    """The same as a file, with all of them."""
    kind = genre if genre in KINDS else ""
    rows, names = _read(visit, kind, closed=bool(fermes), most=MOST_EXPORTED + 1)
    sheet = cases_sheet(rows, visit.deps.today(), names, closed=bool(fermes))
    return export(visit, ending, sheet, {"genre": kind, "fermes": fermes}, LIST)


@router.post("/relances/cas/{case_id}/prendre")
def take(act: Deciding, case_id: str) -> Response:
    """Make oneself the owner."""
    return _done(act, lambda: take_case(act.deps, act.principal, case_id), "pris")


@router.post("/relances/cas/{case_id}/fermer")
def close(act: Deciding, case_id: str) -> Response:
    """Close a case, or grant or decline an approval."""
    outcome, words = act.text("issue") or "done", act.text("raison")
    typed = {"case": case_id, "raison": words}
    if not 3 <= len(words) <= LONGEST_REASON:
        return _page(act.visit, typed=typed, problem="Écrivez ce que vous avez décidé ou fait : de trois à "
                     f"{LONGEST_REASON} caractères.")
    return _done(act, lambda: close_case(act.deps, act.principal, case_id, outcome, words), "ferme", typed)


@router.post("/relances/cas/{case_id}/adresse")
def accept(act: Deciding, case_id: str) -> Response:
    """Use the address that the client proposed, once it was checked."""
    return _done(act, lambda: accept_contact(act.deps, act.principal, case_id), "adresse")


@router.get("/relances/clients/{invoice_id}")
def show_client(visit: Seeing, invoice_id: str) -> Response:
    """What is settled about the client of an invoice."""
    return _client(visit, invoice_id)


@router.post("/relances/clients/{invoice_id}")
def save_client(act: Deciding, invoice_id: str) -> Response:
    """Settle it."""
    values = {name: act.text(name) for name in ClientIn.model_fields if name not in TICKS}
    ticks = {name: act.text(name) == "oui" for name in TICKS}
    wanted = {**{name: value or None for name, value in values.items()}, "segment": values["segment"], **ticks}
    try:
        set_client(act.deps, act.principal, invoice_id, ClientIn.model_validate(wanted), _moment(act.text("vu")))
    except ValidationError as error:
        return _client(act.visit, invoice_id, values={**values, **ticks}, errors=errors_of(error))
    except Problem as problem:
        return _client(act.visit, invoice_id, values={**values, **ticks}, errors={"": told(problem)},
                       changed=problem.code == CHANGED)
    return go(f"/relances/clients/{invoice_id}", "client")


def _moment(text: str) -> datetime | None:
    """A moment as a hidden field carries it; None for what is none."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _done(act: Act, do: Callable[[], object], mark: str, typed: Mapping[str, str] | None = None) -> Response:
    try:
        do()
    except Problem as problem:
        return _page(act.visit, problem=told(problem), typed=typed)
    return go("/relances/cas", mark)


def _page(
    visit: Visit, *, kind: str = "", closed: bool = False, problem: str = "", typed: Mapping[str, str] | None = None
) -> Response:
    rows, names = _read(visit, kind, closed=closed, most=SHOWN)
    return visit.draw("cas.html", rows=rows, most=SHOWN, names=names, kinds=KINDS, kind=kind, closed=closed,
                      problem=problem, typed=typed or {}, status=422 if problem else 200)


def _read(
    visit: Visit, kind: str, *, closed: bool, most: int
) -> tuple[list[tuple[Case, Submission]], people.Names]:
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        return cases(session, only_open=not closed, kinds=(kind,) if kind else (), most=most), people.names(session)


def _client(
    visit: Visit, invoice_id: str, *, values: dict[str, object] | None = None, errors: dict[str, str] | None = None,
    changed: bool = False,
) -> Response:
    tenant_id = visit.principal.tenant_id
    with visit.deps.db.reading(tenant_id) as session:
        invoice = session.get(Submission, (tenant_id, invoice_id))
        if invoice is None:
            raise not_found()
        row = client_of_invoice(session, invoice)
        known, there = settled_of(row, visit.principal.actor), segments(session)
        who = people.names(session).of(row.actor) if changed else ""
    shown = values or {name: "" if value is None else value for name, value in known.model_dump().items()}
    return visit.draw("relances_client.html", invoice=invoice, values=shown, errors=errors or {}, segments=there,
                      seen=row.changed_at, changed_by=who, status=422 if errors else 200)
