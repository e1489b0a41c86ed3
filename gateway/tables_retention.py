"""Tables of how long things are kept, what forbids to destroy them, and who had them destroyed. Loaded by db.py."""

from datetime import date, datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.tables import GROWING, Base, Row, TenantScoped


class Retention(TenantScoped, Base):
    """Until when an invoice with all its objects must be kept. What was once promised is never shortened."""

    __tablename__ = "retentions"
    __table_args__ = (Index("ix_retentions_until", "tenant_id", "until"),)
    submission_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    until: Mapped[date]
    """The last day, a French calendar day."""

    rule: Mapped[str] = mapped_column(String(16))
    """`MM-DD+years` under which it was counted last."""

    counted_to: Mapped[datetime]
    """The newest operation that was counted."""

    locked_until: Mapped[date | None]
    """What the store was told, where it can be told."""

    destroyed_at: Mapped[datetime | None]
    destruction_id: Mapped[str | None] = mapped_column(String(64))


class LegalHold(Row, Base):
    """Somebody needs an invoice, an object or everything: nothing of it is destroyed until a person lifts it."""

    __tablename__ = "legal_holds"
    __table_args__ = (Index("ix_legal_holds_subject", "tenant_id", "subject", "lifted_at"),)
    subject: Mapped[str] = mapped_column(String(200))
    """An invoice's id, `object:<sha256>`, or `all`."""

    reason: Mapped[str] = mapped_column(Text)
    set_at: Mapped[datetime]
    set_by: Mapped[str]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None]
    lifted_reason: Mapped[str | None] = mapped_column(Text)
    told_to: Mapped[int] = mapped_column(GROWING, server_default="0")
    """Position of the tenant's newest event when the store was last told which objects are under it."""


class Destruction(Row, Base):
    """What one person proposed to destroy, and what a second one decided."""

    __tablename__ = "destructions"
    __table_args__ = (Index("ix_destructions_list", "tenant_id", "proposed_at", "id"),)
    reason: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12))
    """proposed, declined, approved (at work), done."""

    proposed_at: Mapped[datetime]
    proposed_by: Mapped[str]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    decided_reason: Mapped[str | None] = mapped_column(Text)
    finished_at: Mapped[datetime | None]
    certificate: Mapped[str | None] = mapped_column(String(64))
    """The kept object."""


class DestructionItem(TenantScoped, Base):
    """One invoice (its id) or one object (`object:<sha256>`) of a destruction."""

    __tablename__ = "destruction_items"
    __table_args__ = (Index("ix_destruction_items_subject", "tenant_id", "subject"),)
    destruction_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    subject: Mapped[str] = mapped_column(String(200), primary_key=True)
    until: Mapped[date]
    """The last day of retention, as it was when proposed."""
