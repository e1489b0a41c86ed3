"""When two statements tell of one movement: what makes it the same. Pure.

Banks send overlapping statements, send one twice, or send an interim one first. A movement is the same

* surely, when account, currency, signed amount, booking day, the bank's own reference (AcctSvcrRef, of the transaction
  or of the batch that it is part of), EndToEndId and transaction id are the same: wherever it is told;
* surely, without a bank's reference, when a statement with the same id, number and page of the same account tells it
  again, with the same NtryRef and content;
* perhaps, when without a reference another statement tells the same content, or when another statement gives the same
  account, amount, day and reference of the bank, but only one of the two tells its ids: nobody but a person can know
  whether these are two equal payments, so that it waits for one, and is neither counted nor lost.

What one statement tells twice in all these respects is two: each gets its number among equals.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from formats.bank import Movement, Statement

Name = tuple[str, str, Decimal, date, str]
"""Account, currency, amount, booking day, the bank's reference."""


@dataclass(frozen=True, slots=True)
class Told:
    """A movement with what identifies it."""

    movement: Movement
    key: str
    """Equal: surely the same."""

    content: str
    """Equal, and one of the two has no reference: perhaps the same."""

    sure: bool
    """Whether the bank named it."""

    name: Name | None
    """What the bank names it by; None where it does not."""


def told_in(statement: Statement) -> Iterator[Told]:
    """The movements of a statement, each with its identity."""
    keys: Counter[tuple[str | None, ...]] = Counter()
    contents: Counter[tuple[str | None, ...]] = Counter()
    place = ["statement", statement.id, *(f"{name}={number}" for name, number in (
        ("sequence", statement.sequence), ("page", statement.page)) if number)]
    for one in statement.movements:
        basis = (statement.account, one.currency, format(one.amount.normalize(), "f"), one.booked_on.isoformat())
        content = (*basis, one.end_to_end, one.name, one.iban, one.remittance, one.creditor_reference)
        reference = one.reference or one.batch_reference
        key = (*basis, "bank", reference, one.end_to_end, one.transaction) if reference is not None else (
            *content, *place, one.entry_reference)
        keys[key] += 1
        contents[content] += 1
        name = None if reference is None else (
            statement.account[:64], one.currency, one.amount, one.booked_on, reference[:64])
        yield Told(one, _hash(*key, str(keys[key])), _hash(*content, str(contents[content])), reference is not None,
                   name)


def may_be_one(end_to_end: str | None, told: Told) -> bool:
    """Whether what another statement names alike, with this EndToEndId, may be the same: two such ids are two."""
    mine = told.movement.end_to_end
    return mine is None or end_to_end is None or mine[:64] == end_to_end[:64]


def _hash(*parts: str | None) -> str:
    digest = hashlib.sha256()
    for part in parts:
        octets = b"" if part is None else part.encode()
        digest.update(f"{-1 if part is None else len(octets)}:".encode() + octets)
    return digest.hexdigest()
