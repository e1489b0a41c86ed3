"""The database: engine, the one place that commits, and the guard that keeps tenants apart.

A transaction belongs to one tenant, or to the machinery (`EVERY_TENANT`: worker, migrations, log-in). Every
ORM statement on a tenant's table inside a tenant's transaction gets the tenant as a further condition, and a row of
another tenant is never written; a session without an owner cannot touch such a table at all. Statements to which no
condition can be added (SQL text, tables instead of classes, bulk inserts) are for the machinery only, but for `plain`
and `insert_rows`, which check the tenant themselves and cost a fraction. PostgreSQL keeps the same boundary once more,
by row-level security (migration 0005).
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, Final, TypeVar, TypeVarTuple, cast
from weakref import WeakKeyDictionary

from sqlalchemy import (
    Connection,
    CursorResult,
    Delete,
    Dialect,
    Engine,
    Executable,
    Insert,
    Select,
    Table,
    TextClause,
    Update,
    create_engine,
    event,
    insert,
)
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.orm import LoaderCriteriaOption, ORMExecuteState, Session, sessionmaker, with_loader_criteria
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.dml import ReturningUpdate
from sqlalchemy.sql.visitors import ExternallyTraversible, iterate

from gateway import (
    tables_archive,
    tables_care,
    tables_channels,
    tables_exports,
    tables_journal,
    tables_receivables,
    tables_reminders,
    tables_retention,
    tables_webhooks,
)
from gateway.json_columns import read_json
from gateway.tables import Base, TenantScoped

ROOMS: Final = (tables_archive, tables_care, tables_channels, tables_exports, tables_journal, tables_receivables,
                tables_reminders, tables_retention, tables_webhooks)
"""Modules whose tables join those of gateway/tables.py by being loaded."""

T = TypeVar("T")
Columns = TypeVarTuple("Columns")
SLICE: Final = 500
"""So many values a statement is asked about at once."""

EVERY_TENANT: Final = "*"
"""The owner of a transaction of the machinery. Never derived from a request."""

OWNER: Final = "passerelle_owner"
"""An option of a connection, read when its transaction begins: whose it is."""

READING: Final = "passerelle_reading"
FLEETING: Final = "passerelle_fleeting"
"""Options too: nothing will be written; what is written need not be on the disk at once."""

NEW_WORK: Final = "new_work"
"""Ids in a session's `info`: the entries that gateway/outbox.py added or revived in it and that are due at once."""

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

Inserts = list[tuple[Insert, Sequence[Mapping[str, object]]]]
WAITING: Final = "waiting-inserts"
"""A session's key in `info` for rows that `together` will insert."""

Ring = Callable[[Sequence[str]], None]
"""Told after a commit which work it added. Must return at once, whatever happened to those who should hear it."""


class TenantMissing(RuntimeError):
    """A statement that this session's owner must not make, or that nobody owns: a bug, never a user's fault."""


class Database:
    """Sessions on one engine. `after_commit` is called after a transaction that added work (the doorbell)."""

    def __init__(self, url: str, *, after_commit: Ring | None = None) -> None:
        self.engine = open_engine(url)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False, autoflush=True)
        self._after_commit = after_commit

    @contextmanager
    def transaction(self, tenant_id: str) -> Iterator[Session]:
        """Everything inside is committed together, or not at all. Nothing outside the database belongs here."""
        with self._owned(tenant_id) as session:
            yield session
            session.commit()
        added = tuple(session.info.get(NEW_WORK, ()))
        if added and self._after_commit is not None:
            self._after_commit(added)

    @contextmanager
    def fleeting(self, tenant_id: str) -> Iterator[Session]:
        """A transaction that does not wait for the disk, for what may as well not have happened.

        A killed process loses nothing of it. A power cut may undo it, but never while it leaves a later transaction:
        the next one of the other kind puts both on the disk.
        """
        with self._owned(tenant_id, FLEETING) as session:
            yield session
            session.commit()

    @contextmanager
    def reading(self, tenant_id: str) -> Iterator[Session]:
        """A session for reading; what is changed in it is thrown away."""
        with self._owned(tenant_id, READING) as session:
            yield session
            session.expunge_all()  # before the roll-back, which would empty what the caller keeps

    @contextmanager
    def _owned(self, tenant_id: str, *kind: str) -> Iterator[Session]:
        with self._sessions() as session:
            session.info["tenant"] = tenant_id
            session.connection(execution_options={OWNER: tenant_id, **dict.fromkeys(kind, True)})
            yield session

    def overwrite_log(self) -> None:
        """SQLite: what was erased leaves the write-ahead log too, or at the next time where a reader is in the way.

        PostgreSQL has no such thing for a service to do: its vacuum and the archiving of its log are the operator's.
        """
        if self.engine.dialect.name == "sqlite":
            with closing(self.engine.raw_connection()) as raw:
                raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def plain(
    session: Session, tenant_id: str, statement: Select[*Columns] | ReturningUpdate[*Columns], **values: object
) -> CursorResult[*Columns]:
    """Read or change columns of one tenant's rows without making objects, for what every state change asks.

    The statement compares with the parameter `tenant`; `values` are its others. What waits in the session is not seen,
    and what is changed is not seen by the objects of the session.

    Raises:
        TenantMissing: the session is another tenant's.
    """
    _check_owner(session, (tenant_id,), statement)
    return session.connection().execute(statement, {"tenant": tenant_id, **values})


