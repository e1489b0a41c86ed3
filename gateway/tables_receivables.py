"""Tables of what the bank says and of what lateness costs. Loaded with the others, by gateway/db.py.

What a client paid is in `payments`, which only gateway/receivables/entering.py adds to; a movement of the bank account
becomes a payment once a person has said of what.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.tables import GROWING, Base, Row, TenantScoped

OPEN, OPEN_ON_SQLITE = text("is_open"), text("is_open = 1")
ODD, ODD_ON_SQLITE = text("NOT fits"), text("fits = 0")
"""What some indexes are of alone, in the words of the statements that they serve."""


class BankFile(Row, Base):
    """One CAMT.053 file as it came. The bytes are a kept object; the same bytes are one file."""

    __tablename__ = "bank_files"
    __table_args__ = (
        UniqueConstraint("tenant_id", "sha256"),
        Index("ix_bank_files_list", "tenant_id", "received_at", "id"),
    )
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    name: Mapped[str] = mapped_column(String(255))
    version: Mapped[str] = mapped_column(String(20))
    """`camt.053.001.08` and the like."""

    message_id: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[datetime]
    actor: Mapped[str]
    added: Mapped[int]
    """Movements that were new."""

    repeated: Mapped[int]
    """Movements that another file, or this one, had told already."""

    remarks: Mapped[list[str]]
    """What a person should know: balances that do not meet, movements that are only announced. French / English."""

    kept_until: Mapped[date | None]
    """The last day that the store was told; what was once told is never shortened (keeping/retention.py)."""


class BankMovement(Row, Base):
    """Money that came onto an account, or went from it. `key` is what makes it the same in two statements."""

    __tablename__ = "bank_movements"
    __table_args__ = (
        UniqueConstraint("tenant_id", "key"),
        Index("ix_bank_movements_list", "tenant_id", "state", "booked_on", "id"),
        Index("ix_bank_movements_content", "tenant_id", "content"),
        Index("ix_bank_movements_file", "tenant_id", "file_id"),
        Index("ix_bank_movements_iban", "tenant_id", "iban"),
    )
    file_id: Mapped[str] = mapped_column(String(64))
    """The file that told it first."""

    key: Mapped[str] = mapped_column(String(64))
    content: Mapped[str] = mapped_column(String(64))
    """Hash of what is said of it, without the bank's references: see bank/repeats.py."""

    account: Mapped[str] = mapped_column(String(64))
    statement: Mapped[str] = mapped_column(String(64))
    amount: Mapped[Decimal]
    """Positive for money that came in."""

    currency: Mapped[str] = mapped_column(String(3))
    booked_on: Mapped[date]
    value_on: Mapped[date]
    """The day on which the money counts: that of the payment which it becomes."""

    returned: Mapped[bool]
    """It takes back an earlier movement: a reversal, or a return of the other bank."""

    reference: Mapped[str | None] = mapped_column(String(64))
    """Of the account servicer."""

    end_to_end: Mapped[str | None] = mapped_column(String(64))
    name: Mapped[str | None] = mapped_column(String(255))
    iban: Mapped[str | None] = mapped_column(String(64))
    """Of who paid, or was paid."""

    remittance: Mapped[str] = mapped_column(Text)
    creditor_reference: Mapped[str | None] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12))
    """open, matched (all of it allocated), aside (a person said that it concerns no invoice), doubtful (a person must
    say whether another statement told it already), repeated (she said so)."""

    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    decided_reason: Mapped[str | None] = mapped_column(Text)


class BankAllocation(Row, Base):
    """What part of a movement went to which invoice or claim. Never changed; taken back by a further one."""

    __tablename__ = "bank_allocations"
    __table_args__ = (Index("ix_bank_allocations_movement", "tenant_id", "movement_id"),)
    movement_id: Mapped[str] = mapped_column(String(64))
    submission_id: Mapped[str] = mapped_column(String(64))
    claim_id: Mapped[str | None] = mapped_column(String(64))
    """The claim on this invoice that was paid; None: the invoice itself."""

    payment_id: Mapped[str] = mapped_column(String(64))
    """Row of `payments`, or of `claim_payments`."""

    amount: Mapped[Decimal]
    at: Mapped[datetime]
    actor: Mapped[str]


