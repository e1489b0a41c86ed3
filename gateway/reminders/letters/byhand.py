"""Stages that a person finishes: a call, a letter to post, a formal notice to register, a file for an agency.

The machine prepares the paper, keeps it with the invoices, and opens the task; who posts it says so by closing the
task. One paper and one task for all invoices of a client that are at that stage; each has its own decision record.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.outgoing.drafts import file_name
from gateway.record import Change, Work, lock_tenant, record
from gateway.reminders.cases import keep_pace, known_cases, open_case
from gateway.reminders.decide import offset_of
from gateway.reminders.grouping import unchanged
from gateway.reminders.keeping import facts_json, label_of
from gateway.reminders.letters.paper import Prepared, prepare
from gateway.reminders.state import Seen
from gateway.tables import Document
from gateway.tables_reminders import Decision

ROLES: Final = {"letter": "lettre", "notice": "mise-en-demeure", "handover": "recouvrement"}
"""What the name of a paper says of it, by channel."""


def hand_over(deps: Deps, seen: Seen, group: Sequence[Seen]) -> bool:
    """Prepare the stage for this invoice and those beside it, keep its paper and open its task, once.

    False when the state of one of them has changed meanwhile: then nothing was done.
    """
    made = prepare(deps, seen, group)
    kept = Kept("reminder", deps.store.put(made.paper).hex, len(made.paper)) if made.paper else None
    with deps.db.transaction(seen.submission.tenant_id) as session:
        lock_tenant(session, seen.submission.tenant_id)
        now, now_seen = deps.now(), unchanged(session, deps, made.group)  # one moment: it is one message
        for one in now_seen:
            _keep(deps, session, one, made, kept, now=now)
        if now_seen:
            lead, *beside = now_seen
            why = made.trouble or ("" if beside else lead.decision.reason)
            open_case(session, lead.submission, lead.decision.channel, why, stage=lead.decision.stage or "", seen=lead,
                      beside=beside, now=now, today=deps.today())
    return bool(now_seen)


def _keep(
    deps: Deps, session: Session, seen: Seen, made: Prepared, kept: Kept | None, *, now: datetime
) -> None:
    """The decision about one invoice, its paper and its event."""
    submission, decision = seen.submission, seen.decision
    stage = decision.stage or ""
    row = Decision(
        tenant_id=submission.tenant_id, id=str(uuid.uuid4()), submission_id=submission.id,
        intent=f"{submission.id}:{stage}", stage=stage, at=now, outcome="sent", reason=decision.reason,
        facts={**facts_json(deps, seen), "offset": offset_of(seen.scenario, stage), "not_prepared": made.trouble,
               **made.facts},
        scenario=seen.scenario.name, channel=decision.channel, recipient=None, sha256=kept.sha256 if kept else None,
    )
    session.add(row)
    if kept:
        session.add(Document(
            tenant_id=row.tenant_id, id=str(uuid.uuid4()), submission_id=submission.id, role="reminder", syntax=None,
            media_type=made.media_type, sha256=kept.sha256, size=kept.size, at=now,
            name=file_name(submission.number, ROLES[decision.channel], made.media_type)))
    record(session, row.tenant_id, Change(
        kind="reminder", code="prepared", actor="worker", submission_id=submission.id,
        objects=(kept,) if kept else (), reason=f"{label_of(seen.scenario, stage)} : {decision.reason}",
        data={"decision": row.id, "stage": stage, "channel": row.channel},
        then=(Work(topic="remind", subject_id=submission.id),),
    ), now=now)
    keep_pace(session, seen, known_cases(session, [seen]), now=now, today=deps.today())
