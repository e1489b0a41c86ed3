"""Tables of those who watch over the service and its evidence. Loaded with the others, by gateway/db.py."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.tables import Base, Row


class Alarm(Row, Base):
    """Something that somebody must know. One row from its first to its last sign; see gateway/alarms."""

    __tablename__ = "alarms"
    __table_args__ = (
        UniqueConstraint("tenant_id", "kind", "subject", "active"),
        Index("ix_alarms_list", "tenant_id", "raised_at", "id"),
    )
    kind: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(200))
    """What it is about: an id, a name, a hash; empty where the kind says it all."""

    facts: Mapped[dict[str, Any]]
    """Of the last sign. Shown and mailed, never journaled."""

    count: Mapped[int]
    raised_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    """Its last sign."""

    active: Mapped[bool | None]
    """True until its cause is gone; then None."""

    cleared_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    """The actor who takes care of it."""
