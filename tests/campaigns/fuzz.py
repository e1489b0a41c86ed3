"""Many generated requests against the described HTTP interface, under new seeds until the time is over.

    python tests/campaigns/fuzz.py [--minutes 20] [--examples 200] [--seed 1]

Runs tests/e2e/test_openapi.py again and again, each time with the next seed. Prints one line of figures; a failing
seed is printed and ends the campaign with exit 1, and the same seed repeats it.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Run the campaign and print its figures."""
    options = argparse.ArgumentParser()
    options.add_argument("--minutes", type=float, default=20)
    options.add_argument("--examples", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    asked = options.parse_args()
    started, seed = time.perf_counter(), asked.seed
    while time.perf_counter() - started < 60 * asked.minutes:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", str(ROOT / "tests" / "e2e" / "test_openapi.py")], cwd=ROOT,
            env={**os.environ, "PASSERELLE_FUZZ_EXAMPLES": str(asked.examples), "PASSERELLE_FUZZ_SEED": str(seed)},
            capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(done.stdout[-20_000:])
            print(f"fuzz: seed {seed} with {asked.examples} examples fails")
            return 1
        seed += 1
    print(f"fuzz: {seed - asked.seed} seeds from {asked.seed}, {asked.examples} examples each way and operation, "
          f"{time.perf_counter() - started:.0f} s, nothing undescribed, no fault of ours")
    return 0


if __name__ == "__main__":
    sys.exit(main())
