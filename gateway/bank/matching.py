"""Which open items a movement of the bank account probably pays, and why. Pure; a person decides.

In this order: the invoice number in what the payer wrote, the exact amount, the client by its account or by its name.
Nothing is proposed across currencies, and nothing beyond what an item is open for: what is over stays on the movement
until a person says what it is.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import combinations

from rapidfuzz import fuzz, process

from gateway.receivables.names import bare_name, bare_number, numbers_in

NOTHING = Decimal(0)
ALIKE = 88
"""From 0 to 100: names whose sorted words rapidfuzz finds alike by at least this are shown as alike."""

MOST_ITEMS = 14
"""Of a client: up to so many, sums of some of them are tried (16,384 sums)."""

MOST_PROPOSALS = 5
STRONG = 40
"""From this score on a proposal rests on the invoice's number, or on the exact amount and on who paid."""

SHORT = re.compile(r"[0-9]{1,4}|[0-9A-Z]{1,2}")
"""Numbers that any text may hold by chance: they count only where the amount fits too."""

ISO_11649 = re.compile(r"RF[0-9]{2}([0-9A-Z]{1,21})")
DISCOUNT = Decimal("0.03")
"""A shortfall of up to this part is named as a possible discount or as charges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenItem:
    """An item that money may settle, or (negative) a credit that may be taken into account."""

    id: str
    number: str
    client: str
    name: str
    currency: str
    balance: Decimal
    due_date: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """A movement as far as matching looks at it."""

    amount: Decimal
    currency: str
    texts: tuple[str, ...]
    """What the payer wrote: remittance, creditor reference, EndToEndId."""

    name: str | None
    iban: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One way to allocate a movement."""

    parts: tuple[tuple[OpenItem, Decimal], ...]
    left: Decimal
    """What is over: more than the items are open for."""

    score: int
    """The higher the surer: reference 60, amount 30, account seen before 20, name 10."""

    reasons: tuple[str, ...]
    """Codes: reference, exact, sum, partial, over, shortfall, account, name, only-amount, oldest."""


@dataclass(frozen=True, slots=True)
class Book:
    """Items arranged for many look-ups, and what is known of payers' accounts."""

    by_number: Mapping[str, Sequence[OpenItem]]
    """Under the number in capitals without signs; settled ones too, so that money for them is told from other money."""

    by_client: Mapping[tuple[str, str], Sequence[OpenItem]]
    """What is open, by currency and client, the oldest due date first."""

    by_name: Mapping[str, Sequence[tuple[str, str]]]
    """Keys of the former, under the bare name on the oldest item."""

    by_amount: Mapping[tuple[str, Decimal], Sequence[OpenItem]]
    """What is open, by currency and balance."""

    seen: Mapping[str, str]
    """The client of each account that was seen before."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What can be said of one movement."""

    proposals: tuple[Proposal, ...]
    other_currency: tuple[OpenItem, ...] = ()
    """Items that the payer names and that are in another currency: a task for a person, never a match."""

    settled: tuple[OpenItem, ...] = ()
    """Items that the payer names and of which nothing is open: paid twice?"""


def book_of(items: Iterable[OpenItem], seen: Mapping[str, str]) -> Book:
    """The book of these items, settled ones among them; `seen` is the client of each account seen before."""
    by_number: dict[str, list[OpenItem]] = defaultdict(list)
    by_client: dict[tuple[str, str], list[OpenItem]] = defaultdict(list)
    by_amount: dict[tuple[str, Decimal], list[OpenItem]] = defaultdict(list)
    for item in sorted(items, key=_age):
        by_number[bare_number(item.number)].append(item)
        if item.balance > 0:
            by_client[item.currency, item.client].append(item)
            by_amount[item.currency, item.balance].append(item)
    by_name: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for key, found in by_client.items():
        by_name[bare_name(found[0].name)].append(key)
    return Book(by_number, by_client, by_name, by_amount, seen)


def find(money: Money, book: Book) -> Findings:
    """Proposals for money that came in, the surest first."""
    named = sorted({item.id: item for item in _named(money, book)}.values(), key=_age)
    foreign = tuple(item for item in named if item.currency != money.currency)
    settled = tuple(item for item in named if item.currency == money.currency and item.balance <= 0)
    open_named = [item for item in named if item.currency == money.currency and item.balance > 0]
    found = list(_by_reference(money, open_named, book))
    if open_named or not named:  # what the payer named and cannot be paid is no reason to pay something else
        found += [*_by_client(money, book), *_by_amount(money, book)]
    best: dict[frozenset[tuple[str, Decimal]], Proposal] = {}
    for proposal in found:
        key = frozenset((item.id, amount) for item, amount in proposal.parts)
        if key not in best or proposal.score > best[key].score:
            best[key] = proposal
    ranked = sorted(best.values(), key=lambda one: (-one.score, one.left, [item.number for item, _ in one.parts]))
    return Findings(tuple(ranked[:MOST_PROPOSALS]), foreign, settled)


def signs(money: Money, book: Book, items: Sequence[OpenItem]) -> tuple[str, ...]:
    """What speaks for one client having paid, whatever the amount: reference, account, name. `items` are all of its."""
    if not items:
        return ()
    named = {item.id for item in _named(money, book)}
    by_number = ("reference",) if any(item.id in named for item in items) else ()
    return (*by_number, *_client_signs(money, items[0], book)[1])


