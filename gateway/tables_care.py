"""Tables of those who watch over the service and its evidence. Loaded with the others, by gateway/db.py."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.tables import GROWING, Base, Row, TenantScoped


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


class InvoiceWord(TenantScoped, Base):
    """A word of an invoice's number. Made by gateway/searchable.py, as the following ones."""

    __tablename__ = "invoice_words"
    __table_args__ = (Index("ix_invoice_words_word", "tenant_id", "word", "submission_id"),)
    submission_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    word: Mapped[str] = mapped_column(String(40), primary_key=True)


class PartyWord(TenantScoped, Base):
    """A word of the parties of invoices: of their names, their SIREN."""

    __tablename__ = "party_words"
    __table_args__ = (Index("ix_party_words_word", "tenant_id", "word", "parties"),)
    parties: Mapped[str] = mapped_column(String(32), primary_key=True)
    """Stands for all invoices whose seller and buyer have the same words."""

    word: Mapped[str] = mapped_column(String(40), primary_key=True)


class InvoiceParties(TenantScoped, Base):
    """Between which parties an invoice is."""

    __tablename__ = "invoice_parties"
    submission_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    parties: Mapped[str] = mapped_column(String(32))


class EventParties(TenantScoped, Base):
    """An event about an invoice, beside its parties: what happened between them is read along this in its order."""

    __tablename__ = "event_parties"
    parties: Mapped[str] = mapped_column(String(32), primary_key=True)
    position: Mapped[int] = mapped_column(GROWING, primary_key=True)


class EventWord(TenantScoped, Base):
    """A word of what was said in an event. `position` is the event's."""

    __tablename__ = "event_words"
    __table_args__ = (Index("ix_event_words_word", "tenant_id", "word", "position"),)
    position: Mapped[int] = mapped_column(GROWING, primary_key=True)
    word: Mapped[str] = mapped_column(String(40), primary_key=True)


class SavedSearch(Row, Base):
    """A search of the journal that a person keeps."""

    __tablename__ = "saved_searches"
    user_id: Mapped[str] = mapped_column(String(64))
    """The actor of the person, `user:<id>`."""

    name: Mapped[str] = mapped_column(String(100))
    query: Mapped[str] = mapped_column(Text)
    """As it stands in the URL of the page."""

    created_at: Mapped[datetime]


class Job(Row, Base):
    """Long work that a person started and may watch: a check. Done by the worker; see gateway/jobs.py."""

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_list", "tenant_id", "created_at", "id"),)
    kind: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(200))
    """An invoice's id; empty for what concerns everything."""

    actor: Mapped[str]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(12))
    """waiting, running, done, failed."""

    done: Mapped[int] = mapped_column(GROWING)
    total: Mapped[int] = mapped_column(GROWING)
    step: Mapped[str] = mapped_column(Text)
    """What is being done, in French."""

    result: Mapped[dict[str, Any]]
