"""Alarms: one row as long as the cause lasts, told once, mailed once to each address, never in anybody's way."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import create_engine, select

from gateway.alarms.mailing import mail_alarm
from gateway.alarms.sounding import acknowledge, clear, sound
from gateway.db import EVERY_TENANT
from gateway.deps import Deps
from gateway.problems import Problem
from gateway.tables import Event, OutboxEntry
from gateway.tables_care import Alarm
from gateway.worker import relay

ADDRESSES = ("garde@exemple.example", "nuit@exemple.example")


@pytest.fixture
def watched(deps: Deps) -> Deps:
    """With addresses that want to know."""
    return replace(deps, settings=deps.settings.model_copy(update={"alarm_mail": ADDRESSES}))


def alarms(deps: Deps, tenant: str) -> list[Alarm]:
    with deps.db.reading(tenant) as session:
        return list(session.scalars(select(Alarm).order_by(Alarm.raised_at, Alarm.id)))


def told(deps: Deps, tenant: str) -> list[str]:
    with deps.db.reading(tenant) as session:
        return list(session.scalars(select(Event.code).where(Event.kind == "alarm").order_by(Event.position)))


def mails(deps: Deps) -> list[str]:
    return sorted(path.read_text(encoding="utf-8") for path in (deps.settings.data / "mail").glob("*.eml"))


def test_an_alarm_that_lasts_is_one_row_and_told_once(watched: Deps, tenant: str, clock) -> None:
    sound(watched, tenant, "store-full", "objets", {"free_bytes": 10})
    first = clock.now
    clock.forward(minutes=5)
    sound(watched, tenant, "store-full", "objets", {"free_bytes": 0})
    sound(watched, tenant, "store-full", "copie")
    ringing = {alarm.subject: alarm for alarm in alarms(watched, tenant)}
    assert ringing.keys() == {"objets", "copie"}
    assert (ringing["objets"].count, ringing["objets"].facts) == (2, {"free_bytes": 0})
    assert (ringing["objets"].raised_at, ringing["objets"].seen_at) == (first, clock.now)
    assert told(watched, tenant) == ["raised", "raised"]


def test_the_next_sign_after_the_end_is_a_new_alarm(watched: Deps, tenant: str) -> None:
    for _ in range(2):
        sound(watched, tenant, "store-full")
        clear(watched, tenant, "store-full")
        clear(watched, tenant, "store-full")
    assert told(watched, tenant) == ["raised", "cleared"] * 2
    assert [alarm.active for alarm in alarms(watched, tenant)] == [None, None]


def test_the_beginning_and_the_end_are_mailed_once_to_each_address(watched: Deps, tenant: str) -> None:
    sound(watched, tenant, "timestamp-missing", "2026", {"authority": "Horloge <essai>"})
    sound(watched, tenant, "timestamp-missing", "2026")
    relay(watched, {"alarm": mail_alarm})
    sent = mails(watched)
    assert [sum(f"To: {address}" in mail for mail in sent) for address in ADDRESSES] == [1, 1]
    assert all("Subject: [Passerelle] alarme : " in mail and "&lt;essai&gt;" in mail for mail in sent)
    clear(watched, tenant, "timestamp-missing", "2026")
    relay(watched, {"alarm": mail_alarm})
    assert len(mails(watched)) == 4
    with watched.db.reading(tenant) as session:
        assert set(session.scalars(select(OutboxEntry.state))) == {"done"}


def test_an_address_that_is_none_is_parked_and_stops_no_other(deps: Deps, tenant: str) -> None:
    changed = replace(deps, settings=deps.settings.model_copy(update={"alarm_mail": ("personne", ADDRESSES[0])}))
    sound(changed, tenant, "store-full")
    relay(changed, {"alarm": mail_alarm})
    with changed.db.reading(tenant) as session:
        states = session.execute(select(OutboxEntry.payload, OutboxEntry.state)).all()
    assert {payload["to"]: state for payload, state in states} == {"personne": "parked", ADDRESSES[0]: "done"}


def test_what_concerns_the_house_rings_for_each_tenant_and_is_mailed_once(
    watched: Deps, make_tenant: Callable[[str], str]
) -> None:
    tenants = [make_tenant("a"), make_tenant("b")]
    sound(watched, EVERY_TENANT, "store-full")
    assert [[alarm.kind for alarm in alarms(watched, tenant)] for tenant in tenants] == [["store-full"]] * 2
    relay(watched, {"alarm": mail_alarm})
    assert len(mails(watched)) == len(ADDRESSES)
    clear(watched, EVERY_TENANT, "store-full")
    assert [alarms(watched, tenant)[0].active for tenant in tenants] == [None, None]


def test_the_first_person_who_takes_it_is_named(deps: Deps, tenant: str, clock) -> None:
    sound(deps, tenant, "work-parked")
    alarm = alarms(deps, tenant)[0]
    acknowledge(deps, tenant, alarm.id, "user:a")
    first = clock.now
    clock.forward(minutes=1)
    acknowledge(deps, tenant, alarm.id, "user:b")
    taken = alarms(deps, tenant)[0]
    assert (taken.acknowledged_by, taken.acknowledged_at) == ("user:a", first)
    assert told(deps, tenant) == ["raised", "acknowledged"]


def test_an_alarm_of_somebody_else_is_not_there(deps: Deps, make_tenant: Callable[[str], str]) -> None:
    mine, theirs = make_tenant("a"), make_tenant("b")
    sound(deps, theirs, "work-parked")
    with pytest.raises(Problem) as refused:
        acknowledge(deps, mine, alarms(deps, theirs)[0].id, "user:a")
    assert refused.value.status == 404


def test_a_database_that_is_away_stops_nobody(deps: Deps, tenant: str, capsys: pytest.CaptureFixture[str]) -> None:
    deps.db._sessions.configure(bind=create_engine("sqlite:////nowhere/at/all.sqlite3"))
    sound(deps, tenant, "store-full", "objets")
    clear(deps, tenant, "store-full", "objets")
    shown = "".join(capsys.readouterr())
    assert "alarm not kept" in shown
    assert "store-full" in shown
