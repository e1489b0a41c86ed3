"""The tests of the gateway once more, on PostgreSQL. What looks into the SQLite file is left out, and said.

    python tests/campaigns/postgres.py [arguments of pytest]
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Run them; pytest's exit code."""
    arguments = sys.argv[1:] or ["-n", "2", "--dist", "loadfile", "-q", "tests/gateway"]
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=ROOT, check=False,
                          env={**os.environ, "PASSERELLE_TEST_DATABASE": "postgres"}).returncode


if __name__ == "__main__":
    sys.exit(main())
