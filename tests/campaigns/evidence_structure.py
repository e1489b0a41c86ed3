"""Goals 1 and 2 on a whole gateway: one bit anywhere, and twelve kinds of rewriting, before `passerelle verify --all`.

The check is given the last checkpoint that left the house. The seq that it names must not be after the first one that
is not what it was; where the log itself is broken it must be that very one.

    python tests/campaigns/evidence_structure.py [--seed N] [--scale F]
"""

import random
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "gateway"))
sys.path.insert(0, str(Path(__file__).parents[1] / "archive"))

from evidence import part_options, scratch, tell
from rewriting import ATTACKS, FLIPS, House, attack, build, flip

INVOICES = 30


def named_seq(faults: tuple[str, ...]) -> int | None:
    """The smallest seq that the faults name as bad or suspect."""
    found = [int(seq) for fault in faults for seq in re.findall(r"entry (\d+)", fault)]
    return min(found, default=None)


def flips(house: House, kept: Path, trials: int, seed: int) -> int:
    """Goal 1 over objects, journal rows and seals."""
    chance = random.Random(f"flips {seed}")
    missed, unnamed = [], []
    for trial in range(trials):
        what = FLIPS[trial % len(FLIPS)]
        word = flip(house, what, chance)
        faults = house.checked().faults
        if not faults:
            missed.append(what)
        elif not any(word in fault for fault in faults):
            unnamed.append((what, word, faults[0]))
        house.put_back(kept)
        if trial % 100 == 0:
            print(f"  {trial} of {trials} flips", file=sys.stderr)
    return tell("1 (gateway)", trials, seed, len(missed) + len(unnamed),
                f"bits in {', '.join(FLIPS)}: missed {missed[:9]}, not named {unnamed[:3]}")


def rewritings(house: House, kept: Path, each: int, seed: int) -> int:
    """Goal 2."""
    chance = random.Random(f"attacks {seed}")
    wrong, exact = [], 0
    for kind in ATTACKS:
        for _ in range(each):
            first = attack(house, kind, chance.randrange(1, house.sealed[-1] - 2))
            faults = house.checked().faults
            found = named_seq(faults)
            if found is None and not (faults and kind == "tokens swapped"):
                wrong.append((kind, "unseen" if not faults else "no seq"))
            elif found is not None and found > first:
                wrong.append((kind, f"names {found}, changed {first}"))
            exact += found == first
            house.put_back(kept)
        print(f"  {kind}", file=sys.stderr)
    trials = each * len(ATTACKS)
    return tell("2", trials, seed, len(wrong), f"{len(ATTACKS)} kinds; the very seq named {exact} times, "
                f"else an earlier one from which nothing is vouched for; wrong {wrong[:5]}")


def main() -> int:
    """Both; exit code 1 if one fails."""
    asked = part_options(__doc__).parse_args()
    with scratch() as place:
        house = build(Path(place) / "house", INVOICES)
        house.keep(kept := Path(place) / "kept")
        alarms = len(house.checked().faults)
        failed = tell("2 (false alarms)", 1, asked.seed, alarms, f"{house.sealed[-1]} entries untouched")
        failed += rewritings(house, kept, max(1, int(50 * asked.scale)), asked.seed)
        failed += flips(house, kept, max(len(FLIPS), int(1000 * asked.scale)), asked.seed)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
