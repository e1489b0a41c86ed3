"""Rows of the database as documents of the ledger, and what surrounds one of them: all that its balance depends on.

Whoever wants to know what an invoice owes gets it from `netted_all` (some invoices), `netted` (one, from what was read
before) or open_items.py (clients); all of them ask account.py, the one place where documents and money are netted.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from typing import Any, Final

from sqlalchemy import Select, Text, bindparam, cast, or_, select
from sqlalchemy.orm import Session

from formats.codes import CORRECTIVE_TYPES
from gateway.clock import day_in_france
from gateway.db import slices
from gateway.lifecycle.guard import rule_of
from gateway.receivables.account import CREDITS, NOTHING, Client, Document, Item, Received, client_of, lone, positions
from gateway.receivables.balance import Balance, balance_of
from gateway.tables import Event, Payment, Submission

ENDED: Final = ("210", "213", "220")
"""Refused by the buyer, rejected by a platform, cancelled."""

FOLLOWERS: Final = CREDITS | CORRECTIVE_TYPES
"""Types of documents that change what earlier ones stand for."""

COLUMNS: Final = (
    Submission.id, Submission.number, Submission.seller_siren, Submission.legal_entity_id, Submission.buyer_siren,
    Submission.buyer_name, Submission.type_code, Submission.processing_rule, Submission.currency, Submission.total,
    Submission.due, Submission.issue_date, Submission.received_at, Submission.due_date, Submission.preceding,
    Submission.lifecycle, Submission.active, Submission.transmission,
)
LONGEST_CURRENCY: Final = 20
"""Of what a refused document calls its currency: indexes have no room for any length."""

LONGEST_NUMBER: Final = 255
"""What a document here may bear; SQLite looks for no text of 50,000 signs."""

FEW: Final = 20
"""So many documents may be looked for by name in the text of the column, which spares reading all that name any."""

NAMES: Final = cast(Submission.preceding, Text)

NAMING: Final = select(Submission.id, Submission.seller_siren, Submission.number, Submission.preceding).where(
    Submission.type_code.in_(FOLLOWERS))

Key = tuple[str, str]
"""Seller's SIREN and number: what one document names another by."""


@dataclass(frozen=True, slots=True)
class Netted:
    """What one document stands for."""

    document: Document
    item: Item | None
    """None for a credit note that is netted against its invoice, and before the day of issue."""

    balance: Balance

    @property
    def asked_for(self) -> Decimal:
        """What is still to be received; a credit note asks for nothing."""
        return NOTHING if self.document.is_credit else self.balance.outstanding


@dataclass(frozen=True, slots=True)
class Relations:
    """Credit notes and corrected invoices, and the documents that they name."""

    around: Mapping[Key, Sequence[Document]]
    """Under the number of a document that is named: those that name it, and those that bear this number."""

    money: Mapping[str, Sequence[Received]]
    """What was paid for these corrections and for what they replace, or paid back on these credit notes."""

    def of(self, document: Document, known_by: datetime | None = None) -> "Relations":
        """Those on which what a document stands for may depend; only what had come in by then."""
        numbers = (document.number, *document.names) if document.type_code in FOLLOWERS else (document.number,)
        return Relations({(document.seller, number): [
            one for one in self.around.get((document.seller, number), ())
            if known_by is None or one.known_at is None or one.known_at <= known_by] for number in numbers},
            self.money)

    def documents(self) -> Iterable[Document]:
        """All of them, some more than once."""
        return chain.from_iterable(self.around.values())


def key_of(document: Document) -> Key:
    """How others name a document."""
    return document.seller, document.number


def netted(
    document: Document, payments: Sequence[Received], relations: Relations, as_of: date = date.max
) -> Netted:
    """What a document stands for at the end of a day; by default with everything that is known. Pure."""
    around = {one.id: one for one in relations.of(document).documents()} | {document.id: document}
    if len(around) == 1:
        item = lone(document, payments, as_of)
        return Netted(document, item, balance_of(document, payments, item, as_of))
    money = [*payments, *(one for other in around if other != document.id for one in relations.money.get(other, ()))]
    item = next((item for item in positions(around.values(), money, as_of) if item.document.id == document.id), None)
    return Netted(document, item, balance_of(document, payments, item, as_of))


def paid_before(correction: Document, relations: Relations) -> str | None:
    """The number of an invoice that this one replaces and of which money is still to be given its place, if any."""
    if correction.type_code not in CORRECTIVE_TYPES:
        return None
    for one in relations.of(correction).documents():
        item = None if one.is_credit else netted(one, relations.money.get(one.id, ()), relations).item
        if item is not None and item.balance < 0 and any(
                each.id == correction.id for each in item.followers if each not in item.unsure):
            return one.number
    return None


def netted_all(session: Session, submissions: Sequence[Submission], as_of: date = date.max) -> dict[str, Netted]:
    """What these invoices and credit notes stand for, by id: a handful of statements, however many they are."""
    relations = relations_of(session, submissions)
    payments: dict[str, list[Received]] = defaultdict(list)
    for one in received_of(session, [submission.id for submission in submissions]):
        payments[one.document].append(one)
    return {one.id: netted(one, payments[one.id], relations, as_of) for one in documents_of(session, submissions)}


