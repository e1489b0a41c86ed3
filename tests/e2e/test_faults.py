"""A small fault campaign in real processes, so that every run of the tests has one: make campaign-faults is the whole.

The kills are at points that leave no lease behind: a test cannot wait two minutes for one to end.
"""

import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "campaigns"))
from fault_check import Books, check, report
from fault_world import Life, allow, billing, kill, ready_again, start, wait_for, world
from faults import Script, lives, verified

POINTS = ("accept: committed, not answered", "poll: stored, watermark old")
INVOICES = 12


@pytest.mark.timeout(300)
def test_faults_and_kills_lose_and_double_nothing_and_a_broken_build_is_found_out(tmp_path: Path) -> None:
    running: dict[str, Life] = {}
    struck: Counter[str] = Counter()
    with world(tmp_path, 7, "sqlite") as of, billing(of, 7) as systems:
        try:
            lives(of, Script(7, "sqlite", INVOICES, 0, POINTS), systems, running, struck)
            running["serve"] = start(of, "serve")
            ready_again(of)
            wait_for(systems, INVOICES)
            of.proxy.calm = True
            good = check(Books(of.url, of.key, of.ledger, dict(systems.accepted)), patience=120, exported=3)
            kill(running.pop("serve"))
            evidence = verified(of)

            running["serve"] = start(of, "serve", broken=("double-send", "lost-row"))
            allow(systems, 8)
            wait_for(systems, INVOICES + 8)
            bad = check(Books(of.url, of.key, of.ledger, dict(systems.accepted)), patience=3, exported=0)
        finally:
            for life in running.values():
                kill(life)
    assert struck == {"point": len(POINTS)}
    assert of.proxy.fates.keys() > {"pass"}
    assert good.held(), report(good)
    assert not evidence
    assert not systems.wrong
    assert len(bad.lost) == 1, report(bad)
    assert len(bad.twice) in {1, 2}, report(bad)  # two deposits of one id, and where both were filed two invoices
