"""What the page Relances reads: decisions and holds."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.console.queries import PER_PAGE, Listing
from gateway.console.words import Word
from gateway.reminders.scenario import THANKS, Scenario
from gateway.reminders.state import in_force
from gateway.tables import Submission
from gateway.tables_channels import ReturnedMail
from gateway.tables_reminders import Decision, Hold

RETURNED: Final[Mapping[str, Word]] = {
    "permanent": Word("Refus définitif", "bad"), "given-up": Word("Non remis", "warn"),
    "delayed": Word("Remise retardée", "info"), "complaint": Word("Signalé comme indésirable", "bad"),
    "delivered": Word("Remis", "good"), "auto-reply": Word("Réponse automatique", "quiet"),
    "other": Word("Autre courriel", "quiet"), "unreadable": Word("Illisible", "warn"),
}
"""What a mail that came back was taken for."""

OUTCOMES: Final[Mapping[str, str]] = {
    "stopped": "Cas ouvert ; rien ne part plus à cette adresse",
    "told": "Signalé sur la facture ; l'adresse reste utilisable",
    "unknown": "Ne correspond à aucun envoi : rien n'a changé", "nothing": "Rien n'a changé",
}
"""What followed."""


def decisions(session: Session, outcome: str, page: int) -> Listing:
    """One page of (decision, invoice), newest first; `outcome` narrows when it is not empty."""
    query = select(Decision, Submission).join(
        Submission, (Submission.tenant_id == Decision.tenant_id) & (Submission.id == Decision.submission_id))
    if outcome:
        query = query.where(Decision.outcome == outcome)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    page_of = query.order_by(Decision.at.desc(), Decision.id).limit(PER_PAGE).offset((page - 1) * PER_PAGE)
    return Listing([tuple(row) for row in session.execute(page_of)], total, page)


def holds(session: Session, today: date) -> list[tuple[Any, ...]]:
    """(hold, invoice) of every hold in force, newest first."""
    query = (
        select(Hold, Submission)
        .join(Submission, (Submission.tenant_id == Hold.tenant_id) & (Submission.id == Hold.submission_id))
        .where(*in_force(today)).order_by(Hold.created_at.desc())
    )
    return [tuple(row) for row in session.execute(query)]


def returned(session: Session, page: int) -> Listing:
    """One page of (mail that came back, invoice or None), newest first."""
    query = select(ReturnedMail, Submission).outerjoin(
        Submission, (Submission.tenant_id == ReturnedMail.tenant_id) & (Submission.id == ReturnedMail.submission_id))
    total = session.scalar(select(func.count()).select_from(ReturnedMail)) or 0
    page_of = query.order_by(ReturnedMail.received_at.desc(), ReturnedMail.id)
    rows = session.execute(page_of.limit(PER_PAGE).offset((page - 1) * PER_PAGE))
    return Listing([tuple(row) for row in rows], total, page)


def stage_names(scenario: Scenario) -> dict[str, str]:
    """The French name of each stage, by its key."""
    return {**{stage.key: stage.fr for stage in scenario.stages}, THANKS: "Remerciement"}
