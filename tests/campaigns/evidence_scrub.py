"""Goal 14: damage to any one object is found within one pass of the control, healed from the second copy and journaled.

Each trial spoils (one bit, cut short, emptied, gone) one random object in one of the two copies of an archive of 2,000,
runs a pass, and looks: healed, journaled under the object's name, both copies intact. 200 trials. Then the speed of the
control, over 1 GB in objects of 1 MB.
"""

import os
import random
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from evidence import part_options, scratch, tell
from sqlalchemy import func, select

sys.path.insert(0, str(Path(__file__).parents[1] / "archive"))

import crash_ops

from archive.store import Digest
from archive.stores.copies import Copies
from archive.stores.directory import DirectoryStore
from gateway.evidence import scrub
from gateway.evidence.ledger import Kept
from gateway.record import Change, record
from gateway.tables import JournalEntry

if TYPE_CHECKING:
    from gateway.deps import Deps

DAMAGE: dict[str, Callable[[bytes, random.Random], bytes | None]] = {
    "bit": lambda data, chance: flipped(data, chance),  # noqa: PLW0108 - defined below
    "cut": lambda data, chance: data[:chance.randrange(len(data))],
    "empty": lambda *_: b"",
    "gone": lambda *_: None,
}


def flipped(data: bytes, chance: random.Random) -> bytes:
    """One bit is another."""
    spoilt = bytearray(data)
    spoilt[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(spoilt)


def filled(folder: Path, count: int, chance: random.Random) -> tuple["Deps", list[Digest]]:
    """An archive of two copies with so many objects."""
    crash_ops.make_world(folder)
    deps = crash_ops.deps_of(folder)
    deps = replace(deps, store=Copies({"main": DirectoryStore(folder / "objects"),
                                       "copy": DirectoryStore(folder / "second")}))
    for digest in list(deps.store.list()):
        deps.store.heal(digest)
    digests = []
    for start in range(0, count, 50):
        kept = []
        for _ in range(min(50, count - start)):
            data = chance.randbytes(chance.randrange(1, 20_000))
            digests.append(deps.store.put(data))
            kept.append(Kept("status", digests[-1].hex, len(data)))
        with deps.db.transaction(crash_ops.TENANT) as session:
            for one in kept:
                record(session, crash_ops.TENANT, Change(kind="lifecycle", code="207", actor="worker", objects=(one,),
                                                         submission_id=crash_ops.INVOICE), now=deps.now())
    return deps, digests


def healings(deps: "Deps", digest: Digest) -> int:
    """How many entries tell that an object was healed."""
    with deps.db.reading(crash_ops.TENANT) as session:
        return session.scalar(select(func.count()).select_from(JournalEntry).where(
            JournalEntry.subject == f"object:{digest}")) or 0


def main(argv: list[str]) -> int:
    """Damage, pass, look."""
    asked = part_options(__doc__).parse_args(argv)
    chance = random.Random(asked.seed)
    trials = max(4, round(200 * asked.scale))
    with scratch() as name:
        deps, digests = filled(Path(name) / "world", max(50, round(2000 * asked.scale)), chance)
        bad = 0
        for number in range(trials):
            digest = chance.choice(digests)
            how = chance.choice(sorted(DAMAGE))
            path = Path(name) / "world" / chance.choice(["objects", "second"]) / "sha256" / digest.hex[:2] / \
                digest.hex[2:4] / digest.hex
            data, before = path.read_bytes(), healings(deps, digest)
            spoilt = DAMAGE[how](data, chance)
            path.unlink()
            if spoilt is not None:
                path.write_bytes(spoilt)
            last = [*scrub.whole_pass(deps)][-1]
            right = (last.faults, last.healed) == (0, 1) and path.read_bytes() == data
            if not right or healings(deps, digest) != before + 1:
                bad += 1
                print(f"trial {number}: {how} {path}: {last.faults} faults, {last.healed} healed", file=sys.stderr)
            if (number + 1) % 20 == 0:
                print(f"{number + 1} of {trials}, {bad} bad", file=sys.stderr, flush=True)
        speed = speed_of(Path(name) / "speed", max(20, round(1000 * asked.scale)))
    return int(tell("14", trials, asked.seed, bad, f"one damaged object of {len(digests):,} found in one pass, healed, "
                    f"journaled; control {speed:.0f} MB/s") > 0)


def speed_of(folder: Path, megabytes: int) -> float:
    """MB a second of control on one core, the objects being in the cache of the system."""
    store = DirectoryStore(folder)
    digests = [store.put(os.urandom(1_000_000)) for _ in range(megabytes)]
    started = time.process_time()
    for digest in digests:
        store.control(digest)
    return megabytes / (time.process_time() - started)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
