"""Many generated inputs at every door of TESTS, under new seeds until the time of each is over.

    python tests/campaigns/fuzz.py [--what http|pdf] [--minutes 10] [--examples 200] [--seed 1]

Runs the test again and again, each time with the next seed. Prints one line of figures a door; a failing seed is
printed and ends the campaign with exit 1, and the same seed repeats it.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = {"http": "tests/e2e/test_openapi.py", "pdf": "tests/formats/test_fuzz_pdf.py"}
"""What is fuzzed: requests against the described HTTP interface; damaged PDFs through extraction and repair."""


def main() -> int:
    """Run the campaign and print its figures."""
    options = argparse.ArgumentParser()
    options.add_argument("--what", choices=sorted(TESTS))
    options.add_argument("--minutes", type=float, default=10)
    options.add_argument("--examples", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    asked = options.parse_args()
    return max(run(what, asked) for what in ([asked.what] if asked.what else TESTS))


def run(what: str, asked: argparse.Namespace) -> int:
    """One door for its time; 0 if nothing failed."""
    started, seed = time.perf_counter(), asked.seed
    while time.perf_counter() - started < 60 * asked.minutes:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "--timeout", "1200", str(ROOT / TESTS[what])], cwd=ROOT,
            env={**os.environ, "PASSERELLE_FUZZ_EXAMPLES": str(asked.examples), "PASSERELLE_FUZZ_SEED": str(seed)},
            capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(done.stdout[-20_000:])
            print(f"fuzz {what}: seed {seed} with {asked.examples} examples fails")
            return 1
        seed += 1
    print(f"fuzz {what}: {seed - asked.seed} seeds from {asked.seed}, {asked.examples} examples of each operation, "
          f"{time.perf_counter() - started:.0f} s, nothing but our own errors", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
