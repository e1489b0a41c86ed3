"""A few kills of the crash campaign, so that every run of the tests has some; the full figures: make campaign-crash."""

import importlib.util
from pathlib import Path

import pytest

CAMPAIGN = Path(__file__).parents[1] / "campaigns" / "crash.py"


@pytest.mark.timeout(300)
def test_killed_gateways_lose_and_double_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = importlib.util.spec_from_file_location("crash_campaign", CAMPAIGN)
    assert spec is not None
    assert spec.loader is not None
    crash = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(crash)

    outcome = crash.campaign(tmp_path, kills=3, seed=7)

    figures = capsys.readouterr().out
    assert outcome == 0, figures
    assert "accepted=0" not in figures
