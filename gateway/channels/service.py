"""Channels set up, tried, switched; rules; what became of messages. Every change is journaled, a URL never is."""

import uuid
from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.channels.asking import UNANSWERED, UnknownService, service_of
from gateway.channels.schemas import PHONE, ChannelIn, RuleIn
from gateway.channels.sending import TEST, TOPIC, client_channel, close_waiting, enqueue
from gateway.deps import Deps
from gateway.feeding import from_now_on
from gateway.outbox import put
from gateway.problems import Problem, not_found, unavailable
from gateway.record import Change, lock_tenant, record
from gateway.tables_channels import Channel, ChannelMessage
from gateway.webhooks.address import ForbiddenTarget

MOST: Final = 30
"""Channels of one tenant."""

NOBODYS: Final = "+33100000000"
"""Stands for a client's number where a URL is looked at."""


def create(deps: Deps, tenant_id: str, wanted: ChannelIn, actor: str) -> Channel:
    """A channel without rules; one for clients where its URL has a place for their number.

    Problems: 422 channel-unknown for a URL that apprise does not know, 422 channel-address for a host that is not
    allowed, 409 too-many-channels, 409 client-channel-exists for a second one for clients, 503 channel-unchecked where
    the look at the URL did not end.
    """
    to_clients = PHONE in wanted.url
    try:
        service = service_of(wanted.url.replace(PHONE, NOBODYS), deps.settings.webhook_allow)
    except UnknownService as error:
        raise Problem(422, "channel-unknown", "Aucun service de messagerie n'a une telle adresse. / "
                      "No service has such an address.") from error
    except ForbiddenTarget as error:
        raise Problem(422, "channel-address", str(error)) from error
    except UNANSWERED as error:
        raise unavailable("channel-unchecked") from error
    with deps.db.transaction(tenant_id) as session:
        lock_tenant(session, tenant_id)
        known = session.scalars(select(Channel).where(Channel.removed_at.is_(None))).all()
        if len(known) >= MOST:
            raise Problem(409, "too-many-channels", f"Au plus {MOST} canaux. / At most {MOST}.")
        if to_clients and any(one.to_clients and one.disabled_at is None for one in known):
            raise _second()
        row = Channel(
            tenant_id=tenant_id, id=str(uuid.uuid4()), name=wanted.name, service=service[:80],
            url=deps.vault.seal(wanted.url), to_clients=to_clients, rules=[], cursor=from_now_on(session),
            created_at=deps.now(), disabled_at=None, removed_at=None, trouble=None)
        session.add(row)
        session.flush()
        _tell(deps, session, row, "channel-created", actor)
    return row


def list_channels(deps: Deps, tenant_id: str) -> Sequence[Channel]:
    """All channels that were not removed, oldest first."""
    with deps.db.reading(tenant_id) as session:
        return session.scalars(select(Channel).where(Channel.removed_at.is_(None)).order_by(
            Channel.created_at, Channel.id)).all()


def get_channel(deps: Deps, tenant_id: str, channel_id: str) -> Channel:
    """One channel. Raises Problem 404."""
    with deps.db.reading(tenant_id) as session:
        return _get(session, tenant_id, channel_id)


def set_rules(deps: Deps, tenant_id: str, channel_id: str, rules: Sequence[RuleIn], actor: str) -> Channel:
    """Say anew what goes to a channel. Problems: 404; 422 rule-not-heard; 409 channel-for-clients."""
    unheard = next((rule for rule in rules if not rule.is_heard), None)
    if unheard is not None:
        raise Problem(422, "rule-not-heard", f"Le rôle {unheard.role} ne voit pas cela. / "
                      f"{unheard.role} may not see {unheard.event}.")
    with deps.db.transaction(tenant_id) as session:
        row = _locked(session, tenant_id, channel_id)
        if row.to_clients and rules:
            raise Problem(409, "channel-for-clients", "Ce canal écrit aux clients : il n'a pas de règles. / "
                          "This channel writes to clients and has no rules.")
        if not row.rules:
            row.cursor = from_now_on(session)
        row.rules = list(dict.fromkeys(rule.key for rule in rules))
        _tell(deps, session, row, "channel-rules", actor, rules=",".join(row.rules))
    return row


