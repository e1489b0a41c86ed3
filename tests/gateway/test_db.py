"""The guard that keeps tenants apart: nothing of another tenant is read, changed or written, however one asks."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Executable, bindparam, delete, exists, func, insert, literal, select, text, union, update
from sqlalchemy.orm import Session, aliased

from gateway.db import EVERY_TENANT, SLICE, Database, insert_rows, plain, slices
from gateway.deps import Deps
from gateway.engines import LONG, TenantMissing
from gateway.tables import OutboxEntry, Tenant
from gateway.tables_access import ConsoleSession, User

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
OTHER = aliased(User)

READS: dict[str, Executable] = {
    "entity": select(User),
    "column": select(User.id),
    "alias": select(OTHER.id),
    "alias of a self-join": select(OTHER.id).join(User, User.name == OTHER.name),
    "join": select(User.id).join(ConsoleSession, ConsoleSession.csrf == User.name),
    "join of columns": select(ConsoleSession.user_id).join(User, ConsoleSession.csrf == User.name),
    "outer join from a table without tenants": select(User.id).outerjoin_from(Tenant, User, Tenant.id == User.tenant_id)
    .where(User.id.is_not(None)),
    "cross product": select(User.id).where(Tenant.id == User.tenant_id),
    "subquery": select(select(User.id).subquery().c.id),
    "common table expression": select(select(User.id).cte().c.id),
    "union": union(select(User.id), select(ConsoleSession.user_id)),
    "condition by another table": select(Tenant.id).where(Tenant.id.in_(select(User.tenant_id))),
    "group": select(User.name).group_by(User.name, User.tenant_id),
}
COUNTS: dict[str, Executable] = {
    "count": select(func.count()).select_from(User),
    "count of a column": select(func.count(User.id)),
    "scalar subquery": select(select(func.count()).select_from(User).scalar_subquery()),
    "aggregate": select(func.count(User.id)).having(func.max(User.id) < "z"),
}
UNGUARDED: dict[str, Executable] = {
    "table": select(User.__table__.c.id),
    "update of a table": update(User.__table__).values(name="taken"),
    "delete of a table": delete(User.__table__),
    "text": text("SELECT id FROM users"),
    "bulk insert": insert(User).values(tenant_id="b", id="x"),
}


@pytest.fixture
def two(deps: Deps) -> None:
    """Tenants a and b, alike in everything: what is read of b cannot be told from a's but by its id."""
    for tenant in "ab":
        with deps.db.transaction(tenant) as session:
            session.add(Tenant(id=tenant, name="same", created_at=NOW))
            session.flush()
            session.add(user(tenant))
            session.add(ConsoleSession(tenant_id=tenant, id=f"console-{tenant}", user_id=f"user-{tenant}", csrf="same",
                                       created_at=NOW, expires_at=NOW))


def user(tenant: str, name: str = "same", user_id: str | None = None) -> User:
    return User(tenant_id=tenant, id=user_id or f"user-{tenant}", email=f"{user_id or tenant}@example.org", name=name,
                password_hash="", roles=[], created_at=NOW, disabled_at=None)


def names(deps: Deps) -> dict[str, str]:
    with deps.db.reading(EVERY_TENANT) as session:
        return {row.id: row.name for row in session.scalars(select(User))}


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("name", READS)
def test_a_tenant_reads_only_its_own(deps: Deps, name: str) -> None:
    with deps.db.reading("a") as session:
        found = session.execute(READS[name]).all()
    assert len(found) == 1
    assert "b" not in str(found[0][0] if not isinstance(found[0][0], User) else found[0][0].id).rpartition("-")[2]
    with deps.db.reading(EVERY_TENANT) as session:
        assert len(session.execute(READS[name]).all()) > 1


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("name", COUNTS)
def test_a_tenant_counts_only_its_own(deps: Deps, name: str) -> None:
    with deps.db.reading("a") as session:
        assert session.scalar(COUNTS[name]) == 1
    with deps.db.reading(EVERY_TENANT) as session:
        assert session.scalar(COUNTS[name]) == 2


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("name", ["entity", "column", "union"])
def test_a_statement_that_is_kept_is_guarded_for_each_who_asks(deps: Deps, name: str) -> None:
    def ids(tenant: str) -> set[str]:
        with deps.db.reading(tenant) as session:
            return {row.id if isinstance(row, User) else row for row in session.scalars(READS[name])}

    with ThreadPoolExecutor(4) as pool:
        for tenant, found in zip("abba" * 10, pool.map(ids, "abba" * 10), strict=True):
            assert found == {f"user-{tenant}"}


@pytest.mark.usefixtures("two")
def test_a_foreign_key_gets_nothing(deps: Deps) -> None:
    with deps.db.reading("a") as session:
        assert session.get(User, ("a", "user-a")) is not None
        assert session.get(User, ("b", "user-b")) is None
        assert session.scalar(select(User.id).where(exists().where(OTHER.id == "user-b"))) is None


