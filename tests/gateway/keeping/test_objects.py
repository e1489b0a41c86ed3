"""The eight verbs of NF Z42-020: allowed, refused, journaled; the metadata; and a store that takes nothing."""

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import date

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from archive.errors import CallRefused, DestructionRefused, ObjectDamaged, ObjectMissing
from archive.journal import read_entry
from archive.store import Digest
from archive.stores.safe import Card, Safe, Verb
from formats.syntax import ubl_syntax_of, write
from gateway.auth import Permission, Principal
from gateway.commands.demo_invoices import GOODS, invoice
from gateway.deps import Deps
from gateway.evidence.trust import check_everything
from gateway.keeping import destruction
from gateway.keeping.objects import safe_of
from gateway.tables import Document, JournalEntry
from gateway.tables_archive import KeptObject

DATA = b"delivery note"
ID = Digest.of(DATA)
VERBS: dict[Verb, Callable[[Safe], object]] = {
    Verb.DEPOSIT: lambda safe: safe.deposit(DATA, claimed=ID),
    Verb.READ: lambda safe: safe.read(ID),
    Verb.METADATA: lambda safe: safe.metadata(ID),
    Verb.CONTROL: lambda safe: safe.control(ID),
    Verb.JOURNAL: lambda safe: safe.journal(ID),
    Verb.LIST: lambda safe: safe.list(),
    Verb.COUNT: lambda safe: safe.count(),
    Verb.DESTROY: lambda safe: safe.destroy(ID, reason="order 17"),
}
ABOUT_ONE = [Verb.READ, Verb.METADATA, Verb.CONTROL, Verb.DESTROY]


def ordered(deps: Deps, tenant: str, digest: Digest = ID) -> None:
    """Two persons agree that an object goes; the worker has not begun."""
    row = destruction.propose(deps, tenant, "user:first", [f"object:{digest}"], "past its time")
    destruction.approve(deps, tenant, "user:second", row.id)


def principal(tenant: str, *permissions: Permission) -> Principal:
    return Principal(tenant_id=tenant, actor="key:test", name="test",
                     permissions=frozenset(permissions or Permission))


def journaled(deps: Deps, tenant: str) -> list[tuple[str, str, str]]:
    """(subject, outcome, actor) of every entry of the tenant, in order."""
    with deps.db.reading(tenant) as session:
        lines = session.scalars(select(JournalEntry.line).order_by(JournalEntry.log, JournalEntry.seq)).all()
    return [(entry.subject, entry.outcome, entry.actor) for _, entry in map(read_entry, lines)]


@pytest.mark.parametrize("verb", Verb)
def test_a_verb_is_allowed_and_journaled(deps: Deps, tenant: str, clock, verb: Verb) -> None:
    safe = safe_of(deps, principal(tenant))
    deposited_at = deps.now()
    if verb is not Verb.DEPOSIT:
        safe.deposit(DATA)
    if verb is Verb.DESTROY:
        clock.forward(days=11 * 366)
        ordered(deps, tenant)
    result = VERBS[verb](safe)
    card = Card(ID, "key:test", deposited_at, len(DATA))
    wanted = {Verb.DEPOSIT: card, Verb.READ: DATA, Verb.METADATA: card, Verb.CONTROL: card, Verb.LIST: [card],
              Verb.COUNT: 1, Verb.DESTROY: None}
    if verb is Verb.JOURNAL:
        assert [(call.verb, call.digest, call.outcome) for call in result] == [(Verb.DEPOSIT, ID, "done")]  # type: ignore[attr-defined]
    else:
        assert result == wanted[verb]
    subject = "object:all" if verb in {Verb.LIST, Verb.COUNT} else f"object:{ID}"
    assert journaled(deps, tenant)[-1] == (subject, f"object.{verb}.done", "key:test")


@pytest.mark.parametrize("verb", Verb)
def test_a_verb_is_refused_without_its_right_and_that_is_journaled(deps: Deps, tenant: str, verb: Verb) -> None:
    safe_of(deps, principal(tenant)).deposit(DATA)
    with pytest.raises(CallRefused):
        VERBS[verb](safe_of(deps, principal(tenant, Permission.VALIDATE)))
    assert journaled(deps, tenant)[-1][1:] == (f"object.{verb}.call-refused", "key:test")
    assert deps.store.count() == 1


@pytest.mark.parametrize("verb", ABOUT_ONE)
def test_an_object_of_another_tenant_is_absent(deps: Deps, tenant: str, make_tenant, clock, verb: Verb) -> None:
    other = make_tenant("other")
    safe_of(deps, principal(tenant)).deposit(DATA)
    clock.forward(days=11 * 366)
    with pytest.raises(CallRefused, match="no object"):
        VERBS[verb](safe_of(deps, principal(other)))
    assert journaled(deps, other)[-1][1] == f"object.{verb}.call-refused"
    assert safe_of(deps, principal(other)).list() == []
    assert safe_of(deps, principal(other)).count() == 0
    assert safe_of(deps, principal(other)).journal(ID) != []  # his own refused call


def test_a_hash_that_the_depositor_gives_is_checked(deps: Deps, tenant: str) -> None:
    with pytest.raises(ObjectDamaged):
        safe_of(deps, principal(tenant)).deposit(DATA, claimed=Digest.of(b"something else"))
    assert deps.store.count() == 0
    assert journaled(deps, tenant)[-1][1] == "object.deposit.object-damaged"


