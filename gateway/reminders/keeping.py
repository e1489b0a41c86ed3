"""Decisions against a letter are kept, once per reason, with the facts they rest on and the cases that follow."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.db import insert_rows, slices, together
from gateway.deps import Deps
from gateway.outbox import Entry, is_pending, put
from gateway.receivables.documents import FOLLOWERS
from gateway.record import Change, lock_tenant, record
from gateway.reminders.cases import JOINT, Known, bring_up, keep_pace, known_cases
from gateway.reminders.decide import APPROVED, COMPLETED, OPENS, QUIET, TO_CONFIRM, Outcome, passed_over
from gateway.reminders.pending import Awaited
from gateway.reminders.scenario import THANKS, Scenario
from gateway.reminders.state import Seen, ground_of, look, look_at
from gateway.tables import Submission
from gateway.tables_reminders import Decision

NAMED_BY: Final = "named_by"
"""Key in the payload of a `remind` entry: the document whose news woke this one."""

QUESTIONS: Final = OPENS | {APPROVED, COMPLETED}
STOPPED: Final = frozenset(f"status-{code}" for code in OPENS)

AT_ONCE: Final = 200
"""Decisions that share a transaction: others who write wait no longer than for these."""


def is_news(seen: Seen) -> bool:
    """Whether a decision against a letter says anything that the last one did not say."""
    decision = seen.decision
    last = seen.rows[-1] if seen.rows else None
    if decision.code in QUIET and (last is None or last.outcome not in {Outcome.HELD, Outcome.SKIPPED}):
        return False
    if last is None or (last.outcome, last.facts.get("code"), last.stage) != (
            decision.outcome, decision.code, decision.stage or ""):
        return True
    return (decision.code == TO_CONFIRM and last.facts.get("pending") != seen.facts.to_json()["pending"]) or (
        decision.code in STOPPED and _questions(last.facts) != _questions(seen.facts.to_json()))


def _questions(told: Mapping[str, Any]) -> list[dict[str, str]]:
    """What was asked and answered, by the facts of a decision: asked once more, it stops as before and wants a case."""
    return [status for status in told.get("statuses", ()) if status["code"] in QUESTIONS]


def keep(deps: Deps, seen: Seen) -> bool:
    """Keep a decision against a letter, once per reason; False when a letter is due by now."""
    if not is_news(seen) and not any(row.channel in JOINT for row in seen.rows):
        return True
    tenant_id = seen.submission.tenant_id
    with deps.db.transaction(tenant_id) as session:
        lock_tenant(session, tenant_id)
        again = look(session, tenant_id, seen.submission.id, deps.today())
        if again is None or again.decision.outcome is Outcome.SENT:
            return again is None
        known = known_cases(session, [again])
        if is_news(again):
            _write(deps, session, again, known)
        else:
            bring_up(session, again, known, now=deps.now(), today=deps.today())
    return True


def wake_named(deps: Deps, entry: Entry, follower: Submission) -> None:
    """Have the invoices decided again that a credit note or a corrected invoice names: what is news of it is of them.

    Their last decision may say that nothing more comes, since they are credited or replaced. What was woken wakes
    nobody in turn: two documents may name each other.
    """
    if NAMED_BY in entry.payload or follower.type_code not in FOLLOWERS or not follower.preceding:
        return
    with deps.db.transaction(entry.tenant_id) as session:
        for one in session.scalars(select(Submission.id).where(
                Submission.seller_siren == follower.seller_siren, Submission.number.in_(follower.preceding),
                Submission.active.is_(True), Submission.id != follower.id)).all():
            if not is_pending(session, "remind", one):
                put(session, entry.tenant_id, "remind", one, now=deps.now(), payload={NAMED_BY: entry.subject_id})


def keep_all(deps: Deps, tenant_id: str, ids: Sequence[str], money: Awaited) -> None:
    """As `keep`, for many invoices: read again and written some hundred at a time. What became due is left alone.

    But for the money that waits for a person, which a letter alone looks for again.
    """
    for part in slices(ids, AT_ONCE):
        with deps.db.transaction(tenant_id) as session:
            lock_tenant(session, tenant_id)
            found = session.scalars(select(Submission).where(Submission.id.in_(part))).all()
            against = [seen for seen in look_at(session, found, ground_of(session, money=money), deps.today())
                       if seen.decision.outcome is not Outcome.SENT and is_news(seen)]
            known = known_cases(session, against)
            with together(session):
                for seen in against:
                    _write(deps, session, seen, known)


def facts_json(deps: Deps, seen: Seen) -> dict[str, object]:
    """The facts of a decision, its code, the day it is for, and its place among the decisions of the invoice."""
    until = seen.decision.until
    return {**seen.facts.to_json(), "code": seen.decision.code, "day": deps.today().isoformat(),
            "until": until.isoformat() if until else None, "n": len(seen.rows) + 1,
            "passed_over": passed_over(seen.facts, seen.scenario, seen.decision.stage or "")}


def label_of(scenario: Scenario, stage: str) -> str:
    """The French name of a stage."""
    if stage == THANKS:
        return "Remerciement"
    return next((known.fr for known in scenario.stages if known.key == stage), stage)


def _write(deps: Deps, session: Session, seen: Seen, known: Known) -> None:
    now, tenant_id, decision = deps.now(), seen.submission.tenant_id, seen.decision
    insert_rows(session, Decision, [{
        "tenant_id": tenant_id, "id": str(uuid.uuid4()), "submission_id": seen.submission.id, "intent": None,
        "stage": decision.stage or "", "at": now, "outcome": decision.outcome.value, "reason": decision.reason,
        "facts": facts_json(deps, seen), "scenario": seen.scenario.name, "channel": None, "recipient": None,
        "sha256": None}])
    record(session, tenant_id, Change(
        kind="reminder", code=decision.outcome.value, actor="worker", submission_id=seen.submission.id,
        reason=decision.reason, data={"stage": decision.stage, "code": decision.code},
    ), now=now)
    keep_pace(session, seen, known, now=now, today=deps.today())
