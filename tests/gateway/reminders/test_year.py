"""A simulated year, with a checker that imports nothing of the product; broken builds make it fail.

A thousand invoices are decided day by day from the database, in one process. A dozen go the whole way, with outbox,
mails and persons: 365 turns of the worker and some dozens of entries of the outbox cost seconds, so that the thousands
are for `make campaign-year`.
"""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "campaigns"))

from year_check import check, read_books
from year_plan import LAST, Year, planned
from year_world import World, lived, walked

from formats.invoice import Address, Invoice, Line, Party, Totals
from formats.syntax import Syntax, write
from gateway.deps import Deps
from gateway.reminders import decide
from gateway.reminders.scenario import DEFAULT
from gateway.reminders.trying import decided_again
from gateway.tables import LegalEntity

LADDER = [(stage.key, stage.offset) for stage in DEFAULT.stages]
END = datetime(LAST.year, 12, 31, 20, tzinfo=UTC)


@pytest.fixture
def world(deps: Deps, clock: Any, entity: LegalEntity) -> World:
    clock.now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    sample = Invoice(number="Y", type_code="380", currency="EUR", totals=Totals(), lines=(Line(id="1"),),
                     buyer=Party(name="Client", address=Address(country="FR")))
    return World(deps=deps, clock=clock, tenant_id=entity.tenant_id, entity_id=entity.id,
                 document=write(sample, Syntax.UBL_INVOICE))


def faults_of_walk(world: World, year: Year) -> list[str]:
    return check(year, LADDER, walked(world, year), [], END).faults


def test_a_thousand_invoices_are_decided_right_on_every_day(world: World) -> None:
    year = planned(1, 60, 1000)
    went = walked(world, year)
    assert check(year, LADDER, went, [], END).faults == []
    assert {one.stage for one in went} >= {"before", "due", "friendly", "formal", "call", "penalties", "service",
                                           "letter", "thanks"}
    assert len(went) > 1500


BREAKS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "disputes forgotten": lambda patch: patch.setattr(decide, "_stopped", lambda *_: iter(())),
    "holds forgotten": lambda patch: patch.setattr(decide, "_waiting_for_people", lambda *_: iter(())),
    "refusals forgotten": lambda patch: patch.setattr(decide, "FINAL_STATUSES", frozenset()),
    "closed days forgotten": lambda patch: patch.setattr(decide, "is_working", lambda *_: True),
    "stages twice": lambda patch: patch.setattr(decide, "_is_over", lambda *_: False),
    "stages skipped": lambda patch: patch.setattr(decide, "COURTESY", frozenset({"before", "due", "friendly"})),
    "never asks": lambda patch: patch.setattr(decide, "_unapproved", lambda *_: iter([decide.Decision(
        outcome=decide.Outcome.HELD, code="x", reason="x")])),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_build_is_found(world: World, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BREAKS[name](monkeypatch)
    assert faults_of_walk(world, planned(2, 20, 80))


def test_a_dozen_invoices_live_through_the_service(world: World) -> None:
    year = planned(3, 4, 12)
    world.runs = world.runs[:1]
    lived(world, year)
    data = world.deps.settings.data
    books = read_books(data / "passerelle.sqlite3", data / "mail")
    assert books.faults == ()
    verdict = check(year, LADDER, books.went, books.told, END, declined=books.declined)
    assert verdict.faults == []
    assert verdict.letters > 20
    count, differing = decided_again(world.deps, world.tenant_id)
    assert (count, differing) == (len(books.told), [])
