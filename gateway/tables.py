"""What the service remembers of invoices, and what every table is made of; the other rooms are beside it.

Times are aware UTC, dates are dates, amounts are Decimal kept as text so that no database rounds them.
The tenant comes first in every key. Rows of `events` and `journal` are only ever added.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy import DateTime as SqlDateTime
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class Moment(TypeDecorator[datetime]):
    """An aware UTC time; SQLite forgets the zone, so it is put back."""

    impl = SqlDateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - fixed by SQLAlchemy
        """Refuse a naive time: nobody could say what it means."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - as above
        """Give the zone back."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class Amount(TypeDecorator[Decimal]):
    """A Decimal kept as the text that was given."""

    impl = String(80)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - as above
        """Write plain notation."""
        return None if value is None else format(value, "f")

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 - as above
        """Read it back exactly."""
        return None if value is None else Decimal(value)


GROWING = BigInteger().with_variant(Integer, "sqlite")
"""A number that grows with every event. An INTEGER of SQLite has 64 bits anyway."""


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map = {  # noqa: RUF012 - the name and form are SQLAlchemy's
        datetime: Moment,
        Decimal: Amount,
        dict[str, Any]: JSON,
        list[str]: JSON,
        bytes: LargeBinary,
    }


class TenantScoped:
    """A row that belongs to one tenant. gateway/db.py adds the tenant to every statement on it."""

    tenant_id: Mapped[str] = mapped_column(String(36), ForeignKey("tenants.id"), primary_key=True, sort_order=-2)


class Row(TenantScoped):
    """A tenant's row with a random id."""

    id: Mapped[str] = mapped_column(String(64), primary_key=True, sort_order=-1)


class Tenant(Base):
    """An organisation that uses this gateway."""

    __tablename__ = "tenants"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str]
    created_at: Mapped[datetime]
    fiscal_year_end: Mapped[str] = mapped_column(String(5), default="12-31", server_default="12-31")
    """MM-DD: when a journal closes and the next begins. Invoices are kept by the year of their legal entity."""

    retention_years: Mapped[int] = mapped_column(default=10, server_default="10")
    """From the close of the fiscal year: 10 of the commercial law, at least the 6 of the tax law."""


class PlatformConnection(Row, Base):
    """An account at an approved platform. `credentials` and `signing_key` are encrypted."""

    __tablename__ = "platform_connections"
    name: Mapped[str]
    driver: Mapped[str]
    config: Mapped[dict[str, Any]]
    credentials: Mapped[bytes]
    enabled: Mapped[bool]
    watermark: Mapped[datetime | None]
    """Greatest update time that is certainly behind us; polling starts before it."""

    webhook_id: Mapped[str | None]
    signing_key: Mapped[bytes | None]
    polled_at: Mapped[datetime | None]
    trouble: Mapped[str | None] = mapped_column(Text)
    """What went wrong at the last poll; None when it went well."""


class LegalEntity(Row, Base):
    """A company that issues invoices (one SIREN). Off until switched on."""

    __tablename__ = "legal_entities"
    __table_args__ = (UniqueConstraint("tenant_id", "siren"),)
    siren: Mapped[str] = mapped_column(String(9))
    name: Mapped[str]
    address: Mapped[dict[str, Any]]
    vat_number: Mapped[str | None]
    electronic_address: Mapped[str | None]
    """BT-34, scheme 0225."""

    vat_regime: Mapped[str]
    """normal-monthly, normal-quarterly, simplified, franchise."""

    vat_on_debits: Mapped[bool]
    """Option for payment of VAT on debits: then no 212 is due for services."""

    fiscal_year_end: Mapped[str] = mapped_column(String(5))
    """MM-DD."""

    format: Mapped[str]
    """What our JSON is written as: factur-x, cii or ubl."""

    connection_id: Mapped[str | None]
    enabled: Mapped[bool]
    contact_name: Mapped[str | None]
    contact_email: Mapped[str | None]
    logo_sha256: Mapped[str | None]
    appearance: Mapped[dict[str, Any] | None]
    """How its drawn invoices look, see accounts.schemas.AppearanceIn; None is our own look."""

    reachability: Mapped[dict[str, Any] | None]
    """What to do after each answer of the directory, see directory.reachability; None is its default."""


