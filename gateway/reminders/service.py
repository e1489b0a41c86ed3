"""Reminders are decided regularly and whenever something happens to an invoice; each letter goes out once.

Claim, deliver, record: the decision row with its intent (`<invoice>:<stage>`, unique) is committed before the mail
leaves, in a transaction that reads the state again. A crash in between leaves the outcome `sending`. Then the spool
can say whether it has the mail; an SMTP server cannot, so a person is asked rather than the buyer written to twice.
"""

import uuid
from datetime import UTC, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import Session, aliased

from gateway.db import EVERY_TENANT
from gateway.deps import PARIS, Deps
from gateway.evidence.ledger import Kept
from gateway.mail import InDoubt, NotDelivered, channel_of, deliver, spool_path
from gateway.outbox import LEASE, Entry, Park, RetryLater, put
from gateway.outgoing.drafts import file_name
from gateway.record import Change, Work, lock_tenant, record
from gateway.reminders.decide import FINAL_STATUSES, QUIET, Outcome, offset_of
from gateway.reminders.drafting import Drafted, draft_mail
from gateway.reminders.scenario import THANKS, Scenario
from gateway.reminders.state import CREDITS, Seen, followers, look, look_at, scenario_of
from gateway.reminders.working import wait_for_hours
from gateway.tables import Decision, Document, OutboxEntry, Submission, Tenant

LOOKS: Final = 3
"""How often a state that changes while a letter is written is looked at before waiting a moment."""

BATCH: Final = 500


def tick(deps: Deps) -> None:
    """Put a `remind` entry for every invoice about which there is something to decide or to finish."""
    with deps.db.reading(EVERY_TENANT) as session:
        tenants = session.scalars(select(Tenant.id).order_by(Tenant.id)).all()
    for tenant_id in tenants:
        with deps.db.reading(tenant_id) as session:
            busy = [seen.submission.id for seen in candidates(session, deps, ~_is_in_hand()) if _is_work(deps, seen)]
        for start in range(0, len(busy), BATCH):
            with deps.db.transaction(tenant_id) as session:
                for submission_id in busy[start:start + BATCH]:
                    put(session, tenant_id, "remind", submission_id, now=deps.now())


def candidates(
    session: Session, deps: Deps, *where: ColumnElement[bool], days: int = 0, most: int | None = None
) -> list[Seen]:
    """The invoices of the session's tenant that a letter may concern within `days`, each with its decision today.

    By due date and id; at most so many.
    """
    scenario = scenario_of(session)
    lead = max(0, -scenario.stages[0].offset)
    wanted = select(Submission).where(
        Submission.active.is_(True), Submission.due_date <= deps.today() + timedelta(days=days + lead),
        Submission.type_code.is_(None) | Submission.type_code.not_in(CREDITS),
        Submission.lifecycle.is_(None) | Submission.lifecycle.not_in(FINAL_STATUSES),
        ~_is_closed(), *where,
    ).order_by(Submission.due_date, Submission.id).limit(most)
    following = followers(session)
    found: list[Seen] = []
    for part in session.scalars(wanted).partitions(BATCH):
        found += look_at(session, part, scenario, following, deps.today())
    return found


def handle_remind(deps: Deps, entry: Entry) -> None:
    """Handle one `remind` entry: decide about the invoice now and, if so decided, write to the buyer.

    Raises:
        RetryLater: another worker is at it, the hour is not one for letters, or the mail server could not be reached.
        Park: the mail server's answer was lost; a person must find out whether the buyer has the mail.
    """
    _finish_interrupted(deps, entry)
    for _ in range(LOOKS):
        with deps.db.reading(entry.tenant_id) as session:
            seen = look(session, entry.tenant_id, entry.subject_id, deps.today())
        if seen is None:
            raise Park("no such submission")
        if seen.decision.outcome is not Outcome.SENT:
            if _keep(deps, seen):
                return
            continue
        _wait_for_hours(deps, seen.scenario)
        drafted = draft_mail(deps, seen)
        claimed = _claim(deps, seen, drafted)
        if claimed is not None:
            _deliver(deps, claimed, drafted)
            return
    raise RetryLater("the state kept changing", at=deps.now() + timedelta(minutes=1), patient=True)


def _wait_for_hours(deps: Deps, scenario: Scenario) -> None:
    """Nobody wants a reminder at two in the morning."""
    local = deps.now().astimezone(PARIS)
    opening = wait_for_hours(local, *scenario.hours)
    if scenario.working_days_only and opening > local:
        raise RetryLater("outside office hours", at=opening.astimezone(UTC), patient=True)


