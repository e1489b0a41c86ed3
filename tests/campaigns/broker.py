"""The broker is emptied at random moments, and workers are killed: nothing may be lost, and work goes on within 30 s.

    python tests/campaigns/broker.py [--flushes 50] [--invoices 400] [--seed 1] [--folder var/campaigns/broker]

PostgreSQL, Redis, `passerelle serve` and `passerelle worker` as real processes; every fifth flush also kills the
worker with SIGKILL and starts another. After each flush an invoice that was accepted later is waited for at the
platform, and the seconds that took are the figure. Exit 0: all held and the longest wait was under 30 s.
"""

import argparse
import random
import shutil
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import redis
from fault_check import Books, check, report
from fault_world import Billing, World, allow, billing, ended_politely, kill, ready_again, start, wait_for, world

LIMIT_S = 30.0


def main() -> int:
    """Run the campaign and print its figures."""
    options = argparse.ArgumentParser()
    options.add_argument("--flushes", type=int, default=50)
    options.add_argument("--invoices", type=int, default=400)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--folder", type=Path, default=Path("var/campaigns/broker"))
    asked = options.parse_args()
    shutil.rmtree(asked.folder, ignore_errors=True)
    asked.folder.mkdir(parents=True)
    with ended_politely():
        return campaign(asked.folder, asked.flushes, asked.invoices, asked.seed)


def campaign(folder: Path, flushes: int, invoices: int, seed: int) -> int:
    """Empty, wait for the next invoice to arrive, and again; then compare the books."""
    chance = random.Random(seed)
    began, waits, killed = time.monotonic(), [], 0
    with world(folder, seed, "postgres") as of, billing(of, seed) as systems:
        of.proxy.calm = True
        running = {role: start(of, role) for role in of.roles}
        try:
            ready_again(of)
            with redis.Redis.from_url(of.broker or "") as broker:
                for count in range(flushes):
                    allow(systems, invoices * (count + 1) // flushes - invoices * count // flushes - 1)
                    time.sleep(chance.uniform(0.0, 2.0))
                    broker.flushall()
                    if count % 5 == 4:
                        kill(running["worker"])
                        running["worker"] = start(of, "worker")
                        killed += 1
                    waits.append(goes_on(of, systems, time.monotonic()))
                    if count % 10 == 9:
                        print(f"  {count + 1} of {flushes} flushes, {len(systems.accepted)} accepted, "
                              f"longest wait {max(waits):.1f} s", flush=True)
            wait_for(systems, invoices)
            found = check(Books(of.url, of.key, of.ledger, dict(systems.accepted)), patience=120)
        finally:
            for one in running.values():
                kill(one)
    held = (found.held() and not systems.wrong and len(systems.accepted) == invoices
            and max(waits, default=0.0) < LIMIT_S)
    print(f"broker: flushes={flushes} workers killed={killed} seed={seed} accepted={len(systems.accepted)}/{invoices} "
          f"longest wait={max(waits, default=0.0):.1f} s median={sorted(waits)[len(waits) // 2]:.1f} s "
          f"seconds={time.monotonic() - began:.0f} {'held' if held else 'DID NOT HOLD'}\n{report(found)}", flush=True)
    return int(not held)


def goes_on(of: World, systems: Billing, since: float) -> float:
    """Seconds until an invoice is at the platform that was accepted after the moment `since`; one more is allowed."""
    allow(systems, 1)
    while time.monotonic() - since < 2 * LIMIT_S:
        later = {systems.accepted[number] for number, at in [*systems.accepted_at.items()] if at > since}
        if later & arrived(of):
            break
        time.sleep(0.05)
    return time.monotonic() - since


def arrived(of: World) -> set[str]:
    """The tracking ids that the platform holds."""
    with closing(sqlite3.connect(f"file:{of.ledger}?mode=ro", uri=True)) as book:
        return {row[0] for row in book.execute("SELECT tracking_id FROM flows WHERE direction = 'Out'")}


if __name__ == "__main__":
    sys.exit(main())
