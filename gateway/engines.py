"""Engines: how a connection to SQLite or PostgreSQL is prepared, and how a transaction begins on it."""

import re
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from gateway.json_columns import read_json

OWNER: Final = "passerelle_owner"
"""An option of a connection, read when its transaction begins: whose it is."""

READING: Final = "passerelle_reading"
FLEETING: Final = "passerelle_fleeting"
"""Options too: nothing will be written; what is written need not be on the disk at once."""

OWNER_FORM: Final = re.compile(r"[A-Za-z0-9-]+|\*")
USED_AT, UNUSED_S = "used-at", 1.0
"""Key in the `info` of a pooled connection; after so long without use the server is asked for a sign of life."""

LONG, HEAVY = 1 << 20, "heavy"
"""Signs of a long value; the key in the `info` of a pooled connection to which one was bound."""

POSTGRES: Final = {"autocommit": True, "prepare_threshold": 2}
"""For the driver: it must not begin by itself, and has the server prepare what comes a third time."""

MOST_PREPARED: Final = 400
"""Statements that a connection keeps prepared: more than the work on an invoice has, or it would prepare for ever."""

SYNCHRONOUS: Final = "synchronous"
"""Key too: how a connection to SQLite waits for the disk at present."""


class TenantMissing(RuntimeError):
    """A statement that this session's owner must not make, or that nobody owns: a bug, never a user's fault."""


def open_engine(url: str) -> Engine:
    """An engine with the durability that evidence needs.

    PostgreSQL: READ COMMITTED; whoever must not be overtaken locks a row (`with_for_update`), so that nobody has to
    repeat a transaction. The times of a session are UTC. The server is told whose transaction it is as it begins, in
    one message: its policies then show no row of anybody else.

    SQLite: WAL, `synchronous=FULL` (NORMAL may lose acknowledged commits at power loss), foreign keys, and
    BEGIN IMMEDIATE for writers, so that two writers queue instead of failing in the middle. What is erased is
    overwritten with zeros.
    """
    parsed = make_url(url)
    # More than there are threads, so that nobody waits; the one last used first: it has its statements prepared.
    usual = {"pool_size": 20, "max_overflow": 40, "pool_use_lifo": True, "json_deserializer": read_json}
    if parsed.get_backend_name() != "sqlite":
        engine = create_engine(url, connect_args=POSTGRES, **usual)
        event.listen(engine, "connect", _prepare_postgres)
        event.listen(engine, "begin", _begin_postgres)
        event.listen(engine, "checkout", _look_after(engine.dialect))
        event.listen(engine, "checkin", _note_use)
        return engine
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False}, **usual)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "before_cursor_execute", _note_length)
    event.listen(engine, "checkin", _lose_weight)
    return engine


def _prepare_postgres(connection: Any, _: Any) -> None:
    connection.prepared_max = MOST_PREPARED


def _begin_postgres(connection: Connection) -> None:
    options = connection.get_execution_options()
    statement = "BEGIN"
    if (owner := options.get(OWNER)) is not None:
        if not OWNER_FORM.fullmatch(owner):
            raise TenantMissing(f"{owner!r} is no tenant")
        statement += f"; SET LOCAL passerelle.tenant TO '{owner}'"
    if options.get(FLEETING):
        statement += "; SET LOCAL synchronous_commit TO off"
    connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def _look_after(dialect: Dialect) -> Callable[[DBAPIConnection, ConnectionPoolEntry, object], None]:
    """Find out whether the server is still there, where a connection was not used for a moment."""

    def look(connection: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: object) -> None:
        if time.monotonic() - entry.info.get(USED_AT, time.monotonic()) > UNUSED_S:
            try:
                dialect.do_ping(connection)
            except dialect.loaded_dbapi.Error as error:
                raise InvalidatePoolError from error

    return look


def _note_use(_connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
    entry.info[USED_AT] = time.monotonic()


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver must not begin by itself: _begin_sqlite does
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000",
                   "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    waits = "NORMAL" if options.get(FLEETING) else "FULL"
    if not options.get(READING) and connection.info.get(SYNCHRONOUS, "FULL") != waits:
        connection.exec_driver_sql(f"PRAGMA synchronous={waits}")
        connection.info[SYNCHRONOUS] = waits
    connection.exec_driver_sql("BEGIN" if options.get(READING) else "BEGIN IMMEDIATE")


def _note_length(connection: Connection, _: object, _text: str, values: Any, _context: object, _many: object) -> None:
    bound = chain.from_iterable(row if isinstance(row, tuple) else (row,) for row in values)
    if any(isinstance(value, str | bytes) and len(value) > LONG for value in bound):
        connection.info[HEAVY] = True


def _lose_weight(_connection: object, entry: ConnectionPoolEntry) -> None:
    """The driver keeps statements, and with each what was last bound to it: a name of 9 MB, in each connection."""
    if entry.info.pop(HEAVY, None):
        entry.invalidate()
