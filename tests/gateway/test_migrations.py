"""The migrations make exactly the tables that the service knows, and may be run again."""

import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import servers
from alembic import command
from psycopg import sql
from sqlalchemy import make_url, text
from sqlalchemy.exc import ProgrammingError

from gateway import outbox
from gateway.db import EVERY_TENANT, TENANT_TABLES, Database
from gateway.deps import Deps
from gateway.engines import open_engine
from gateway.migrations.policies import check_role, grant_to
from gateway.migrations.upgrade import config_for, upgrade
from gateway.record import Change, Work, record
from gateway.settings import UnsafeSetup

UPGRADE = """
import sys
from gateway.engines import open_engine
from gateway.migrations.upgrade import upgrade
upgrade(open_engine(sys.argv[1]))
"""


def test_migrations_make_the_tables(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'new.sqlite3'}")
    upgrade(engine)
    upgrade(engine)
    command.check(config_for(engine))
    engine.dispose()


@pytest.mark.usefixtures("postgres")
class TestPostgres:
    """What only PostgreSQL holds, once every migration has run there."""

    def test_the_tables_are_the_ones_the_service_knows(self, postgres: str) -> None:
        engine = open_engine(postgres)
        upgrade(engine)
        command.check(config_for(engine))
        engine.dispose()

    def test_every_table_of_a_tenant_is_protected(self, deps: Deps) -> None:
        with deps.db.engine.connect() as connection:
            bound = set(connection.scalars(text(
                "SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid "
                "WHERE c.relrowsecurity AND c.relforcerowsecurity")))
        assert bound == {str(table) for table in TENANT_TABLES}

    def test_a_statement_that_forgot_its_tenant_sees_only_its_own(
        self, deps: Deps, make_tenant: Callable[[str], str]
    ) -> None:
        mine, theirs = make_tenant("a"), make_tenant("b")
        for tenant in (mine, theirs):
            with deps.db.transaction(tenant) as session:
                outbox.put(session, tenant, "work", "s", now=deps.now())
        seen = "SELECT tenant_id FROM outbox"
        assert rows(deps, mine, seen) == [mine]
        assert rows(deps, theirs, seen) == [theirs]
        assert sorted(rows(deps, EVERY_TENANT, seen)) == sorted([mine, theirs])
        assert rows(deps, mine, "UPDATE outbox SET topic = 'x' RETURNING tenant_id") == [mine]
        with pytest.raises(ProgrammingError, match="row-level security"):
            rows(deps, mine, "UPDATE outbox SET tenant_id = 'theirs' RETURNING tenant_id")
        assert rows(deps, mine, "DELETE FROM outbox RETURNING tenant_id") == [mine]

    def test_nobody_sees_nothing(self, deps: Deps, tenant: str) -> None:
        with deps.db.transaction(tenant) as session:
            outbox.put(session, tenant, "work", "s", now=deps.now())
        with deps.db.engine.connect() as connection:
            assert connection.scalars(text("SELECT id FROM outbox")).all() == []

    @pytest.mark.parametrize("statement", [
        "UPDATE {} SET actor = 'somebody else'", "DELETE FROM {}", "TRUNCATE {}"])
    @pytest.mark.parametrize("table", ["events", "journal"])
    def test_what_happened_is_never_changed(self, deps: Deps, tenant: str, table: str, statement: str) -> None:
        with deps.db.transaction(tenant) as session:
            record(session, tenant, Change(kind="setting", code="changed", actor="worker"), now=deps.now())
        for owner in (tenant, EVERY_TENANT):
            with pytest.raises(ProgrammingError, match="are only added"):
                rows(deps, owner, statement.format(table) + ("" if "TRUNCATE" in statement else " RETURNING 'done'"))

    @pytest.mark.parametrize("change", [
        "reason = 'something else'", "data = '{\"n\": 2}'", "reason = NULL", "data = '{}'",  # one of the two stays
        "reason = NULL, data = '{}', code = 'another'", "reason = NULL, data = '{}', at = at - interval '1 day'",
        "reason = NULL, data = '{}', actor = 'somebody else'", "reason = NULL, data = '{}', sha256 = 'ab'"])
    def test_of_an_event_nothing_but_its_words_may_go(self, deps: Deps, tenant: str, change: str) -> None:
        with deps.db.transaction(tenant) as session:
            record(session, tenant, Change(kind="setting", code="changed", actor="worker", reason="Mme Canari",
                                           data={"n": 1}), now=deps.now())
        with pytest.raises(ProgrammingError, match="are only added"):
            rows(deps, tenant, f"UPDATE events SET {change} RETURNING code")  # noqa: S608 - a test's own words
        assert rows(deps, tenant, "UPDATE events SET reason = NULL, data = '{}' RETURNING code") == ["changed"]
        assert rows(deps, tenant, "SELECT reason FROM events") == [None]
        with pytest.raises(ProgrammingError, match="are only added"):
            rows(deps, tenant, "UPDATE events SET reason = 'back again' RETURNING code")
        with pytest.raises(ProgrammingError, match="are only added"):
            rows(deps, tenant, "UPDATE journal SET line = line RETURNING actor")

    def test_a_service_under_its_own_role_may_do_its_work_and_no_more(
        self, deps: Deps, tenant: str, postgres: str
    ) -> None:
        role = f"service_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(host="127.0.0.1", port=make_url(postgres).port, user="postgres", dbname="postgres",
                             autocommit=True) as admin:
            admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        grant_to(deps.db.engine, role)
        db = Database(make_url(postgres).set(username=role).render_as_string(hide_password=False))
        upgrade(db.engine)
        with db.transaction(tenant) as session:
            record(session, tenant, Change(kind="setting", code="changed", actor="worker", then=(Work(
                topic="work", subject_id="s"),)), now=deps.now())
        for statement in ("DELETE FROM events", "UPDATE journal SET actor = 'x'", "DROP TABLE journal",
                          "ALTER TABLE journal DISABLE TRIGGER ALL", "ALTER TABLE outbox NO FORCE ROW LEVEL SECURITY",
                          "DELETE FROM alembic_version", "TRUNCATE outbox"):
            with (
                pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
                db.engine.begin() as connection,
            ):
                connection.execute(text(statement))
        db.close()

    def test_a_role_that_no_policy_binds_is_refused(self, deps: Deps, postgres: str) -> None:
        check_role(deps.db.engine)
        engine = open_engine(make_url(postgres).set(username="postgres").render_as_string(hide_password=False))
        with pytest.raises(UnsafeSetup, match="BYPASSRLS"):
            check_role(engine)
        engine.dispose()

    def test_processes_that_start_together_upgrade_once(self, postgres: str) -> None:
        with servers.copied(postgres.rpartition("/")[0] + "/template1") as empty:
            command_line = [sys.executable, "-c", UPGRADE, empty]
            starting = [subprocess.Popen(command_line, stderr=subprocess.PIPE) for _ in range(2)]
            for process in starting:
                _, trouble = process.communicate(timeout=90)
                assert process.returncode == 0, trouble.decode()
            engine = open_engine(empty)
            command.check(config_for(engine))
            engine.dispose()


def rows(deps: Deps, tenant: str, statement: str) -> list[str]:
    """What SQL text of a tenant's connection gives: the guard of the ORM is not asked."""
    with deps.db.engine.begin() as connection:
        connection.execute(text("SELECT set_config('passerelle.tenant', :tenant, true)"), {"tenant": tenant})
        return list(connection.scalars(text(statement)))
