"""Broken documents into reading and converting, seed after seed (`make campaign-fuzzread`).

    python tests/campaigns/fuzzread.py [--minutes 10] [--seed 1]

Runs tests/formats/test_fuzz_read.py's loop; a seed with anything but an error of ours ends it with exit 1.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
EACH = 1000
"""So few that one run ends well within the time that a test may take."""


def main() -> int:
    """Run it and print the figures."""
    options = argparse.ArgumentParser()
    options.add_argument("--minutes", type=float, default=10)
    options.add_argument("--seed", type=int, default=1)
    asked = options.parse_args()
    started, seed = time.perf_counter(), asked.seed
    while time.perf_counter() - started < 60 * asked.minutes:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n", "0", str(ROOT / "tests" / "formats" / "test_fuzz_read.py")],
            cwd=ROOT, env={**os.environ, "PASSERELLE_FUZZ_SEED": str(seed), "PASSERELLE_FUZZ_COUNT": str(EACH)},
            capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(done.stdout[-20_000:])
            print(f"fuzzread: seed {seed} fails")
            return 1
        seed += 1
    print(f"fuzzread: {(seed - asked.seed) * EACH} broken documents, seeds {asked.seed} to {seed - 1}, "
          f"{time.perf_counter() - started:.0f} s, only errors of ours")
    return 0


if __name__ == "__main__":
    sys.exit(main())
