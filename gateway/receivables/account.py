"""What each invoice and credit note still stands for on a day: documents and payments in, open items out. Pure.

How the parts are netted, each of them once:

* An invoice stands with BT-115. What its seller deducted for down payments (BT-113) is out of it already, so the
  down-payment invoice (386) stays an item of its own until it is paid, and is deducted nowhere else.
* A credit note that names one invoice (BT-25) of the same seller, client and currency takes its total off that invoice.
  Any other credit note (it names none, several, one that is not here) is open as a credit on the client's account.
* What a credit note says was paid back already (BT-113) never leaves a credit; what was paid back later is a payment on
  the credit note.
* A corrected invoice (384) takes the place of those it names, and a refusal, rejection or cancellation (210, 213, 220)
  ends an invoice: what credit notes left of it is owed no more. Money that came in for it becomes a credit. A corrected
  invoice below zero can only tell a difference: it is a credit, ends nothing, and is a question for reminders.

Days are French calendar days: that of issue (BT-2), of payment (value date), of the status that ended an invoice.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from formats.codes import CORRECTIVE_TYPES, CREDIT_TYPES, OTHER_CREDIT_TYPES
from gateway.receivables.names import remembered
from gateway.searchable import folded

NOTHING = Decimal(0)
NAMELESS = "nom:"
"""Begins the key of a client without SIREN."""

LONGEST_KEY = 255
"""What the columns of cases and of settled clients hold; BT-44 has no limit."""

LONGEST_MARK = 41
CREDITS = CREDIT_TYPES | OTHER_CREDIT_TYPES


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who owes. Two spellings of a name are two clients, unless both have the SIREN."""

    key: str
    """The SIREN, else `nom:` and the name in small letters without accents, of a long one its beginning and a hash."""

    siren: str | None
    name: str

    @property
    def mark(self) -> str:
        """The key in few signs and without a name: the SIREN, else `~` and a hash."""
        if self.siren and len(self.siren) <= LONGEST_MARK:
            return self.siren
        return f"~{hashlib.sha256(self.key.encode()).hexdigest()[:40]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An invoice or credit note as the ledger sees it. Amounts are in `currency`, positive as a rule."""

    id: str
    number: str
    seller: str
    entity_id: str | None
    client: Client
    type_code: str | None
    processing_rule: str
    currency: str
    total: Decimal
    """BT-112."""

    due: Decimal
    """BT-115."""

    issued_on: date
    due_date: date | None
    names: tuple[str, ...] = ()
    """BT-25 of each earlier invoice."""

    ended_on: date | None = None
    """From this day on nothing is owed under it."""

    known_at: datetime | None = None
    """When it came in."""

    @property
    def is_credit(self) -> bool:
        """Whether it is a credit note."""
        return self.type_code in CREDITS


@dataclass(frozen=True, slots=True)
class Received:
    """Money of one document: positive when it settles the document, negative when that is taken back."""

    document: str
    amount: Decimal
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One document on a day. `balance` = stated - ended - credited + refunded - paid; negative: the client's credit."""

    document: Document
    stated: Decimal
    """BT-115 of an invoice; for a credit note that is open on the account, what it gives, below zero."""

    paid: Decimal = NOTHING
    """Payments less reversals; for an open credit note what was paid back, below zero."""

    credited: Decimal = NOTHING
    """By the credit notes that name it."""

    refunded: Decimal = NOTHING
    """What these credit notes paid back already, so that it is no credit any more."""

    ended: Decimal = NOTHING
    """What is owed no more, since the invoice was refused, rejected, cancelled or replaced."""

    replaced_by: str | None = None
    """Number of the corrected invoice that took its place."""

    followers: tuple[Document, ...] = ()
    """Credit notes and corrected invoices in force that name it."""

    unsure: tuple[Document, ...] = ()
    """Those of them that change nothing here, since they name several, are in another currency, of another client or
    meant for another invoice of this number: a question for whoever would ask the client for money, and for nobody
    else. What they give is open on the client's account, so that no sum misses it or has it twice."""

    as_of: date

    @property
    def balance(self) -> Decimal:
        """What the client owes under it; negative when the seller owes the client."""
        return self.stated - self.ended - self.credited + self.refunded - self.paid

    @property
    def days_late(self) -> int:
        """Days since the due date while something is owed; 0 otherwise."""
        if self.balance <= 0 or self.document.due_date is None:
            return 0
        return max(0, (self.as_of - self.document.due_date).days)


@remembered
def client_of(siren: str | None, name: str | None) -> Client:
    """The client that a document names (BT-47, BT-44)."""
    shown = " ".join((name or "").split())
    key = siren or f"{NAMELESS}{folded(shown)}"
    if not siren and len(key) > LONGEST_KEY:
        key = f"{key[:LONGEST_KEY - 41]}~{hashlib.sha256(key.encode()).hexdigest()[:40]}"
    return Client(key=key, siren=siren or None, name=shown)


