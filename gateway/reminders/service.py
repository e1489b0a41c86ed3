"""Each letter goes out once: decided again when it is due, claimed, delivered, recorded.

Claim, deliver, record: the decision row with its intent (`<invoice>:<stage>`, unique) is committed before the mail
leaves, in a transaction that reads the state again. A crash in between leaves the outcome `sending`. Then the spool
can say whether it has the mail; an SMTP server cannot, so a person is asked rather than the buyer written to twice.
One mail, call or paper may serve several invoices of a client: each has its own row and intent, and all of them are
claimed or none.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.mail import InDoubt, NotDelivered
from gateway.outbox import LEASE, Entry, Park, RetryLater
from gateway.record import Change, lock_tenant, record
from gateway.reminders.cases import keep_pace, known_cases, wait_for_others
from gateway.reminders.decide import WRITTEN, Outcome, offset_of
from gateway.reminders.grouping import group_of, unchanged
from gateway.reminders.keeping import facts_json, keep, label_of, wake_named
from gateway.reminders.letters.byhand import hand_over
from gateway.reminders.letters.drafting import Drafted
from gateway.reminders.letters.leaving import deliver, draft, has_left, wait_for_office
from gateway.reminders.settling import conclude, of_one_mail, told_of
from gateway.reminders.state import Seen, look
from gateway.tables_reminders import Decision

LOOKS: Final = 3
"""How often a state that changes while a letter is written is looked at before waiting a moment."""


def handle_remind(deps: Deps, entry: Entry) -> None:
    """Handle one `remind` entry: decide about the invoice now and, if so decided, write to the buyer.

    Raises:
        RetryLater: another worker is at it, the hour is not one for letters, or the mail server could not be reached.
        Park: the mail server's answer was lost; a person must find out whether the buyer has the mail.
    """
    for turn in range(LOOKS):
        with deps.db.reading(entry.tenant_id) as session:
            seen = look(session, entry.tenant_id, entry.subject_id, deps.today())
            interrupted = next((row for row in seen.rows if row.outcome == "sending"), None) if seen else None
            group = group_of(session, deps, seen) if seen and seen.decision.outcome is Outcome.SENT else ()
            early = bool(group) and seen is not None and wait_for_others(session, seen, deps.today())
        if seen is None:
            raise Park("no such submission")
        if not turn:
            wake_named(deps, entry, seen.submission)
        if interrupted is not None:
            _finish(deps, interrupted)
            continue
        if not group:
            if keep(deps, seen):
                return
            continue
        wait_for_office(deps, seen.scenario)
        if early:
            raise RetryLater("others wait for the same approval", at=deps.now() + timedelta(hours=1), patient=True)
        if seen.decision.channel not in WRITTEN:
            if hand_over(deps, seen, group):
                return
            continue
        drafted = draft(deps, group)
        claimed = _claim(deps, group, drafted)
        if claimed:
            _deliver(deps, claimed, drafted)
            return
    raise RetryLater("the state kept changing", at=deps.now() + timedelta(minutes=1), patient=True)


def _claim(deps: Deps, group: Sequence[Seen], drafted: Drafted) -> list[Decision]:
    """Commit the intents to send, unless a state is no longer what the letter was written for: then none at all."""
    tenant_id = group[0].submission.tenant_id
    kept = Kept("reminder", deps.store.put(drafted.content).hex, len(drafted.content))
    with deps.db.transaction(tenant_id) as session:
        lock_tenant(session, tenant_id)
        now = deps.now()  # one moment for all of them: by it they are known as those of one mail
        return [_intend(deps, session, seen, drafted, kept, now=now) for seen in unchanged(session, deps, group)]


def _intend(
    deps: Deps, session: Session, seen: Seen, drafted: Drafted, kept: Kept, *, now: datetime
) -> Decision:
    submission, stage = seen.submission, seen.decision.stage or ""
    row = seen.rows[-1] if seen.rows else None
    first = row is None or row.outcome != "failed" or row.stage != stage
    if row is None or first:  # a stage that failed before keeps its row: trying is not deciding
        row = Decision(tenant_id=submission.tenant_id, id=str(uuid.uuid4()), submission_id=submission.id)
        session.add(row)
    row.intent, row.stage, row.at, row.outcome = f"{submission.id}:{stage}", stage, now, "sending"
    row.reason, row.scenario, row.sha256 = seen.decision.reason, seen.scenario.name, kept.sha256
    row.channel, row.recipient, row.message_id = drafted.channel, drafted.recipient, drafted.message_id
    failure = row.facts.get("failure") if row.facts else None
    row.facts = {**facts_json(deps, seen), "failure": failure, "offset": offset_of(seen.scenario, stage),
                 "subject": drafted.subject, "size": kept.size, **drafted.facts}
    if first:
        record(session, row.tenant_id, Change(
            kind="reminder", code="sending", actor="worker", submission_id=submission.id, objects=(kept,),
            reason=f"{label_of(seen.scenario, stage)} : {seen.decision.reason}", data=told_of(row),
        ), now=now)
    keep_pace(session, seen, known_cases(session, [seen]), now=now, today=deps.today())
    return row


def _deliver(deps: Deps, rows: Sequence[Decision], drafted: Drafted) -> None:
    try:
        deliver(deps, rows[0].tenant_id, drafted)
    except NotDelivered as error:
        for row in rows:
            conclude(deps, row, "failed", error.reason, refused=error.permanent)
        if not error.permanent:
            raise RetryLater(error.reason) from error
    except InDoubt as error:
        for row in rows:
            conclude(deps, row, "unknown", error.reason)
        raise Park(error.reason) from error
    else:
        for row in rows:
            conclude(deps, row, "sent", None)


def _finish(deps: Deps, row: Decision) -> None:
    """Settle what an earlier run began and did not finish."""
    if deps.now() < row.at + LEASE:
        raise RetryLater("another worker is sending", at=row.at + LEASE, patient=True)
    there = has_left(deps, row)
    if there is not None:
        for one in of_one_mail(deps, row):
            conclude(deps, one, "sent" if there else "failed", None if there else "Interrompu avant l'envoi.")
        return
    reason = "Interrompu pendant l'envoi : vérifiez auprès du service de messagerie si le message est parti."
    for one in of_one_mail(deps, row):
        conclude(deps, one, "unknown", reason)
    raise Park(reason)