def may_be_strong(money: Money, book: Book, items: Sequence[OpenItem]) -> bool:
    """Whether a proposal of STRONG may name one of these items, whatever else is open; as `signs`, of what is open."""
    found = signs(money, book, items)
    return "reference" in found or (
        bool(found) and items[0].currency == money.currency and any(_exact_sums(money.amount, items)))


def numbers_of(money: Money) -> set[str]:
    """The bare numbers that the payer may have written, also within an ISO 11649 reference after its check digits."""
    return {number for text in money.texts for form in _forms(text) for number in numbers_in(form)}


def names_like(name: str | None, names: Collection[str]) -> list[str]:
    """Those bare names that are so much like a payer's that they may be the same."""
    mine = bare_name(name)
    found = process.extract(mine, list(names), scorer=fuzz.ratio, score_cutoff=ALIKE, limit=None)
    return [match for match, _, _ in found if mine and match]


def _age(item: OpenItem) -> tuple[date, str, str]:
    return item.due_date or date.max, item.number, item.id


def _named(money: Money, book: Book) -> Iterable[OpenItem]:
    """The items whose numbers the payer wrote. A short number counts only with its exact amount."""
    for number in numbers_of(money) & book.by_number.keys():
        for item in book.by_number[number]:
            if not SHORT.fullmatch(number) or item.balance == money.amount:
                yield item


def _forms(text: str) -> tuple[str, ...]:
    """A text, and what an ISO 11649 reference carries after its check digits."""
    structured = ISO_11649.fullmatch(text.upper().replace(" ", ""))
    return (text,) if structured is None else (text, structured[1])


def _by_reference(money: Money, named: Sequence[OpenItem], book: Book) -> Iterable[Proposal]:
    if not named:
        return
    total = sum((item.balance for item in named), NOTHING)
    reasons = ["reference", *_amount_words(money.amount, total, several=len(named) > 1)]
    score = 60 + (30 if total == money.amount else 0)
    bonus, words = _client_signs(money, named[0], book)
    yield Proposal(parts=_spread(money.amount, named), left=max(NOTHING, money.amount - total), score=score + bonus,
                   reasons=(*reasons, *words))
    for item in named:
        if len(named) > 1 and item.balance == money.amount:
            bonus, words = _client_signs(money, item, book)  # invoices of two clients may bear one number
            yield Proposal(parts=((item, item.balance),), left=NOTHING, score=score + 25 + bonus,
                           reasons=("reference", "exact", *words))


def _by_client(money: Money, book: Book) -> Iterable[Proposal]:
    alike = {key for name in names_like(money.name, book.by_name) for key in book.by_name[name]}
    known = money.currency, book.seen.get(money.iban or "", "")
    for key in sorted({*alike, known} & book.by_client.keys()):
        if key[0] != money.currency:
            continue
        items = book.by_client[key]
        bonus, words = _told(known=key == known, alike=key in alike)
        sums = list(_exact_sums(money.amount, items))
        for chosen in sums[:2]:
            yield Proposal(parts=tuple((item, item.balance) for item in chosen), left=NOTHING, score=30 + bonus,
                           reasons=("exact" if len(chosen) == 1 else "sum", *words))
        if not sums:
            total = sum((item.balance for item in items), NOTHING)
            yield Proposal(parts=_spread(money.amount, items), left=max(NOTHING, money.amount - total), score=bonus,
                           reasons=("oldest", *_amount_words(money.amount, total, several=True), *words))


def _by_amount(money: Money, book: Book) -> Iterable[Proposal]:
    exact = book.by_amount.get((money.currency, money.amount), ())
    if len(exact) == 1 and not _client_signs(money, exact[0], book)[0]:
        yield Proposal(parts=((exact[0], money.amount),), left=NOTHING, score=15, reasons=("only-amount",))


def _client_signs(money: Money, item: OpenItem, book: Book) -> tuple[int, tuple[str, ...]]:
    """What speaks for the item's client being the payer."""
    known = book.seen.get(money.iban or "") == item.client
    mine, theirs = bare_name(money.name), bare_name(item.name)
    return _told(known=known, alike=bool(mine and theirs) and fuzz.ratio(mine, theirs) >= ALIKE)


def _told(*, known: bool, alike: bool) -> tuple[int, tuple[str, ...]]:
    """What the account, seen before, and the name add to a score, and their words."""
    return 20 * known + 10 * alike, tuple(word for word, is_so in (("account", known), ("name", alike)) if is_so)


def _amount_words(amount: Decimal, total: Decimal, *, several: bool) -> tuple[str, ...]:
    if amount == total:
        return ("sum",) if several else ("exact",)
    if amount > total:
        return ("over",)
    return ("partial", "shortfall") if total - amount <= total * DISCOUNT else ("partial",)


def _spread(amount: Decimal, items: Sequence[OpenItem]) -> tuple[tuple[OpenItem, Decimal], ...]:
    """The oldest due date first, each up to what it is open for."""
    parts = []
    for item in sorted(items, key=_age):
        part = min(amount, item.balance)
        if part > 0:
            parts.append((item, part))
        amount -= part
    return tuple(parts)


def _exact_sums(amount: Decimal, items: Sequence[OpenItem]) -> Iterable[tuple[OpenItem, ...]]:
    """Items whose balances are the amount: all, one, or a few. Of many items only all and one are tried."""
    if len(items) > 1 and sum((item.balance for item in items), NOTHING) == amount:
        yield tuple(items)
    sizes = range(1, len(items)) if len(items) <= MOST_ITEMS else (1,)
    for size in sizes if len(items) > 1 else (1,):
        for chosen in combinations(items, size):
            if sum((item.balance for item in chosen), NOTHING) == amount:
                yield chosen
