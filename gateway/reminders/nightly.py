"""The regular turn: every invoice that a letter may concern is looked at, what is decided against is kept at once.

Letters themselves are work of the outbox (service.py), one entry each. Catching up after an outage is the same turn:
what is due is computed from the state of each invoice, so a missed day leaves one letter to send, not several.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, ScalarResult, and_, bindparam, exists, func, select
from sqlalchemy.orm import Session, aliased

from gateway.db import slices
from gateway.deps import Deps
from gateway.outbox import LEASE, put
from gateway.receivables.account import CREDITS
from gateway.receivables.lines import catch_up
from gateway.reminders.decide import FINAL_STATUSES, Outcome
from gateway.reminders.keeping import is_news, keep_all
from gateway.reminders.pending import Awaited, awaited
from gateway.reminders.scenario import Scenario
from gateway.reminders.state import Seen, ground_of, look_at
from gateway.tables import OutboxEntry, Submission
from gateway.tables_reminders import Decision
from gateway.tables_retention import Retention
from gateway.turns import for_each_tenant

BATCH: Final = 500

NEWER: Final = aliased(Decision)
LATEST: Final = select(func.max(NEWER.at)).where(
    NEWER.tenant_id == Decision.tenant_id, NEWER.submission_id == Decision.submission_id).scalar_subquery()
MAY_CHANGE: Final = ("finished", "small-balance", "corrected")
"""Answers that another scenario or another document may change without an event of the invoice's own."""

NO_CREDIT: Final = ("0", "0.00")
CLOSED: Final = exists().where(
    Decision.tenant_id == Submission.tenant_id, Decision.submission_id == Submission.id,
    Decision.outcome == Outcome.SKIPPED.value, Decision.at == LATEST, Decision.at < bindparam("settled"),
    Decision.facts["code"].as_string().not_in(MAY_CHANGE), Decision.facts["credited"].as_string().in_(NO_CREDIT))
"""The latest decision says that nothing more comes, and nothing but an event of the invoice can change that.

Such an event brings its own `remind` entry. What was credited may be owed again once the credit note is refused;
`settled` is the moment before which the days for thanks are over.
"""

DESTROYED: Final = select(Retention.submission_id).where(Retention.destroyed_at.is_not(None))
"""At the end of their time: what is left of them says nothing of what is owed, and nothing more is said of them."""

IN_HAND: Final = exists().where(and_(
    OutboxEntry.tenant_id == Submission.tenant_id, OutboxEntry.subject_id == Submission.id,
    OutboxEntry.topic == "remind", OutboxEntry.state.in_(("pending", "parked"))))
"""An entry waits already, in the queue or for a person."""


def tick(deps: Deps) -> None:
    """Decide for every tenant."""
    for_each_tenant(deps, decide_all)


def decide_all(deps: Deps, tenant_id: str) -> int:
    """Keep what is decided against, put a `remind` entry where a letter is due or one must be finished.

    Returns how many invoices were looked at.
    """
    due: list[str] = []
    against: list[str] = []
    looked_at = 0
    catch_up(deps, tenant_id)
    with deps.db.reading(tenant_id) as session:
        money = awaited(session)
        for seen in sweep(session, deps, ~IN_HAND, money=money):
            looked_at += 1
            if seen.decision.outcome is Outcome.SENT or _is_interrupted(deps, seen):
                due.append(seen.submission.id)
            elif is_news(seen):
                against.append(seen.submission.id)
    keep_all(deps, tenant_id, against, money)
    for part in slices(due, BATCH):
        with deps.db.transaction(tenant_id) as session:
            for submission_id in part:
                put(session, tenant_id, "remind", submission_id, now=deps.now())
    return looked_at


def sweep(
    session: Session, deps: Deps, *where: ColumnElement[bool], days: int = 0, most: int | None = None,
    money: Awaited | None = None,
) -> Iterator[Seen]:
    """The invoices of the session's tenant that a letter may concern within `days`, each with its decision today.

    By due date and id; at most so many. `money`: as for `ground_of`.
    """
    ground = ground_of(session, money=money)
    lead = max(0, *(-scenario.stages[0].offset for scenario in ground.scenarios.values()))
    soon = Submission.due_date <= deps.today() + timedelta(days=days + lead)
    for part in concerned(session, deps, ground.scenarios.values(), soon, *where, most=most).partitions(BATCH):
        yield from look_at(session, part, ground, deps.today())


def concerned(
    session: Session, deps: Deps, scenarios: Iterable[Scenario], *where: ColumnElement[bool], most: int | None = None
) -> ScalarResult[Submission]:
    """The invoices of the session's tenant about which something may still be said, by due date and id."""
    thanks = max(scenario.thanks_days or 0 for scenario in scenarios)
    wanted = select(Submission).where(
        Submission.active.is_(True), Submission.due_date.is_not(None),
        Submission.type_code.is_(None) | Submission.type_code.not_in(CREDITS),
        Submission.lifecycle.is_(None) | Submission.lifecycle.not_in(FINAL_STATUSES),
        ~CLOSED, Submission.id.not_in(DESTROYED), *where,
    ).order_by(Submission.due_date, Submission.id).limit(most)
    return session.scalars(wanted, {"settled": deps.now() - timedelta(days=thanks + 2)})


def _is_interrupted(deps: Deps, seen: Seen) -> bool:
    return any(row.outcome == "sending" and deps.now() >= row.at + LEASE for row in seen.rows)
