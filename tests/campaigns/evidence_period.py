"""Goal 12, the export half: the dossiers of a period in flat memory, resumable, with its speed; then checked.

    python tests/campaigns/evidence_period.py [--seed N] [--scale F] [--invoices N]
"""

import random
import resource
import subprocess
import sys
import tarfile
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "gateway"))
sys.path.insert(0, str(Path(__file__).parents[1] / "archive"))

from evidence import part_options, scratch, tell
from many import make_invoices
from rewriting import START, TENANT, Clock, House

from archive.exchange.period import verify_period
from gateway.auth import Permission, Principal
from gateway.dossiers import periods
from gateway.tables import Base, Tenant
from validation.workshop import Workshop

SOMEBODY = Principal(tenant_id=TENANT, actor="key:campaign", name="campaign", permissions=frozenset(Permission))


def resident() -> int:
    """MiB that this process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() >> 20


def main() -> int:
    """Exit code 1 if the export does not hold or memory grows."""
    parser = part_options(__doc__)
    parser.add_argument("--invoices", type=int, default=10_000)
    asked = parser.parse_args()
    count = max(20, int(asked.invoices * asked.scale))
    chance = random.Random(asked.seed)
    with scratch() as place, Workshop() as workshop:
        house = House(Path(place), Clock(), b"", ())
        with house.deps() as bare:
            deps = replace(bare, workshop=workshop)
            Base.metadata.create_all(deps.db.engine)
            with deps.db.transaction(TENANT) as session:
                session.add(Tenant(id=TENANT, name="Atelier", created_at=START))
            for first in range(0, count, 500):
                make_invoices(deps, TENANT, range(first, min(first + 500, count)))
                print(f"  {first} of {count} invoices made", file=sys.stderr)
            row = periods.start(deps, SOMEBODY, date(2026, 1, 1), date(2026, 12, 31))
            started, spent, memory, torn = time.perf_counter(), time.process_time(), [], 0
            while periods.advance(deps, TENANT, row.id):
                memory.append(resident())
                if chance.random() < 0.05:  # as a crash leaves it
                    with periods.place(deps, row, "tar").open("ab") as file:
                        file.write(chance.randbytes(70_000))
                    torn += 1
            wall, cpu = time.perf_counter() - started, time.process_time() - spent
            row = periods.get_export(deps, TENANT, row.id)
            path = periods.file_of(deps, row)
            early, late = memory[min(5, len(memory) - 1)], max(memory)
            size = path.stat().st_size >> 20
            failed = tell("12 (export)", row.done, asked.seed, (row.done != count) + (late > early * 1.3 + 30),
                          f"{row.done / cpu:.0f} a second of processor time ({row.done / wall:.0f} of the busy clock), "
                          f"{early} MiB after five slices, {late} at most, {size} MiB of tar, torn {torn} times")
            spent = time.process_time()
            verdict = verify_period(path, None)
            speed = verdict.dossiers / (time.process_time() - spent)
            failed += tell("12 (checked)", verdict.dossiers, asked.seed, (not verdict.ok) + (verdict.dossiers != count),
                           f"{verdict.entries} entries, {speed:.0f} dossiers a second; {verdict.faults[:1]}")
            small = periods.start(deps, SOMEBODY, date(2026, 1, 1), date(2026, 1, 1))
            for _ in periods.progress(deps, small):
                pass
            with tarfile.open(periods.file_of(deps, periods.get_export(deps, TENANT, small.id))) as tar:
                tar.extractall(house.folder / "small", filter="data")
            done = subprocess.run(["sh", str(house.folder / "small" / "verify.sh")], capture_output=True, text=True,
                                  check=False)
            number = periods.get_export(deps, TENANT, small.id).done
            failed += tell("12 (by sh)", number, asked.seed, done.returncode != 0,
                           (done.stdout.splitlines() or [done.stderr])[-1])
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
