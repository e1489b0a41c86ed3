"""What a letter tells about a client's invoices, before it is words. Pure data."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from gateway.reminders.letters.bills import Bill, Remittance, remittances
from gateway.reminders.scenario import THANKS

LANGUAGES: Final = ("fr", "en")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenItem:
    """One of the client's open invoices or credits, in the currency of the letter."""

    id: str
    number: str
    due_date: date | None
    balance: Decimal
    """Negative for a credit of the client."""

    disputed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a letter tells. Amounts in `currency`."""

    tone: str
    lang: str
    """One of LANGUAGES."""

    bills: tuple[Bill, ...]
    """The invoices that it is about, at least one; the first leads and gives the tone."""

    today: date
    currency: str
    signature: tuple[str, ...]
    """Who writes: person, company, address for questions."""

    reminded: bool
    """Whether a letter about one of these invoices went out after the due date."""

    professional: bool
    """The 40 euro indemnity is owed between professionals only (D441-5)."""

    late_interest: str | None = None
    """The PMD note of the invoices. No rate is ever made up here."""

    indemnity: str | None = None
    """The PMT note of the invoices."""

    attached: tuple[str, ...] = ()
    """Numbers of the invoices that go with it."""

    missing: tuple[str, ...] = ()
    """Numbers of those that should go with it and cannot."""

    client: str = ""
    company: str = ""
    open_items: tuple[OpenItem, ...] = ()
    """Everything that the client owes the seller, the invoices of the letter too."""

    answers: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    """Number, and (words, address) of the answers about this invoice that take one click."""

    approved_on: date | None = None
    """The day on which the buyer approved the first invoice (205)."""

    subject: str = ""
    text: str = ""
    """Words of the scenario in place of those of the tone; see texts.py."""

    @property
    def lead(self) -> Bill:
        """The invoice whose stage it is."""
        return self.bills[0]

    @property
    def asked(self) -> Decimal:
        """What the letter asks for: everything that is left of its invoices."""
        return sum((bill.balance for bill in self.bills), Decimal(0))

    @property
    def total(self) -> Decimal:
        """The balance of everything open."""
        return sum((item.balance for item in self.open_items), Decimal(0)) if self.open_items else self.asked

    @property
    def others(self) -> tuple[OpenItem, ...]:
        """What is open besides the invoices of the letter."""
        ours = {bill.id for bill in self.bills}
        return tuple(item for item in self.open_items if item.id not in ours)

    @property
    def days_late(self) -> int:
        """Calendar days since the oldest due date; 0 on it and before."""
        return max([0, *((self.today - bill.due_date).days for bill in self.bills if bill.due_date is not None)])

    @property
    def remittances(self) -> tuple[Remittance, ...]:
        """The transfers that pay what it asks for; thanks ask for nothing."""
        return () if self.tone == THANKS else remittances(self.bills, self.currency)
