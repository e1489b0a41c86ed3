"""A log in memory, and entries to fill it with."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from hypothesis import settings

from archive import journal
from archive.journal import Entry, ObjectRef, Row
from archive.store import Digest

CALM = settings(deadline=None, derandomize=True)
"""Same examples each time, and no stopwatch: the machine may be busy."""

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@dataclass
class MemoryRows:
    """archive.journal.Rows in a list; counts reads."""

    rows: list[Row] = field(default_factory=list)
    reads: int = 0

    def last(self) -> Row | None:
        self.reads += 1
        return self.rows[-1] if self.rows else None

    def get(self, seq: int) -> Row:
        self.reads += 1
        return self.rows[seq]

    def append(self, row: Row) -> None:
        assert row.seq == len(self.rows)
        self.rows.append(row)


def entry_of(number: int, *objects: ObjectRef, subject: str = "", salt: str = "") -> Entry:
    return Entry(
        type="submission.accepted", at=START + timedelta(seconds=number), subject=subject or f"inv-{salt}{number}",
        actor="key:test", outcome="valid", objects=objects or (ObjectRef("original", Digest.of(b"x"), 1),),
    )


@cache
def _lines(size: int, salt: str) -> tuple[Row, ...]:
    log = MemoryRows()
    for number in range(size):
        journal.append(log, entry_of(number, salt=salt))
    return tuple(log.rows)


def grown(size: int, salt: str = "") -> MemoryRows:
    """A log of `size` entries about different invoices."""
    return MemoryRows(list(_lines(size, salt)))
