"""What is wrong right now, as the tables say: work, flows, platforms, webhooks, compulsory statuses. And their alarms.

The first page shows the causes themselves, as they stand at that moment. A regular look sounds an alarm for each and
clears it once the cause is gone, so that log, mails and webhooks have it too, whoever was killed in between.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from gateway.alarms.sounding import Facts, clear, sound
from gateway.deps import Deps
from gateway.incoming.flows import INCOMPLETE
from gateway.lifecycle.duties import open_duties
from gateway.tables import OutboxEntry, PlatformConnection, SeenFlow
from gateway.tables_care import Alarm
from gateway.tables_channels import Channel, ChannelMessage
from gateway.tables_webhooks import WebhookEndpoint
from gateway.turns import for_each_tenant

LATE = timedelta(minutes=15)
"""Work that is due and that nobody has taken for so long."""

KINDS = ("duty-late", "connection-down", "flow-gap", "work-late", "work-parked", "flow-parked", "webhook-silent",
         "channel-silent", "channel-doubt")
"""What this module answers for, the most urgent first; the words are in gateway/alarms/kinds.py."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that is wrong and lasts until somebody or something mends it."""

    kind: str
    subject: str
    facts: Facts
    number: int = 1
    """How many rows it stands for."""

    href: str = ""
    """Where one acts, when it is not the page of its kind."""


def causes(session: Session, now: datetime) -> Iterator[Cause]:
    """Everything of the session's tenant, the kinds in the order of KINDS."""
    yield from _duties(session, now)
    troubled = session.scalars(select(PlatformConnection).where(
        PlatformConnection.enabled, PlatformConnection.trouble.is_not(None)).order_by(PlatformConnection.id)).all()
    for kind, incomplete in (("connection-down", False), ("flow-gap", True)):
        for row in troubled:
            if str(row.trouble).startswith(INCOMPLETE) is incomplete:
                yield Cause(kind, row.id, {"name": row.name, "error": row.trouble})
    free = or_(OutboxEntry.lease_until.is_(None), OutboxEntry.lease_until < now)
    yield from _work(session, "work-late", OutboxEntry.state == "pending", OutboxEntry.due_at < now - LATE, free)
    yield from _work(session, "work-parked", OutboxEntry.state == "parked")
    flows, since = session.execute(_counted(SeenFlow.updated_at).where(SeenFlow.state == "parked")).one()
    if flows:
        yield Cause("flow-parked", "", {"count": flows, "since": since.isoformat()}, flows)
    for endpoint in session.scalars(select(WebhookEndpoint).where(
            WebhookEndpoint.removed_at.is_(None), WebhookEndpoint.trouble.is_not(None)).order_by(WebhookEndpoint.id)):
        yield Cause("webhook-silent", endpoint.id, {"name": endpoint.url, "error": endpoint.trouble})
    yield from _channels(session)


def watch(deps: Deps) -> None:
    """Regular work: sound what is new, clear what is over, of every tenant."""
    for_each_tenant(deps, _watch)


def _watch(deps: Deps, tenant_id: str) -> None:
    with deps.db.reading(tenant_id) as session:
        found = {(cause.kind, cause.subject): cause for cause in causes(session, deps.now())}
        rings = {(alarm.kind, alarm.subject): alarm.facts for alarm in session.scalars(
            select(Alarm).where(Alarm.kind.in_(KINDS), Alarm.active.is_(True)))}
    for (kind, subject), cause in found.items():
        if rings.get((kind, subject)) != cause.facts:
            sound(deps, tenant_id, kind, subject, cause.facts)
    for kind, subject in rings.keys() - found.keys():
        clear(deps, tenant_id, kind, subject)


def _duties(session: Session, now: datetime) -> Iterator[Cause]:
    """Statuses that the State must have within 24 hours, before the time is over."""
    for duty in open_duties(session):
        if duty.is_alarming(now):
            yield Cause("duty-late", duty.id, {"number": duty.submission.number, "code": duty.code,
                                               "until": duty.until.isoformat(), "error": duty.reason},
                        href=f"/factures/{duty.submission.id}")


def _channels(session: Session) -> Iterator[Cause]:
    """Chat and SMS that do not get through, or of which nobody knows whether they did."""
    rows = session.scalars(select(Channel).where(Channel.removed_at.is_(None)).order_by(Channel.id)).all()
    for row in rows:
        if row.trouble is not None and row.disabled_at is None:
            yield Cause("channel-silent", row.id, {"name": row.name, "error": row.trouble},
                        href=f"/reglages/canaux/{row.id}")
    counted = select(ChannelMessage.channel_id, func.count()).where(ChannelMessage.state == "unknown")
    doubts: dict[str, int] = dict(iter(session.execute(counted.group_by(ChannelMessage.channel_id))))
    for row in rows:
        if row.id in doubts:
            yield Cause("channel-doubt", row.id, {"name": row.name, "count": doubts[row.id]}, doubts[row.id],
                        href=f"/reglages/canaux/{row.id}")


def _work(session: Session, kind: str, *where: ColumnElement[bool]) -> Iterator[Cause]:
    """One cause for each topic, so that a new trouble is told though an old one waits."""
    query = _counted(OutboxEntry.created_at).add_columns(OutboxEntry.topic).where(*where)
    for number, since, topic in session.execute(query.group_by(OutboxEntry.topic).order_by(OutboxEntry.topic)):
        yield Cause(kind, topic, {"name": topic, "count": number, "since": since.isoformat()}, number)


def _counted(at: InstrumentedAttribute[datetime]) -> Select[int, datetime]:
    return select(func.count(), func.min(at))
