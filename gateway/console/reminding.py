"""What the page Relances reads: decisions and holds."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.console.queries import PER_PAGE, Listing
from gateway.reminders.scenario import THANKS, Scenario
from gateway.tables import Submission
from gateway.tables_reminders import Decision, Hold


def decisions(session: Session, outcome: str, page: int) -> Listing:
    """One page of (decision, invoice), newest first; `outcome` narrows when it is not empty."""
    query = select(Decision, Submission).join(
        Submission, (Submission.tenant_id == Decision.tenant_id) & (Submission.id == Decision.submission_id))
    if outcome:
        query = query.where(Decision.outcome == outcome)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    page_of = query.order_by(Decision.at.desc(), Decision.id).limit(PER_PAGE).offset((page - 1) * PER_PAGE)
    return Listing([tuple(row) for row in session.execute(page_of)], total, page)


def holds(session: Session) -> list[tuple[Any, ...]]:
    """(hold, invoice) of every hold in force, newest first."""
    query = (
        select(Hold, Submission)
        .join(Submission, (Submission.tenant_id == Hold.tenant_id) & (Submission.id == Hold.submission_id))
        .where(Hold.lifted_at.is_(None)).order_by(Hold.created_at.desc())
    )
    return [tuple(row) for row in session.execute(query)]


def stage_names(scenario: Scenario) -> dict[str, str]:
    """The French name of each stage, by its key."""
    return {**{stage.key: stage.fr for stage in scenario.stages}, THANKS: "Remerciement"}
