"""The nightly decision run over open items: goal 100,000 in two minutes on one core; a trial over the same rows.

    python tests/bench/reminders.py --invoices 100000        # the usual form has 5,000 and scales

Processor time of one process, database on the disk of the system's temporary folder. One in ten has a letter due, as on
an ordinary day of a scenario with ten days between its stages; one in twenty is disputed, one in twenty paid in part.
"""

import argparse
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "campaigns"))

from sqlalchemy import event as sql_event
from sqlalchemy import func, select
from year import Clock, house
from year_plan import Client, Happening, Life, Year
from year_world import invoice_id, write

from gateway.assembly import assembled
from gateway.db import insert_rows
from gateway.deps import Deps
from gateway.receivables.lines import catch_up
from gateway.reminders import nightly
from gateway.reminders.pending import awaited
from gateway.reminders.trying import try_out
from gateway.settings import Settings
from gateway.tables import OutboxEntry
from gateway.tables_receivables import BankFile, BankMovement
from gateway.tables_reminders import Decision

TODAY = date(2026, 3, 23)


def main() -> None:
    """Fill, run, print."""
    options = argparse.ArgumentParser()
    options.add_argument("--invoices", type=int, default=5_000)
    options.add_argument("--movements", type=int, default=0, help="of the bank account, that nobody has confirmed")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, assembled(Settings(data=Path(folder), log_json=False)) as made:
        clock = Clock()
        clock.now = datetime(2026, 3, 23, 9, tzinfo=UTC)
        deps = Deps(settings=made.settings, db=made.db, store=made.store, workshop=made.workshop, vault=made.vault,
                    bell=made.bell, clock=clock)
        world = house(deps, clock)
        lives = tuple(life(number) for number in range(asked.invoices))
        for start in range(0, len(lives), 2000):
            write(world, Year(lives[start:start + 2000], frozenset()), start * 3)
        reminded(deps, world.tenant_id, lives)
        money(deps, world.tenant_id, lives[:asked.movements])
        statements: list[str] = []
        sql_event.listen(deps.db.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
        began, clock_began = time.process_time(), time.perf_counter()
        looked_at = nightly.decide_all(deps, world.tenant_id)
        spent, wall = time.process_time() - began, time.perf_counter() - clock_began
        with deps.db.reading(world.tenant_id) as session:
            due = session.scalar(select(func.count()).select_from(OutboxEntry))
            kept = session.scalar(select(func.count()).select_from(Decision).where(Decision.outcome == "held"))
        print(f"nightly run: {looked_at} open items, {spent:.1f} s processor time ({wall:.1f} s by the clock), "
              f"{len(statements)} statements, {due} letters due, {kept} decisions against kept; "
              f"100,000 would be {spent / max(looked_at, 1) * 100_000:.0f} s (goal 120)")
        began = time.process_time()
        trial = try_out(deps, world.tenant_id, None, TODAY - timedelta(days=30), TODAY)
        print(f"trial over 30 days: {trial.invoices} invoices, {trial.total} letters, "
              f"{time.process_time() - began:.1f} s")


def life(number: int) -> Life:
    """An invoice that is 1 to 10 days past a stage."""
    due = TODAY - timedelta(days=10 + number % 10)
    issued = due - timedelta(days=30)
    found = [Happening(datetime.combine(issued, datetime.min.time(), UTC), "issue", "")]
    found.append(Happening(datetime.combine(issued + timedelta(days=1), datetime.min.time(), UTC), "status", "205"))
    if number % 20 == 3:
        found.append(Happening(datetime.combine(due, datetime.min.time(), UTC), "status", "207"))
    if number % 20 == 7:
        found.append(Happening(datetime.combine(due, datetime.min.time(), UTC), "pay", "10.00"))
    client = Client(f"{number % 4000:09}", f"Client {number % 4000}", f"c{number % 4000}@client.example", None)
    return Life(f"B{number:06}", client, "bench", issued, due, Decimal("120.00"), tuple(found))


def reminded(deps: Deps, tenant_id: str, lives: tuple[Life, ...]) -> None:
    """What went out before: the due date's letter, and the friendly one where its day is past."""
    rows = []
    for number, one in enumerate(lives):
        for stage, offset in (("due", 0), ("friendly", 10)):
            day = one.due + timedelta(days=offset)
            if day < TODAY:
                rows.append({
                    "tenant_id": tenant_id, "id": f"{number}:{stage}", "submission_id": invoice_id(one),
                    "intent": f"{invoice_id(one)}:{stage}", "stage": stage, "outcome": "sent", "reason": "bench",
                    "at": datetime.combine(day, datetime.min.time(), UTC), "scenario": "relances-v2",
                    "facts": {"offset": offset, "n": 1, "code": "due"}, "channel": "spool", "recipient": "x",
                    "sha256": None})
    with deps.db.transaction(tenant_id) as session:
        insert_rows(session, Decision, rows)


def money(deps: Deps, tenant_id: str, lives: tuple[Life, ...]) -> None:
    """One movement for each of these invoices, which names it; the matching alone is timed first."""
    moment = deps.now()
    with deps.db.transaction(tenant_id) as session:
        insert_rows(session, BankFile, [{
            "tenant_id": tenant_id, "id": "bench", "sha256": "0" * 64, "size": 1, "name": "bench", "version": "bench",
            "message_id": "bench", "received_at": moment, "actor": "bench", "added": len(lives), "repeated": 0,
            "remarks": [], "kept_until": None}])
        insert_rows(session, BankMovement, [{
            "tenant_id": tenant_id, "id": f"m{number}", "file_id": "bench", "key": f"k{number}",
            "content": f"c{number}", "account": "bench", "statement": "bench", "amount": one.amount, "currency": "EUR",
            "booked_on": TODAY, "value_on": TODAY, "returned": False, "reference": None, "end_to_end": None,
            "name": one.client.name, "iban": f"iban{number}", "remittance": f"facture {one.number} merci",
            "creditor_reference": None, "state": "open", "decided_at": None, "decided_by": None,
            "decided_reason": None} for number, one in enumerate(lives)])
    catch_up(deps, tenant_id)
    began = time.process_time()
    with deps.db.reading(tenant_id) as session:
        found = awaited(session)
    print(f"money to confirm: {len(lives)} movements, {len(found.invoices)} invoices, "
          f"{time.process_time() - began:.2f} s processor time")


if __name__ == "__main__":
    main()
