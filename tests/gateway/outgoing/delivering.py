"""What every test of depositing does with one invoice: work, look at it, put it back to work."""

from sqlalchemy import select

from gateway import outbox
from gateway.deps import Deps
from gateway.outgoing.deliver import deliver
from gateway.tables import Event, OutboxEntry, Submission
from gateway.worker import relay

HANDLERS = {"deliver": deliver}


def work(deps: Deps) -> None:
    relay(deps, {**HANDLERS, "remind": lambda *_: None})


def seen(deps: Deps, row: Submission) -> Submission:
    with deps.db.reading(row.tenant_id) as session:
        return session.get_one(Submission, (row.tenant_id, row.id))


def codes(deps: Deps, row: Submission) -> list[str]:
    with deps.db.reading(row.tenant_id) as session:
        return list(session.scalars(
            select(Event.code).where(Event.submission_id == row.id).order_by(Event.position)))


def entry_of(deps: Deps, row: Submission) -> OutboxEntry:
    with deps.db.reading(row.tenant_id) as session:
        return session.scalars(select(OutboxEntry).where(OutboxEntry.subject_id == row.id,
                                                         OutboxEntry.topic == "deliver")).one()


def revive(deps: Deps, row: Submission) -> None:
    with deps.db.transaction(row.tenant_id) as session:
        assert outbox.revive(session, entry_of(deps, row).id, deps.now())
