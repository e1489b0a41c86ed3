"""Claims for lateness with what is left of them: their own balance, beside that of the invoice. Reads only.

A payment goes to the invoice first; to a claim only where a person says so. (Art. 1343-1 of the Code civil lets a
creditor take interest first; whoever wants that allocates the money to the claim.)
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.clock import day_in_france
from gateway.db import slices
from gateway.tables_receivables import Claim, ClaimPayment

NOTHING = Decimal(0)
INDEMNITY, INTEREST, FEE = "indemnity", "interest", "fee"


@dataclass(frozen=True, slots=True)
class ClaimState:
    """A claim on a day."""

    row: Claim
    paid: Decimal
    waived: Decimal

    @property
    def outstanding(self) -> Decimal:
        """What is left of it; negative when too much was paid."""
        return self.row.amount - self.paid - self.waived


def states_of(session: Session, rows: Sequence[Claim], as_of: date) -> list[ClaimState]:
    """These claims as they stand at the end of a day, oldest first; later ones are left out."""
    paid: dict[str, Decimal] = defaultdict(Decimal)
    ids = [row.id for row in rows]
    for part in slices(ids):
        query = select(ClaimPayment.claim_id, ClaimPayment.amount, ClaimPayment.paid_on).where(
            ClaimPayment.claim_id.in_(part))
        for claim_id, amount, on in session.execute(query):
            paid[claim_id] += amount if on <= as_of else NOTHING
    known = sorted((row for row in rows if row.claimed_on <= as_of), key=lambda row: (row.claimed_on, row.created_at))
    return [ClaimState(row, paid[row.id], _waived(row, paid[row.id], as_of)) for row in known]


def claims_on(session: Session, submission_id: str, as_of: date) -> list[ClaimState]:
    """The claims on one invoice, as they stand at the end of a day."""
    return states_of(session, session.scalars(select(Claim).where(Claim.submission_id == submission_id)).all(), as_of)


def _waived(row: Claim, paid: Decimal, as_of: date) -> Decimal:
    """Of two waivers only the day of the first is kept: never more than was left on the day that is asked about."""
    if row.waived is None or row.waived_at is None or day_in_france(row.waived_at) > as_of:
        return NOTHING
    return min(row.waived, max(NOTHING, row.amount - paid))
