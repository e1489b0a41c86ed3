"""Relances: what comes next, what was decided and why, the scenario."""

from typing import Annotated

from fastapi import APIRouter, Response

from gateway.auth import Permission
from gateway.console import people, queries, words
from gateway.console.page import Page, Sees, Visit
from gateway.console.reminding import decisions, holds, scenario_of

router = APIRouter(route_class=Page, include_in_schema=False)


@router.get("/relances")
def show_reminders(
    visit: Annotated[Visit, Sees(Permission.REMINDERS_READ)], issue: str = "", page: str = ""
) -> Response:
    """Decisions with their reason, holds in force, the stages of the scenario."""
    outcome = issue if issue in words.DECISIONS else ""
    number = min(max(int(page), 1), 10_000) if page.isdecimal() else 1
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        listing = decisions(session, outcome, number)
        late = [row for row in queries.owed(session, visit.deps.today()) if row.overdue_days]
        waits, scenario, names = holds(session), scenario_of(session), people.names(session)
    return visit.draw("relances.html", listing=listing, outcome=outcome, late=late[:20], late_count=len(late),
                      holds=waits, scenario=scenario, names=names,
                      stages={**{stage.key: stage.fr for stage in scenario.stages}, "thanks": "Remerciement"})