class LedgerLine(TenantScoped, Base):
    """What one document stands for now, to be found by: see receivables/lines.py. Goes with its invoice's names."""

    __tablename__ = "ledger_lines"
    __table_args__ = (
        Index("ix_ledger_lines_signs", "tenant_id", "signs"),
        Index("ix_ledger_lines_balance", "tenant_id", "currency", "balance"),
        Index("ix_ledger_lines_client", "tenant_id", "client", "is_open"),
        Index("ix_ledger_lines_name", "tenant_id", "is_open", "bare_name", "client"),
    )
    submission_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[str] = mapped_column(String(255))
    signs: Mapped[str] = mapped_column(String(255))
    """The number in capitals without signs."""

    client: Mapped[str] = mapped_column(String(64))
    """Hash of the client's key."""

    name: Mapped[str]
    """Of the client, as the document writes it."""

    bare_name: Mapped[str] = mapped_column(String(600))
    """The same as names are compared; no bank tells longer ones."""

    currency: Mapped[str]
    balance: Mapped[Decimal]
    """With as many decimals as it needs, at least two, so that equal amounts are equal texts. Below zero: a credit."""

    is_open: Mapped[bool]
    """Whether something is to be paid."""

    due_date: Mapped[date | None]


class LedgerSpell(TenantScoped, Base):
    """What one document stood for from a day to another, netted: see receivables/spells.py. Goes with its line.

    On any day a document has one spell, or none: before its issue, and while it is a credit note that is netted against
    its invoice. Amounts are hundredths, so that a database adds them exactly; see `exact`.
    """

    __tablename__ = "ledger_spells"
    __table_args__ = (
        Index("ix_ledger_spells_open", "tenant_id", "currency", "due_date", "until", "since", "balance", "fits",
              "is_open", sqlite_where=OPEN_ON_SQLITE, postgresql_where=OPEN),
        Index("ix_ledger_spells_listed", "tenant_id", "listed_on", "number_key", "until", "since",
              sqlite_where=OPEN_ON_SQLITE, postgresql_where=OPEN),
        Index("ix_ledger_spells_sales", "tenant_id", "currency", "issued_on", "until", "since", "sale", "fits"),
        Index("ix_ledger_spells_client", "tenant_id", "client", "currency", "due_date", "until", "since", "sale",
              "delay", "is_open", "balance", "fits"),
        Index("ix_ledger_spells_settled", "tenant_id", "settled_on"),
        Index("ix_ledger_spells_odd", "tenant_id", "fits", sqlite_where=ODD_ON_SQLITE, postgresql_where=ODD),
    )
    submission_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    since: Mapped[date] = mapped_column(primary_key=True)
    until: Mapped[date]
    """The first day on which it is over; the last of all days while it lasts."""

    client: Mapped[str] = mapped_column(String(64))
    """The SIREN, else `~` and a hash of the client's key."""

    name: Mapped[str]
    """Of the client, as the document writes it."""

    name_key: Mapped[str]
    """The same in small letters without accents, to be found and sorted by; so is the number."""

    number: Mapped[str]
    number_key: Mapped[str] = mapped_column(String(255))
    type_code: Mapped[str]
    currency: Mapped[str]
    issued_on: Mapped[date]
    due_date: Mapped[date | None]
    listed_on: Mapped[date]
    """The due date, else the day of issue: the usual order of lists."""

    is_open: Mapped[bool]
    """Whether the balance is not zero."""

    asked: Mapped[int] = mapped_column(GROWING)
    """What it states, less what ended."""

    paid: Mapped[int] = mapped_column(GROWING)
    taken_off: Mapped[int] = mapped_column(GROWING)
    """By credit notes, less what they gave back as money."""

    balance: Mapped[int] = mapped_column(GROWING)
    """asked - paid - taken_off."""

    sale: Mapped[int] = mapped_column(GROWING)
    """What it adds to the sales of its day of issue (receivables/figures.py)."""

    settled_on: Mapped[date | None]
    """The day since which payments reach the sale of an invoice; None while they do not."""

    delay: Mapped[int | None]
    """Days from the due date to that day, 0 if it is earlier; None where one of the two is missing."""

    fits: Mapped[bool]
    """Whether hundredths hold these amounts. Where they do not, what they hold is near, and good for sorting alone."""

    exact: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """The five amounts as they are, where they do not fit."""