DISPUTED = text("lifecycle IN ('206', '207', '208')")
"""What an index is of alone, in the words of the one statement that it serves."""


class Submission(Row, Base):
    """One outgoing invoice as somebody sent it to us. Its id is also the tracking id at the platform."""

    __tablename__ = "submissions"
    __table_args__ = (
        UniqueConstraint("tenant_id", "seller_siren", "number", "issue_year", "active"),
        Index("ix_submissions_list", "tenant_id", "received_at", "id"),
        Index("ix_submissions_issued", "tenant_id", "issue_date", "id"),
        Index("ix_submissions_sha256", "tenant_id", "sha256"),
        Index("ix_submissions_sent", "tenant_id", "sent_sha256"),
        Index("ix_submissions_buyer", "tenant_id", "buyer_siren"),
        Index("ix_submissions_type", "tenant_id", "type_code"),
        Index("ix_submissions_disputed", "tenant_id", sqlite_where=DISPUTED, postgresql_where=DISPUTED),
    )
    received_at: Mapped[datetime]
    actor: Mapped[str]
    legal_entity_id: Mapped[str | None]
    connection_id: Mapped[str | None]
    number: Mapped[str | None] = mapped_column(String(255))
    issue_date: Mapped[date | None]
    issue_year: Mapped[int | None]
    type_code: Mapped[str | None]
    business_process: Mapped[str | None]
    processing_rule: Mapped[str]
    """Of XP Z12-013, from the BAR note: B2B, B2BInt, B2C, OutOfScope, ArchiveOnly."""

    seller_siren: Mapped[str | None] = mapped_column(String(9))
    seller_name: Mapped[str | None]
    seller_address: Mapped[str | None]
    """BT-34."""

    buyer_siren: Mapped[str | None]
    buyer_name: Mapped[str | None]
    buyer_address: Mapped[str | None]
    """BT-49."""

    buyer_email: Mapped[str | None]
    currency: Mapped[str | None]
    total: Mapped[Decimal | None]
    """BT-112."""

    due: Mapped[Decimal | None]
    """BT-115."""

    due_date: Mapped[date | None]
    """BT-9."""

    vat: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    """BG-23 as {category, rate, taxable, tax}: 212 is split by it."""

    vat_due_code: Mapped[str | None]
    """BT-8."""

    preceding: Mapped[list[str]]
    """BT-25 of each earlier invoice."""

    linked: Mapped[dict[str, Any] | None]
    """What it follows from, by business term: BT-12, 13, 15, 16, 72, 73, 74. None for rows older than this column."""

    syntax: Mapped[str]
    profile: Mapped[str]
    verdict: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    """Of the bytes received."""

    sent_sha256: Mapped[str | None] = mapped_column(String(64))
    """Of the bytes that go to the platform: the same, unless we wrote the invoice from JSON."""

    active: Mapped[bool | None]
    """True while this submission holds its invoice identity; None once refused, rejected or replaced."""

    replaces: Mapped[str | None]
    transmission: Mapped[str]
    """refused (by us), queued, held, sending, unknown, deposited, failed, parked."""

    transmission_reason: Mapped[str | None] = mapped_column(Text)
    flow_id: Mapped[str | None] = mapped_column(String(64))
    lifecycle: Mapped[str | None] = mapped_column(String(8))
    """Derived from events by gateway/lifecycle; kept here only so that lists can filter."""


class Document(Row, Base):
    """A kept object that belongs to an invoice."""

    __tablename__ = "documents"
    __table_args__ = (
        Index("ix_documents_submission", "tenant_id", "submission_id"),
        Index("ix_documents_sha256", "tenant_id", "sha256"),
    )
    submission_id: Mapped[str]
    role: Mapped[str]
    """original, sent, report, loss, receipt, status, reminder ..."""

    syntax: Mapped[str | None]
    media_type: Mapped[str]
    name: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    at: Mapped[datetime]


