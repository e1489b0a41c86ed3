"""Tables of chat and SMS, and of mails that came back. Loaded with the others, by gateway/db.py."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.tables import GROWING, Base, Row


class Channel(Row, Base):
    """A place where messages of chat or SMS go. `url` is apprise's, encrypted: it holds the keys of the service."""

    __tablename__ = "channels"
    name: Mapped[str] = mapped_column(String(80))
    service: Mapped[str] = mapped_column(String(80))
    """As apprise names it, e.g. "Slack"."""

    url: Mapped[bytes]
    to_clients: Mapped[bool]
    """It has a place for a client's number: reminders by SMS leave here, and nothing else."""

    rules: Mapped[list[str]]
    """`event:role` of each: what goes here, for whom."""

    cursor: Mapped[int] = mapped_column(GROWING)
    """Position of the last event that became a message, or was none for this channel."""

    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    trouble: Mapped[str | None] = mapped_column(Text)
    """What went wrong last; None when it went well."""


class ChannelMessage(Row, Base):
    """Something to tell on a channel: the intent is committed before anything leaves, so that it leaves once."""

    __tablename__ = "channel_messages"
    __table_args__ = (
        UniqueConstraint("tenant_id", "channel_id", "intent"),
        Index("ix_channel_messages_list", "tenant_id", "channel_id", "created_at"),
        Index("ix_channel_messages_state", "tenant_id", "state"),
    )
    channel_id: Mapped[str] = mapped_column(String(64))
    intent: Mapped[str] = mapped_column(String(80))
    """What it tells and the position of the first event: the same is told once."""

    event: Mapped[str] = mapped_column(String(20))
    """A key of HAPPENINGS in gateway/channels/happenings.py, or `test`."""

    roles: Mapped[list[str]]
    positions: Mapped[list[int]] = mapped_column(JSON)
    """The events that it tells; the words are made of them when it leaves."""

    created_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10))
    """pending, sending, sent; failed (nobody has it), unknown (a person must find out), closed (switched off)."""

    attempts: Mapped[int]
    tried_at: Mapped[datetime | None]
    trouble: Mapped[str | None] = mapped_column(Text)


class ReturnedMail(Row, Base):
    """A mail that arrived where bounces go, and what it was taken for. `id` is the hash of its bytes: it counts once.

    One that names no mail of ours belongs to the oldest account: nobody else's mail is in it.
    """

    __tablename__ = "returned_mails"
    __table_args__ = (Index("ix_returned_mails_list", "tenant_id", "received_at"),)
    received_at: Mapped[datetime]
    size: Mapped[int]
    kind: Mapped[str] = mapped_column(String(12))
    """permanent, given-up, delayed, complaint, delivered, auto-reply, other, unreadable."""

    outcome: Mapped[str] = mapped_column(String(12))
    """stopped, told, unknown (no such mail of ours), nothing."""

    submission_id: Mapped[str | None] = mapped_column(String(64))
    message_id: Mapped[str | None] = mapped_column(String(255))
    """Of our mail that it is about."""

    status: Mapped[str | None] = mapped_column(String(16))
    """RFC 3463, e.g. "5.1.1"."""

    words: Mapped[dict[str, Any]]
    """Recipient and what the server said. Never journaled."""