@pytest.mark.usefixtures("two")
def test_changes_reach_only_ones_own(deps: Deps) -> None:
    with deps.db.transaction("a") as session:
        assert session.execute(update(User).values(name="changed")).rowcount == 1
        assert session.execute(update(User).where(User.id == "user-b").values(name="taken")).rowcount == 0
        assert session.execute(delete(User).where(User.id == "user-b")).rowcount == 0
    assert names(deps) == {"user-a": "changed", "user-b": "same"}
    with deps.db.transaction("a") as session:
        assert session.execute(delete(User)).rowcount == 1
    assert names(deps) == {"user-b": "same"}


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("name", [*READS, *COUNTS, *UNGUARDED])
def test_a_session_of_nobody_can_do_nothing(deps: Deps, name: str) -> None:
    with Session(deps.db.engine) as session, pytest.raises(TenantMissing):
        session.execute({**READS, **COUNTS, **UNGUARDED}[name])


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("name", UNGUARDED)
def test_what_cannot_be_guarded_is_refused(deps: Deps, name: str) -> None:
    with pytest.raises(TenantMissing), deps.db.transaction("a") as session:
        session.execute(UNGUARDED[name])
    assert names(deps) == {"user-a": "same", "user-b": "same"}


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("write", [
    lambda session, _: session.add(user("b", user_id="new")),
    lambda session, theirs: session.merge(theirs),
    lambda session, theirs: session.delete(theirs),
], ids=["add", "merge", "delete"])
def test_a_row_of_another_tenant_is_never_written(
    deps: Deps, write: Callable[[Session, User], object]
) -> None:
    with deps.db.reading("b") as session:
        theirs = session.get_one(User, ("b", "user-b"))
    theirs.name = "taken"
    with pytest.raises(TenantMissing), deps.db.transaction("a") as session:
        write(session, theirs)
    assert names(deps) == {"user-a": "same", "user-b": "same"}


PLAIN = select(User.id).where(User.tenant_id == bindparam("tenant"))


def row(tenant: str) -> dict[str, object]:
    return {"tenant_id": tenant, "id": "new", "email": "new@example.org", "name": "new", "password_hash": "",
            "roles": [], "created_at": NOW, "disabled_at": None}


@pytest.mark.usefixtures("two")
def test_rows_without_objects_are_ones_own_too(deps: Deps) -> None:
    with deps.db.transaction("a") as session:
        session.add(user("a", "waits", "user-waits"))
        insert_rows(session, User, [row("a")])
        assert set(plain(session, "a", PLAIN).scalars()) == {"user-a", "user-waits", "new"}
    with pytest.raises(TenantMissing), deps.db.transaction("b") as session:
        insert_rows(session, User, [row("b"), row("a")])
    with pytest.raises(TenantMissing), deps.db.transaction("b") as session:
        plain(session, "a", PLAIN)
    with Session(deps.db.engine) as session, pytest.raises(TenantMissing):
        plain(session, "a", PLAIN)
    assert names(deps).keys() == {"user-a", "user-b", "user-waits", "new"}


@pytest.mark.usefixtures("two")
def test_what_is_changed_while_reading_is_thrown_away(deps: Deps) -> None:
    with deps.db.reading("a") as session:
        session.get_one(User, ("a", "user-a")).name = "changed"
    assert names(deps)["user-a"] == "same"


@pytest.mark.usefixtures("two")
def test_sixty_writers_at_once_wait_for_each_other(deps: Deps) -> None:
    """More than there are connections; a writer that read first must not fail when it comes to write."""

    def write(number: int) -> None:
        tenant = "ab"[number % 2]
        with deps.db.transaction(tenant) as session:
            session.get(Tenant, tenant, with_for_update=True)
            count = session.scalar(select(func.count()).select_from(OutboxEntry)) or 0
            session.add(OutboxEntry(tenant_id=tenant, id=f"{tenant}-{count}", topic="t", subject_id="s", payload={},
                                    created_at=NOW, due_at=NOW, lease_until=None, attempts=0, state="pending",
                                    reason=None))

    with ThreadPoolExecutor(60) as pool:
        list(pool.map(write, range(60)))
    with deps.db.reading(EVERY_TENANT) as session:
        assert set(session.scalars(select(OutboxEntry.id))) == {f"{t}-{n}" for t in "ab" for n in range(30)}


@pytest.mark.sqlite
def test_only_what_may_be_lost_does_not_wait_for_the_disk(deps: Deps, tenant: str) -> None:
    """SQLite: 1 is NORMAL, 2 is FULL; one connection serves all of them in turn."""
    seen = []
    for kind in (deps.db.transaction, deps.db.fleeting, deps.db.transaction, deps.db.reading):
        with kind(tenant) as session:
            seen.append(session.connection().exec_driver_sql("PRAGMA synchronous").scalar())
    assert seen == [2, 1, 2, 2]


@pytest.mark.parametrize(("count", "sizes"), [
    (0, []), (1, [1]), (SLICE, [SLICE]), (SLICE + 1, [SLICE, 1]), (2 * SLICE, [SLICE, SLICE])])
def test_slices_hold_every_value_once(count: int, sizes: list[int]) -> None:
    parts = list(slices(range(count)))
    assert [len(part) for part in parts] == sizes
    assert [one for part in parts for one in part] == list(range(count))


def test_a_connection_to_sqlite_keeps_no_long_text(tmp_path: Path) -> None:
    with closing(Database(f"sqlite:///{tmp_path / 'long.sqlite3'}")) as db:
        used = []
        for value in ("a", "b" * (LONG + 1), "c"):
            with db.engine.begin() as connection:
                used.append(connection.connection.driver_connection)
                assert connection.scalar(select(literal(value))) == value
    assert used[0] is used[1] is not used[2]
