"""Events become deliveries, and deliveries go out: signed, thin, one after the other for each invoice.

Standard Webhooks 1.0: the signature covers id, time and body; the id stays the same over all tries, so that a
receiver that gets a delivery twice knows it. `fan_out` turns new events into rows, `deliver` sends one of them; the
next one about the same invoice is put to work once this one is through or given up. All that changes an address or
a delivery locks the tenant's row first, so that nothing is put to work twice or forgotten. Whoever missed something
reads `GET /v1/events?after=`: same events, same positions.
"""

import base64
import hashlib
import hmac
import json
import random
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from gateway import outbox
from gateway.deps import Deps
from gateway.feeding import feed
from gateway.outbox import Entry, RetryLater
from gateway.record import Change, lock_tenant, record
from gateway.tables import Event
from gateway.tables_webhooks import WebhookDelivery, WebhookEndpoint
from gateway.webhooks.address import ForbiddenTarget
from gateway.webhooks.calling import Unreachable, call
from gateway.webhooks.keys import secrets_of

TOPIC = "webhook"
PATIENCE = timedelta(days=3)
DELAYS = tuple(timedelta(seconds=seconds) for seconds in
               (5, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600))
"""The schedule that Standard Webhooks proposes; each wait is up to a tenth longer."""

SILENCE, LONGEST_SILENCE = timedelta(seconds=30), timedelta(minutes=30)
"""How long an address that did not answer at all is left alone, a tenth of the time since it fell silent within these
bounds: others must not wait behind it."""

GONE = 410


def fan_out(deps: Deps) -> None:
    """Regular work: every event that is new to an address becomes a delivery to it."""
    def take(session: Session, endpoint: WebhookEndpoint, events: Sequence[Event]) -> None:
        for event in events:
            if concerns(event, endpoint):
                enqueue(session, endpoint, event, deps.now())

    feed(deps, WebhookEndpoint, _live(), take)


def concerns(event: Event, endpoint: WebhookEndpoint) -> bool:
    """Whether an address wants an event: of a kind it chose, else all that happens to an invoice but its being read."""
    return event.kind in endpoint.kinds or (
        not endpoint.kinds and event.submission_id is not None and event.kind != "access")


def enqueue(session: Session, endpoint: WebhookEndpoint, event: Event, now: datetime) -> WebhookDelivery:
    """A delivery of `event` to `endpoint`, put to work unless an earlier one about the same invoice still waits."""
    waits = _next_in_chain(session, endpoint.tenant_id, endpoint.id, event.submission_id)
    row = WebhookDelivery(
        tenant_id=endpoint.tenant_id, id=str(uuid.uuid4()), endpoint_id=endpoint.id, submission_id=event.submission_id,
        position=event.position, event_id=event.id, type=type_of(event), created_at=now,
        state="pending", attempts=0, first_tried_at=None, tried_at=None, status=None, trouble=None,
    )
    session.add(row)
    session.flush()
    if waits is None:
        outbox.put(session, endpoint.tenant_id, TOPIC, row.id, now=now)
    return row


def deliver(deps: Deps, entry: Entry) -> None:
    """Send one delivery. At least once: after a crash between answer and record it goes out again, with its id.

    Raises:
        RetryLater: no success; the next try has its time.
    """
    now = deps.now()
    with deps.db.reading(entry.tenant_id) as session:
        row = session.get(WebhookDelivery, (entry.tenant_id, entry.subject_id))
        endpoint = session.get(WebhookEndpoint, (entry.tenant_id, row.endpoint_id)) if row is not None else None
        event = session.get(Event, (entry.tenant_id, row.event_id)) if row is not None else None
    if row is None or endpoint is None or event is None or row.state != "pending":
        return
    if endpoint.resume_at is not None and endpoint.resume_at > now:
        raise RetryLater(endpoint.trouble or "silence", at=endpoint.resume_at + _jitter(SILENCE), patient=True)
    body = body_of(event)
    secrets = secrets_of(deps.vault.open(endpoint.secret), now)
    status, trouble = None, None
    try:
        status = call(endpoint.url, headers_of(event, body, secrets, now), body, allowed=deps.settings.webhook_allow)
    except ForbiddenTarget as error:
        trouble = str(error)
    except Unreachable as error:
        trouble = f"sans réponse : {error} / no answer"
    else:
        trouble = None if 200 <= status < 300 else f"réponse HTTP {status}"
    _settle(deps, entry, status, trouble)


def body_of(event: Event) -> bytes:
    """The message: what happened to which invoice (or alarm), by ids; whoever may know more asks for it with a key."""
    data = {"position": event.position, "id": event.id, "invoice": event.submission_id, "at": event.at.isoformat(),
            "platform_at": event.platform_at.isoformat() if event.platform_at else None, "kind": event.kind,
            "code": event.code, "href": f"/v1/invoices/{event.submission_id}" if event.submission_id else None}
    if event.kind == "alarm":
        data |= {"subject": event.data.get("subject"), "alarm": event.data.get("alarm"), "href": "/alarmes"}
    if event.kind == "evidence" and "checkpoint" in event.data:
        data |= {name: event.data[name] for name in ("log", "size", "checkpoint")}
    message = {"type": type_of(event), "timestamp": event.at.isoformat(), "data": data}
    return json.dumps(message, separators=(",", ":")).encode()


