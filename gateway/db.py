"""The database: engine, the one place that commits, and the guard that keeps tenants apart.

A transaction belongs to one tenant, or to the machinery (`EVERY_TENANT`: worker, migrations, log-in). Every
ORM statement on a tenant's table inside a tenant's transaction gets the tenant as a further condition, and a row of
another tenant is never written; a session without an owner cannot touch such a table at all. Statements to which no
condition can be added (SQL text, tables instead of classes, bulk inserts) are for the machinery only, but for `plain`
and `insert_rows`, which check the tenant themselves and cost a fraction. PostgreSQL keeps the same boundary once more,
by row-level security (migration 0005).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from typing import Any, Final, TypeVar, TypeVarTuple, cast
from weakref import WeakKeyDictionary

from sqlalchemy import (
    Connection,
    CursorResult,
    Delete,
    Executable,
    Insert,
    Select,
    Table,
    TextClause,
    Update,
    event,
    insert,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import LoaderCriteriaOption, ORMExecuteState, Session, sessionmaker, with_loader_criteria
from sqlalchemy.sql.dml import ReturningUpdate
from sqlalchemy.sql.visitors import ExternallyTraversible, iterate

from gateway import (
    tables_access,
    tables_archive,
    tables_care,
    tables_channels,
    tables_exports,
    tables_journal,
    tables_platforms,
    tables_receivables,
    tables_reminders,
    tables_retention,
    tables_webhooks,
)
from gateway.engines import FLEETING, OWNER, READING, TenantMissing, open_engine
from gateway.tables import Base, TenantScoped

ROOMS: Final = (tables_access, tables_archive, tables_care, tables_channels, tables_exports, tables_journal,
                tables_platforms, tables_receivables, tables_reminders, tables_retention, tables_webhooks)
"""Modules whose tables join those of gateway/tables.py by being loaded."""

T = TypeVar("T")
Columns = TypeVarTuple("Columns")
SLICE: Final = 500
"""So many values a statement is asked about at once."""

EVERY_TENANT: Final = "*"
"""The owner of a transaction of the machinery. Never derived from a request."""

NEW_WORK: Final = "new_work"
"""Ids in a session's `info`: the entries that gateway/outbox.py added or revived in it and that are due at once."""

Inserts = dict[Insert, list[Mapping[str, object]]]
WAITING: Final = "waiting-inserts"
"""A session's key in `info` for rows that `together` will insert."""

Ring = Callable[[Sequence[str]], None]
"""Told after a commit which work it added. Must return at once, whatever happened to those who should hear it."""


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
    waiting: Inserts | None = session.info.get(WAITING)
    if waiting is None:
        session.flush()
    if not values:
        return
    if waiting is None:
        session.connection().execute(statement, values)
    else:
        waiting.setdefault(statement, []).extend(values)


@contextmanager
def together(session: Session) -> Iterator[None]:
    """What `insert_rows` and `insert_chosen` add inside goes to the database at the end, after what the session holds.

    A statement once with all its rows, in the order in which statements came first; with one wait on PostgreSQL. Inside
    another one, at the end of that. What is read inside must not be among it.
    """
    if WAITING in session.info:
        yield
        return
    session.flush()
    waiting: Inserts = {}
    session.info[WAITING] = waiting
    try:
        yield
    finally:
        del session.info[WAITING]
    session.flush()
    connection = session.connection()
    with _one_wait(connection):
        for statement, values in waiting.items():
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
