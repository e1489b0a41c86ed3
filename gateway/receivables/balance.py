"""What is still due on an invoice, at any date. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from gateway.receivables.account import NOTHING, Document, Item, Received


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
    """BT-115, else BT-112; 0 where the invoice states neither. Of an invoice that ended, what credit notes took off."""

    paid: Decimal
    """Payments less reversals."""

    credited: Decimal = NOTHING
    """What credit notes took off, less what they gave back as money."""

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


def balance_of(document: Document, payments: Iterable[Received], item: Item | None, on: date = date.max) -> Balance:
    """The balance of a document of which the ledger says `item`, after its payments up to and including this day.

    A credit note is seen alone, and so is an invoice before its issue: what it states, and what was paid of that.
    """
    if item is None or document.is_credit:
        return Balance(document.due, sum((one.amount for one in payments if one.on <= on), NOTHING))
    return Balance(item.stated - item.ended, item.paid, item.credited - item.refunded)
