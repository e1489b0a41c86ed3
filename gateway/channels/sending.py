"""Events become messages, and messages go out: told once, the intent committed before anything leaves.

`fan_out` turns what happened since the last look into at most one message for each kind of happening and channel, so
that a bad morning is one message and not fifty. `deliver` sends one: it claims the row, has a process send it outside
any transaction, and records what became of it. No service of chat knows our ids, so a message whose answer was lost is
never sent again by itself: it stays `unknown` until a person says.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from gateway import outbox
from gateway.channels.asking import Message, send
from gateway.channels.happenings import happening_of
from gateway.channels.writing import words_of
from gateway.deps import Deps
from gateway.feeding import feed
from gateway.mail import InDoubt, NotDelivered
from gateway.outbox import LEASE, Entry, RetryLater
from gateway.record import lock_tenant
from gateway.tables import Event
from gateway.tables_channels import Channel, ChannelMessage

TOPIC: Final = "notify"
TEST: Final = "test"
PATIENCE: Final = timedelta(days=1)
"""News that is older is given up: the pages have it."""

INTERRUPTED: Final = "Interrompu pendant l'envoi. / Interrupted while sending."


def fan_out(deps: Deps) -> None:
    """Regular work: every event that is new to a channel becomes part of a message, where a rule says so."""
    def take(session: Session, channel: Channel, events: Sequence[Event]) -> None:
        for key, same in _wanted(channel, events).items():
            enqueue(deps, session, channel, key, same)

    feed(deps, Channel, live(), take)


def _wanted(channel: Channel, events: Sequence[Event]) -> Mapping[str, list[Event]]:
    """What of these events a channel is told, by happening. It is not told of its own trouble."""
    found: dict[str, list[Event]] = {}
    for event in events:
        key = happening_of(event)
        if key is not None and _roles(channel, key) and event.data.get("about") != channel.id:
            found.setdefault(key, []).append(event)
    return found


def enqueue(deps: Deps, session: Session, channel: Channel, key: str, events: Sequence[Event]) -> ChannelMessage:
    """A message put to work, in the caller's transaction."""
    row = ChannelMessage(
        tenant_id=channel.tenant_id, id=str(uuid.uuid4()), channel_id=channel.id, event=key,
        intent=f"{key}:{events[0].position}" if events else f"{key}:{uuid.uuid4()}", roles=_roles(channel, key),
        positions=[event.position for event in events], created_at=deps.now(), state="pending", attempts=0,
        tried_at=None, trouble=None)
    session.add(row)
    session.flush()
    outbox.put(session, channel.tenant_id, TOPIC, row.id, now=deps.now())
    return row


def deliver(deps: Deps, entry: Entry) -> None:
    """Handle one `notify` entry (subject: the message).

    Raises:
        RetryLater: nobody has it, and a later try may help; or another worker is at it.
    """
    message = _claim(deps, entry)
    if message is None:
        return
    try:
        send(message, deps.settings.webhook_allow)
    except NotDelivered as error:
        _settle(deps, entry, "failed" if error.permanent else "pending", error.reason)
        return
    except InDoubt as error:
        _settle(deps, entry, "unknown", error.reason)
    else:
        _settle(deps, entry, "sent", None)


def _claim(deps: Deps, entry: Entry) -> Message | None:
    """The intent to send, committed, and the words; None where there is nothing to send (any more)."""
    now, key = deps.now(), (entry.tenant_id, entry.subject_id)
    with deps.db.transaction(entry.tenant_id) as session:
        lock_tenant(session, entry.tenant_id)
        row = session.get(ChannelMessage, key)
        channel = session.get(Channel, (entry.tenant_id, row.channel_id)) if row is not None else None
        if row is None or channel is None or row.state not in {"pending", "sending"}:
            return None
        if row.state == "sending" and row.tried_at is not None:
            if now < row.tried_at + LEASE:
                raise RetryLater("another worker is sending", at=row.tried_at + LEASE, patient=True)
            row.state, row.trouble = "unknown", INTERRUPTED
            return None
        if channel.disabled_at is not None or channel.removed_at is not None:  # while another try was at hand
            row.state = "closed"
            return None
        row.state, row.tried_at, row.attempts = "sending", now, row.attempts + 1
        events = session.scalars(select(Event).where(Event.position.in_(row.positions)).order_by(Event.position)).all()
        title, body = words_of(session, row, events, deps.settings.url)
        return Message(url=deps.vault.open(channel.url), title=title, body=body)


def _settle(deps: Deps, entry: Entry, state: str, trouble: str | None) -> None:
    """Write down what became of a try, and whether there is another."""
    with deps.db.transaction(entry.tenant_id) as session:
        lock_tenant(session, entry.tenant_id)
        row = session.get_one(ChannelMessage, (entry.tenant_id, entry.subject_id))
        channel = session.get_one(Channel, (entry.tenant_id, row.channel_id))
        channel.trouble = row.trouble = trouble
        if row.state != "sending":  # closed in the meantime
            return
        given_up = state == "pending" and (row.event == TEST or deps.now() > row.created_at + PATIENCE)
        row.state = "failed" if given_up else state
        if row.state != "pending":
            return
    raise RetryLater(trouble or "", patient=True, at=deps.now() + outbox.backoff(min(entry.attempts, 8)))


def give_up(session: Session, tenant_id: str, message_id: str, reason: str) -> None:
    """A person gave the work of a message up. In the caller's transaction."""
    row = session.get(ChannelMessage, (tenant_id, message_id))
    if row is not None and row.state == "pending":
        row.state, row.trouble = "closed", reason


def close_waiting(session: Session, channel: Channel) -> None:
    """Nothing more goes to a channel that is switched off."""
    waiting = (ChannelMessage.tenant_id == channel.tenant_id, ChannelMessage.channel_id == channel.id,
               ChannelMessage.state == "pending")
    outbox.withdraw(session, TOPIC, select(ChannelMessage.id).where(*waiting))
    session.execute(update(ChannelMessage).where(*waiting).values(state="closed"))


def live() -> tuple[ColumnElement[bool], ...]:
    """Channels that are neither switched off nor taken away."""
    return Channel.disabled_at.is_(None), Channel.removed_at.is_(None)


TO_CLIENTS: Final = select(Channel).where(Channel.to_clients.is_(True), *live())


def client_channel(session: Session) -> Channel | None:
    """Where SMS to clients of the session's tenant leave; None: nowhere."""
    return session.scalar(TO_CLIENTS)


def _roles(channel: Channel, key: str) -> list[str]:
    return [role for event, _, role in (rule.partition(":") for rule in channel.rules) if event == key]
