"""The evidence goals at length (`make campaign-evidence`): a thin runner over the parts beside it.

Each `evidence_<part>.py` in this folder is a program of its own: `--seed N` and `--scale F` (1.0 = the full counts; a
part turns them into its numbers), progress on stderr, and on stdout one line per goal, made by `tell` below:

    goal 6: 412 trials, seed 20261122: holds - no store corrupt, nothing acknowledged lost

It exits 1 if any of its lines fails. This runner starts the parts one after the other (or those named by
`--only crash,scrub`), keeps the lines of a finished part in `var/campaign-evidence/<part>.txt` and leaves that part out
when it is started again after an interruption (`--again` runs it all the same). Takes hours; exits 1 if any goal fails.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
KEPT = HERE.parents[1] / "var" / "campaign-evidence"
SEED = 20261122
MEMORY = Path("/dev/shm")


def tell(goal: str, trials: int, seed: int, faults: int, what: str) -> int:
    """Print the one line of a goal ("6", "1 (log)"); gives `faults`, for a part to add up and exit by."""
    verdict = "holds" if not faults else f"FAILS {faults} times"
    print(f"goal {goal}: {trials:,} trials, seed {seed}: {verdict} - {what}", flush=True)
    return faults


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder in memory, where the machine has such a place: no part counts what a power cut undoes.

    Waiting for the disk was four fifths of a part's time.
    """
    return tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)


def part_options(doc: str | None) -> argparse.ArgumentParser:
    """The options that every part has; a part may add its own."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--scale", type=float, default=1.0, help="1.0 is the full count")
    return parser


def run(part: Path, passed: list[str]) -> int:
    """Run one part and keep its lines; gives its exit code."""
    with subprocess.Popen([sys.executable, str(part), *passed], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        lines = []
        for line in child.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    if child.returncode == 0:
        KEPT.mkdir(parents=True, exist_ok=True)
        (KEPT / f"{part.stem.removeprefix('evidence_')}.txt").write_text("".join(lines))
    else:
        print(f"{part.name}: ended with {child.returncode}", flush=True)
    return child.returncode


def main(argv: list[str]) -> int:
    """Run the parts and print the lines of all."""
    parser = part_options(__doc__)
    parser.add_argument("--only", default="", help="names of parts, with commas")
    parser.add_argument("--again", action="store_true", help="also what was finished before")
    asked = parser.parse_args(argv)
    wanted = {name for name in asked.only.split(",") if name}
    found = {path.stem.removeprefix("evidence_"): path for path in sorted(HERE.glob("evidence_*.py"))}
    if wanted - found.keys():
        parser.error(f"no such part: {', '.join(sorted(wanted - found.keys()))} (there are {', '.join(found)})")
    failed = 0
    for name, path in found.items():
        kept = KEPT / f"{name}.txt"
        if wanted and name not in wanted:
            continue
        if kept.exists() and not asked.again:
            print(kept.read_text(), end="", flush=True)
        else:
            failed |= run(path, ["--seed", str(asked.seed), "--scale", str(asked.scale)]) != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
