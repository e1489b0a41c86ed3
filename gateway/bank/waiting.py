"""Movements of the bank account that nobody has decided on and that may be a client's. Reads, changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.bank.matching import Money, book_of, signs
from gateway.bank.proposals import clients_of_accounts, open_item_of, texts_of
from gateway.receivables.account import Item
from gateway.tables_receivables import BankMovement

OPEN, DOUBTFUL = "open", "doubtful"
"""States of a movement that waits for a person: of what it pays, or whether another statement told it already."""

MOST = 200
"""So many of the newest are held against a client."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A movement, and what speaks for its being the client's: reference, account, name."""

    movement: BankMovement
    signs: tuple[str, ...]


def undecided(session: Session, *states: str, most: int) -> Sequence[BankMovement]:
    """The newest movements in these states."""
    return session.scalars(select(BankMovement).where(BankMovement.state.in_(states)).order_by(
        BankMovement.booked_on.desc(), BankMovement.id.desc()).limit(most)).all()


def waiting_for(session: Session, items: Sequence[Item]) -> list[Waiting]:
    """Those that may be of the client whose items these are (all of them, the settled ones too)."""
    rows = undecided(session, OPEN, DOUBTFUL, most=MOST)
    if not rows or not items:
        return []
    own = [open_item_of(item) for item in items]
    book = book_of(own, clients_of_accounts(session, {row.iban for row in rows if row.iban}))
    found = [Waiting(row, signs(Money(
        amount=row.amount, currency=row.currency, name=row.name, iban=row.iban, texts=texts_of(row)), book, own))
        for row in rows]
    return [one for one in found if one.signs]
