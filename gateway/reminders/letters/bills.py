"""What a letter asks for, invoice by invoice, and the transfers that pay it. Pure.

One transfer pays everything that the letter asks for, since that is what an accountant would rather prepare: its amount
is the sum of what is left of these invoices today, its reference names each of them. Invoices to be paid to different
accounts are parted, and so are those whose numbers do not fit into one reference: nothing is left out or cut. What the
letter does not ask for today (not yet due, disputed, on hold, promised) is in no transfer, although the list of open
items shows it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from formats.rendering.payment_code import LONGEST_TEXT, MOST, TRANSFERS, NoCode, Transfer, one_line, transfer_code

NO_CODE: Final[Mapping[NoCode, str]] = {
    NoCode.NOT_A_TRANSFER: "la facture ne prévoit pas de virement (BT-81)",
    NoCode.CURRENCY: "le code ne vaut qu'en euros",
    NoCode.AMOUNT: "le montant est hors de 0,01 à 999 999 999,99 €",
    NoCode.NO_IBAN: "aucun IBAN valable à proposer",
    NoCode.BIC: "le BIC de la facture est mal formé",
    NoCode.NAME: "le nom du bénéficiaire manque ou dépasse 70 caractères",
    NoCode.REFERENCE: "la référence dépasse 140 caractères",
    NoCode.TOO_LONG: "les données dépassent 331 octets",
}
"""Why a letter goes without its payment code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where to pay: BG-17."""

    number: str
    """BT-84."""

    holder: str
    """BT-85, else the payee, else the seller."""

    bic: str | None = None
    means: str | None = "30"
    """BT-81."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """One invoice that a letter is about. Amounts in the currency of the letter."""

    id: str
    number: str
    issue_date: date | None
    due_date: date | None
    due: Decimal
    paid: Decimal = Decimal(0)
    credited: Decimal = Decimal(0)
    account: Account | None = None
    reference: str | None = None
    """BT-83."""

    @property
    def balance(self) -> Decimal:
        """What is left to pay."""
        return self.due - self.paid - self.credited


@dataclass(frozen=True, slots=True, kw_only=True)
class Remittance:
    """One transfer that pays some of what a letter asks for."""

    bills: tuple[Bill, ...]
    """With one account for all."""

    currency: str

    @property
    def code(self) -> str | NoCode:
        """The text of its QR code (EPC069-12), or why there is none."""
        account = self.account
        if account is None:
            return NoCode.NO_IBAN
        if account.means not in TRANSFERS:
            return NoCode.NOT_A_TRANSFER
        return transfer_code(Transfer(name=account.holder, account=account.number, bic=account.bic, amount=self.amount,
                                      currency=self.currency, reference=self.reference))

    @property
    def account(self) -> Account | None:
        """Where it goes; None where the invoice is collected, or its account may be the wrong one by now."""
        return self.bills[0].account

    @property
    def amount(self) -> Decimal:
        """Everything that is left of its invoices."""
        return sum((bill.balance for bill in self.bills), Decimal(0))

    @property
    def reference(self) -> str:
        """What the payer quotes: of one invoice BT-83, else its number; of several their numbers."""
        return reference_of(self.bills)

    def to_json(self) -> dict[str, object]:
        """For the record of a decision."""
        code = self.code
        return {"amount": format(self.amount, "f"), "currency": self.currency, "reference": self.reference,
                "invoices": [bill.number for bill in self.bills],
                "no_code": code.value if isinstance(code, NoCode) else None,
                "why": NO_CODE[code] if isinstance(code, NoCode) else None}


def remittances(bills: Iterable[Bill], currency: str) -> tuple[Remittance, ...]:
    """The transfers that pay these invoices; none for what is settled."""
    by_account: dict[Account | None, list[Bill]] = {}
    for bill in bills:
        if bill.balance > 0:
            by_account.setdefault(bill.account, []).append(bill)
    return tuple(Remittance(bills=part, currency=currency) for same in by_account.values() for part in _parts(same))


def reference_of(bills: Sequence[Bill]) -> str:
    """The reference of a transfer that pays these invoices."""
    return one_line((bills[0].reference or bills[0].number) if len(bills) == 1 else
                    ", ".join(one_line(bill.number) for bill in bills))


def _parts(bills: Sequence[Bill]) -> Iterator[tuple[Bill, ...]]:
    """As many at once as one reference names and one transfer may carry."""
    part: tuple[Bill, ...] = ()
    for bill in bills:
        more = (*part, bill)
        fits = len(reference_of(more)) <= LONGEST_TEXT and sum(one.balance for one in more) <= MOST
        if part and not fits:
            yield part
            more = (bill,)
        part = more
    yield part
