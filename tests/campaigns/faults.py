"""Faults on the wire and kill -9 of real processes, with a seed; then every accepted invoice must be there, once.

    python tests/campaigns/faults.py [--database sqlite|postgres|both] [--invoices 2000] [--kills 200] [--seed 1]

Rounds of at most 200 invoices and 20 kills, each with processes and books of its own. The first kills of a set-up are
at the named points of fault_points.py, the others at random moments. A round that is done is not done again (--again
does), so an interrupted campaign goes on. `--broken NAME` runs one round of a build that is broken on purpose: then
exit 0 means that the check found it.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fault_check import Books, check, report
from fault_points import BROKEN, POINTS
from fault_world import World, allow, billing, ended_politely, kill, ready_again, start, wait_for, world

INVOICES, KILLS = 200, 20
"""Of one round, at most."""


def main() -> int:
    """Run what is not done yet, then print the sums."""
    options = argparse.ArgumentParser()
    options.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    options.add_argument("--invoices", type=int, default=2000)
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--folder", type=Path, default=Path("var/campaigns/faults"))
    options.add_argument("--broken", choices=BROKEN)
    options.add_argument("--again", action="store_true")
    asked = options.parse_args()
    with ended_politely():
        return run(asked)


def run(asked: argparse.Namespace) -> int:
    """What was asked for; the exit code."""
    if asked.broken:
        figures = played(asked.folder / "broken", asked.seed, "sqlite", INVOICES // 4, 0, broken=asked.broken)
        print(f"broken {asked.broken}: {'found' if not figures['held'] else 'NOT FOUND'}")
        return int(figures["held"])
    databases = ("sqlite", "postgres") if asked.database == "both" else (asked.database,)
    return max(campaign(asked.folder / database, database, asked) for database in databases)


def campaign(folder: Path, database: str, asked: argparse.Namespace) -> int:
    """Every round of one set-up."""
    rounds = max(1, -(-asked.kills // KILLS))
    sums: Counter[str] = Counter()
    for number, (invoices, kills) in enumerate(shares(asked.invoices, asked.kills, rounds)):
        kept = folder / f"seed-{asked.seed}-{asked.invoices}-{asked.kills}-{number:02d}.json"
        if asked.again or not kept.exists():
            figures = played(folder / "round", asked.seed * 1000 + number, database, invoices, kills,
                             points=number * KILLS)
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(figures), "utf-8")
        sums.update(json.loads(kept.read_text("utf-8")))
    print(f"faults: database={database} seed={asked.seed} rounds={rounds} {dict(sums)}", flush=True)
    return int(sums["held"] != rounds)


def shares(invoices: int, kills: int, rounds: int) -> Iterator[tuple[int, int]]:
    """The work of each round."""
    for number in range(rounds):
        yield (invoices * (number + 1) // rounds - invoices * number // rounds,
               kills * (number + 1) // rounds - kills * number // rounds)


def played(  # the seed and the size of a round, and what is asked of it
    folder: Path, seed: int, database: str, invoices: int, kills: int, *, points: int = 0, broken: str | None = None,
    patience: float = 240,
) -> dict[str, int]:
    """One round; its figures, with `held` 1 when nothing was wrong."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.monotonic()
    with world(folder, seed, database) as of, billing(of, seed) as systems:
        struck: Counter[str] = Counter()
        for count, budget in enumerate(shares(invoices, 0, kills + 1)):
            allow(systems, budget[0])
            if count < kills:
                strike(of, random.Random(f"{seed}-{count}"), points + count, struck)  # noqa: S311 - repeatable
        arming = ("--broken", broken) if broken else ()
        running = [start(of, role, *arming) for role in of.roles]
        try:
            ready_again(of)
            wait_for(systems, invoices)
            of.proxy.calm = True
            found = check(Books(of.url, of.key, of.ledger, dict(systems.accepted)), patience=30 if broken else patience)
        finally:
            for one in running:
                kill(one)
        held = found.held() and not systems.wrong and len(systems.accepted) == invoices
        print(f"{database} seed={seed} accepted={len(systems.accepted)}/{invoices} kills={sum(struck.values())} "
              f"({struck['point']} at named points, {struck['missed']} points not reached) "
              f"wire={dict(of.proxy.fates)} answers={dict(systems.answers)} "
              f"seconds={time.monotonic() - began:.0f} {'held' if held else 'DID NOT HOLD'}\n{report(found)}",
              flush=True)
        for text in systems.wrong[:5]:
            print(f"  wrong: {text}")
        return {"held": int(held), "accepted": len(systems.accepted), **found.figures(), **{
            f"wire_{fate}": number for fate, number in of.proxy.fates.items()}, **{
            f"kills_{where}": number for where, number in struck.items()}}


def strike(of: World, chance: random.Random, number: int, struck: Counter[str]) -> None:
    """One life of the processes and its end: at the named point of this number, or at a random moment."""
    names = list(POINTS)
    point = names[number] if number < len(names) else None
    victim = of.roles[0]
    if point is not None and len(of.roles) > 1:
        victim = POINTS[point].process
    elif point is None:
        victim = chance.choice(of.roles)
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for role in of.roles:
            armed = ("--die", f"{point}@{chance.randint(1, 2)}") if point is not None and role == victim else ()
            running[role] = start(of, role, *armed)
        if point is not None:
            try:
                running[victim].wait(timeout=60)
                struck["point"] += 1
            except subprocess.TimeoutExpired:
                struck["missed"] += 1
        else:
            with suppress(Exception):
                ready_again(of)
            time.sleep(chance.uniform(0.1, 4.0))
            struck["random"] += 1
    finally:
        for process in running.values():
            kill(process)


if __name__ == "__main__":
    sys.exit(main())
