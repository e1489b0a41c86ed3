"""What evidence costs: the overhead on an accepted invoice, entries a second, a seal, on SQLite (FULL) and PostgreSQL.

    python tests/bench/evidence.py [--seconds 10] [--no-postgres]

The overhead is the processor time of the transaction of an accepted invoice (its row included) less that of the same
transaction with the event and the work alone, in turns, and the median of all turns. Its share of the wall clock is
printed too; a busy machine makes both longer. PostgreSQL runs with its usual durability (fsync on) in a folder of its
own.
"""

import argparse
import random
import statistics
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from time import perf_counter, process_time

sys.path.insert(0, str(Path(__file__).parents[1] / "scale"))
sys.path.insert(0, str(Path(__file__).parents[1] / "campaigns"))

import seal_world
import servers

from gateway import outbox
from gateway.clock import wall_clock
from gateway.commands.demo_invoices import SERVICES, invoice
from gateway.deps import Deps
from gateway.engines import open_engine
from gateway.evidence.ledger import Kept
from gateway.evidence.sealing import sign, stamp
from gateway.migrations.upgrade import upgrade
from gateway.outgoing.drafts import draft
from gateway.record import Change, Work, record
from gateway.tables import Event, Submission
from validation.findings import Report, Verdict

INVOICE = invoice("F-2026-001", "approve", SERVICES, date(2026, 11, 20), frame="S1")
REPORT = Report(verdict=Verdict.VALID, syntax="ubl-invoice", profile="en16931", specification_identifier=None,
                layers=(), findings=())
RULES = tuple(f"rule-set-{n}@{'ab' * 32}" for n in range(4))
DATA = {"number": "F-2026-001", "seller": "000002006", "buyer": "000003004", "total": "120.00", "currency": "EUR"}


def accepted(deps: Deps, number: int) -> None:
    """The transaction of an accepted invoice: its row, event, entry, metadata of three objects, words, work."""
    kept = tuple(Kept(role, f"{number * 3 + n:064x}", 5000) for n, role in enumerate(("original", "sent", "report")))
    with deps.db.transaction(seal_world.TENANT) as session:
        session.add(submission(deps, number))
        record(session, seal_world.TENANT, Change(
            kind="submission", code="accepted", actor="key:36d21fcf", submission_id=str(uuid.UUID(int=number)),
            data=DATA, objects=kept, rule_sets=RULES, then=(Work(topic="deliver", subject_id=str(number)),),
        ), now=deps.now())


def bare(deps: Deps, number: int) -> None:
    """The same without evidence: row, event and work."""
    with deps.db.transaction(seal_world.TENANT) as session:
        session.add(submission(deps, number))
        session.add(Event(
            tenant_id=seal_world.TENANT, id=str(uuid.uuid4()), position=-number, submission_id=str(number),
            at=deps.now(), platform_at=None, kind="submission", code="accepted", actor="key:36d21fcf", reason=None,
            data=DATA, sha256="0" * 64))
        outbox.put(session, seal_world.TENANT, "deliver", str(number), now=deps.now())


def submission(deps: Deps, number: int) -> Submission:
    """The invoice's own row."""
    return draft(submission_id=str(uuid.UUID(int=number)), tenant_id=seal_world.TENANT, actor="key:36d21fcf",
                 sha256=f"{number * 3:064x}", report=REPORT, invoice=INVOICE, entity=None, now=deps.now())


def appended(deps: Deps, number: int) -> None:
    """One entry in a transaction of its own."""
    seal_world.happen(deps, f"code-{number}")


def many(deps: Deps, number: int) -> None:
    """A hundred entries in one transaction, as a period of statuses comes in."""
    with deps.db.transaction(seal_world.TENANT) as session:
        for n in range(100):
            record(session, seal_world.TENANT, Change(kind="setting", code=f"c{number}.{n}", actor="key:test"),
                   now=deps.now())


def measured(deps: Deps, acts: dict[str, Callable[[Deps, int], None]], seconds: float) -> None:
    """Take turns for so many seconds; print the median of each."""
    wall: dict[str, list[float]] = {name: [] for name in acts}
    cpu: dict[str, list[float]] = {name: [] for name in acts}
    until, number = perf_counter() + seconds, 0
    while perf_counter() < until:
        for name in random.sample(list(acts), len(acts)):
            number += 1
            started, spent = perf_counter(), process_time()
            acts[name](deps, number)
            wall[name].append(perf_counter() - started)
            cpu[name].append(process_time() - spent)
    for name, times in wall.items():
        print(f"  {name:<34} median {statistics.median(times) * 1000:8.2f} ms, p95 "
              f"{statistics.quantiles(times, n=20)[-1] * 1000:8.2f} ms, processor "
              f"{statistics.median(cpu[name]) * 1000:7.2f} ms, {len(times)} times")
    if "accepted" in wall:
        over, passed = (statistics.median(times["accepted"]) - statistics.median(times["bare"])
                        for times in (cpu, wall))
        print(f"  overhead on an accepted invoice: {over * 1000:.2f} ms of the processor (limit 5), "
              f"{passed * 1000:.2f} ms of the clock")


def report(name: str, deps: Deps, seconds: float) -> None:
    """All figures of one database."""
    print(name)
    measured(deps, {"accepted": accepted, "bare": bare}, seconds)
    measured(deps, {"one entry, one transaction": appended}, seconds / 2)
    until, times, spent = perf_counter() + seconds / 2, [], []
    while perf_counter() < until:
        started, used = perf_counter(), process_time()
        many(deps, len(times))
        times.append(perf_counter() - started)
        spent.append(process_time() - used)
    print(f"  append: {100 / statistics.median(times):,.0f} entries a second by the clock (limit 1,000), "
          f"{100 / statistics.median(spent):,.0f} by the processor time of this process")
    times = []
    for _ in range(20):
        seal_world.happen(deps)
        started = perf_counter()
        stamp(deps, sign(deps, seal_world.TENANT, f"{deps.now().year}"), {})
        times.append(perf_counter() - started)
    print(f"  a seal with its token (local authority): median {statistics.median(times) * 1000:.1f} ms")


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a durable database with every table and policy."""
    with servers.postgres() as url:
        engine = open_engine(url)
        upgrade(engine)
        engine.dispose()
        yield url


def main(argv: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--no-postgres", action="store_true")
    asked = parser.parse_args(argv)
    clock = wall_clock
    Path("var").mkdir(exist_ok=True)  # on a disk, where fsync costs what it costs
    with tempfile.TemporaryDirectory(dir="var") as folder, seal_world.gateway(Path(folder), clock) as deps:
        report("SQLite, synchronous=FULL", deps, asked.seconds)
    if not asked.no_postgres and not servers.missing():
        with tempfile.TemporaryDirectory() as folder, postgres() as url, seal_world.gateway(
                Path(folder), clock, database_url=url) as deps:
            report("PostgreSQL", deps, asked.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