def _is_closed() -> ColumnElement[bool]:
    """The latest decision says that nothing more comes. A later event brings its own `remind` entry."""
    newer = aliased(Decision)
    latest = select(func.max(newer.at)).where(
        newer.tenant_id == Submission.tenant_id, newer.submission_id == Submission.id
    ).scalar_subquery()
    return exists().where(Decision.tenant_id == Submission.tenant_id, Decision.submission_id == Submission.id,
                          Decision.outcome == Outcome.SKIPPED.value, Decision.at == latest)


def _is_in_hand() -> ColumnElement[bool]:
    """An entry waits already, in the queue or for a person."""
    return exists().where(and_(
        OutboxEntry.tenant_id == Submission.tenant_id, OutboxEntry.subject_id == Submission.id,
        OutboxEntry.topic == "remind", OutboxEntry.state.in_(("pending", "parked")),
    ))


def _is_work(deps: Deps, seen: Seen) -> bool:
    interrupted = any(row.outcome == "sending" and deps.now() >= row.at + LEASE for row in seen.rows)
    return interrupted or seen.decision.outcome is Outcome.SENT or _is_news(seen)


def _is_news(seen: Seen) -> bool:
    """Whether a decision against a letter says anything that the last one did not say."""
    decision = seen.decision
    last = seen.rows[-1] if seen.rows else None
    if decision.code in QUIET and (last is None or last.outcome not in {Outcome.HELD, Outcome.SKIPPED}):
        return False
    return last is None or (last.outcome, last.facts.get("code"), last.stage) != (
        decision.outcome, decision.code, decision.stage or "")


def _keep(deps: Deps, seen: Seen) -> bool:
    """Keep a decision against a letter, once per reason; False when a letter is due by now."""
    if not _is_news(seen):
        return True
    now, tenant_id = deps.now(), seen.submission.tenant_id
    with deps.db.transaction(tenant_id) as session:
        lock_tenant(session, tenant_id)
        again = look(session, tenant_id, seen.submission.id, deps.today())
        if again is None or again.decision.outcome is Outcome.SENT:
            return again is None
        if _is_news(again):
            decision = again.decision
            session.add(Decision(
                tenant_id=tenant_id, id=str(uuid.uuid4()), submission_id=seen.submission.id, intent=None,
                stage=decision.stage or "", at=now, outcome=decision.outcome.value, reason=decision.reason,
                facts=_facts_json(deps, again), scenario=again.scenario.name, channel=None, recipient=None, sha256=None,
            ))
            record(session, tenant_id, Change(
                kind="reminder", code=decision.outcome.value, actor="worker", submission_id=seen.submission.id,
                reason=decision.reason, data={"stage": decision.stage, "code": decision.code},
            ), now=now)
    return True


def _claim(deps: Deps, seen: Seen, drafted: Drafted) -> Decision | None:
    """Commit the intent to send, unless the state is no longer what the letter was written for."""
    now, submission = deps.now(), seen.submission
    kept = Kept("reminder", deps.store.put(drafted.content).hex, len(drafted.content))
    with deps.db.transaction(submission.tenant_id) as session:
        lock_tenant(session, submission.tenant_id)
        again = look(session, submission.tenant_id, submission.id, deps.today())
        if again is None or (again.decision, again.facts) != (seen.decision, seen.facts):
            return None
        stage = seen.decision.stage or ""
        row = again.rows[-1] if again.rows else None
        first = row is None or row.outcome != "failed" or row.stage != stage
        if row is None or first:  # a stage that failed before keeps its row: trying is not deciding
            row = Decision(tenant_id=submission.tenant_id, id=str(uuid.uuid4()), submission_id=submission.id)
            session.add(row)
        row.intent, row.stage, row.at, row.outcome = f"{submission.id}:{stage}", stage, now, "sending"
        row.reason, row.scenario, row.sha256 = seen.decision.reason, seen.scenario.name, kept.sha256
        row.channel, row.recipient = channel_of(deps.settings), drafted.recipient
        failure = row.facts.get("failure") if row.facts else None
        row.facts = {**_facts_json(deps, again), "failure": failure, "offset": offset_of(seen.scenario, stage),
                     "message_id": drafted.message_id, "subject": drafted.subject, "attached": drafted.attached,
                     "not_attached": drafted.not_attached, "size": kept.size}
        if first:
            record(session, row.tenant_id, Change(
                kind="reminder", code="sending", actor="worker", submission_id=submission.id, objects=(kept,),
                reason=f"{label_of(seen.scenario, stage)} : {seen.decision.reason}", data=_data(row),
            ), now=now)
    return row


