"""HTTP of reminders."""

from typing import Annotated, Any

from fastapi import APIRouter, Body

from gateway.auth import Permission, Principal, Requires
from gateway.deps import CurrentDeps
from gateway.problems import documented
from gateway.reminders import people, planning
from gateway.reminders.scenario import to_json
from gateway.reminders.schemas import DecisionOut, HoldIn, HoldOut, RemindersOut, SettlementIn

router = APIRouter(prefix="/v1", tags=["reminders"])
Reader = Annotated[Principal, Requires(Permission.REMINDERS_READ)]
Writer = Annotated[Principal, Requires(Permission.REMINDERS_WRITE)]


@router.get("/invoices/{submission_id}/reminders")
def list_reminders(submission_id: str, principal: Reader, deps: CurrentDeps) -> RemindersOut:
    """Every decision about an invoice with its reason and facts, its holds, and what comes next."""
    return planning.reminders_of(deps, principal.tenant_id, submission_id)


@router.post("/invoices/{submission_id}/reminders/{decision_id}/settlement", responses=documented(409))
def settle(
    submission_id: str, decision_id: str, found: SettlementIn, principal: Writer, deps: CurrentDeps
) -> DecisionOut:
    """Say whether a letter whose delivery is in doubt reached the buyer."""
    return people.settle(deps, principal, submission_id, decision_id, found)


@router.post("/invoices/{submission_id}/holds", status_code=201)
def add_hold(submission_id: str, hold: HoldIn, principal: Writer, deps: CurrentDeps) -> HoldOut:
    """Let the reminders of an invoice wait."""
    return people.add_hold(deps, principal, submission_id, hold)


@router.delete("/invoices/{submission_id}/holds/{hold_id}")
def lift_hold(submission_id: str, hold_id: str, principal: Writer, deps: CurrentDeps) -> HoldOut:
    """End a hold."""
    return people.lift_hold(deps, principal, submission_id, hold_id)


@router.get("/reminders/scenario")
def read_scenario(principal: Reader, deps: CurrentDeps) -> dict[str, Any]:
    """The scenario in force."""
    return to_json(people.current_scenario(deps, principal.tenant_id))


@router.put("/reminders/scenario")
def save_scenario(
    definition: Annotated[dict[str, Any], Body()], principal: Writer, deps: CurrentDeps
) -> dict[str, Any]:
    """Put a new version of the scenario in force."""
    return to_json(people.save_scenario(deps, principal, definition))