class LedgerMark(TenantScoped, Base):
    """How far the lines of a tenant follow its events."""

    __tablename__ = "ledger_marks"
    position: Mapped[int] = mapped_column(GROWING)
    made_to: Mapped[str | None] = mapped_column(String(64))
    """Id of the last document of which a line was made the first time; None once all were."""


class Claim(Row, Base):
    """What lateness costs the client: owed beside the invoice, with a balance of its own."""

    __tablename__ = "claims"
    __table_args__ = (
        UniqueConstraint("tenant_id", "once"),
        Index("ix_claims_submission", "tenant_id", "submission_id"),
    )
    submission_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(12))
    """indemnity (40 EUR), interest, fee."""

    once: Mapped[str] = mapped_column(String(120))
    """What there is only once: the indemnity of an invoice, the interest of an invoice from a day on, a fee by key."""

    amount: Mapped[Decimal]
    currency: Mapped[str] = mapped_column(String(3))
    claimed_on: Mapped[date]
    first_day: Mapped[date | None]
    last_day: Mapped[date | None]
    """The days of interest, both included; None for the other kinds."""

    basis: Mapped[dict[str, Any]]
    """How it came about: law, segments with base, rate and source of the rate; the reason of a fee."""

    created_at: Mapped[datetime]
    actor: Mapped[str]
    waived: Mapped[Decimal | None]
    """What a person gave up of it."""

    waived_at: Mapped[datetime | None]
    waived_by: Mapped[str | None]
    waived_reason: Mapped[str | None] = mapped_column(Text)


class ClaimPayment(Row, Base):
    """Money received for a claim. Negative for a reversal. Never changed, only followed by another."""

    __tablename__ = "claim_payments"
    __table_args__ = (Index("ix_claim_payments_claim", "tenant_id", "claim_id"),)
    claim_id: Mapped[str] = mapped_column(String(64))
    amount: Mapped[Decimal]
    currency: Mapped[str] = mapped_column(String(3))
    paid_on: Mapped[date]
    reference: Mapped[str | None] = mapped_column(String(140))
    recorded_at: Mapped[datetime]
    actor: Mapped[str]


class PenaltyTerms(Row, Base):
    """What a seller agreed with its clients about lateness. `id` is the legal entity's; absent: what the law says."""

    __tablename__ = "penalty_terms"
    rate: Mapped[Decimal | None]
    """Percent a year; None: the rate of the European Central Bank and ten points."""

    day_count: Mapped[str] = mapped_column(String(8))
    """365, actual or 360."""

    clients: Mapped[dict[str, str]] = mapped_column(JSON)
    """Rates agreed with single clients, by SIREN, and with segments of clients, by `segment:` and name; percent."""


class HalfYearRate(Row, Base):
    """The rates of a half-year that a person added, with their source. `id` is `2026-H2` and the like."""

    __tablename__ = "half_year_rates"
    refinancing: Mapped[Decimal]
    """Of the main refinancing operations of the ECB, on the first day of the half-year; percent."""

    legal: Mapped[Decimal]
    """Legal interest between professionals; percent."""

    source: Mapped[str] = mapped_column(Text)
    added_at: Mapped[datetime]
    actor: Mapped[str]
