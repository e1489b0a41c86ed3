"""What goes over the wire about bank files and movements. Amounts are decimals as text, above zero for money in."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.receivables.schemas import MoneyText, Out
from gateway.tables_receivables import BankFile, BankMovement

Action = Literal["aside", "reopen", "same", "another"]
MOST_PARTS: Final = 500
"""Of one answer: a great client pays so many invoices with one transfer. They take some seconds."""

State = Literal["open", "doubtful", "matched", "aside", "repeated"]


class BankFileOut(Out):
    """A bank file that was taken in: how many of its movements were new, and how many were known."""

    id: str
    name: str
    version: str
    sha256: str
    received_at: datetime
    actor: str
    added: int
    repeated: int
    remarks: list[str]
    """What a person should know, French / English."""

    already_known: bool
    """These very bytes were here already, so that nothing was done."""


class BankFileListOut(Out):
    """Bank files, newest first."""

    items: list[BankFileOut]


class PartOut(Out):
    """A part of a movement, and the item that it would pay, or paid."""

    invoice_id: str
    number: str
    claim_id: str | None
    amount: str


class ProposalOut(Out):
    """One way to allocate a movement. `reasons` are codes, `why` the same for people."""

    parts: list[PartOut]
    left: str
    score: int
    reasons: list[str]
    why: str


class MovementOut(Out):
    """One movement. `question` says what a person must decide, where it is more than which proposal."""

    id: str
    file_id: str
    account: str
    statement: str
    amount: str
    currency: str
    booked_on: date
    value_on: date
    returned: bool
    name: str | None
    iban: str | None
    remittance: str
    creditor_reference: str | None
    end_to_end: str | None
    reference: str | None
    state: str
    left: str
    """What is not allocated yet."""

    allocations: list[PartOut]
    proposals: list[ProposalOut]
    question: str | None
    decided_by: str | None
    decided_at: datetime | None
    decided_reason: str | None


class MovementListOut(Out):
    """A page of movements, newest booking day first; `next` is the `before` of the following page, null at the end."""

    items: list[MovementOut]
    next: str | None


class PartIn(BaseModel):
    """What part of a movement goes where: to an invoice, or to a claim on it."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    invoice_id: Annotated[str, Field(min_length=1, max_length=64)]
    claim_id: Annotated[str, Field(max_length=64)] | None = None
    amount: MoneyText

    @property
    def value(self) -> Decimal:
        """The amount as a number."""
        return Decimal(self.amount)


class AllocationIn(BaseModel):
    """What a person says of a movement. What is not allocated stays open on it."""

    model_config = ConfigDict(extra="forbid")

    parts: Annotated[list[PartIn], Field(min_length=1, max_length=MOST_PARTS)]
    overpayment: bool = False
    """Whether more than what is open may go to an invoice, as a credit of the client."""


class MovementDecisionIn(BaseModel):
    """`aside`: it concerns no invoice; `reopen`: it does; `same` or `another`: what a doubtful one is."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    action: Action
    reason: Annotated[str, Field(min_length=3, max_length=500)]


def file_out(row: BankFile, *, known: bool = False) -> BankFileOut:
    """A file as it is shown."""
    return BankFileOut(id=row.id, name=row.name, version=row.version, sha256=row.sha256, received_at=row.received_at,
                       actor=row.actor, added=row.added, repeated=row.repeated, remarks=row.remarks,
                       already_known=known)


def movement_out(
    row: BankMovement, left: Decimal, allocations: list[PartOut], proposals: list[ProposalOut], question: str | None
) -> MovementOut:
    """A movement as it is shown."""
    return MovementOut(
        id=row.id, file_id=row.file_id, account=row.account, statement=row.statement, amount=format(row.amount, "f"),
        currency=row.currency, booked_on=row.booked_on, value_on=row.value_on, returned=row.returned, name=row.name,
        iban=row.iban, remittance=row.remittance, creditor_reference=row.creditor_reference,
        end_to_end=row.end_to_end, reference=row.reference, state=row.state, left=format(left, "f"),
        allocations=allocations, proposals=proposals, question=question, decided_by=row.decided_by,
        decided_at=row.decided_at, decided_reason=row.decided_reason,
    )
