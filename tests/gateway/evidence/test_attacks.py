"""Twelve rewritings of a whole history, the last ones with all keys: each is seen, none is seen where nothing is."""

import random

import pytest
from rewriting import ATTACKS, TENANT, House, attack, build

from gateway.evidence.checking import check_tenant

SEED = 20261122


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> House:
    """Six invoices under three seals, and a copy of it all."""
    folder = tmp_path_factory.mktemp("attacks")
    made = build(folder / "house", 6, every=2)
    made.keep(folder / "kept")
    assert made.checked().faults == ()
    return made


@pytest.mark.parametrize("kind", ATTACKS)
def test_every_rewriting_is_seen(house: House, kind: str) -> None:
    at = random.Random(f"{SEED} {kind}").randrange(3, 30)
    try:
        attack(house, kind, at)
        assert house.checked().faults
    finally:
        house.put_back(house.folder.parent / "kept")


@pytest.mark.parametrize("which", [0, -1], ids=["a former seal", "the published one"])
def test_the_last_entry_under_a_checkpoint_is_missed_by_name(house: House, which: int) -> None:
    at = house.sealed[which] - 1
    try:
        with house.database() as connection:
            connection.execute("DELETE FROM journal WHERE seq = ?", (at,))
        faults = house.checked().faults
        assert any(f"entry {at}" in fault for fault in faults), faults
        with house.deps() as deps:
            points = check_tenant(deps, TENANT, lambda *_: None)
        assert any(point.faults for point in points)
    finally:
        house.put_back(house.folder.parent / "kept")
