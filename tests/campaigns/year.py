"""A simulated year of 2,000 clients and 30,000 invoices through the whole service, then checked. Resumable, day by day.

    make campaign-year                       # or: python tests/campaigns/year.py --invoices 3000 --clients 200

Everything lies in one folder, in memory where the machine has such a place: a year waits for the disk half a million
times. With `--shares 2` the clients are shared among two sellers, each with a service, a mail server and a processor
of its own, side by side. Mails go to a mail server in a process of its own (year_mail.py). Asked to stop, it finishes
the day; started again, it goes on after the last day that was finished. The figures are those of year_check.py, which
imports nothing of the product, at the end of each month and of the year; a second look decides every kept decision
again from its record.
"""

import argparse
import json
import os
import signal
import sys
import time as watch
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from sqlalchemy import select
from year_check import Books, Verdict, check, read_books
from year_mail import serving
from year_plan import FIRST, LAST, Year, planned
from year_world import SELLER, World, lived

from formats.invoice import Address, Invoice, Line, Party, Totals
from formats.syntax import Syntax, write
from gateway.assembly import assembled
from gateway.deps import Deps
from gateway.reminders.scenario import DEFAULT
from gateway.reminders.trying import decided_again
from gateway.settings import Settings
from gateway.tables import LegalEntity, Tenant

MEMORY = Path("/dev/shm")
PLACE = MEMORY if MEMORY.is_dir() else Path("var/campaigns")


class Clock:
    """Stands still until the world moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def main() -> int:
    """Play every share in a process of its own, print the sums."""
    options = argparse.ArgumentParser()
    options.add_argument("--invoices", type=int, default=30_000)
    options.add_argument("--clients", type=int, default=2_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--runs", type=int, choices=(1, 2), default=2, help="turns of the worker a day")
    options.add_argument("--folder", type=Path, default=PLACE / "passerelle-year")
    options.add_argument("--shares", type=int, default=1, help="sellers, each with a service and clients of its own")
    asked = options.parse_args()
    folder: Path = asked.folder / f"{asked.seed}-{asked.clients}-{asked.invoices}-{asked.shares}"
    whole, context = planned(asked.seed, asked.clients, asked.invoices), get_context("spawn")
    told, figures = context.SimpleQueue(), Counter[str]()
    processes = [
        context.Process(target=play, args=(
            folder / f"share-{share}", _part(whole, share, asked.shares), asked.runs, told))
        for share in range(asked.shares)]
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: [os.kill(one.pid, number) for one in processes if one.pid])
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    if any(process.exitcode for process in processes):
        return 1
    for _ in processes:
        figures.update(told.get())
    print("year:", json.dumps({"seed": asked.seed, "clients": asked.clients, "shares": asked.shares, **figures}))
    return int(bool(figures["faults"] or figures["differ"]))


def _part(year: Year, share: int, shares: int) -> Year:
    """The invoices of every so many-th client."""
    return Year(tuple(life for life in year.lives if int(life.client.siren) % shares == share), year.outages)


def play(folder: Path, year: Year, runs: int, told: "SimpleQueue[dict[str, int]]") -> None:
    """A year from where it stands to its end; then its figures are put in the queue."""
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "done"
    start = date.fromisoformat(done.read_text()) + timedelta(days=1) if done.exists() else FIRST
    clock, tell = Clock(), teller(folder, year)
    with serving(folder / "mail") as url, assembled(
            Settings(data=folder / "data", log_json=False, smtp_url=url)) as made:
        deps = Deps(settings=made.settings, db=made.db, store=made.store, workshop=made.workshop, vault=made.vault,
                    bell=made.bell, clock=clock)
        world = house(deps, clock)
        world.runs = world.runs[:runs]
        clock.now = max(clock.now, datetime.combine(start, datetime.min.time(), UTC))
        if start <= LAST:
            lived(world, year, tell, start)
        count, differing = decided_again(deps, world.tenant_id)
    books, verdict = judged(folder, year, LAST)
    for fault in verdict.faults[:20]:
        print(f"  {fault}", flush=True)
    told.put({"invoices": len(year.lives), "letters": verdict.letters, "mails": books.mails,
              "decisions": len(books.told), "decided again": count, "differ": len(differing),
              "faults": len(verdict.faults), "processor": spent(folder)})


def spent(folder: Path) -> int:
    """Seconds of processor time of the share, those before an interruption among them."""
    before = folder / "spent"
    earlier = float(before.read_text()) if before.exists() else 0.0
    return round(earlier + sum(os.times()[:4]))


def teller(folder: Path, year: Year) -> Callable[[date], None]:
    """Notes each day that is done, says once a month how it stands, and ends after the day when asked to stop."""
    asked: list[int] = []
    started = watch.monotonic()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: asked.append(number))

    def tell(day: date) -> None:
        (folder / "done").write_text(day.isoformat())
        if (day + timedelta(days=1)).day == 1:
            books, verdict = judged(folder, year, day)
            issued = sum(life.issued <= day for life in year.lives)
            print(f"  {folder.name} {day}: {issued} invoices, {verdict.letters} letters, {books.mails} mails, "
                  f"{len(books.told)} decisions, {len(verdict.faults)} faults; {watch.monotonic() - started:.0f} s, "
                  f"{spent(folder)} s of processor", flush=True)
        if asked:
            (folder / "spent").write_text(str(spent(folder)))
            raise SystemExit(f"  stopped after {day}; the same command goes on")

    return tell


def judged(folder: Path, year: Year, day: date) -> tuple[Books, Verdict]:
    """What the books say, and what is wrong up to the evening of a day."""
    books = read_books(folder / "data" / "passerelle.sqlite3", folder / "mail")
    ladder = [(stage.key, stage.offset) for stage in DEFAULT.stages]
    verdict = check(year, ladder, books.went, books.told, datetime.combine(day, time(20), UTC), declined=books.declined)
    verdict.faults[:0] = books.faults
    return books, verdict


def house(deps: Deps, clock: Clock) -> World:
    """The seller, made at the first start."""
    with deps.db.reading("*") as session:
        tenant_id = session.scalar(select(Tenant.id))
    if tenant_id is None:
        tenant_id = str(uuid.uuid4())
        with deps.db.transaction(tenant_id) as session:
            session.add(Tenant(id=tenant_id, name="Atelier", created_at=clock.now))
            session.flush()
            session.add(LegalEntity(
                tenant_id=tenant_id, id="atelier", siren=SELLER, name="Atelier", address={"city": "Paris"},
                vat_number=None, electronic_address=None, vat_regime="normal-monthly", vat_on_debits=False,
                fiscal_year_end="12-31", format="ubl", connection_id=None, enabled=True, contact_name=None,
                contact_email=None, logo_sha256=None, appearance=None, reachability=None))
    sample = Invoice(number="Y", type_code="380", currency="EUR", totals=Totals(), lines=(Line(id="1"),),
                     buyer=Party(name="Client", address=Address(country="FR")))
    return World(deps=deps, clock=clock, tenant_id=tenant_id, entity_id="atelier",
                 document=write(sample, Syntax.UBL_INVOICE))


if __name__ == "__main__":
    sys.exit(main())
