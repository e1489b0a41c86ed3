"""Tables of who is told what happens, and of each telling. Loaded with the others, by gateway/db.py."""

from datetime import datetime

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.tables import GROWING, Base, Row


class WebhookEndpoint(Row, Base):
    """An address of another system that is told what happens. `secret` is encrypted."""

    __tablename__ = "webhook_endpoints"
    url: Mapped[str] = mapped_column(Text)
    description: Mapped[str]
    kinds: Mapped[list[str]]
    """Kinds of events that go there; empty for all that concern an invoice."""

    secret: Mapped[bytes]
    cursor: Mapped[int] = mapped_column(GROWING)
    """Position of the last event that became a delivery, or was none for this address."""

    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    resume_at: Mapped[datetime | None]
    """Nobody answered there: nothing is tried before this time."""

    trouble: Mapped[str | None] = mapped_column(Text)
    """What went wrong last; None when it went well."""


class WebhookDelivery(Row, Base):
    """One event on its way to one address. Deliveries about one invoice go one after the other."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index("ix_webhook_deliveries_chain", "tenant_id", "endpoint_id", "submission_id", "state", "position"),
        Index("ix_webhook_deliveries_list", "tenant_id", "endpoint_id", "position"),
    )
    endpoint_id: Mapped[str]
    submission_id: Mapped[str | None]
    position: Mapped[int] = mapped_column(GROWING)
    event_id: Mapped[str]
    type: Mapped[str]
    created_at: Mapped[datetime]
    state: Mapped[str]
    """pending, delivered, failed (given up after three days), closed (the address was switched off)."""

    attempts: Mapped[int]
    first_tried_at: Mapped[datetime | None]
    tried_at: Mapped[datetime | None]
    status: Mapped[int | None]
    """HTTP status of the last answer."""

    trouble: Mapped[str | None] = mapped_column(Text)
