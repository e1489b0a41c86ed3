"""Money that came in and that nobody has decided on, with the open items that it probably pays. Reads, changes nothing.

Whoever writes to clients asks here first: what a statement tells is money, though it is no payment before a person says
so. The proposals are those of the bank room (matching.py), also for a movement of which another statement tells the
like: it may be a second payment.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from gateway.bank.finding import items_of
from gateway.bank.matching import STRONG, Book, Money, OpenItem, book_of, find, may_be_strong
from gateway.bank.proposals import book_for, left_of, money_for, payers_of
from gateway.bank.waiting import DOUBTFUL, OPEN
from gateway.receivables.lines import client_hash
from gateway.tables_receivables import BankAllocation, BankMovement

UNDECIDED: Final = (OPEN, DOUBTFUL)


def probably_paid(session: Session, clients: Collection[str] | None = None) -> list[tuple[BankMovement, OpenItem]]:
    """The movements that strongly speak for an open item, each with it, the oldest first; of all clients or of these.

    `clients` are keys (`Client.key`), and few. An invoice's number beside another currency than its own speaks too: no
    proposal can be made of that, but money it is. Needs lines that are up to date (receivables/lines.py).
    """
    waiting = _waiting(session)
    if clients is not None and waiting:
        waiting = _of(session, waiting, {client_hash(one) for one in clients})
    if not waiting:
        return []
    book = book_for(session, [money for _, money in waiting])
    return [(row, item) for row, money in waiting for item in strongly_named(money, book)]


def strongly_named(money: Money, book: Book) -> list[OpenItem]:
    """The open items that strong proposals for a movement are about, and those that it names in another currency."""
    found = find(money, book)
    items = [item for proposal in found.proposals if proposal.score >= STRONG for item, _ in proposal.parts]
    items += [item for item in found.other_currency if item.balance > 0]
    return list({item.id: item for item in items}.values())


def _waiting(session: Session) -> list[tuple[BankMovement, Money]]:
    """What came in and is not allocated, the oldest first."""
    rows = session.scalars(select(BankMovement).where(BankMovement.state.in_(UNDECIDED)).order_by(
        BankMovement.booked_on, BankMovement.id)).all()
    if not rows:
        return []
    given: dict[str, list[BankAllocation]] = defaultdict(list)
    for one in session.scalars(select(BankAllocation).join(BankMovement, and_(
            BankMovement.tenant_id == BankAllocation.tenant_id, BankMovement.id == BankAllocation.movement_id)).where(
            BankMovement.state.in_(UNDECIDED))):
        given[one.movement_id].append(one)
    return [(row, money_for(row, left)) for row in rows if (left := left_of(row, given[row.id])) > 0]


def _of(
    session: Session, waiting: Sequence[tuple[BankMovement, Money]], clients: Collection[str]
) -> list[tuple[BankMovement, Money]]:
    """Those that may be strong for an item of these clients: the others need no look at everybody's names."""
    own = book_of(items_of(session, clients), payers_of(session, [money for _, money in waiting]))
    return [(row, money) for row, money in waiting
            if any(may_be_strong(money, own, items) for items in own.by_client.values())]
