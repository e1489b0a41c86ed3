"""A crash or a failing disk at the system calls of put, append, seal and export costs nothing that was acknowledged.

A seeded sample; all of them in `make campaign-evidence`. The check imports no product code, and finds what broken
builds of the store and the journal do wrong.
"""

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import crash_points
from crash_points import KINDS, Point

SEED = 20261122
SAMPLE = 5


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    reason = crash_points.missing()
    if reason:
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("crash") / "world"
    crash_points.world(folder)
    return folder


@pytest.mark.parametrize("operation", ["put", "append", "seal", "export"])
def test_a_struck_operation_loses_nothing(template: Path, operation: str) -> None:
    points = crash_points.points_of(operation, template)
    for point in random.Random(SEED).sample(points, SAMPLE):
        assert crash_points.try_point(point, template) == [], point


@pytest.mark.parametrize(("operation", "points"), [
    ("broken_in_place", [Point("", "write", 1, "signal=SIGKILL"), Point("", "write", 1, "error=ENOSPC")]),
    ("broken_deaf", [Point("", "link", 1, "error=EIO")]),
    ("broken_early", [Point("", "fdatasync", 1, "signal=SIGKILL"), Point("", "pwrite64", 1, "error=EIO")]),
])
def test_the_check_finds_a_broken_build(template: Path, operation: str, points: list[Point]) -> None:
    assert crash_points.calls_of(operation, template)
    found = [crash_points.try_point(Point(operation, point.call, point.number, point.kind), template)
             for point in points]
    assert any(found)


def test_a_put_waits_for_the_disk_in_the_right_order(template: Path) -> None:
    orders = {}
    for operation in ("put", "broken_unsynced"):
        with crash_points.copied(template) as folder:
            orders[operation] = list(crash_points.order_faults(crash_points.strike(operation, folder).trace))
    assert orders["put"] == []
    assert "left out" in orders["broken_unsynced"][0]


def test_every_kind_of_strike_is_among_the_points(template: Path) -> None:
    points = crash_points.points_of("put", template)
    assert {point.kind for point in points} == set(KINDS)
    assert {point.call for point in points} >= {"openat", "write", "fchmod", "fsync", "link", "unlink", "mkdir"}
