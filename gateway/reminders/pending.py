"""Whom not to write to because money is there that a person has yet to confirm (bank/pending.py). Reads only.

A letter names everything that the client owes the seller in its currency. So money for one invoice stops the letters
about all of these: none may ask for what was probably paid.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.bank.pending import probably_paid
from gateway.clock import midnight
from gateway.db import slices
from gateway.receivables.account import client_of
from gateway.reminders.facts import Pending
from gateway.tables import Submission
from gateway.tables_receivables import BankFile

Account = tuple[str, str | None, str | None]
"""Client (`Client.key`), seller's SIREN, currency: what one letter may name."""


@dataclass(frozen=True, slots=True)
class Awaited:
    """The money for some invoices, and since when we know of it."""

    invoices: Mapping[str, tuple[Pending, datetime]]
    accounts: Mapping[Account, tuple[Pending, datetime]]

    def about(self, submission: Submission) -> Pending | None:
        """What stops the letters about an invoice: money for it, else for another one that they would name."""
        return next((money for money, _ in self._found(submission)), None)

    def since(self, submission: Submission) -> list[datetime]:
        """When we learned of what stops the letters about an invoice."""
        return [at for _, at in self._found(submission)]

    def by(self, submission: Submission, moment: datetime) -> "Awaited":
        """What was known at a moment of the past about one invoice."""
        found = [one for one in self._found(submission) if one[1] <= moment]
        return Awaited({submission.id: found[0]}, {account_of(submission): found[0]}) if found else NOTHING

    def _found(self, submission: Submission) -> list[tuple[Pending, datetime]]:
        if not self.accounts:
            return []
        return [one for one in (self.invoices.get(submission.id), self.accounts.get(account_of(submission)))
                if one is not None]


NOTHING = Awaited({}, {})


def awaited(session: Session, clients: Collection[str] | None = None) -> Awaited:
    """The money for invoices of all clients, or of these few (`Client.key`). The oldest movement stands for all."""
    found = probably_paid(session, clients) if clients is None or clients else []
    if not found:
        return NOTHING
    known = _known(session, {row.file_id for row, _ in found})
    named = _named(session, sorted({item.id for _, item in found}))
    invoices: dict[str, tuple[Pending, datetime]] = {}
    accounts: dict[Account, tuple[Pending, datetime]] = {}
    for row, item in found:
        if item.id in named:
            since = known.get(row.file_id) or midnight(row.booked_on)  # its file may be gone
            one = Pending(movement=row.id, on=row.booked_on, amount=row.amount, currency=row.currency,
                          number=item.number), since
            invoices.setdefault(item.id, one)
            accounts.setdefault(account_of(named[item.id]), one)
    return Awaited(invoices, accounts)


def account_of(submission: Submission) -> Account:
    """What a letter about an invoice may name the whole of."""
    return (client_of(submission.buyer_siren, submission.buyer_name).key, submission.seller_siren,
            submission.currency or "EUR")


def _known(session: Session, files: Collection[str]) -> Mapping[str, datetime]:
    return {row.id: row.received_at for row in session.execute(select(BankFile.id, BankFile.received_at).where(
        BankFile.id.in_(files)))}


def _named(session: Session, ids: Sequence[str]) -> Mapping[str, Submission]:
    return {row.id: row for part in slices(ids)
            for row in session.scalars(select(Submission).where(Submission.id.in_(part)))}
