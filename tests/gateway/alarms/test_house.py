"""A store that takes nothing and backups that nobody makes sound, each for every tenant, and end with their cause."""

import errno
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from archive.errors import StoreFull, StoreReadOnly, StoreUnavailable
from archive.stores.directory import DirectoryStore
from gateway.alarms import house
from gateway.deps import Deps
from gateway.record import Change, record
from gateway.tables_care import Alarm


class Refusing(DirectoryStore):
    """A store whose disk answers every attempt to write with one error."""

    error: type[StoreUnavailable] = StoreFull

    def check_writable(self) -> None:
        raise self.error(errno.errorcode[errno.ENOSPC])


def ringing(deps: Deps, tenant: str) -> dict[str, int]:
    with deps.db.reading(tenant) as session:
        return {alarm.kind: alarm.count for alarm in session.scalars(select(Alarm).where(Alarm.active.is_(True)))}


@pytest.mark.parametrize("error", [StoreFull, StoreReadOnly, StoreUnavailable])
def test_a_store_that_takes_nothing_is_told_to_everybody_until_it_does(
    deps: Deps, tenant: str, make_tenant, tmp_path, error: type[StoreUnavailable]
) -> None:
    other, full = make_tenant("Autre"), Refusing(tmp_path / "objects")
    full.error = error
    for _ in range(3):
        house.watch(replace(deps, store=full))
    assert ringing(deps, tenant) == ringing(deps, other) == {error.code: 3}
    house.watch(deps)
    assert ringing(deps, tenant) == ringing(deps, other) == {}


def test_another_trouble_of_the_store_takes_the_place_of_the_first(deps: Deps, tenant: str, tmp_path) -> None:
    full = Refusing(tmp_path / "objects")
    house.watch(replace(deps, store=full))
    full.error = StoreReadOnly
    house.watch(replace(deps, store=full))
    assert ringing(deps, tenant) == {"store-read-only": 1}


def test_backups_are_asked_for(deps: Deps, tenant: str, clock) -> None:
    days = deps.settings.backup_days
    clock.forward(days=days)
    house.watch(deps)
    assert ringing(deps, tenant) == {}
    clock.forward(minutes=1)
    house.watch(deps)
    assert ringing(deps, tenant) == {"backup-old": 1}
    with deps.db.transaction(tenant) as session:
        record(session, tenant, Change(kind="evidence", code=house.BACKED_UP, actor="operator:cli", subject="backup"),
               now=deps.now())
    house.watch(deps)
    assert ringing(deps, tenant) == {}
    clock.now += timedelta(days=days, minutes=1)
    house.watch(deps)
    assert ringing(deps, tenant) == {"backup-old": 1}
    house.watch(replace(deps, settings=deps.settings.model_copy(update={"backup_days": 0})))
    assert ringing(deps, tenant) == {}
