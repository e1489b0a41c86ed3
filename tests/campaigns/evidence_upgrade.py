"""The upgrade of a filled database, killed at every statement and commit, on SQLite and PostgreSQL; then once more."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from evidence import part_options, scratch, tell

sys.path.insert(0, str(Path(__file__).parents[1] / "gateway"))
sys.path.insert(0, str(Path(__file__).parents[1] / "scale"))

import servers
import upgrading


def every_point(strike: Callable[[int], tuple[int, list[str]]], where: str, step: int) -> tuple[int, int]:
    """(places, bad ones) until the upgrade is no more killed, since it has fewer statements."""
    number, trials, bad = 1, 0, 0
    while True:
        code, found = strike(number)
        if code == 0:
            return trials, bad + bool(found)
        trials += 1
        if found or code > 0:
            bad += 1
            print(f"{where}, statement {number}: ended with {code}: {found}", file=sys.stderr, flush=True)
        if trials % 10 == 0:
            print(f"{where}: {trials} places, {bad} bad", file=sys.stderr, flush=True)
        number += step


def main(argv: list[str]) -> int:
    """Kill, upgrade again, look."""
    asked = part_options(__doc__).parse_args(argv)
    step = max(1, round(1 / asked.scale))
    with scratch() as name:
        early = Path(name) / "early.sqlite3"
        upgrading.fill(f"sqlite:///{early}")

        def on_sqlite(number: int) -> tuple[int, list[str]]:
            copy = Path(name) / f"{number}.sqlite3"
            shutil.copy(early, copy)
            return upgrading.killed_at(f"sqlite:///{copy}", number), upgrading.faults(f"sqlite:///{copy}")

        trials, bad = every_point(on_sqlite, "SQLite", step)
    if servers.missing():
        print(servers.missing(), file=sys.stderr)
        return int(tell("upgrade", trials, asked.seed, bad + 1, "SQLite alone: PostgreSQL is not installed") > 0)
    with servers.postgres() as url, servers.copied(url) as filled:
        upgrading.fill(filled)

        def on_postgres(number: int) -> tuple[int, list[str]]:
            with servers.copied(filled) as copy:
                return upgrading.killed_at(copy, number), upgrading.faults(copy)

        more, worse = every_point(on_postgres, "PostgreSQL", step)
    return int(tell("upgrade", trials + more, asked.seed, bad + worse, f"killed at {trials} places on SQLite and "
                    f"{more} on PostgreSQL, the same tables and rows after the next start") > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
