"""Table of the exports of whole periods. Loaded by gateway/db.py."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.tables import Base, Row


class PeriodExport(Row, Base):
    """One export of all dossiers of a period, at work or done. Its files lie in the data folder, by its id."""

    __tablename__ = "exports"
    first_day: Mapped[date]
    last_day: Mapped[date]
    """Of issue (BT-2), both included."""

    legal_entity_id: Mapped[str | None] = mapped_column(String(64))
    """Only invoices of this seller; None: of all."""

    options: Mapped[dict[str, Any]]
    """{"pdf": bool}: whether each dossier gets its index drawn."""

    actor: Mapped[str]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(16))
    """running, done, failed, or removed: done, and its file is gone after its time."""

    trouble: Mapped[str | None] = mapped_column(Text)
    """Why it failed, or waits."""

    total: Mapped[int]
    done: Mapped[int]
    cursor: Mapped[list[str]]
    """Issue date and id of the last invoice that is in; empty at first."""

    seals: Mapped[dict[str, Any]]
    """Size of the checkpoint, by log, under which all dossiers of the export stand."""

    lengths: Mapped[dict[str, Any]]
    """Bytes of each file that are certainly good: what came after them is written again."""

    sha256: Mapped[str | None] = mapped_column(String(64))
    """Of the finished archive."""
