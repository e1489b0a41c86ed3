"""An upgrade of a filled database of an early version, killed at its n-th statement; shared by test and campaign."""

import json
import os
import signal
from datetime import UTC, datetime

from alembic import command
from sqlalchemy import event, text

from gateway.db import EVERY_TENANT
from gateway.engines import open_engine
from gateway.migrations.upgrade import config_for, upgrade

EARLY = "0005"
ENTRIES = 30
TENANT = "00000000-0000-4000-8000-000000000001"
NOW = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)


def fill(url: str) -> None:
    """A database as the early version left it: a tenant, and a journal whose entries name objects."""
    engine = open_engine(url)
    command.upgrade(config_for(engine), EARLY)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT set_config('passerelle.tenant', :all, true)"), {"all": EVERY_TENANT})
        connection.execute(text("INSERT INTO tenants (id, name, created_at) VALUES (:id, 'Atelier', :at)"),
                           {"id": TENANT, "at": NOW})
        for seq in range(ENTRIES):
            line = json.dumps({"objects": [{"role": "original", "sha256": f"{seq // 2:064x}", "size": seq // 2}]})
            connection.execute(
                text("INSERT INTO journal (tenant_id, log, seq, at, type, subject, actor, line, leaf, frontier) VALUES "
                     "(:tenant, '2026', :seq, :at, 'submission', 's', 'key:test', :line, :line, :line)"),
                {"tenant": TENANT, "seq": seq, "at": NOW, "line": line.encode()})
    engine.dispose()


def killed_at(url: str, statement: int) -> int:
    """Upgrade in a process that kills itself just before its n-th statement; its exit code, negative for the signal."""
    child = os.fork()
    if child == 0:
        try:
            engine, count = open_engine(url), [0]

            def strike(*_: object) -> None:
                count[0] += 1
                if count[0] == statement:
                    os.kill(os.getpid(), signal.SIGKILL)

            event.listen(engine, "before_cursor_execute", strike)
            event.listen(engine, "commit", strike)
            upgrade(engine)
            os._exit(0)
        finally:
            os._exit(3)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def faults(url: str) -> list[str]:
    """What is wrong after one more upgrade, undisturbed: in the form of the tables, or in what was kept."""
    engine, found = open_engine(url), []
    upgrade(engine)
    command.check(config_for(engine))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT set_config('passerelle.tenant', :all, true)"), {"all": EVERY_TENANT})
        kept = connection.execute(text("SELECT sha256, size, depositor FROM objects ORDER BY sha256")).all()
        wanted = [(f"{one:064x}", one, "key:test") for one in range(ENTRIES // 2)]
        if [tuple(row) for row in kept] != wanted:
            found.append(f"objects: {len(kept)} rows")
        entries = connection.scalar(text("SELECT count(*) FROM journal"))
        if entries != ENTRIES:
            found.append(f"journal: {entries} rows")
        if connection.scalar(text("SELECT count(*) FROM tenants")) != 1:
            found.append("tenants")
    engine.dispose()
    return found


