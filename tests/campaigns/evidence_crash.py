"""Goal 6: a crash or a failing disk at every file-system call of put, append, seal, export (see tests/archive/crash_*).

EIO, ENOSPC and SIGKILL at each occurrence of each system call; after each, an independent check and the same operation
once more. Then the broken builds, which the check must find out. About 3,500 trials; `--scale 0.1` takes every tenth.
"""

import random
import sys
import time
from pathlib import Path

from evidence import part_options, scratch, tell

sys.path.insert(0, str(Path(__file__).parents[1] / "archive"))

import crash_points

OPERATIONS = ("put", "append", "seal", "export")
BROKEN = ("broken_in_place", "broken_deaf", "broken_early")


def main(argv: list[str]) -> int:
    """Strike at every point."""
    asked = part_options(__doc__).parse_args(argv)
    chance = random.Random(asked.seed)
    with scratch() as name:
        template = Path(name) / "world"
        crash_points.world(template)
        bad = trials = 0
        for operation in OPERATIONS:
            points = crash_points.points_of(operation, template)
            points = chance.sample(points, max(1, round(len(points) * asked.scale)))
            started = time.monotonic()
            for done, point in enumerate(points, start=1):
                found = crash_points.try_point(point, template)
                bad += bool(found)
                if found:
                    print(f"{point}: {'; '.join(found)}", file=sys.stderr, flush=True)
                if done % 100 == 0 or done == len(points):
                    print(f"{operation}: {done} of {len(points)}, {bad} bad, {time.monotonic() - started:.0f} s",
                          file=sys.stderr, flush=True)
            trials += len(points)
        with crash_points.copied(template) as folder:
            bad += len(list(crash_points.order_faults(crash_points.strike("put", folder).trace)))
        found_out = sum(any(crash_points.try_point(point, template)
                            for point in crash_points.points_of(operation, template)) for operation in BROKEN)
        with crash_points.copied(template) as folder:
            found_out += any(crash_points.order_faults(crash_points.strike("broken_unsynced", folder).trace))
    bad += len(BROKEN) + 1 - found_out
    return int(tell("6", trials, asked.seed, bad, "0 corrupt stores, 0 acknowledged entries lost; "
                    f"{found_out} of {len(BROKEN) + 1} broken builds found out") > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
