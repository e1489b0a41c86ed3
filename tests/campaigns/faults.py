"""Faults on the wire and kill -9 of real processes, with a seed; then every accepted invoice must be there, once.

    python tests/campaigns/faults.py [--database sqlite|postgres|both] [--invoices 2000] [--kills 200] [--seed 1]

Rounds of at most 400 invoices and 40 kills at random moments, each with processes and books of its own; two rounds go
beside each other, so that one works while the other waits for leases to end. The named points of fault_points.py are
spread over the rounds and come on top. A round that is done is not done again (--again does), so an interrupted
campaign goes on. `--broken NAME ...` runs one round of a build that is broken on purpose: then exit 0 means that the
check found it.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fault_check import Books, check, report
from fault_points import BROKEN, POINTS
from fault_world import Billing, Life, World, allow, billing, ended_politely, kill, ready_again, start, wait_for, world

from gateway.commands.demo_stage import DemoFailed
from gateway.commands.demo_stage import run as passerelle

INVOICES, KILLS = 400, 40
"""Of one round, at most."""

BESIDE = 2
POINT_S, TRIES = 60.0, 3
"""How long a life may take to come to its named point, and how many lives may try."""


def main() -> int:
    """Run what is not done yet, then print the sums."""
    options = argparse.ArgumentParser()
    options.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    options.add_argument("--invoices", type=int, default=2000)
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--folder", type=Path, default=Path("var/campaigns/faults"))
    options.add_argument("--broken", choices=BROKEN, nargs="+", default=())
    options.add_argument("--again", action="store_true")
    options.add_argument("--round", type=int, help="only this one: how the campaign starts its rounds")
    asked = options.parse_args()
    databases = ("sqlite", "postgres") if asked.database == "both" else (asked.database,)
    with ended_politely():
        if asked.broken:
            figures = played(asked.folder / "broken", Script(asked.seed, "sqlite", 50, 0, broken=asked.broken))
            print(f"broken {' '.join(asked.broken)}: {'NOT FOUND' if figures['held'] else 'found'}")
            return figures["held"]
        if asked.round is not None:
            return one_round(asked, asked.database, asked.round)
        return max(campaign(asked, database) for database in databases)


@dataclass(frozen=True, slots=True)
class Script:
    """What happens in a round."""

    seed: int
    database: str
    invoices: int
    kills: int
    """At random moments."""

    points: Sequence[str] = ()
    broken: Sequence[str] = ()


def script(asked: argparse.Namespace, database: str, number: int) -> Script:
    """The share of one round."""
    rounds = rounds_of(asked)
    return Script(asked.seed * 1000 + number, database, share(asked.invoices, number, rounds),
                  share(asked.kills, number, rounds), list(POINTS)[number::rounds])


def rounds_of(asked: argparse.Namespace) -> int:
    """How many rounds hold what was asked for."""
    return max(1, -(-asked.kills // KILLS), -(-asked.invoices // INVOICES))


def share(of: int, number: int, parts: int) -> int:
    """The part with this number when `of` is cut evenly."""
    return of * (number + 1) // parts - of * number // parts


def kept(asked: argparse.Namespace, database: str, number: int) -> Path:
    """Where the figures of a round are."""
    folder: Path = asked.folder / database
    return folder / f"seed-{asked.seed}-{asked.invoices}-{asked.kills}-{number:02d}.json"


def campaign(asked: argparse.Namespace, database: str) -> int:
    """Every round of one set-up, each in a process of its own."""
    began = time.monotonic()
    rounds = range(rounds_of(asked))
    waiting = deque(number for number in rounds if asked.again or not kept(asked, database, number).exists())
    running: list[subprocess.Popen[bytes]] = []
    try:
        while waiting or running:
            running = [one for one in running if one.poll() is None]
            while waiting and len(running) < BESIDE:
                running.append(subprocess.Popen([sys.executable, "-u", *sys.argv, "--database", database, "--round",
                                                 str(waiting.popleft())]))
            time.sleep(1)
    finally:
        for one in running:
            one.terminate()
            one.wait()
    sums: Counter[str] = Counter()
    for number in rounds:
        if kept(asked, database, number).exists():
            sums.update(json.loads(kept(asked, database, number).read_text("utf-8")))
    print(f"faults: database={database} seed={asked.seed} rounds={len(rounds)} {dict(sums)} "
          f"seconds={time.monotonic() - began:.0f}", flush=True)
    return int(sums["held"] != len(rounds))


def one_round(asked: argparse.Namespace, database: str, number: int) -> int:
    """One round; its figures are kept, whatever they are."""
    figures = played(asked.folder / database / f"round-{number:02d}", script(asked, database, number))
    kept(asked, database, number).write_text(json.dumps(figures), "utf-8")
    return int(not figures["held"])


def played(folder: Path, of_round: Script, *, patience: float = 300) -> dict[str, int]:
    """One round; its figures, with `held` 1 when nothing was wrong."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.monotonic()
    with world(folder, of_round.seed, of_round.database) as of, billing(of, of_round.seed) as systems:
        running: dict[str, Life] = {}
        struck: Counter[str] = Counter()
        try:
            lives(of, of_round, systems, running, struck)
            for role in of.roles:
                if role not in running:
                    running[role] = start(of, role, broken=of_round.broken)
            ready_again(of)
            wait_for(systems, of_round.invoices)
            of.proxy.calm = True
            calm = time.monotonic()
            found = check(Books(of.url, of.key, of.ledger, dict(systems.accepted)),
                          patience=30 if of_round.broken else patience)
        finally:
            for life in running.values():
                kill(life)
        evidence = verified(of)
        held = (found.held() and not systems.wrong and len(systems.accepted) == of_round.invoices
                and not evidence and not struck["never"])
        print(f"{of_round.database} seed={of_round.seed} accepted={len(systems.accepted)}/{of_round.invoices} "
              f"kills={dict(struck)} wire={dict(of.proxy.fates)} answers={dict(systems.answers)} "
              f"settled after {time.monotonic() - calm:.0f} s of {time.monotonic() - began:.0f} "
              f"{'held' if held else 'DID NOT HOLD'}\n{report(found)}{evidence}", flush=True)
        for text in systems.wrong[:5]:
            print(f"  wrong: {text}", flush=True)
        return {"held": int(held), "accepted": len(systems.accepted), **found.figures(),
                "evidence": int(bool(evidence)), **{f"wire_{fate}": number for fate, number in of.proxy.fates.items()},
                **{f"kills_{where}": number for where, number in struck.items()}}


