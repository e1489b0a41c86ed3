"""What is open, found by number, amount, client or name without reading all of it: tables that follow the events.

Every change of a document or of its money is an event in its own transaction (gateway/record.py), under the tenant's
lock, so that positions come in the order of the commits. `catch_up` nets again what the events since the mark may have
changed. A line is a finding aid: nothing is entered on its word, and all of it can be thrown away and made again. The
spells (spells.py), which lists and figures of any day add up, are written with the lines.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from gateway.db import insert_rows, slices
from gateway.deps import Deps
from gateway.receivables.documents import LONGEST_NUMBER, relations_of
from gateway.receivables.names import bare_name, bare_number
from gateway.receivables.spells import Standing, histories, last_of, rows_of
from gateway.record import lock_tenant
from gateway.tables import Event, Submission
from gateway.tables_receivables import LedgerLine, LedgerMark, LedgerSpell
from gateway.turns import for_each_tenant

KINDS: Final = ("submission", "transmission", "lifecycle", "payment")
"""Events that may change what a document stands for."""

BATCH: Final = 500
FIRST: Final = 2_000
"""Documents in one transaction while all are made."""

FAR_BEHIND: Final = 5_000
"""The mark is moved for nothing only where so many events lie between."""


def tick(deps: Deps) -> None:
    """Regular work: catch up for every tenant, so that little is left to do when a person asks."""
    for_each_tenant(deps, catch_up)


def catch_up(deps: Deps, tenant_id: str) -> None:
    """Bring the lines of a tenant up to its newest event; the first time, make them all."""
    while True:
        with deps.db.reading(tenant_id) as session:
            if not _is_behind(session, tenant_id):
                return
        with deps.db.transaction(tenant_id) as session:
            lock_tenant(session, tenant_id)  # every event up to the newest is seen
            _step(session, tenant_id)


def keep_up(session: Session, tenant_id: str) -> None:
    """As `catch_up`, in the caller's transaction, which holds the tenant's lock: little is left to do then."""
    while _is_behind(session, tenant_id):
        _step(session, tenant_id)
        session.flush()


def differences(deps: Deps, tenant_id: str) -> Iterator[str]:
    """The documents of which the kept spells are not what netting them again says, by id, once the ledger is caught up.

    A destroyed invoice has none, and is not asked about.
    """
    catch_up(deps, tenant_id)
    last = ""
    while True:
        with deps.db.reading(tenant_id) as session:
            ones = session.scalars(select(Submission).where(Submission.id > last).order_by(Submission.id).limit(BATCH)
                                   ).all()
            kept: dict[str, list[LedgerSpell]] = {}
            for row in session.scalars(select(LedgerSpell).where(LedgerSpell.submission_id.in_(
                    [one.id for one in ones])).order_by(LedgerSpell.since)):
                kept.setdefault(row.submission_id, []).append(row)
            found = histories(session, ones)
        for one in ones:
            rows = kept.get(one.id, [])
            expected = [*rows_of(tenant_id, found[one.id])]
            told = [{name: getattr(row, name) for name in each} for row, each in zip(rows, expected, strict=False)]
            if (len(rows), told) != (len(expected), expected) and (rows or one.seller_name is not None):
                yield one.id
        if len(ones) < BATCH:
            return
        last = ones[-1].id


def _is_behind(session: Session, tenant_id: str) -> bool:
    mark = session.get(LedgerMark, tenant_id)
    if mark is None or mark.made_to is not None:
        return True
    last, changed = _since(session, mark.position)
    return bool(changed) or last - mark.position >= FAR_BEHIND


def _step(session: Session, tenant_id: str) -> None:
    """A batch of documents in the order of their ids, until all were made; then a batch of events."""
    mark = session.get(LedgerMark, tenant_id)
    if mark is None:
        mark = LedgerMark(tenant_id=tenant_id, position=_last(session), made_to="")
        session.add(mark)
    if mark.made_to is None:
        mark.position, changed = _since(session, mark.position)
        _net_again(session, tenant_id, _touched(session, changed))
        return
    ones = session.scalars(select(Submission).where(Submission.id > mark.made_to)
                           .order_by(Submission.id).limit(FIRST)).all()
    _net_again(session, tenant_id, ones)
    mark.made_to = ones[-1].id if len(ones) == FIRST else None


def _since(session: Session, mark: int) -> tuple[int, Sequence[str]]:
    """The documents that events after the mark are about, a batch of them, and the position up to which these are."""
    found = session.execute(select(Event.position, Event.submission_id).where(
        Event.position > mark, Event.kind.in_(KINDS), Event.submission_id.is_not(None))
        .order_by(Event.position).limit(BATCH)).all()
    last = _last(session) if len(found) < BATCH else found[-1].position
    return last, list(dict.fromkeys(row.submission_id for row in found))


def _last(session: Session) -> int:
    return session.scalar(select(func.max(Event.position))) or 0


def _touched(session: Session, changed: Sequence[str]) -> Sequence[Submission]:
    """These documents, and those whose balance may depend on them."""
    ones = session.scalars(select(Submission).where(Submission.id.in_(changed))).all()
    others = {one.id for one in relations_of(session, ones).documents()} - {one.id for one in ones}
    return [*ones, *(one for part in slices(sorted(others), BATCH) for one in session.scalars(
        select(Submission).where(Submission.id.in_(part))))]


def _net_again(session: Session, tenant_id: str, ones: Sequence[Submission]) -> None:
    found = histories(session, ones)
    for part in slices(list(found), BATCH):
        for table in (LedgerLine, LedgerSpell):
            session.execute(delete(table).where(table.submission_id.in_(part)))
        insert_rows(session, LedgerLine, [*_lines(tenant_id, (last_of(found[each]) for each in part))])
        insert_rows(session, LedgerSpell, [*rows_of(tenant_id, (one for each in part for one in found[each]))])


def _lines(tenant_id: str, found: Iterable[Standing | None]) -> Iterator[Mapping[str, Any]]:
    """The rows of these documents; a credit note that is netted has none."""
    for one in found:
        if one is not None:
            document, balance = one.document, one.amounts.balance
            yield {
                "tenant_id": tenant_id, "submission_id": document.id, "number": document.number,
                "signs": bare_number(document.number)[:LONGEST_NUMBER], "client": client_hash(document.client.key),
                "name": document.client.name, "bare_name": bare_name(document.client.name)[:600],
                "currency": document.currency, "balance": as_kept(balance), "is_open": balance > 0,
                "due_date": document.due_date}


def as_kept(amount: Decimal) -> Decimal:
    """An amount with two decimals, or with as many more as it needs: equal amounts are equal texts."""
    whole, _, parts = format(amount, "f").partition(".")  # no arithmetic: that would refuse more than 28 digits
    return Decimal(f"{whole}.{parts.rstrip('0'):0<2}")


def client_hash(key: str) -> str:
    """A client's key of one length, which holds no name."""
    return hashlib.sha256(key.encode()).hexdigest()
