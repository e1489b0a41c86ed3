"""Clocks that jump: the journal never goes back in time, and somebody is told."""

from datetime import timedelta

from sqlalchemy import select

from gateway.deps import Deps
from gateway.evidence import watch
from gateway.evidence.sealing import seal_due
from gateway.evidence.trust import check_everything
from gateway.record import Change, record
from gateway.tables import Event, JournalEntry
from gateway.tables_care import Alarm


def happen(deps: Deps, tenant: str, code: str = "looked") -> Event:
    with deps.db.transaction(tenant) as session:
        return record(session, tenant, Change(kind="setting", code=code, actor="key:test"), now=deps.now())


def ringing(deps: Deps, tenant: str) -> set[tuple[str, str]]:
    watch.watch(deps)
    with deps.db.reading(tenant) as session:
        return {(row.kind, row.subject) for row in session.scalars(select(Alarm).where(Alarm.active.is_(True)))}


def test_a_clock_that_is_set_back_does_not_take_the_journal_along(deps: Deps, tenant: str, clock) -> None:
    noon = clock.now
    assert happen(deps, tenant).at == noon
    clock.now = noon - timedelta(days=400)  # into another fiscal year, too
    assert [happen(deps, tenant).at, happen(deps, tenant).at] == [noon, noon]
    assert ringing(deps, tenant) == {("clock-jump", "journal")}
    clock.now = noon + timedelta(minutes=1)
    assert happen(deps, tenant).at == clock.now
    assert ringing(deps, tenant) == set()
    with deps.db.reading(tenant) as session:
        entries = session.scalars(select(JournalEntry).order_by(JournalEntry.log, JournalEntry.seq)).all()
        assert {entry.log for entry in entries} == {"2026"}
        assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
    assert check_everything(deps).faults == ()


def test_a_clock_that_is_far_from_the_authority_is_told(deps: Deps, tenant: str, clock, serve_authority) -> None:
    authority = serve_authority("punctual")
    deps.settings.tsa_url, deps.settings.tsa_ca = authority.url, authority.ca
    deps.settings.tsa_policy = authority.policy
    true = clock.now
    happen(deps, tenant)
    seal_due(deps)
    assert ringing(deps, tenant) == set()
    authority.late = timedelta(minutes=-7)  # ours is seven minutes ahead
    clock.now = true + timedelta(hours=1)
    happen(deps, tenant)
    seal_due(deps)
    assert ringing(deps, tenant) == {("clock-jump", "authority")}
    authority.late = timedelta(0)
    clock.now = true + timedelta(hours=2)
    happen(deps, tenant)
    seal_due(deps)
    assert ringing(deps, tenant) == set()
