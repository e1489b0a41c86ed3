"""A small seeded sample of the goals whose full counts are in `make campaign-evidence`: 5, 10 and 11."""

import importlib
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "campaigns"))


@pytest.mark.sqlite
@pytest.mark.parametrize(("part", "goal"), [("completeness", "5"), ("retention", "10"), ("privacy", "11")])
def test_a_sample_of_it_holds(part: str, goal: str, capsys) -> None:
    """Every change has its entry; nothing goes early or stays unseen; nobody is left after erasure."""
    assert importlib.import_module(f"evidence_{part}").main(["--scale", "0"]) == 0
    assert f"goal {goal}: " in capsys.readouterr().out
