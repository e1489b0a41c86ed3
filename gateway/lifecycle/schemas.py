"""What goes over the wire about events and statuses."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")


class Out(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(extra="forbid")


class FeedEventOut(Out):
    """One thing that happened to an invoice. Positions grow; some are missing here, they belong to no invoice."""

    position: int
    id: str
    invoice: str
    at: datetime
    platform_at: datetime | None
    kind: str
    code: str
    label: str | None
    actor: str
    reason: str | None
    sha256: str | None
    data: dict[str, Any]


class FeedOut(Out):
    """Events in the order they became known here; `next` is the `after` of the following page, null at the end."""

    items: list[FeedEventOut]
    next: int | None


class AccountIn(BaseModel):
    """The account to pay from now on."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    iban: Annotated[str, Field(max_length=42)]
    """Blanks are taken away, the check digits are checked (ISO 13616)."""

    bic: Annotated[str, Field(pattern=r"^[A-Z0-9]{8}([A-Z0-9]{3})?$")] | None = None
    name: Annotated[str, Field(min_length=1, max_length=70)] | None = None

    @field_validator("iban")
    @classmethod
    def checked(cls, iban: str) -> str:
        """The IBAN without blanks. Raises ValueError for wrong check digits."""
        bare = "".join(iban.split()).upper()
        digits = "".join(str(int(letter, 36)) for letter in bare[4:] + bare[:4]) if IBAN.fullmatch(bare) else "0"
        if int(digits) % 97 != 1:
            raise ValueError("IBAN erroné / wrong IBAN")
        return bare


class StatusIn(BaseModel):
    """A status that the seller sets."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    code: Literal["209", "220", "227"]
    """209 completes a suspended invoice, 220 cancels one that a corrected invoice replaces, 227 tells another account
    to pay. 212 is not set by hand: it follows payments."""

    comment: Annotated[str, Field(min_length=1, max_length=1024)] | None = None
    account: AccountIn | None = None
    """With 227, and only there."""

    @model_validator(mode="after")
    def account_with_227(self) -> "StatusIn":
        """Raises ValueError for a 227 without an account, and for an account elsewhere."""
        if (self.code == "227") != (self.account is not None):
            raise ValueError("« account » accompagne 227 et lui seul / account comes with 227, and only there")
        return self


class StatusQueuedOut(Out):
    """The answer to a status that is on its way."""

    id: str
    code: str
    state: Literal["queued"] = "queued"


class ExpectedOut(Out):
    """Who is to move, and how."""

    by: str
    fr: str
    en: str


class SaidOut(Out):
    """One status as it was told. `objection` says why it does not count, null where it does."""

    event: str
    code: str
    label: str | None
    at: datetime
    by: str
    platform: str | None
    """Of a status by a platform: issuer-platform, recipient-platform, ppf, or platform where nobody can tell."""

    name: str | None
    reason: str | None
    own: bool
    objection: str | None


class DutyOut(Out):
    """A status that the law wants at the portal within 24 hours, and that has not left."""

    invoice: str
    number: str | None
    code: str
    since: datetime
    until: datetime
    state: Literal["pending", "parked", "refused"]
    alarm: bool
    """Somebody should look now: it is parked or refused, or less than six hours are left."""

    late: bool
    reason: str | None


class DutiesOut(Out):
    """What is still to be said to the State, the most urgent first."""

    items: list[DutyOut]


class LifecycleStateOut(Out):
    """Where one invoice stands, who said what, and what comes next."""

    invoice: str
    code: str | None
    label: str | None
    ended: str | None
    open: list[str]
    """Questions of the buyer without an answer: 207, 208."""

    payment: str | None
    cashed: str
    """The sum of the 212 that count, in euro."""

    expected: ExpectedOut | None
    may_set: list[str]
    """The statuses that POST …/statuses would take now."""

    statuses: list[SaidOut]
    duties: list[DutyOut]
