"""What became of a claimed letter, for every invoice that was in it: sent, failed or unknown."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select

from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.outbox import revive
from gateway.outgoing.drafts import file_name
from gateway.record import Change, Work, lock_tenant, record
from gateway.tables import Document, OutboxEntry, Submission
from gateway.tables_reminders import Decision


def of_one_mail(deps: Deps, row: Decision) -> Sequence[Decision]:
    """The rows of all invoices that were in a mail: what became of it became of all of them."""
    with deps.db.reading(row.tenant_id) as session:
        return session.scalars(select(Decision).where(
            Decision.sha256 == row.sha256, Decision.outcome == row.outcome, Decision.at == row.at)).all()


def conclude(
    deps: Deps, row: Decision, outcome: str, reason: str | None, *, refused: bool = False, actor: str = "worker"
) -> None:
    """Record what became of a claimed letter: sent, failed (nobody has it; the intent is free again) or unknown."""
    now = deps.now()
    media = "message/rfc822" if row.message_id else "text/plain"
    kept = Kept("reminder", row.sha256 or "", row.facts["size"])
    with deps.db.transaction(row.tenant_id) as session:
        lock_tenant(session, row.tenant_id)
        now_row = session.get(Decision, (row.tenant_id, row.id))
        if now_row is None or now_row.outcome not in {"sending", "unknown"} or now_row.outcome == outcome:
            return  # somebody else settled it
        again = outcome == "failed" and now_row.facts.get("failure") == reason
        if now_row.outcome == "unknown":  # nobody needs to find out any more: what comes next is decided again
            for entry_id in session.scalars(select(OutboxEntry.id).where(
                    OutboxEntry.topic == "remind", OutboxEntry.subject_id == row.submission_id,
                    OutboxEntry.state == "parked")).all():
                revive(session, entry_id, now)
        now_row.outcome = outcome
        if outcome == "failed":
            now_row.intent = None
            now_row.facts = {**now_row.facts, "failure": reason, "refused": refused}
        submission = session.get(Submission, (row.tenant_id, row.submission_id))
        if outcome == "sent" and submission is not None:
            session.add(Document(
                tenant_id=row.tenant_id, id=str(uuid.uuid4()), submission_id=row.submission_id, role="reminder",
                syntax=None, media_type=media, sha256=kept.sha256, size=kept.size, at=now,
                name=file_name(submission.number, f"relance-{row.stage}", media),
            ))
        if not again:
            record(session, row.tenant_id, Change(
                kind="reminder", code=outcome, actor=actor, submission_id=row.submission_id, objects=(kept,),
                reason=reason or f"{row.facts['subject']} ; à {row.recipient}", data=told_of(row),
                then=(Work(topic="remind", subject_id=row.submission_id),) if refused or actor != "worker" else (),
            ), now=now)


def told_of(row: Decision) -> dict[str, object]:
    """What the event of a letter says of it."""
    return {"decision": row.id, "stage": row.stage, "message_id": row.message_id, "channel": row.channel,
            "recipient": row.recipient, "balance": row.facts["balance"], "currency": row.facts["currency"]}