def positions(documents: Iterable[Document], payments: Iterable[Received], as_of: date) -> list[Item]:
    """Every document of these that was issued up to this day, as it stands at the end of the day, by day of issue.

    Whoever hands in the documents of one client gets the same balances of that client as among all documents; so does,
    for one document, whoever hands in those that name it, that it names, and that bear one of these numbers.
    """
    issued = sorted((one for one in documents if one.issued_on <= as_of), key=lambda one: (one.issued_on, one.id))
    paid: dict[str, Decimal] = defaultdict(Decimal)
    for payment in payments:
        if payment.on <= as_of:
            paid[payment.document] += payment.amount
    standing = [one for one in issued if one.ended_on is None or one.ended_on > as_of]
    in_force = {one.id for one in standing}
    invoices: dict[tuple[str, str, str], list[Document]] = defaultdict(list)
    for one in sorted(issued, key=lambda one: one.id in in_force):
        if not one.is_credit:
            invoices[one.seller, one.client.key, one.number].append(one)
    netted: dict[str, list[Document]] = defaultdict(list)
    replaced: dict[str, list[Document]] = defaultdict(list)
    naming: dict[tuple[str, str], list[Document]] = defaultdict(list)
    for one in standing:
        if one.is_credit and (target := _target(one, invoices)) is not None:
            netted[target.id].append(one)
        elif one.type_code in CORRECTIVE_TYPES and one.total >= 0:
            for target in filter(None, (_latest(one, number, invoices) for number in one.names)):
                replaced[target.id].append(one)
        if one.is_credit or one.type_code in CORRECTIVE_TYPES:
            for number in one.names:
                naming[one.seller, number].append(one)
    absorbed = {credit.id for credits_ in netted.values() for credit in credits_}
    return [_open_credit(one, paid[one.id], as_of, in_force=one.id in in_force) if one.is_credit
            else _invoice(one, paid, Following(
                [other for other in naming.get((one.seller, one.number), ()) if other.id != one.id],
                netted.get(one.id, ()), replaced.get(one.id, ())), as_of, in_force=one.id in in_force)
            for one in issued if one.id not in absorbed]


def lone(one: Document, payments: Iterable[Received], as_of: date) -> Item | None:
    """A document that none names and that names none of those here, as `positions` has it; None before its issue."""
    if one.issued_on > as_of:
        return None
    paid = sum((payment.amount for payment in payments if payment.on <= as_of), NOTHING)
    in_force = one.ended_on is None or one.ended_on > as_of
    return _open_credit(one, paid, as_of, in_force=in_force) if one.is_credit else _invoice(
        one, {one.id: paid}, UNNAMED, as_of, in_force=in_force)


class Following(NamedTuple):
    """What names an invoice, and which of it takes its total off or takes its place."""

    named_by: Sequence[Document] = ()
    credits_: Sequence[Document] = ()
    corrections: Sequence[Document] = ()


UNNAMED = Following()


def _invoice(
    one: Document, paid: Mapping[str, Decimal], following: Following, as_of: date, *, in_force: bool,
) -> Item:
    if not following.named_by and in_force:
        return Item(document=one, stated=one.due, paid=paid.get(one.id, NOTHING), as_of=as_of)
    credits_, replaced_by = following.credits_, following.corrections[-1].number if following.corrections else None
    credited = sum((abs(credit.total) for credit in credits_), NOTHING)
    left = one.due - credited
    ended = NOTHING if in_force and replaced_by is None else left if one.due < 0 else max(NOTHING, left)
    stated = sum((abs(credit.total) - abs(credit.due) for credit in credits_), NOTHING)
    over = max(NOTHING, paid[one.id] + credited + ended - one.due)
    refunded = min(max(NOTHING, stated), over) + sum((paid[credit.id] for credit in credits_), NOTHING)
    sure = {each.id for each in (*credits_, *following.corrections)}
    return Item(document=one, stated=one.due, paid=paid[one.id], credited=credited, refunded=refunded, ended=ended,
                replaced_by=replaced_by, as_of=as_of, followers=tuple(following.named_by),
                unsure=tuple(each for each in following.named_by if each.id not in sure))


def _open_credit(one: Document, refunded: Decimal, as_of: date, *, in_force: bool) -> Item:
    """A credit note on the client's account: below zero what it gives, and what was paid back of it."""
    stated = -abs(one.due)
    return Item(document=one, stated=stated, paid=-refunded, ended=NOTHING if in_force else stated, as_of=as_of)


def _target(credit: Document, invoices: Mapping[tuple[str, str, str], Sequence[Document]]) -> Document | None:
    """The invoice that a credit note is netted against; None where it is open on the account."""
    if len(credit.names) != 1:
        return None
    found = _latest(credit, credit.names[0], invoices)
    return found if found is not None and found.currency == credit.currency else None


def _latest(
    one: Document, number: str, invoices: Mapping[tuple[str, str, str], Sequence[Document]]
) -> Document | None:
    """The invoice of this number that `one` names: the latest up to its day (BT-26 is not kept), in force if one is."""
    named = [each for each in invoices.get((one.seller, one.client.key, number), ())
             if each.id != one.id and each.issued_on <= one.issued_on]
    return named[-1] if named else None
