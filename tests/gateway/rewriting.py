"""A small gateway in a folder, and twelve ways in which somebody with its files, and at last its keys, rewrites it."""

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from archive_log import MemoryRows
from many import make_invoices

from archive.journal import Entry, append, read_entry, root
from archive.seal import Checkpoint, sign_checkpoint
from archive.store import Digest
from archive.stores.directory import DirectoryStore
from archive.timestamp import obtain
from gateway.db import Database
from gateway.deps import Bell, Deps
from gateway.evidence.sealing import authority_of, log_key, origin_of, seal_log
from gateway.evidence.trust import Checked, check_everything
from gateway.settings import Settings
from gateway.tables import Base, Tenant
from gateway.vault import Vault

TENANT = "00000000-0000-4000-8000-000000000001"
START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LOG = "2026"
NO_ENTRY = 1 << 60
"""For an attack that changes no entry: whatever seq is named is not too late."""


class Clock:
    """A clock that moves when told."""

    now = START

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class House:
    """A folder with database, objects and keys, and what left it: the last checkpoint before the attack."""

    folder: Path
    clock: Clock
    published: bytes
    sealed: tuple[int, ...]
    """Sizes of its seals."""

    @contextmanager
    def deps(self) -> Iterator[Deps]:
        settings = Settings(data=self.folder / "data")
        db = Database(settings.database)
        try:
            yield Deps(settings=settings, db=db, store=DirectoryStore(self.folder / "objects"), workshop=None,  # type: ignore[arg-type]  # nothing is read here
                       vault=Vault(bytes(32)), bell=Bell(), clock=self.clock)
        finally:
            db.close()

    @contextmanager
    def database(self) -> Iterator[sqlite3.Connection]:
        """As an intruder with the file opens it."""
        with closing(sqlite3.connect(self.folder / "data" / "passerelle.sqlite3")) as connection, connection:
            yield connection

    def checked(self) -> Checked:
        with self.deps() as deps:
            return check_everything(deps, published=[self.published])

    def keep(self, place: Path) -> None:
        """Remember everything, to be put back after an attack."""
        shutil.copytree(self.folder, place)

    def put_back(self, place: Path) -> None:
        shutil.rmtree(self.folder)
        shutil.copytree(place, self.folder)


def build(folder: Path, invoices: int, *, every: int = 5) -> House:
    """A gateway with some invoices and a seal after every few; an older copy of its database lies beside it."""
    clock = Clock()
    house = House(folder, clock, b"", ())
    sizes = []
    with house.deps() as deps:
        Base.metadata.create_all(deps.db.engine)
        with deps.db.transaction(TENANT) as session:
            session.add(Tenant(id=TENANT, name="Atelier", created_at=clock.now))
        for first in range(0, invoices, every):
            clock.now += timedelta(minutes=20)
            make_invoices(deps, TENANT, range(first, min(first + every, invoices)))
            seal = seal_log(deps, TENANT, LOG)
            assert seal.token is not None
            sizes.append(seal.size)
            if first < invoices // 2 <= first + every:
                with house.database() as live, closing(sqlite3.connect(folder / "older.sqlite3")) as kept:
                    live.backup(kept)
    return replace(house, published=seal.checkpoint, sealed=tuple(sizes))


def entries_of(connection: sqlite3.Connection) -> list[Entry]:
    return [read_entry(line)[1] for (line,) in connection.execute("SELECT line FROM journal ORDER BY seq")]


def as_kept(at: datetime) -> str:
    """A time as SQLite has it."""
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")


def rewritten(connection: sqlite3.Connection, entries: Sequence[Entry]) -> MemoryRows:
    """The journal written again from these entries, every hash right; events follow as far as they can."""
    rows = MemoryRows()
    for entry in entries:
        append(rows, entry)
    connection.execute("DELETE FROM journal")
    connection.executemany(
        "INSERT INTO journal (tenant_id, log, seq, at, type, subject, actor, line, leaf, frontier) "
        "VALUES (?,?,?,?,?,?,?,?,?,?)",
        [(TENANT, LOG, row.seq, as_kept(entry.at), entry.type, entry.subject, entry.actor, row.line, row.leaf,
          row.frontier) for row, entry in zip(rows.rows, entries, strict=True)])
    return rows


