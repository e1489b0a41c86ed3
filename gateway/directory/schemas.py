"""What goes over the wire about the directory: an answer, and what an entity does after each."""

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from gateway.directory.asking import Known
from gateway.directory.reachability import DEFAULT, Reach, complete
from gateway.tables import LegalEntity

Choice = Literal["send", "hold", "ask"]


class Policy(BaseModel):
    """What to do with an invoice after each answer: send it, hold it and ask again later, or ask a person.

    A reachable buyer is always sent to.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    not_yet: Choice = Field(alias="not-yet", default=DEFAULT[Reach.NOT_YET].value)
    disabled: Choice = DEFAULT[Reach.DISABLED].value
    unknown: Choice = DEFAULT[Reach.UNKNOWN].value
    cannot_tell: Choice = Field(alias="cannot-tell", default=DEFAULT[Reach.CANNOT_TELL].value)

    def kept(self) -> dict[str, str]:
        """As the entity's row keeps it."""
        return self.model_dump(by_alias=True)

    @classmethod
    def of(cls, row: LegalEntity) -> Self:
        """What is in force for an entity."""
        return cls.model_validate(complete(row.reachability))


class AnswerOut(BaseModel):
    """Whether an address is reachable, as the directory of one connection says it."""

    address: str
    reach: Literal["reachable", "not-yet", "disabled", "unknown", "cannot-tell"]
    reason: str
    others: list[str]
    """The company's other addresses with their state."""

    asked_at: datetime
    step: Choice
    """What happens to an invoice for it now."""

    evidence_sha256: str | None
    last_told: dict[str, Any] | None
    """The last certain answer, when this one is not."""

    @classmethod
    def of(cls, known: Known, step: str) -> Self:
        """From what is known."""
        last = {"reach": known.told, "at": known.told_at} if known.told and known.told_at else None
        return cls.model_validate({
            "address": known.address, "reach": known.finding.reach.value, "reason": known.finding.reason,
            "others": list(known.finding.others), "asked_at": known.asked_at, "step": step,
            "evidence_sha256": known.kept.sha256 if known.kept else None, "last_told": last})
