"""A year in the life of clients of different temper, from a seed. Knows nothing of the product.

What happens to each invoice is written down with its moment before the product sees any of it: the world plays it, the
checker holds the letters against it.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial

YEAR = 2026
FIRST, LAST = date(YEAR, 1, 2), date(YEAR, 12, 31)
TEMPERS = (
    ("prompt", 30), ("late", 18), ("slow", 12), ("never", 6), ("disputer", 8), ("partial", 8), ("promiser", 6),
    ("announcer", 5), ("planner", 3), ("insolvent", 2), ("refuser", 2), ("rejected", 2), ("reverser", 3),
    ("credited", 3),
)
"""Temper and how many of a hundred have it."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that the world does to an invoice at a moment (aware UTC)."""

    at: datetime
    kind: str
    """issue, status, pay, hold, credit."""

    value: str
    """The status, the amount, or the kind of hold."""

    until: date | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who buys."""

    siren: str
    name: str
    email: str
    region: str | None
    """Further public holidays: 6AE is Alsace."""


@dataclass(frozen=True, slots=True)
class Life:
    """An invoice and all that ever happens to it, in the order of time."""

    number: str
    client: Client
    temper: str
    issued: date
    due: date
    amount: Decimal
    happenings: tuple[Happening, ...]


@dataclass(frozen=True, slots=True)
class Year:
    """Everything that happens, and the days on which no worker runs."""

    lives: tuple[Life, ...]
    outages: frozenset[date]


def planned(seed: int, clients: int, invoices: int) -> Year:
    """The same year for the same seed."""
    chance = random.Random(seed)
    known = [Client(f"{number:09}", f"Client {number}", f"compta{number}@client.example",
                    chance.choice([None, None, None, "6AE"])) for number in range(1, clients + 1)]
    lives = tuple(_life(chance, number, chance.choice(known)) for number in range(invoices))
    days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days)]
    starts = chance.sample(days, 5)
    long = {starts[0] + timedelta(days=n) for n in range(4)}
    return Year(lives, frozenset({*starts, *long, date(YEAR, 3, 30), date(YEAR, 10, 26)}))  # also after each DST change


def _life(chance: random.Random, number: int, client: Client) -> Life:
    issued = FIRST + timedelta(days=chance.randint(0, 300))
    due = issued + timedelta(days=chance.choice([10, 30, 30, 45, 60]))
    amount = Decimal(chance.randint(500, 900_000)) / 100
    temper = chance.choices([name for name, _ in TEMPERS], [weight for _, weight in TEMPERS])[0]
    found = [Happening(_at(chance, issued), "issue", "")]
    if chance.random() < 0.7:
        found.append(Happening(_at(chance, issued + timedelta(days=1)), "status", chance.choice(["204", "205"])))
    found += MAKERS[temper](chance, due, amount)
    kept = sorted((one for one in found if one.at > found[0].at or one.kind == "issue"), key=lambda one: one.at)
    return Life(f"Y{number:05}", client, temper, issued, due, amount, tuple(kept))


def _at(chance: random.Random, day: date) -> datetime:
    return datetime.combine(day, time(chance.randint(0, 23), chance.randint(0, 59), chance.randint(0, 59)), UTC)


def _pay(chance: random.Random, due: date, amount: Decimal, first: int, last: int) -> Happening:
    return Happening(_at(chance, due + timedelta(days=chance.randint(first, last))), "pay", str(amount))


def _after(chance: random.Random, earlier: Happening, kind: str, value: str, days: tuple[int, int]) -> Happening:
    return Happening(_at(chance, earlier.at.date() + timedelta(days=chance.randint(*days))), kind, value)


def _disputer(chance: random.Random, due: date, amount: Decimal) -> list[Happening]:
    opened = Happening(_at(chance, due + timedelta(days=chance.randint(-8, 35))), "status",
                       chance.choice(["206", "207", "207", "208"]))
    answer = "209" if opened.value == "208" else chance.choice(["205", "209"]) if opened.value == "207" else "205"
    closed = _after(chance, opened, "status", answer, (3, 50))
    return [opened, closed, _after(chance, closed, "pay", str(amount), (2, 40))][:chance.choice([1, 2, 3, 3])]


def _partial(chance: random.Random, due: date, amount: Decimal) -> list[Happening]:
    part = (amount / 3).quantize(Decimal("0.01"))
    return [_pay(chance, due, part, -3, 12), _pay(chance, due, part, 13, 30),
            _pay(chance, due, amount - 2 * part, 31, 60)][:chance.choice([1, 2, 3])]


def _promiser(chance: random.Random, due: date, amount: Decimal) -> list[Happening]:
    said = _at(chance, due + timedelta(days=chance.randint(5, 25)))
    until = said.date() + timedelta(days=chance.randint(3, 12))
    kept = [Happening(_at(chance, until), "pay", str(amount))] if chance.random() < 0.6 else []
    return [Happening(said, "hold", "promise", until), *kept]


def _announcer(chance: random.Random, due: date, amount: Decimal) -> list[Happening]:
    said = Happening(_at(chance, due + timedelta(days=chance.randint(0, 30))), "status", "211")
    return [said, *([_after(chance, said, "pay", str(amount), (1, 9))] if chance.random() < 0.7 else [])]


Maker = Callable[[random.Random, date, Decimal], list["Happening"]]


def _hold(chance: random.Random, due: date, _amount: Decimal, *, kind: str) -> list[Happening]:
    said = _at(chance, due + timedelta(days=chance.randint(3, 40)))
    until = None if kind == "insolvency" else said.date() + timedelta(days=chance.randint(20, 90))
    return [Happening(said, "hold", kind, until)]


def _ended(chance: random.Random, due: date, _amount: Decimal, *, code: str) -> list[Happening]:
    return [Happening(_at(chance, due + timedelta(days=chance.randint(-8, 25))), "status", code)]


def _reverser(chance: random.Random, due: date, amount: Decimal) -> list[Happening]:
    paid = _pay(chance, due, amount, -2, 20)
    return [paid, _after(chance, paid, "pay", str(-amount), (3, 12))]


def _credited(chance: random.Random, due: date, amount: Decimal) -> list[Happening]:
    part = (amount / 2).quantize(Decimal("0.01"))
    given = Happening(_at(chance, due + timedelta(days=chance.randint(-5, 20))), "credit", str(part))
    return [given, *([_after(chance, given, "pay", str(amount - part), (5, 40))] if chance.random() < 0.6 else [])]


MAKERS: Mapping[str, Maker] = {
    "prompt": lambda chance, due, amount: [_pay(chance, due, amount, -4, 1)],
    "late": lambda chance, due, amount: [_pay(chance, due, amount, 2, 25)],
    "slow": lambda chance, due, amount: [_pay(chance, due, amount, 26, 100)],
    "never": lambda *_: [],
    "disputer": _disputer, "partial": _partial, "promiser": _promiser, "announcer": _announcer,
    "planner": partial(_hold, kind="plan"), "insolvent": partial(_hold, kind="insolvency"),
    "refuser": partial(_ended, code="210"), "rejected": partial(_ended, code="213"),
    "reverser": _reverser, "credited": _credited,
}
