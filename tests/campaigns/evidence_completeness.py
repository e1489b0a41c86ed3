"""Goal 5: what happened is what is journaled, whatever fails on the way.

Each run is a sequence of random changes by the product's own functions: settings, entities, keys, people, holds,
destructions, looks, alarms, reminders' holds, payments' events. In half of the steps one statement of the step is made
to fail, at random. After each step the state (every row of every table that such a change touches) is compared with
the one before: other rows without a new entry, or an entry without its event, is a fault; so is anything that a step
which failed left behind. In the end `verify --all` must agree.
"""

import hashlib
import random
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from evidence import part_options, scratch, tell
from sqlalchemy import event, func, select
from sqlalchemy.exc import SQLAlchemyError

sys.path.insert(0, str(Path(__file__).parents[1] / "archive"))

import crash_ops

from gateway.accounts import service
from gateway.accounts.schemas import EntityIn
from gateway.alarms.sounding import clear_in, sound_in
from gateway.auth import Permission, Principal
from gateway.evidence import looks
from gateway.evidence.trust import check_everything
from gateway.keeping import destruction, holds
from gateway.problems import Problem
from gateway.record import Change, record
from gateway.tables import Base, Event, JournalEntry

TENANT, INVOICE = crash_ops.TENANT, crash_ops.INVOICE
WHO = Principal(tenant_id=TENANT, actor="user:a", name="", permissions=frozenset(Permission))
MACHINERY = {"outbox", "alembic_version", "sign_in_failures", "console_sessions", "idempotency_keys"}
"""Tables of the machine, not of the state: what is done is told by the change that it does."""


UNTOLD = {("alarms", "count"), ("alarms", "seen_at"), ("alarms", "facts")}
"""A further sign of an alarm that rings is counted, and is no change of its own (gateway/alarms/sounding.py)."""


class Struck(SQLAlchemyError):
    """The statement that was chosen."""


def siren(number: int) -> str:
    """A number of its own with a right check digit, in the range that is nobody's."""
    head = f"00000{number % 1000:03d}"
    total = sum(sum(divmod(int(sign) * (2 if place % 2 else 1), 10)) for place, sign in enumerate(head))
    return f"{head}{-total % 10}"


def make_entity(deps: Any, chance: random.Random) -> None:
    service.create_entity(deps, TENANT, EntityIn.model_validate({
        "siren": siren(chance.randrange(1000)), "name": "Atelier", "vat_regime": "franchise", "connection_id": None,
        "address": {"line_1": "1 rue", "post_code": "75001", "city": "Paris", "country": "FR"}}), WHO.actor)


def lift(deps: Any, chance: random.Random) -> None:
    standing = [row for row in holds.holds(deps, TENANT) if row.lifted_at is None]
    if standing:
        holds.lift_hold(deps, TENANT, chance.choice(standing).id, WHO.actor, "clos")


def change(deps: Any, chance: random.Random) -> None:
    with deps.db.transaction(TENANT) as session:
        record(session, TENANT, Change(kind=chance.choice(("lifecycle", "payment")), code="207", actor="worker",
                                       submission_id=INVOICE, reason="quantité", data={"n": chance.randrange(9)}),
               now=deps.now())


def sound(deps: Any, chance: random.Random) -> None:
    with deps.db.transaction(TENANT) as session:
        act = chance.choice((sound_in, clear_in))
        act(deps, session, TENANT, "clock-jump", str(chance.randrange(3)))


STEPS: tuple[Callable[[Any, random.Random], object], ...] = (
    make_entity, lift, change, change, sound,
    lambda deps, chance: service.set_fiscal_year(deps, TENANT, chance.choice(("12-31", "06-30")), WHO.actor),
    lambda deps, chance: service.set_retention_years(deps, TENANT, chance.randrange(4, 12), WHO.actor),
    lambda deps, _: service.create_key(deps, TENANT, "clé", [Permission.VALIDATE], WHO.actor),
    lambda deps, _: holds.set_hold(deps, TENANT, WHO.actor, INVOICE, "litige"),
    lambda deps, _: destruction.propose(deps, TENANT, WHO.actor, [INVOICE], "trop tôt"),
    lambda deps, chance: looks.at_list(deps, WHO, looks.JOURNAL_SEARCHED, "journal", q=str(chance.random())),
    lambda deps, _: looks.at_invoice(deps, WHO, INVOICE),
)


def state_of(deps: Any) -> dict[str, str]:
    """Each table's rows as one hash, but for the journal, its events and what follows from them."""
    found = {}
    with deps.db.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            if table.name not in MACHINERY:
                told = [column for column in table.columns if (table.name, column.name) not in UNTOLD]
                rows = sorted(map(repr, connection.execute(select(*told))))
                found[table.name] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return found


def counts(deps: Any) -> tuple[int, int]:
    """Events and entries."""
    with deps.db.reading(TENANT) as session:
        return (session.scalar(select(func.count()).select_from(Event)) or 0,
                session.scalar(select(func.count()).select_from(JournalEntry)) or 0)


def step(deps: Any, chance: random.Random) -> list[str]:
    """One change, struck or not; gives its faults."""
    before, told = state_of(deps), counts(deps)
    strike, seen = (chance.randrange(1, 25) if chance.random() < 0.5 else 0), [0]

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen[0] += 1
        if seen[0] == strike:
            raise Struck(statement)

    event.listen(deps.db.engine, "before_cursor_execute", count)
    failed = False
    try:
        chance.choice(STEPS)(deps, chance)
    except (Problem, Struck):
        failed = True
    finally:
        event.remove(deps.db.engine, "before_cursor_execute", count)
    after, now_told = state_of(deps), counts(deps)
    faults = []
    if now_told[0] != now_told[1]:
        faults.append(f"{now_told[0]} events, {now_told[1]} entries")
    changed = [name for name in before if before[name] != after[name]]
    if failed and changed:
        faults.append(f"a step that failed left {changed}")
    if changed and now_told[1] == told[1]:
        faults.append(f"no entry tells of {changed}")
    if not changed and now_told != told:
        faults.append("an entry tells of nothing")
    return faults


def run(chance: random.Random, steps: int) -> list[str]:
    """One run on a database of its own."""
    with scratch() as name:
        folder = Path(name)
        crash_ops.make_world(folder)
        deps = crash_ops.deps_of(folder)
        faults = [fault for _ in range(steps) for fault in step(deps, chance)]
        faults += check_everything(deps).faults
        deps.db.close()
    return faults


def main(argv: list[str]) -> int:
    """Runs of 50 steps."""
    asked = part_options(__doc__).parse_args(argv)
    chance, runs, bad = random.Random(asked.seed), max(1, round(500 * asked.scale)), 0
    for number in range(runs):
        if faults := run(chance, 50):
            bad += 1
            print(f"run {number}: {faults[:3]}", file=sys.stderr)
        if number % 20 == 0:
            print(f"{number} of {runs}, {bad} bad", file=sys.stderr, flush=True)
    return int(tell("5", runs, asked.seed, bad, "50 changes each, every second one struck at a statement: changes = "
                    "entries = events") > 0)


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        sys.exit(main(sys.argv[1:]))