def lives(of: World, of_round: Script, systems: Billing, running: dict[str, Life], struck: Counter[str]) -> None:
    """One life after another while invoices keep coming: its end is at a named point, or at a random moment.

    `running` is what lives, by role; processes that are not struck live on.
    """
    chance = random.Random(of_round.seed)
    ends: list[str | None] = [*of_round.points, *[None] * of_round.kills]
    chance.shuffle(ends)
    for count, point in enumerate(ends):
        allow(systems, share(of_round.invoices, count, len(ends) + 1))
        if point is None:
            strike(of, chance, systems, running)
            struck["random"] += 1
        else:
            reached = any(strike_at(of, running, point, chance.randint(1, 2)) for _ in range(TRIES))
            struck["point" if reached else "never"] += 1
            if not reached:
                print(f"  {of_round.database} seed={of_round.seed}: never came to {point!r}", flush=True)
        if count % 10 == 9:
            print(f"  {of_round.database} seed={of_round.seed}: {count + 1} of {len(ends)} kills, "
                  f"{len(systems.accepted)} of {of_round.invoices} accepted", flush=True)
    allow(systems, share(of_round.invoices, len(ends), len(ends) + 1))


def strike(of: World, chance: random.Random, systems: Billing, running: dict[str, Life]) -> None:
    """SIGKILL to one process, or to all: at any moment after its start, or after so many more invoices came in."""
    for role in of.roles:
        if role not in running:
            running[role] = start(of, role)
    wanted = len(systems.accepted) + chance.choice((0, 0, 1, 2, 3, 5, 8))
    deadline = time.monotonic() + POINT_S
    while len(systems.accepted) < wanted and not systems.idle and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(chance.uniform(0.0, 2.0))
    for role in chance.choice([*((role,) for role in of.roles), of.roles]):
        kill(running.pop(role))


def strike_at(of: World, running: dict[str, Life], point: str, passage: int) -> bool:
    """A life that ends by itself where it comes to this point; whether it came there."""
    victim = POINTS[point].process if of.broker else "serve"
    for role in of.roles:
        if role == victim and role in running:
            kill(running.pop(role))
        if role not in running:
            running[role] = start(of, role, **({"die": point, "count": passage} if role == victim else {}))
    life = running.pop(victim)
    try:
        return life.died(POINT_S)
    finally:
        kill(life)


def verified(of: World) -> str:
    """What `passerelle verify --all` finds wrong with journals, seals and objects; nothing when all is well."""
    try:
        passerelle(of.environment, "verify", "--all")
    except DemoFailed as failed:
        return f"\n  evidence: {failed}"
    return ""


if __name__ == "__main__":
    sys.exit(main())