def delete(_: House, connection: sqlite3.Connection, at: int) -> int:
    connection.execute("DELETE FROM journal WHERE seq = ?", (at,))
    return at


def delete_and_close(_: House, connection: sqlite3.Connection, at: int) -> int:
    entries = entries_of(connection)
    connection.execute("DELETE FROM events WHERE id = ?", (entries[at].cause,))
    rewritten(connection, [*entries[:at], *entries[at + 1:]])
    return at


def insert(_: House, connection: sqlite3.Connection, at: int) -> int:
    entries = entries_of(connection)
    rewritten(connection, [*entries[:at], replace(entries[at], outcome="invented"), *entries[at:]])
    return at


def swap(_: House, connection: sqlite3.Connection, at: int) -> int:
    entries = entries_of(connection)
    entries[at], entries[at + 1] = entries[at + 1], entries[at]
    rewritten(connection, entries)
    return at


def duplicate(_: House, connection: sqlite3.Connection, at: int) -> int:
    entries = entries_of(connection)
    rewritten(connection, [*entries[:at + 1], entries[at], *entries[at + 1:]])
    return at + 1


def re_date(_: House, connection: sqlite3.Connection, at: int) -> int:
    entries = entries_of(connection)
    moved = entries[at].at - timedelta(days=3)
    connection.execute("UPDATE events SET at = ? WHERE id = ?", (as_kept(moved), entries[at].cause))
    entries[at] = replace(entries[at], at=moved)
    rewritten(connection, entries)
    return at


def truncate(_: House, connection: sqlite3.Connection, at: int) -> int:
    """The log ends earlier, with everything that would tell of it."""
    for cause in [entry.cause for entry in entries_of(connection)[at:]]:
        connection.execute("DELETE FROM events WHERE id = ?", (cause,))
    connection.execute("DELETE FROM journal WHERE seq >= ?", (at,))
    connection.execute("DELETE FROM seals WHERE size > ?", (at,))
    return at


def other_object(house: House, connection: sqlite3.Connection, at: int) -> int:
    """Another document in place of one, with its hash wherever the database names it."""
    entries = entries_of(connection)
    while not (entries[at].objects and entries[at].type != "evidence"):
        at -= 1
    old = entries[at].objects[0].digest.hex
    with house.deps() as deps:
        new = deps.store.put(f"forged {at}".encode()).hex
    for table in ("documents", "events", "submissions"):
        connection.execute(f"UPDATE {table} SET sha256 = ? WHERE sha256 = ?", (new, old))  # noqa: S608 - our own names
    return at


def other_object_and_entry(house: House, connection: sqlite3.Connection, at: int) -> int:
    entries = entries_of(connection)
    at = other_object(house, connection, at)
    new = connection.execute("SELECT sha256 FROM events WHERE id = ?", (entries[at].cause,)).fetchone()[0]
    entries[at] = replace(entries[at], objects=(replace(entries[at].objects[0], digest=Digest(new)),))
    rewritten(connection, entries)
    return at


def older_snapshot(house: House, connection: sqlite3.Connection, _: int) -> int:
    """The whole database as it was earlier."""
    with closing(sqlite3.connect(house.folder / "older.sqlite3")) as older:
        older.backup(connection)
    return int(connection.execute("SELECT count(*) FROM journal").fetchone()[0])


