"""A log, its authority and one dossier of it, for the tests of a module."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import pytest
from archive_world import World, make_world, make_zip, unzip


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def whole(world: World) -> bytes:
    return make_zip(world)


@pytest.fixture(scope="module")
def members(whole: bytes) -> dict[str, bytes]:
    return unzip(whole)
