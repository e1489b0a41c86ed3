"""What is still due on an invoice, at any date. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from gateway.tables import Payment, Submission


class Settlement(StrEnum):
    """How far an invoice is paid."""

    OPEN = "open"
    PARTIAL = "partial"
    PAID = "paid"
    OVERPAID = "overpaid"


@dataclass(frozen=True, slots=True)
class Balance:
    """Money of one invoice, in its currency."""

    due: Decimal
    """BT-115, else BT-112; 0 where the invoice states neither."""

    paid: Decimal
    """Payments less reversals."""

    credited: Decimal = Decimal(0)
    """What credit notes took off, where the caller looked for them (`entering.balance_on`)."""

    @property
    def outstanding(self) -> Decimal:
        """What is still due; negative when too much was paid."""
        return self.due - self.credited - self.paid

    @property
    def settlement(self) -> Settlement:
        """open, partial, paid or overpaid. A negative amount due (the seller owes) is seen from its own side."""
        side = -1 if self.due < 0 else 1
        outstanding = self.outstanding * side
        if outstanding == 0:
            return Settlement.PAID
        if outstanding < 0:
            return Settlement.OVERPAID
        return Settlement.PARTIAL if (self.paid + self.credited) * side > 0 else Settlement.OPEN


def balance_of(submission: Submission, payments: Iterable[Payment], on: date | None = None) -> Balance:
    """The balance of an invoice after the payments received up to and including this day; None: after all of them."""
    due = submission.due if submission.due is not None else submission.total
    received = [payment.amount for payment in payments if on is None or payment.paid_on <= on]
    return Balance(due if due is not None else Decimal(0), sum(received, Decimal(0)))