def try_out(deps: Deps, tenant_id: str, channel_id: str, actor: str) -> ChannelMessage:
    """Send a test message. Problems: 404; 409 channel-disabled, channel-for-clients."""
    with deps.db.transaction(tenant_id) as session:
        row = _locked(session, tenant_id, channel_id)
        if row.disabled_at is not None:
            raise Problem(409, "channel-disabled", "Ce canal est désactivé. / This channel is switched off.")
        if row.to_clients:
            raise Problem(409, "channel-for-clients", "Ce canal attend le numéro d'un client : essayez-le par une "
                          "relance. / This channel wants a client's number.")
        message = enqueue(deps, session, row, TEST, ())
        _tell(deps, session, row, "channel-tested", actor)
    return message


def enable(deps: Deps, tenant_id: str, channel_id: str, actor: str) -> Channel:
    """Switch on again: it hears of what happens from now on. Problems: 404; 409 client-channel-exists."""
    with deps.db.transaction(tenant_id) as session:
        row = _locked(session, tenant_id, channel_id)
        if row.disabled_at is not None:
            if row.to_clients and client_channel(session) is not None:
                raise _second()
            row.disabled_at, row.trouble, row.cursor = None, None, from_now_on(session)
            _tell(deps, session, row, "channel-enabled", actor)
    return row


def disable(deps: Deps, tenant_id: str, channel_id: str, actor: str) -> Channel:
    """Switch off: what still waits is closed. Raises Problem 404."""
    with deps.db.transaction(tenant_id) as session:
        row = _locked(session, tenant_id, channel_id)
        if row.disabled_at is None:
            row.disabled_at = deps.now()
            close_waiting(session, row)
            _tell(deps, session, row, "channel-disabled", actor)
    return row


def remove(deps: Deps, tenant_id: str, channel_id: str, actor: str) -> None:
    """Take a channel away, with its URL; what was sent stays in the log. Raises Problem 404."""
    with deps.db.transaction(tenant_id) as session:
        row = _locked(session, tenant_id, channel_id)
        row.removed_at, row.url = deps.now(), b""
        close_waiting(session, row)
        _tell(deps, session, row, "channel-removed", actor)


def messages(deps: Deps, tenant_id: str, channel_id: str, *, limit: int) -> Sequence[ChannelMessage]:
    """What went to a channel, newest first. Raises Problem 404."""
    with deps.db.reading(tenant_id) as session:
        _get(session, tenant_id, channel_id)
        return session.scalars(select(ChannelMessage).where(ChannelMessage.channel_id == channel_id).order_by(
            ChannelMessage.created_at.desc(), ChannelMessage.id).limit(limit)).all()


def settle(
    deps: Deps, tenant_id: str, channel_id: str, message_id: str, actor: str, *, arrived: bool
) -> ChannelMessage:
    """Say whether a message in doubt arrived; if not, or if it failed, it goes out again.

    Problems: 404; 409 not-in-doubt, channel-disabled.
    """
    with deps.db.transaction(tenant_id) as session:
        channel = _locked(session, tenant_id, channel_id)
        row = session.get(ChannelMessage, (tenant_id, message_id))
        if row is None or row.channel_id != channel_id:
            raise not_found()
        if row.state not in {"unknown", "failed"}:
            raise Problem(409, "not-in-doubt", "L'issue de ce message est connue. / Nothing is uncertain about it.")
        if not arrived and channel.disabled_at is not None:
            raise Problem(409, "channel-disabled", "Ce canal est désactivé. / This channel is switched off.")
        row.state = "sent" if arrived else "pending"
        if arrived:
            row.trouble = None
        else:
            row.created_at = deps.now()
            put(session, tenant_id, TOPIC, row.id, now=deps.now())
        _tell(deps, session, channel, "channel-settled", actor, message=row.id, arrived=str(arrived).lower())
    return row


def _second() -> Problem:
    return Problem(409, "client-channel-exists", "Un canal écrit déjà aux clients : désactivez-le d'abord. / "
                   "Another channel writes to clients: switch it off first.")


def _locked(session: Session, tenant_id: str, channel_id: str) -> Channel:
    """A channel that nobody else changes or sends to before the transaction ends. Raises Problem 404."""
    lock_tenant(session, tenant_id)
    return _get(session, tenant_id, channel_id)


def _get(session: Session, tenant_id: str, channel_id: str) -> Channel:
    row = session.get(Channel, (tenant_id, channel_id))
    if row is None or row.removed_at is not None:
        raise not_found()
    return row


def _tell(deps: Deps, session: Session, row: Channel, code: str, actor: str, **data: str) -> None:
    subject = f"channel:{row.id}"
    record(session, row.tenant_id, Change(kind="setting", code=code, actor=actor, subject=subject, data={
        "subject": subject, "name": row.name, "service": row.service, **data}), now=deps.now())