def type_of(event: Event) -> str:
    """`invoice.lifecycle.207`, `alarm.raised`, `seal.issued`."""
    if (event.kind, event.code) == ("evidence", "sealed"):
        return "seal.issued"
    return f"{'invoice.' if event.submission_id else ''}{event.kind}.{event.code}"


def headers_of(event: Event, body: bytes, secrets: list[bytes], now: datetime) -> dict[str, str]:
    """The headers of Standard Webhooks, with a signature for each secret in force."""
    stamp = str(int(now.timestamp()))
    signed = b".".join((event.id.encode(), stamp.encode(), body))
    signatures = [base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode() for secret in secrets]
    return {"webhook-id": event.id, "webhook-timestamp": stamp, "content-type": "application/json",
            "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures), "user-agent": "Passerelle"}


def _settle(deps: Deps, entry: Entry, status: int | None, trouble: str | None) -> None:
    """Write down what became of a try, and what follows."""
    now = deps.now()
    with deps.db.transaction(entry.tenant_id) as session:
        lock_tenant(session, entry.tenant_id)
        row = session.get_one(WebhookDelivery, (entry.tenant_id, entry.subject_id))
        endpoint = session.get_one(WebhookEndpoint, (entry.tenant_id, row.endpoint_id))
        if row.state != "pending":  # closed in the meantime
            return
        row.attempts += 1
        row.first_tried_at = row.first_tried_at or now
        row.tried_at, row.status, row.trouble = now, status, trouble
        endpoint.trouble = trouble
        endpoint.resume_at = now + _silence(session, endpoint, now) if status is None else None
        delay = DELAYS[min(row.attempts, len(DELAYS)) - 1]
        if trouble is None:
            row.state = "delivered"
        elif status == GONE:
            endpoint.disabled_at = now
            close_pending(session, endpoint, "HTTP 410")
            change = Change(kind="setting", code="webhook-gone", actor="worker", subject=f"webhook:{endpoint.id}",
                            data={"url": endpoint.url})
            record(session, entry.tenant_id, change, now=now)
            return
        elif now + delay > row.first_tried_at + PATIENCE:
            row.state = "failed"
        if row.state != "pending":
            outbox.withdraw(session, TOPIC, [row.id])
            _go_on(session, row, now)
            return
    raise RetryLater(trouble or "", at=now + delay + _jitter(delay), patient=True)


def give_up(session: Session, tenant_id: str, delivery_id: str, reason: str, now: datetime) -> None:
    """A person gave the work of a delivery up: the next one about its invoice follows. In the caller's transaction."""
    lock_tenant(session, tenant_id)
    row = session.get(WebhookDelivery, (tenant_id, delivery_id))
    if row is not None and row.state == "pending":
        row.state, row.trouble = "closed", reason
        _go_on(session, row, now)


def _go_on(session: Session, row: WebhookDelivery, now: datetime) -> None:
    """What waited behind a delivery that is through, or will never be, is put to work."""
    following = _next_in_chain(session, row.tenant_id, row.endpoint_id, row.submission_id)
    if following is not None and not outbox.is_pending(session, TOPIC, following):
        outbox.put(session, row.tenant_id, TOPIC, following, now=now)


def close_pending(session: Session, endpoint: WebhookEndpoint, reason: str) -> None:
    """Nothing more goes to an address that is switched off."""
    pending = (WebhookDelivery.tenant_id == endpoint.tenant_id, WebhookDelivery.endpoint_id == endpoint.id,
               WebhookDelivery.state == "pending")
    outbox.withdraw(session, TOPIC, select(WebhookDelivery.id).where(*pending))
    session.execute(update(WebhookDelivery).where(*pending).values(state="closed", trouble=reason))


def _silence(session: Session, endpoint: WebhookEndpoint, now: datetime) -> timedelta:
    since = session.scalar(select(func.min(WebhookDelivery.first_tried_at)).where(
        WebhookDelivery.tenant_id == endpoint.tenant_id, WebhookDelivery.endpoint_id == endpoint.id,
        WebhookDelivery.state == "pending", WebhookDelivery.status.is_(None)))
    return min(max(SILENCE, (now - (since or now)) / 10), LONGEST_SILENCE)


def _next_in_chain(session: Session, tenant_id: str, endpoint_id: str, submission_id: str | None) -> str | None:
    """The id of the oldest delivery about an invoice that still waits."""
    return session.scalar(
        select(WebhookDelivery.id)
        .where(WebhookDelivery.tenant_id == tenant_id, WebhookDelivery.endpoint_id == endpoint_id,
               WebhookDelivery.submission_id == submission_id, WebhookDelivery.state == "pending")
        .order_by(WebhookDelivery.position, WebhookDelivery.created_at).limit(1))


def _live() -> tuple[ColumnElement[bool], ...]:
    return WebhookEndpoint.disabled_at.is_(None), WebhookEndpoint.removed_at.is_(None)


def _jitter(delay: timedelta) -> timedelta:
    return delay * random.uniform(0.0, 0.1)  # noqa: S311 - jitter needs no secrecy