def _deliver(deps: Deps, row: Decision, drafted: Drafted) -> None:
    try:
        deliver(deps.settings, drafted.content, message_id=drafted.message_id, sender=deps.settings.mail_from,
                recipient=drafted.recipient)
    except NotDelivered as error:
        conclude(deps, row, "failed", error.reason, refused=error.permanent)
        if not error.permanent:
            raise RetryLater(error.reason) from error
    except InDoubt as error:
        conclude(deps, row, "unknown", error.reason)
        raise Park(error.reason) from error
    else:
        conclude(deps, row, "sent", None)


def _finish_interrupted(deps: Deps, entry: Entry) -> None:
    """Settle what an earlier run began and did not finish."""
    with deps.db.reading(entry.tenant_id) as session:
        row = session.scalar(select(Decision).where(Decision.submission_id == entry.subject_id,
                                                    Decision.outcome == "sending"))
    if row is None:
        return
    if deps.now() < row.at + LEASE:
        raise RetryLater("another worker is sending", at=row.at + LEASE, patient=True)
    if row.channel == "spool":
        there = spool_path(deps.settings, row.facts["message_id"]).exists()
        conclude(deps, row, "sent" if there else "failed", None if there else "Interrompu avant l'envoi.")
        return
    reason = "Interrompu pendant l'envoi : vérifiez auprès du serveur de messagerie si le message est parti."
    conclude(deps, row, "unknown", reason)
    raise Park(reason)


def conclude(
    deps: Deps, row: Decision, outcome: str, reason: str | None, *, refused: bool = False, actor: str = "worker"
) -> None:
    """Record what became of a claimed letter: sent, failed (nobody has it; the intent is free again) or unknown."""
    now = deps.now()
    kept = Kept("reminder", row.sha256 or "", row.facts["size"])
    with deps.db.transaction(row.tenant_id) as session:
        lock_tenant(session, row.tenant_id)
        now_row = session.get(Decision, (row.tenant_id, row.id))
        if now_row is None or now_row.outcome not in {"sending", "unknown"} or now_row.outcome == outcome:
            return  # somebody else settled it
        again = outcome == "failed" and now_row.facts.get("failure") == reason
        now_row.outcome = outcome
        if outcome == "failed":
            now_row.intent = None
            now_row.facts = {**now_row.facts, "failure": reason, "refused": refused}
        submission = session.get(Submission, (row.tenant_id, row.submission_id))
        if outcome == "sent" and submission is not None:
            session.add(Document(
                tenant_id=row.tenant_id, id=str(uuid.uuid4()), submission_id=row.submission_id, role="reminder",
                syntax=None, media_type="message/rfc822", sha256=kept.sha256, size=kept.size, at=now,
                name=file_name(submission.number, f"relance-{row.stage}", "message/rfc822"),
            ))
        if not again:
            record(session, row.tenant_id, Change(
                kind="reminder", code=outcome, actor=actor, submission_id=row.submission_id, objects=(kept,),
                reason=reason or f"{row.facts['subject']} ; à {row.recipient}", data=_data(row),
                then=(Work(topic="remind", subject_id=row.submission_id),) if refused or actor != "worker" else (),
            ), now=now)


def label_of(scenario: Scenario, stage: str) -> str:
    """The French name of a stage."""
    if stage == THANKS:
        return "Remerciement"
    return next((known.fr for known in scenario.stages if known.key == stage), stage)


def _facts_json(deps: Deps, seen: Seen) -> dict[str, object]:
    """The facts of a decision, its code, the day it is for, and its place among the decisions of the invoice."""
    until = seen.decision.until
    return {**seen.facts.to_json(), "code": seen.decision.code, "day": deps.today().isoformat(),
            "until": until.isoformat() if until else None, "n": len(seen.rows) + 1}


def _data(row: Decision) -> dict[str, object]:
    return {"decision": row.id, "stage": row.stage, "message_id": row.facts["message_id"], "channel": row.channel,
            "recipient": row.recipient, "balance": row.facts["balance"], "currency": row.facts["currency"]}