def test_nothing_is_destroyed_before_its_time(deps: Deps, tenant: str, entity, clock) -> None:
    safe = safe_of(deps, principal(tenant))
    safe.deposit(DATA)
    clock.now = clock.now.replace(year=2036, month=12, day=31)
    with pytest.raises(DestructionRefused, match="2036-12-31"):
        safe.destroy(ID, reason="order 17")
    assert entity.fiscal_year_end == "12-31"
    assert journaled(deps, tenant)[-1][1] == "object.destroy.destruction-refused"
    clock.forward(days=1)
    with pytest.raises(DestructionRefused, match="second person"):
        safe.destroy(ID, reason="order 17")
    ordered(deps, tenant)
    safe.destroy(ID, reason="order 17")
    assert [outcome for _, outcome, _ in journaled(deps, tenant)[-2:]] == ["object.destroy.ordered",
                                                                         "object.destroy.done"]
    assert deps.store.count() == safe.count() == 0
    with pytest.raises(CallRefused):
        safe.read(ID)
    assert safe.journal(ID)[0].verb is Verb.DEPOSIT


def test_bytes_of_two_depositors_stay_for_the_other(deps: Deps, tenant: str, make_tenant, clock) -> None:
    other = make_tenant("other")
    mine, theirs = (safe_of(deps, principal(one)) for one in (tenant, other))
    mine.deposit(DATA)
    theirs.deposit(DATA)
    clock.forward(days=11 * 366)
    ordered(deps, tenant)
    mine.destroy(ID, reason="order 17")
    assert theirs.read(ID) == DATA
    ordered(deps, other)
    theirs.destroy(ID, reason="order 18")
    assert deps.store.count() == 0


def test_a_lost_object_is_not_called_destroyed(deps: Deps, tenant: str, clock) -> None:
    safe = safe_of(deps, principal(tenant))
    safe.deposit(DATA)
    clock.forward(days=11 * 366)
    ordered(deps, tenant)
    deps.store.destroy(ID, reason="a thief")
    with pytest.raises(ObjectMissing):
        safe.destroy(ID, reason="order 17")
    assert safe.count() == 1


def test_a_read_that_cannot_be_journaled_gives_nothing(deps: Deps, tenant: str, monkeypatch) -> None:
    safe = safe_of(deps, principal(tenant))
    safe.deposit(DATA)
    monkeypatch.setattr(deps.db, "transaction", lambda _: (_ for _ in ()).throw(RuntimeError("no journal")))
    with pytest.raises(RuntimeError):
        safe.read(ID)


def post(client, key: str):
    made = invoice(f"F-{key}", "approve", GOODS, date(2026, 11, 20), frame="B1")
    return client.post("/v1/invoices", content=write(made, ubl_syntax_of(made)),
                       headers={"Idempotency-Key": key, "Content-Type": "application/xml"})


def test_what_an_invoice_brings_has_its_metadata(client, deps: Deps, tenant: str, entity) -> None:  # noqa: ARG001  a seller who is switched on
    assert post(client, "1").status_code == 202
    with deps.db.reading(tenant) as session:
        documents = {(row.sha256, row.size) for row in session.scalars(select(Document))}
        cards = {row.sha256: row for row in session.scalars(select(KeptObject))}
    assert documents <= {(row.sha256, row.size) for row in cards.values()}
    assert {row.depositor.partition(":")[0] for row in cards.values()} == {"key"}
    assert {row.deposited_at for row in cards.values()} == {deps.now()}


NAMES = {errno.ENOSPC: "store-full", errno.EROFS: "store-read-only", errno.EIO: "store-unavailable"}


@pytest.mark.usefixtures("entity")
@pytest.mark.parametrize("code", NAMES)
def test_a_store_that_takes_nothing_answers_503_and_recovers(
    client, deps: Deps, tenant: str, monkeypatch, code: int
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    before = journaled(deps, tenant)
    monkeypatch.setattr(os, "link", refuse)
    answer = post(client, "1")
    assert (answer.status_code, answer.json()["code"]) == (503, NAMES[code])
    assert int(answer.headers["Retry-After"]) > 0
    assert journaled(deps, tenant) == before
    monkeypatch.undo()
    assert post(client, "1").status_code == 202  # the same key: nothing of the first try is remembered
    assert check_everything(deps).faults == ()


@pytest.mark.sqlite
def test_a_full_database_answers_503_and_recovers(client, deps: Deps, tenant: str, entity) -> None:  # noqa: ARG001  as above
    most = [None, 1 << 20]

    def limit(connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {most[0]}")

    with deps.db.engine.begin() as connection:
        most[0] = connection.exec_driver_sql("PRAGMA page_count").scalar_one() + 20
        connection.exec_driver_sql("CREATE TABLE filler (octets BLOB)")
    event.listen(deps.db.engine, "checkout", limit)
    for size in (4000, 1):
        with suppress(OperationalError):
            while True:
                with deps.db.engine.begin() as connection:
                    connection.exec_driver_sql("INSERT INTO filler VALUES (zeroblob(?))", (size,))
    accepted = []
    for number in range(50):  # the pages that are begun have room for some
        answer = post(client, str(number))
        if answer.status_code != 202:
            break
        accepted.append(answer.json()["id"])
    assert (answer.status_code, answer.json()["code"]) == (503, "database-unavailable")
    most[0] = most[1]
    assert post(client, str(len(accepted))).status_code == 202
    assert all(client.get(f"/v1/invoices/{one}").status_code == 200 for one in accepted)
    assert check_everything(deps).faults == ()
