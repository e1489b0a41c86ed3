"""The journal in the service's own database: an entry joins the transaction of the change it tells of."""

import sys
from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

from sqlalchemy import String, bindparam, select
from sqlalchemy.orm import Session

from archive.journal import Entry, ObjectRef, Row, append, root
from archive.retention import fiscal_close
from archive.store import Digest
from gateway.clock import day_in_france
from gateway.db import insert_rows, plain
from gateway.tables import JournalEntry, Tenant

SOFTWARE = f"passerelle-{version('passerelle')}"


LAST, CLOSE = "journal-last", "fiscal-year-end"
"""Keys in a session's `info`, with tenant (and log): the row that this transaction appended last; the year's end."""

TENANT = bindparam("tenant", type_=String())
NEWEST = (select(JournalEntry.seq, JournalEntry.line, JournalEntry.leaf, JournalEntry.frontier)
          .where(JournalEntry.tenant_id == TENANT, JournalEntry.log == bindparam("log"))
          .order_by(JournalEntry.seq.desc()).limit(1))
FISCAL_YEAR_END = select(Tenant.fiscal_year_end).where(Tenant.id == TENANT)


@dataclass(frozen=True, slots=True)
class Kept:
    """An object of the store that belongs to a change."""

    role: str
    sha256: str
    size: int


class LogRows:
    """One log of one tenant as archive.journal wants it (its Protocol `Rows`), inside the given transaction."""

    def __init__(self, session: Session, tenant_id: str, log: str) -> None:
        self._session = session
        self._tenant_id = tenant_id
        self._log = log
        self.at: datetime | None = None
        self.columns: dict[str, str] = {}

    def last(self) -> Row | None:
        """The newest row."""
        known: Row | None = self._session.info.get((LAST, self._tenant_id, self._log))
        if known is not None:  # appended in this transaction, under the tenant's lock
            return known
        newest = plain(self._session, self._tenant_id, NEWEST, log=self._log).one_or_none()
        return None if newest is None else row_of(newest)

    def get(self, seq: int) -> Row:
        """The row at a position that exists."""
        found = self._session.get(JournalEntry, (self._tenant_id, self._log, seq))
        if found is None:
            raise LookupError(f"{self._log} has no entry {seq}")
        return row_of(found)

    def root(self, size: int) -> bytes:
        """The root of the first entries; that of nothing where the last of them is gone."""
        try:
            return root(self, size)
        except LookupError:
            return b""

    def append(self, row: Row) -> None:
        """Keep one more row, with the columns that the console searches by."""
        insert_rows(self._session, JournalEntry, [{
            "tenant_id": self._tenant_id, "log": self._log, "seq": row.seq, "at": self.at, "line": row.line,
            "leaf": row.leaf, "frontier": row.frontier, **self.columns}])
        self._session.info[LAST, self._tenant_id, self._log] = row

    def first(self, size: int) -> Generator[Row, None, None]:
        """The first `size` rows in order, a few thousand at a time; whatever the session forgets meanwhile."""
        wanted = (
            select(JournalEntry.seq, JournalEntry.line, JournalEntry.leaf, JournalEntry.frontier)
            .where(JournalEntry.tenant_id == self._tenant_id, JournalEntry.log == self._log, JournalEntry.seq < size)
            .order_by(JournalEntry.seq)
            .execution_options(yield_per=2000)
        )
        with self._session.execute(wanted) as rows:  # closed where the reader stops in the middle, too
            yield from map(row_of, rows)

    def all(self) -> Generator[Row, None, None]:
        """Every row in order."""
        return self.first(sys.maxsize)


def row_of(entry: Any) -> Row:
    """A stored entry as archive.journal knows it, from an object or a row of its columns."""
    return Row(entry.seq, *(_bytes(value) for value in (entry.line, entry.leaf, entry.frontier)))


def _bytes(value: object) -> bytes:
    """What a column of bytes holds; SQLite lets whoever writes into the file put text there."""
    return value if isinstance(value, bytes) else str(value).encode()


CALENDAR_YEAR = "12-31"


def log_of(now: datetime, fiscal_year_end: str = CALENDAR_YEAR) -> str:
    """The log that an entry of this moment goes to: one per fiscal year, named by the year in which it closes.

    Days are French calendar days. `fiscal_year_end`: MM-DD.
    """
    month, day = map(int, fiscal_year_end.split("-"))
    return f"{fiscal_close(day_in_france(now), month, day).year}"


def current_log(session: Session, tenant_id: str, now: datetime) -> str:
    """The log that the tenant writes at this moment."""
    close: str | None = session.info.get((CLOSE, tenant_id))
    if close is None:
        close = session.info[CLOSE, tenant_id] = plain(session, tenant_id, FISCAL_YEAR_END).scalar() or CALENDAR_YEAR
    return log_of(now, close)


def write_entry(
    session: Session,
    tenant_id: str,
    *,
    now: datetime,
    kind: str,
    code: str,
    subject: str,
    actor: str,
    cause: str,
    objects: tuple[Kept, ...] = (),
    rule_sets: tuple[str, ...] = (),
    said: str = "",
) -> int:
    """Append one entry to the tenant's log; returns its seq. The caller holds the tenant's row."""
    rows = LogRows(session, tenant_id, current_log(session, tenant_id, now))
    rows.at = now
    rows.columns = {"type": kind, "subject": subject, "actor": actor}
    return append(rows, Entry(
        type=kind, at=now, subject=subject, actor=actor, outcome=code, cause=cause, version=SOFTWARE,
        ruleset=",".join(rule_sets)[:2000], said=said,
        objects=tuple(ObjectRef(kept.role, Digest(kept.sha256), kept.size) for kept in objects),
    ))
