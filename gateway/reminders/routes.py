"""HTTP of reminders."""

from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Body, Query, Response

from gateway.auth import Permission, Principal, Requires
from gateway.deps import CurrentDeps
from gateway.problems import documented
from gateway.reminders import cases, people, planning, trying
from gateway.reminders.scenario import to_json
from gateway.reminders.schemas import (
    BounceIn,
    CaseOut,
    DecisionOut,
    HoldIn,
    HoldOut,
    PreviewOut,
    RemindersOut,
    ResolutionIn,
    SettlementIn,
    TrialOut,
)

router = APIRouter(prefix="/v1", tags=["reminders"])
Reader = Annotated[Principal, Requires(Permission.REMINDERS_READ)]
Writer = Annotated[Principal, Requires(Permission.REMINDERS_WRITE)]
Segment = Annotated[str, Query(pattern=r"^[a-z0-9-]{0,40}$")]
Version = Annotated[int | None, Query(ge=1, le=1_000_000)]


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


@router.get("/reminders/scenario", responses=documented(404))
def read_scenario(
    principal: Reader, deps: CurrentDeps, segment: Segment = "", version: Version = None
) -> dict[str, Any]:
    """The scenario of a segment: that in force, or a version of it."""
    return to_json(trying.version_of(deps, principal.tenant_id, segment, version))


@router.put("/reminders/scenario")
def save_scenario(
    definition: Annotated[dict[str, Any], Body()], principal: Writer, deps: CurrentDeps, segment: Segment = ""
) -> dict[str, Any]:
    """Put a new version of a segment's scenario in force."""
    return to_json(people.save_scenario(deps, principal, definition, segment))


@router.get("/reminders/scenario/trial", responses=documented(404))
def try_scenario(
    principal: Reader, deps: CurrentDeps, *, since: date, until: date, segment: Segment = "", version: Version = None
) -> TrialOut:
    """What a version would have done between two days of the past, beside what went out. Sends nothing."""
    scenario = trying.version_of(deps, principal.tenant_id, segment, version)
    return TrialOut.model_validate(trying.try_out(deps, principal.tenant_id, scenario, since, until))


@router.get("/reminders/preview")
def preview(
    principal: Reader, deps: CurrentDeps, days: Annotated[int, Query(ge=1, le=90)] = 30, after: str = ""
) -> PreviewOut:
    """The letters to come if nothing happens meanwhile, by day; then those that wait, and why. `next` goes on."""
    return planning.preview_page(deps, principal.tenant_id, days, after)


@router.get("/reminders/cases")
def list_cases(
    principal: Reader, deps: CurrentDeps, response: Response, *, closed: bool = False, after: str = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 500,
) -> list[CaseOut]:
    """What waits for a person, the most urgent first; or what was closed, the newest first.

    Where there are more, the header `Link` says where they are (`rel="next"`); `after` is the id of a case.
    """
    with deps.db.reading(principal.tenant_id) as session:
        found, last = cases.cases_page(session, principal.tenant_id, closed=closed, after=after, limit=limit)
    if last is not None:
        ways = urlencode({"closed": str(closed).lower(), "after": last, "limit": limit})
        response.headers["Link"] = f'</v1/reminders/cases?{ways}>; rel="next"'
    return found


@router.post("/reminders/cases/{case_id}/resolution", responses=documented(409))
def close_case(case_id: str, found: ResolutionIn, principal: Writer, deps: CurrentDeps) -> CaseOut:
    """Close a case, or grant or decline an approval."""
    cases.close_case(deps, principal, case_id, found.outcome, found.reason)
    with deps.db.reading(principal.tenant_id) as session:
        return cases.case_of(session, principal.tenant_id, case_id)


@router.post("/invoices/{submission_id}/reminders/{decision_id}/bounce", responses=documented(409))
def tell_bounce(
    submission_id: str, decision_id: str, found: BounceIn, principal: Writer, deps: CurrentDeps
) -> DecisionOut:
    """Say that a letter came back: nothing more goes to that address, and a case is opened."""
    return people.bounce(deps, principal, submission_id, decision_id, found)