def insert_rows(session: Session, table: type[TenantScoped], rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows without making objects, after what waits in the session; each row has every column that is not null.

    Raises:
        TenantMissing: a row is another tenant's.
    """
    _check_owner(session, (row["tenant_id"] for row in rows), table)
    _insert(session, INSERTS[table], rows)


def insert_chosen(session: Session, tenant_id: str, statement: Insert, **values: object) -> None:
    """Insert what a statement chooses from one tenant's rows, by the parameter `tenant`; `values` are its others.

    Raises:
        TenantMissing: the session is another tenant's.
    """
    _check_owner(session, (tenant_id,), statement)
    _insert(session, statement, [{"tenant": tenant_id, **values}])


def _insert(session: Session, statement: Insert, values: Sequence[Mapping[str, object]]) -> None:
    session.flush()
    waiting: Inserts | None = session.info.get(WAITING)
    if not values:
        return
    if waiting is None:
        session.connection().execute(statement, values)
    else:
        waiting.append((statement, values))


@contextmanager
def together(session: Session) -> Iterator[None]:
    """What `insert_rows` and `insert_chosen` add inside goes to the database at the end, with one wait on PostgreSQL.

    What is read inside must not be among it.
    """
    waiting: Inserts = []
    session.info[WAITING] = waiting
    try:
        yield
    finally:
        del session.info[WAITING]
    connection = session.connection()
    with _one_wait(connection):
        for statement, values in waiting:
            connection.execute(statement, values)


@contextmanager
def _one_wait(connection: Connection) -> Iterator[None]:
    driver, driver_error = connection.connection.driver_connection, connection.dialect.loaded_dbapi.Error
    if connection.dialect.name != "postgresql" or driver is None:
        yield
        return
    try:
        with driver.pipeline():
            yield
    except driver_error as error:  # told at the end, past the place that gives SQLAlchemy's names to errors
        raise DBAPIError.instance(None, None, error, driver_error, dialect=connection.dialect) from error


def slices(values: Sequence[T], size: int = SLICE) -> Iterator[Sequence[T]]:
    """The values in their order, so many at a time: no statement may have any number of them."""
    return (values[start:start + size] for start in range(0, len(values), size))


def change_rows(session: Session, statement: Update | Delete) -> int:
    """Run an UPDATE or DELETE; gives how many rows it found."""
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


def _check_owner(session: Session, owners: Iterable[object], what: object) -> None:
    own_tenant = session.info.get("tenant")
    if own_tenant != EVERY_TENANT and any(owner != own_tenant for owner in owners):
        raise TenantMissing(str(what))


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


GUARDED: Final[WeakKeyDictionary[Executable, tuple[str, Executable]]] = WeakKeyDictionary()
"""A statement that a module keeps is asked often, mostly for the same tenant: as it was guarded last.

SQLAlchemy knows a statement again at once, where it would have to take a new one apart to find that it is the same.
"""


@event.listens_for(Session, "do_orm_execute")
def _guard(state: ORMExecuteState) -> None:
    tenant = state.session.info.get("tenant")
    if tenant == EVERY_TENANT or state.is_column_load:
        return
    is_text = isinstance(state.statement, TextClause)
    of_tenants = state.bind_mapper is not None and state.bind_mapper.local_table in TENANT_TABLES
    if not is_text and not of_tenants and not _names_tenants(state.statement):
        return
    if tenant is None or is_text or not (state.is_orm_statement and (
            state.is_select or state.is_update or state.is_delete)):
        raise TenantMissing(str(state.statement))
    known = GUARDED.get(state.statement)
    if known is None or known[0] != tenant:
        known = GUARDED[state.statement] = tenant, state.statement.options(_only(tenant))
    state.statement = known[1]


@lru_cache(maxsize=1000)
def _only(tenant: str) -> LoaderCriteriaOption:
    return with_loader_criteria(TenantScoped, lambda table: table.tenant_id == tenant, include_aliases=True)


@event.listens_for(Session, "before_flush")
def _guard_rows(session: Session, _context: object, _instances: object) -> None:
    tenant = session.info.get("tenant")
    if tenant == EVERY_TENANT:
        return
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, TenantScoped) and row.tenant_id != tenant:
            raise TenantMissing(f"a row of {type(row).__name__}")


def _names_tenants(statement: Executable) -> bool:
    """Whether a table of TenantScoped occurs anywhere in the statement: as entity, in a count, in a subquery."""
    elements = iterate(cast("ExternallyTraversible", statement))
    return any(isinstance(element, Table) and element in TENANT_TABLES for element in elements)


TENANT_TABLES = frozenset(
    mapper.local_table for mapper in Base.registry.mappers if issubclass(mapper.class_, TenantScoped)
)
INSERTS = {mapper.class_: insert(cast("Table", mapper.local_table)) for mapper in Base.registry.mappers}
