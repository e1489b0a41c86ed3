"""Relances: what comes next, what was decided and why, the scenario; and what a person decides about them."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import ValidationError

from gateway.auth import Permission
from gateway.console import people, reminding, words
from gateway.console.page import Act, Does, Page, Sees, Visit, go
from gateway.console.views.invoice import invoice_page, refused
from gateway.console.views.invoices import day, page_number
from gateway.problems import Problem
from gateway.reminders.people import add_hold, current_scenario, lift_hold, settle
from gateway.reminders.planning import Place, preview
from gateway.reminders.schemas import HoldIn, SettlementIn

router = APIRouter(route_class=Page, include_in_schema=False)
Deciding = Annotated[Act, Does(Permission.REMINDERS_WRITE)]


@router.get("/relances")
def show_reminders(
    visit: Annotated[Visit, Sees(Permission.REMINDERS_READ)], issue: str = "", page: str = "", apres: str = ""
) -> Response:
    """The letters to come, decisions with their reason, holds in force, the stages of the scenario."""
    tenant_id = visit.principal.tenant_id
    outcome = issue if issue in words.DECISIONS else ""
    scenario, planned = current_scenario(visit.deps, tenant_id), preview(visit.deps, tenant_id, after=place(apres))
    with visit.deps.db.reading(tenant_id) as session:
        listing = reminding.decisions(session, outcome, page_number(page))
        waits, names = reminding.holds(session, visit.deps.today()), people.names(session)
    return visit.draw(
        "relances.html", listing=listing, outcome=outcome, holds=waits, scenario=scenario, names=names,
        coming=[one for one in planned.letters if one.on is not None],
        waiting=[one for one in planned.letters if one.on is None],
        further=f"{planned.after.due_date}~{planned.after.id}" if planned.after else "", begun=bool(apres),
        stages=reminding.stage_names(scenario),
    )


@router.get("/relances/retours")
def show_returned(visit: Annotated[Visit, Sees(Permission.REMINDERS_READ)], page: str = "") -> Response:
    """Mails that came back: what each was taken for, and what followed."""
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        listing = reminding.returned(session, page_number(page))
    return visit.draw("relances_retours.html", listing=listing, kinds=reminding.RETURNED, outcomes=reminding.OUTCOMES,
                      watched=visit.deps.settings.bounces_url is not None)


def place(text: str) -> Place | None:
    """Where the reader is among the due dates, as the URL has it; None for the beginning."""
    due, _, invoice_id = text.partition("~")
    found = day(due)
    return Place(found, invoice_id[:64]) if found is not None else None


@router.post("/factures/{invoice_id}/relances/suspendre")
def hold(act: Deciding, invoice_id: str) -> Response:
    """Let the reminders of an invoice wait."""
    values = {"kind": act.text("kind"), "reason": act.text("reason"), "until": act.text("until")}
    try:
        add_hold(act.deps, act.principal, invoice_id,
                 HoldIn.model_validate({name: value for name, value in values.items() if value}))
    except ValidationError:
        return invoice_page(act.visit, invoice_id, values=values, status=422,
                            errors={"reason": "Indiquez un motif, une raison et, si besoin, une date."})
    except Problem as problem:
        return refused(act, invoice_id, problem, values)
    return go(f"/factures/{invoice_id}", "relances")


@router.post("/factures/{invoice_id}/relances/{hold_id}/reprendre")
def lift(act: Deciding, invoice_id: str, hold_id: str) -> Response:
    """End a hold."""
    lift_hold(act.deps, act.principal, invoice_id, hold_id)
    return go(f"/factures/{invoice_id}", "relances")


@router.post("/factures/{invoice_id}/relances/{decision_id}/constat")
def say_what_happened(act: Deciding, invoice_id: str, decision_id: str) -> Response:
    """Say whether a letter in doubt reached the buyer."""
    values = {"decision": decision_id, "reason": act.text("reason")}
    try:
        found = SettlementIn(delivered=act.text("arrivee") == "oui", reason=values["reason"])
        settle(act.deps, act.principal, invoice_id, decision_id, found)
    except ValidationError:
        return invoice_page(act.visit, invoice_id, values=values, errors={"": "Ce que vous avez constaté : "
                            "de 3 à 2000 caractères."}, status=422)
    except Problem as problem:
        return refused(act, invoice_id, problem, values)
    return go(f"/factures/{invoice_id}", "relances")
