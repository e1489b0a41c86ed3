"""What was settled about a client goes with the last of its invoices: nothing needs it any more."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from gateway.receivables.account import client_of
from gateway.receivables.open_items import of_client
from gateway.tables import Submission
from gateway.tables_reminders import ReminderClient
from gateway.tables_retention import Retention


def forget_client(session: Session, submission: Submission) -> None:
    """Forget the client of an invoice that is destroyed, unless another invoice of it is here. Before its names go."""
    client = client_of(submission.buyer_siren, submission.buyer_name).key
    gone = select(Retention.submission_id).where(Retention.destroyed_at.is_not(None))
    stays = select(Submission.id).where(
        *of_client(session, client), Submission.id != submission.id, Submission.id.not_in(gone)).limit(1)
    if session.scalar(stays) is None:
        session.execute(delete(ReminderClient).where(ReminderClient.key == client))