def new_history(house: House, connection: sqlite3.Connection, at: int) -> int:
    """With all keys: another past, signed and stamped again seal by seal."""
    entries = entries_of(connection)
    connection.execute("UPDATE events SET actor = 'key:forger' WHERE id = ?", (entries[at].cause,))
    entries[at] = replace(entries[at], actor="key:forger")
    rows = rewritten(connection, entries)
    house.clock.now += timedelta(days=2)
    with house.deps() as deps:
        authority, ca = authority_of(deps)
        for (size,) in connection.execute("SELECT size FROM seals WHERE size > ?", (at,)).fetchall():
            note = sign_checkpoint(Checkpoint(origin_of(deps, TENANT, LOG), size, root(rows, size)), log_key(deps))
            token = obtain(authority, note, ca)
            connection.execute("UPDATE seals SET checkpoint = ?, token = ?, token_at = ? WHERE size = ?", (
                note, token.response, as_kept(token.stamp.at), size))
    return at


def tokens_swapped(_: House, connection: sqlite3.Connection, at: int) -> int:
    """The token of one seal in place of another's."""
    sizes = [size for (size,) in connection.execute("SELECT size FROM seals ORDER BY size")]
    one, other = sizes[at % len(sizes)], sizes[(at + 1) % len(sizes)]
    connection.execute("UPDATE seals SET token = (SELECT token FROM seals WHERE size = ?) WHERE size = ?", (other, one))
    return NO_ENTRY


ATTACKS: dict[str, Callable[[House, sqlite3.Connection, int], int]] = {
    "delete an entry": delete, "delete and close the gap": delete_and_close, "insert": insert, "swap": swap,
    "duplicate": duplicate, "re-date": re_date, "truncate": truncate, "another object and its hash": other_object,
    "another object, hash and entry": other_object_and_entry, "older snapshot": older_snapshot,
    "a new history, signed again": new_history, "tokens swapped": tokens_swapped,
}
"""What is done, and the first seq that is not what it was."""


def attack(house: House, kind: str, at: int) -> int:
    with house.database() as connection:
        return ATTACKS[kind](house, connection, at)


FLIPS = ("object", "line", "leaf", "frontier", "type", "subject", "actor", "checkpoint", "token")


def flip(house: House, what: str, chance: random.Random) -> str:
    """One bit, somewhere: what must be named in the message."""
    if what == "object":
        path = chance.choice(sorted(path for path in (house.folder / "objects").rglob("*") if path.is_file()))
        path.chmod(0o644)
        path.write_bytes(_flipped(path.read_bytes() or b"\0", chance))
        return _invoice_of_object(house, path.name)
    with house.database() as connection:
        if what in {"checkpoint", "token"}:
            size, data = chance.choice(connection.execute(f"SELECT size, {what} FROM seals").fetchall())  # noqa: S608 - our own names
            connection.execute(f"UPDATE seals SET {what} = ? WHERE size = ?", (_flipped(data, chance), size))  # noqa: S608
            return f"{TENANT}/{LOG}/{size}"
        seq, subject, data = chance.choice([row for row in connection.execute(
            f"SELECT seq, subject, {what} FROM journal").fetchall() if row[2]])  # noqa: S608 - our own names
        changed = _flipped(data, chance) if isinstance(data, bytes) else _flipped_text(data, chance)
        connection.execute(f"UPDATE journal SET {what} = ? WHERE seq = ?", (changed, seq))  # noqa: S608
        number = connection.execute("SELECT number FROM submissions WHERE id = ?", (subject,)).fetchone()
        return f"facture {number[0]}" if number else f"entry {seq}"


def _flipped(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1:]


def _flipped_text(text: str, chance: random.Random) -> str:
    """Another letter in place of one: SQLite keeps texts as UTF-8."""
    at = chance.randrange(len(text))
    return text[:at] + chr(ord(text[at]) ^ 1 << chance.randrange(5)) + text[at + 1:]


def _invoice_of_object(house: House, sha256: str) -> str:
    with house.database() as connection:
        found = connection.execute("SELECT s.number FROM documents d JOIN submissions s ON s.id = d.submission_id "
                                   "WHERE d.sha256 = ?", (sha256,)).fetchall()
    return f"facture {found[0][0]}" if len(found) == 1 else sha256