def relations_of(session: Session, ones: Iterable[Submission] | None = None) -> Relations:
    """What changes what these documents stand for, besides their own payments; None: all of it."""
    keys = None
    wanted = NAMING
    values: dict[str, object] = {}
    if ones is not None:
        ones = list(ones)
        keys = {(one.seller_siren or "", one.number or "") for one in ones} | {
            (one.seller_siren or "", number) for one in ones if one.type_code in CORRECTIVE_TYPES
            for number in one.preceding  # what else names those is asked for what is left of them
            if len(number) <= LONGEST_NUMBER}
        few = [number for _, number in keys] if len(keys) <= FEW else []
        wanted, values = _naming(len(few)), {
            "sellers": [*{seller for seller, _ in keys}], "numbers": few,
            **{f"named{place}": _quoted(number) for place, number in enumerate(few)}}
    followers: dict[str, set[Key]] = {}
    for submission_id, seller, number, preceding in session.execute(wanted, values):
        names = {(seller or "", earlier) for earlier in preceding}
        if keys is None or not keys.isdisjoint(names) or (seller or "", number or "") in keys:
            followers[submission_id] = names
    named: set[Key] = set().union(*followers.values())
    found = documents_of(session, [*_by_id(session, list(followers)), *_by_key(session, named)])
    replaced = {(one.seller, number) for one in found if one.type_code in CORRECTIVE_TYPES for number in one.names}
    wanted_money = {one.id for one in found if one.id in followers or key_of(one) in replaced}
    return related(found, received_of(session, sorted(wanted_money)))


@lru_cache(maxsize=FEW + 1)
def _naming(count: int) -> Select[str, str | None, str | None, list[str]]:
    """What may name one of so many documents; 0: whatever names any of the same sellers."""
    wanted = NAMING.where(Submission.seller_siren.in_(bindparam("sellers", expanding=True)))
    return wanted.where(or_(Submission.number.in_(bindparam("numbers", expanding=True)), *(
        NAMES.like(bindparam(f"named{place}"), escape="/") for place in range(count)))) if count else wanted


def _quoted(number: str) -> str:
    """What LIKE finds a number by in the text of a list of numbers."""
    text = json.dumps(number).replace("/", "//").replace("%", "/%").replace("_", "/_")
    return f"%{text}%"


def related(documents: Iterable[Document], payments: Iterable[Received]) -> Relations:
    """The relations among these documents, and these payments."""
    known = {one.id: one for one in documents}.values()
    names = {one.id: {(one.seller, number) for number in one.names} for one in known if one.type_code in FOLLOWERS}
    named: set[Key] = set().union(*names.values())
    around: dict[Key, list[Document]] = defaultdict(list)
    for one in known:
        for key in named & {key_of(one), *names.get(one.id, ())}:
            around[key].append(one)
    money: dict[str, list[Received]] = defaultdict(list)
    for each in payments:
        money[each.document].append(each)
    return Relations(around, money)


def documents_of(session: Session, rows: Sequence[Any]) -> list[Document]:
    """Submissions, or rows of COLUMNS, as documents; those that were never in force ended on their first day."""
    ended = _ends(session, {row.id: row.lifecycle for row in rows if row.lifecycle in ENDED})
    return [document_of(row, ended.get(row.id)) for row in rows]


def document_of(row: Any, ended_on: date | None = None) -> Document:
    """One submission or row of COLUMNS, and since when nothing is owed under it."""
    total = row.total if row.total is not None else row.due or NOTHING
    issued_on = row.issue_date or day_in_france(row.received_at)
    if ended_on is None and (row.active is not True or row.transmission == "refused"):
        ended_on = issued_on
    return Document(
        id=row.id, number=row.number or "", seller=row.seller_siren or "", entity_id=row.legal_entity_id,
        client=buyer_of(row), type_code=row.type_code, processing_rule=row.processing_rule,
        currency=(row.currency or "EUR")[:LONGEST_CURRENCY], total=total, due=row.due if row.due is not None else total,
        issued_on=issued_on, due_date=row.due_date, names=tuple(row.preceding), ended_on=ended_on,
        known_at=row.received_at,
    )


def buyer_of(row: Any) -> Client:
    """The client of an invoice."""
    return client_of(row.buyer_siren, row.buyer_name)


def received_of(session: Session, ids: Sequence[str] | None) -> list[Received]:
    """The payments of these documents, or all (None)."""
    query = select(Payment.submission_id, Payment.amount, Payment.paid_on)
    if ids is None:
        return [Received(*row) for row in session.execute(query)]
    return [Received(*row) for part in slices(ids)
            for row in session.execute(query.where(Payment.submission_id.in_(part)))]


def _by_id(session: Session, ids: Sequence[str]) -> Iterator[Any]:
    for part in slices(ids):
        yield from session.execute(select(*COLUMNS).where(Submission.id.in_(part)))


def _by_key(session: Session, keys: set[Key]) -> Iterator[Any]:
    for seller in sorted({seller for seller, _ in keys}):
        numbers = sorted(number for of, number in keys if of == seller)
        for part in slices(numbers):
            yield from session.execute(select(*COLUMNS).where(
                Submission.seller_siren == seller, Submission.number.in_(part)))


def _ends(session: Session, codes: Mapping[str, str]) -> dict[str, date]:
    """The French day on which each of these was refused, rejected or cancelled; `codes` has the status that counts."""
    found: dict[str, tuple[bool, date]] = {}
    for part in slices(list(codes)):
        query = select(Event.submission_id, Event.code, Event.actor, Event.platform_at, Event.at).where(
            Event.submission_id.in_(part), Event.kind == "lifecycle", Event.code.in_(ENDED))
        for about, code, actor, set_at, at in session.execute(query):
            submission_id = about or ""
            beside = code != codes[submission_id] or actor not in rule_of(code).by  # said, and without effect
            known = found.get(submission_id, (True, date.max))
            found[submission_id] = min(known, (beside, day_in_france(min(set_at or at, at))))
    return {submission_id: day for submission_id, (_, day) in found.items()}