class Event(Row, Base):
    """Something that happened to an invoice. Added by gateway/record.py only, never changed."""

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("tenant_id", "position"),
        Index("ix_events_submission", "tenant_id", "submission_id", "at", "position"),
        Index("ix_events_at", "tenant_id", "at", "position"),
        Index("ix_events_kind", "tenant_id", "kind", "at", "position"),
        Index("ix_events_code", "tenant_id", "code", "at", "position"),
        Index("ix_events_actor", "tenant_id", "actor", "at", "position"),
        Index("ix_events_sha256", "tenant_id", "sha256"),
    )
    position: Mapped[int] = mapped_column(GROWING)
    """Grows without gaps per tenant: the cursor of GET /v1/events."""

    submission_id: Mapped[str | None]
    at: Mapped[datetime]
    platform_at: Mapped[datetime | None]
    kind: Mapped[str]
    """submission, transmission, lifecycle, payment, reminder, access, setting."""

    code: Mapped[str]
    actor: Mapped[str]
    reason: Mapped[str | None] = mapped_column(Text)
    data: Mapped[dict[str, Any]]
    sha256: Mapped[str | None] = mapped_column(String(64))
    """The object that brought or shows it."""


class JournalEntry(TenantScoped, Base):
    """One line of a tenant's Merkle log, with its leaf hash and the frontier before it (archive/journal.py)."""

    __tablename__ = "journal"
    __table_args__ = (
        Index("ix_journal_subject", "tenant_id", "subject", "log", "seq"),
        Index("ix_journal_at", "tenant_id", "at"),
        Index("ix_journal_leaf", "tenant_id", "leaf"),
    )
    log: Mapped[str] = mapped_column(String(120), primary_key=True)
    seq: Mapped[int] = mapped_column(GROWING, primary_key=True)
    at: Mapped[datetime]
    type: Mapped[str]
    subject: Mapped[str | None]
    actor: Mapped[str]
    line: Mapped[bytes]
    leaf: Mapped[bytes]
    frontier: Mapped[bytes]


class Seal(TenantScoped, Base):
    """A signed checkpoint of a log, and its timestamp token once there is one."""

    __tablename__ = "seals"
    log: Mapped[str] = mapped_column(String(120), primary_key=True)
    size: Mapped[int] = mapped_column(GROWING, primary_key=True)
    at: Mapped[datetime]
    checkpoint: Mapped[bytes]
    token: Mapped[bytes | None]
    token_at: Mapped[datetime | None]
    """When it was stamped; without a token: when a later seal of the log was, which covers all of this one."""

    trouble: Mapped[str | None] = mapped_column(Text)
    ends_at: Mapped[datetime | None]
    """Until when the token stands alone; None for tokens of before this was kept."""


class OutboxEntry(Row, Base):
    """Work to do after a commit. The row is the queue; see gateway/outbox.py."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_due", "state", "due_at"),
        Index("ix_outbox_subject", "tenant_id", "subject_id"),
    )
    topic: Mapped[str]
    subject_id: Mapped[str]
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int]
    """Since a person last put it back to work."""

    claims: Mapped[int] = mapped_column(default=0, server_default="0")
    """Ever: the number of the claim that holds it."""

    state: Mapped[str]
    """pending, done, parked (a person must decide), closed (a person gave it up)."""

    reason: Mapped[str | None] = mapped_column(Text)


class SeenFlow(Row, Base):
    """Every flow a platform ever showed us, with what became of it. `id` is the platform's flow id."""

    __tablename__ = "seen_flows"
    __table_args__ = (
        Index("ix_seen_flows_submission", "tenant_id", "submission_id"),
        Index("ix_seen_flows_sha256", "tenant_id", "sha256"),
    )
    connection_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    flow_type: Mapped[str]
    first_seen_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    state: Mapped[str]
    """new, done, parked."""

    cause: Mapped[str | None] = mapped_column(Text)
    submission_id: Mapped[str | None]
    sha256: Mapped[str | None] = mapped_column(String(64))


class Payment(Row, Base):
    """Money received for an invoice. Negative for a reversal. Never changed, only followed by another."""

    __tablename__ = "payments"
    __table_args__ = (Index("ix_payments_submission", "tenant_id", "submission_id"),)
    submission_id: Mapped[str]
    amount: Mapped[Decimal]
    """With VAT, in `currency`."""

    currency: Mapped[str]
    paid_on: Mapped[date]
    method: Mapped[str | None]
    reference: Mapped[str | None]
    recorded_at: Mapped[datetime]
    actor: Mapped[str]
