"""Tables of whom reminders go to, what people have to do about them, and what clients answered. Loaded by db.py."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from gateway.tables import Base, Row, TenantScoped


class Scenario(Row, Base):
    """A version of a reminder scenario. Editing adds a version; nothing of one that exists is changed but `active`."""

    __tablename__ = "scenarios"
    __table_args__ = (Index("ix_scenarios_version", "tenant_id", "segment", "version", unique=True),)
    segment: Mapped[str] = mapped_column(String(40), default="", server_default="")
    """Of clients; empty for everybody who is in no other."""

    name: Mapped[str]
    version: Mapped[int]
    active: Mapped[bool]
    definition: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    actor: Mapped[str]


class Decision(Row, Base):
    """A reminder decision, sent or not, with the facts it rests on."""

    __tablename__ = "decisions"
    __table_args__ = (
        UniqueConstraint("tenant_id", "intent"),
        Index("ix_decisions_submission", "tenant_id", "submission_id"),
        Index("ix_decisions_message", "message_id"),
    )
    submission_id: Mapped[str]
    intent: Mapped[str | None] = mapped_column(String(160))
    """invoice + stage for what is sent, so that a stage is never sent twice; None for what is not sent."""

    stage: Mapped[str]
    at: Mapped[datetime]
    outcome: Mapped[str]
    """held, skipped; or sending, then sent, failed, or unknown (sent or not, a person must find out)."""

    reason: Mapped[str]
    facts: Mapped[dict[str, Any]]
    scenario: Mapped[str]
    channel: Mapped[str | None]
    recipient: Mapped[str | None]
    sha256: Mapped[str | None] = mapped_column(String(64))
    message_id: Mapped[str | None] = mapped_column(String(255))
    """Of the mail: what comes back names it."""


class Hold(Row, Base):
    """Reminders of an invoice wait, because a person said so."""

    __tablename__ = "holds"
    __table_args__ = (Index("ix_holds_submission", "tenant_id", "submission_id"),)
    submission_id: Mapped[str]
    kind: Mapped[str]
    """promise, plan, dispute, insolvency, manual."""

    reason: Mapped[str] = mapped_column(Text)
    until: Mapped[date | None]
    created_at: Mapped[datetime]
    actor: Mapped[str]
    lifted_at: Mapped[datetime | None]


class ReminderClient(TenantScoped, Base):
    """What a person settled about one client; a client without a row is reminded as the invoice says."""

    __tablename__ = "reminder_clients"
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    """As in receivables: the SIREN, else `nom:` and the name."""

    name: Mapped[str]
    segment: Mapped[str] = mapped_column(String(40))
    """Which scenario applies; empty for that of everybody."""

    email: Mapped[str | None]
    """In place of the address on the invoice, after somebody checked it."""

    phone: Mapped[str | None] = mapped_column(String(16))
    """Number for SMS with its country, e.g. "+33612345678"; only a person sets it."""

    by_sms: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Stages that go by mail go by SMS instead."""

    contact: Mapped[str | None]
    lang: Mapped[str | None] = mapped_column(String(2))
    region: Mapped[str | None] = mapped_column(String(8))
    """Where it has further public holidays, as in working.py."""

    watched: Mapped[bool]
    """A person approves whatever goes to it after the due date."""

    hold: Mapped[str | None] = mapped_column(String(20))
    """Why nothing goes to it at all: insolvency, plan, manual."""

    hold_reason: Mapped[str | None] = mapped_column(Text)
    hold_until: Mapped[date | None]
    owner: Mapped[str | None]
    """The actor who takes its cases."""

    changed_at: Mapped[datetime]
    actor: Mapped[str]


class Case(Row, Base):
    """Something about an invoice that a person has to deal with, with its clock. One that is open for each cause."""

    __tablename__ = "cases"
    __table_args__ = (
        UniqueConstraint("tenant_id", "submission_id", "kind", "stage", "active"),
        Index("ix_cases_open", "tenant_id", "active", "due_on", "id"),
        Index("ix_cases_client", "tenant_id", "client", "active"),
    )
    submission_id: Mapped[str] = mapped_column(String(64))
    client: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(20))
    """See KINDS in gateway/reminders/cases.py."""

    stage: Mapped[str] = mapped_column(String(40))
    """Of the scenario; empty where the case belongs to none."""

    reason: Mapped[str] = mapped_column(Text)
    beside: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    """Further invoices of a task about several: one call, one letter. Those that are paid are taken out."""

    balance: Mapped[Decimal]
    """When it was opened; of a call, letter, notice or file, what its invoices owed when that last changed."""

    opened_at: Mapped[datetime]
    due_on: Mapped[date]
    """The working day by which it wants an answer."""

    owner: Mapped[str | None]
    active: Mapped[bool | None]
    """True while it is open; then None."""

    outcome: Mapped[str | None] = mapped_column(String(20))
    """done, granted, declined; or answered: its cause went by itself."""

    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    resolution: Mapped[str | None] = mapped_column(Text)
    proposal: Mapped[str | None] = mapped_column(Text)
    """What somebody outside proposes, e.g. another address: changes nothing until a person accepts it."""


class ReminderAnswer(Row, Base):
    """What a client answered by the link of a letter. `id` is the link's: it answers once."""

    __tablename__ = "reminder_answers"
    __table_args__ = (Index("ix_reminder_answers_submission", "tenant_id", "submission_id"),)
    submission_id: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    answer: Mapped[str] = mapped_column(String(20))
    """See ANSWERS in gateway/reminders/answers.py."""

    words: Mapped[dict[str, Any]]
    """What was written besides: a date, a remark, an address. Never journaled."""
