"""Twelve rewritings of a whole history, the last ones with all keys: each is seen, none is seen where nothing is."""

import random

import pytest
from rewriting import ATTACKS, House, attack, build

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
