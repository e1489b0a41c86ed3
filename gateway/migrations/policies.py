"""What only PostgreSQL can hold for us: rows of one tenant for one tenant, and two tables to which rows are only added.

Applied after every upgrade to each table that lacks it, so that no migration has to remember it. The service tells the
server whose transaction it is (`gateway.db.own`); without that no row is seen at all. A superuser and a role with
BYPASSRLS see everything: `check_role` refuses them.
"""

from typing import Final

from sqlalchemy import Connection, Engine, text

from gateway.db import EVERY_TENANT, TENANT_TABLES
from gateway.settings import UnsafeSetup

ONLY_ADDED: Final = ("events", "journal")
"""Tables whose rows are never changed or removed; of an event, the words may be erased."""

OWNER: Final = "(SELECT current_setting('passerelle.tenant', true))"
"""In parentheses the server asks once per statement, else for every row that it looks at."""

MINE: Final = f"tenant_id = {OWNER} OR {OWNER} = '{EVERY_TENANT}'"

REFUSE: Final = """
CREATE OR REPLACE FUNCTION passerelle_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'events' THEN
        IF NEW.reason IS NULL AND NEW.data::text = '{}'
           AND to_jsonb(NEW) - 'reason' - 'data' = to_jsonb(OLD) - 'reason' - 'data' THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'rows of % are only added', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$
"""
"""The one thing that may happen to an event: its words go, when they are erased (gateway/keeping/erasure.py)."""


def apply_policies(connection: Connection) -> None:
    """Row-level security on every tenant's table that has none yet, triggers on the two that only grow."""
    for table in _unprotected(connection):
        connection.execute(text(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY'))
        connection.execute(text(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY'))  # its owner too, which we may be
        connection.execute(text(f'CREATE POLICY tenant ON "{table}" USING ({MINE}) WITH CHECK ({MINE})'))
        if table in ONLY_ADDED:
            connection.execute(text(REFUSE))
            connection.execute(text(f'CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON "{table}" '
                                    "FOR EACH ROW EXECUTE FUNCTION passerelle_refuse()"))
            connection.execute(text(f'CREATE TRIGGER never_emptied BEFORE TRUNCATE ON "{table}" '
                                    "FOR EACH STATEMENT EXECUTE FUNCTION passerelle_refuse()"))


def restate_policies(connection: Connection) -> None:
    """Put the policies of tables that have one into the words of today. Nothing to do on SQLite."""
    if connection.dialect.name == "postgresql":
        for table in connection.execute(text("SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid "
                                             "WHERE p.polname = 'tenant'")).scalars().all():
            connection.execute(text(f'ALTER POLICY tenant ON "{table}" USING ({MINE}) WITH CHECK ({MINE})'))


def grant_to(engine: Engine, role: str) -> None:
    """What a service needs that runs under a role of its own, apart from the owner of the tables: nothing more."""
    with engine.begin() as connection:
        name = connection.dialect.identifier_preparer.quote_identifier(role)
        for statement in (
            "GRANT USAGE ON SCHEMA public TO {0}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {0}",
            "REVOKE UPDATE, DELETE ON events, journal FROM {0}",
            "GRANT UPDATE (reason, data) ON events TO {0}",
            "REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {0}",
        ):
            connection.execute(text(statement.format(name)))


def check_role(engine: Engine) -> None:
    """Refuse a role that row-level security does not bind.

    Raises:
        UnsafeSetup: the database is PostgreSQL and the role is a superuser or has BYPASSRLS.
    """
    if engine.dialect.name != "postgresql":
        return
    with engine.connect() as connection:
        if connection.scalar(text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")):
            raise UnsafeSetup("PASSERELLE_DATABASE_URL: the role must be neither superuser nor BYPASSRLS, since "
                              "row-level security would not bind it")


def _unprotected(connection: Connection) -> list[str]:
    found = connection.execute(
        text("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' "
             "AND NOT relforcerowsecurity AND relname = ANY(:names) ORDER BY relname"),
        {"names": [str(table) for table in TENANT_TABLES]})
    return list(found.scalars())
