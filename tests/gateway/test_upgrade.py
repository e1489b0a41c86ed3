"""A filled database of an early version, its upgrade killed at a statement, ends right when it is started again.

A few places; all of them on both databases in `make campaign-evidence`.
"""

import shutil
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "scale"))
import servers
import upgrading


@pytest.fixture(scope="module")
def early(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("early") / "early.sqlite3"
    upgrading.fill(f"sqlite:///{path}")
    return path


@pytest.mark.parametrize("statement", [3, 9, 15])
def test_killed_on_sqlite(early: Path, tmp_path: Path, statement: int) -> None:
    copy = tmp_path / "copy.sqlite3"
    shutil.copy(early, copy)
    assert upgrading.killed_at(f"sqlite:///{copy}", statement) == -signal.SIGKILL
    assert upgrading.faults(f"sqlite:///{copy}") == []


def test_killed_on_postgresql(cluster: str) -> None:
    with servers.copied(cluster.rpartition("/")[0] + "/template1") as early:
        upgrading.fill(early)
        with servers.copied(early) as copy:
            assert upgrading.killed_at(copy, 12) == -signal.SIGKILL
            assert upgrading.faults(copy) == []
