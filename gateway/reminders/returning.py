"""A letter came back: told by a person, or read from a report of a mail server. What follows is the same."""

import uuid
from datetime import date, datetime

from sqlalchemy.orm import Session

from gateway.evidence.ledger import Kept
from gateway.outgoing.drafts import file_name
from gateway.record import Change, Work, record
from gateway.reminders.cases import open_case
from gateway.reminders.state import look
from gateway.tables import Document, Submission
from gateway.tables_reminders import Decision

RETURNED = "returned"
"""Role of the report, among the documents of its invoice."""


def came_back(
    session: Session, row: Decision, reason: str, *, actor: str, now: datetime, today: date, stop: bool = True,
    report: Kept | None = None,
) -> None:
    """A letter did not reach its reader: a case is opened, the stage stays taken. Told again, it changes nothing.

    `stop`: nothing more goes to its address. In the caller's transaction, under the tenant's lock.
    """
    if row.facts.get("refused") or (not stop and row.facts.get("failure") == reason):
        return
    row.facts = {**row.facts, "failure": reason, "refused": stop}
    submission = session.get_one(Submission, (row.tenant_id, row.submission_id))
    if report is not None:
        session.add(Document(
            tenant_id=row.tenant_id, id=str(uuid.uuid4()), submission_id=row.submission_id, role=report.role,
            syntax=None, media_type="message/rfc822", sha256=report.sha256, size=report.size, at=now,
            name=file_name(submission.number, "retour", "message/rfc822")))
    record(session, row.tenant_id, Change(
        kind="reminder", code="bounced", actor=actor, submission_id=row.submission_id, reason=reason,
        objects=(report,) if report is not None else (), data={"decision": row.id, "stage": row.stage, "stop": stop},
        then=(Work(topic="remind", subject_id=row.submission_id),) if stop else ()), now=now)
    open_case(session, submission, "bounce", reason, seen=look(session, row.tenant_id, submission.id, today), now=now,
              today=today, actor=actor)
