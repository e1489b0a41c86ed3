"""Tables of what platforms do and say: how their services do, what their directories told. Loaded by gateway/db.py."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.tables import Base, Row


class ConnectionHealth(Row, Base):
    """How one service of a connection does (gateway/circuits.py). `id` is the connection's."""

    __tablename__ = "connection_health"
    service: Mapped[str] = mapped_column(String(16), primary_key=True)
    """flows or directory."""

    succeeded_at: Mapped[datetime | None]
    """The last success, to the minute."""

    failed_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)
    """What went wrong at `failed_at`."""

    failures: Mapped[int]
    """In a row, up to now."""

    open_until: Mapped[datetime | None]
    """Nothing is tried before this time."""


class DirectoryAnswer(Row, Base):
    """The latest answer of a directory about one address. `id` is the address."""

    __tablename__ = "directory_answers"
    id: Mapped[str] = mapped_column(String(125), primary_key=True, sort_order=-1)
    connection_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    asked_at: Mapped[datetime]
    reach: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    others: Mapped[list[str]]
    sha256: Mapped[str] = mapped_column(String(64))
    """The kept object: question, answer, and what we made of it."""

    size: Mapped[int]
    told_at: Mapped[datetime | None]
    """When a directory last said anything certain about this address, and what; an outage does not hide it."""

    told: Mapped[str | None] = mapped_column(String(16))
