"""What goes over the wire about objects, retention, holds, destructions and erasure."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from archive.stores.safe import Call, Card
from gateway.tables_retention import LegalHold


class Strict(BaseModel):
    """Nothing that is not named here."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


class CardOut(Strict):
    """The mandatory metadata of an object (NF Z42-020)."""

    id: str
    depositor: str
    deposited_at: datetime
    size: int
    algorithm: str
    hash: str


class Cards(Strict):
    """In order of their ids."""

    items: list[CardOut]


class CountOut(Strict):
    """How many."""

    count: int


class CallOut(Strict):
    """One use of a verb."""

    verb: str
    object: str | None
    outcome: str
    """done, ordered (a destruction about to happen), or the code of the error."""


class Calls(Strict):
    """Oldest first."""

    items: list[CallOut]


class OrderIn(Strict):
    """Why an object is destroyed."""

    reason: str = Field(min_length=1, max_length=1000)


class HoldIn(Strict):
    """A hold to set."""

    subject: str = Field(max_length=200)
    """An invoice's id, `object:<sha256>`, or `all`."""

    reason: str = Field(min_length=1, max_length=1000)


class ReasonIn(Strict):
    """Why."""

    reason: str = Field(min_length=1, max_length=1000)


class HoldOut(Strict):
    """A legal hold. It stands while `lifted_at` is null."""

    id: str
    subject: str
    reason: str
    set_at: datetime
    set_by: str
    lifted_at: datetime | None
    lifted_by: str | None
    lifted_reason: str | None


class Holds(Strict):
    """Those that stand first."""

    items: list[HoldOut]


class RetentionOut(Strict):
    """Until when an invoice is kept with all its objects, or that it is gone."""

    invoice: str
    until: date
    """The last day, a French calendar day."""

    rule: str
    """`MM-DD+years`: the close of the fiscal year, and how long from there."""

    holds: list[HoldOut]
    destroyed_at: datetime | None
    destruction: str | None


class StatementDue(Strict):
    """A statement of the bank past its last day; `subject` is what a destruction names it by."""

    subject: str
    name: str
    received_at: datetime
    until: date


class Due(Strict):
    """What is past its last day, neither destroyed nor under a hold; the oldest first."""

    items: list[RetentionOut]
    """Invoices."""

    statements: list[StatementDue]


class PersonIn(Strict):
    """The person who acts: a key is nobody. An account with the right to destroy."""

    email: str = Field(max_length=254)
    password: str = Field(max_length=256)


class ProposalIn(Strict):
    """What shall be destroyed, and why that is allowed."""

    person: PersonIn
    subjects: list[str] = Field(min_length=1, max_length=1000)
    reason: str = Field(min_length=1, max_length=1000)


class ApprovalIn(Strict):
    """The second person."""

    person: PersonIn


class RefusalIn(Strict):
    """Who declines, and why."""

    person: PersonIn
    reason: str = Field(min_length=1, max_length=1000)


class DestructionOut(Strict):
    """A destruction: proposed, declined, approved (at work) or done."""

    id: str
    state: str
    reason: str
    proposed_at: datetime
    proposed_by: str
    decided_at: datetime | None
    decided_by: str | None
    decided_reason: str | None
    finished_at: datetime | None
    certificate: str | None
    """SHA-256 of the certificate, once it is done."""


class Destructions(Strict):
    """Those that wait for a second person first."""

    items: list[DestructionOut]


class ErasureIn(Strict):
    """Whose address shall go."""

    email: str = Field(min_length=3, max_length=254)


class ErasureOut(Strict):
    """In how many places it was, by kind."""

    erased: dict[str, int]


def hold_out(row: LegalHold) -> HoldOut:
    """A hold as it is shown."""
    return HoldOut.model_validate(row)


def card_out(card: Card) -> CardOut:
    """The metadata of an object as they are shown: its hash is its id."""
    return CardOut(id=card.digest.hex, depositor=card.depositor, deposited_at=card.at, size=card.size,
                   algorithm=card.algorithm, hash=card.digest.hex)


def call_out(call: Call) -> CallOut:
    """A call as it is shown."""
    return CallOut(verb=call.verb, object=call.digest.hex if call.digest else None, outcome=call.outcome)
