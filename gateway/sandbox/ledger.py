"""The sandbox platform's own database: what was deposited, what it decided, what it still has to do.

SQLite in WAL mode with full synchronisation: what was answered survives kill -9. One connection, one lock; every
change happens inside `transaction()`. Its clock is the platform's clock, the time reference of its users.
"""

import hashlib
import json
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import RLock
from typing import Any

from gateway.sandbox.faults import FaultBox

Clock = Callable[[], datetime]

SCHEMA = """
create table if not exists flows (
    seq integer primary key, flow_id text not null unique, direction text not null, tracking_id text,
    name text not null, syntax text not null, profile text not null, processing_rule text not null,
    rule_source text not null, flow_type text not null, submitted_at text not null, updated_at text not null,
    ack_status text not null, ack_details text not null, sha256 text not null, claimed_sha256 text,
    document blob not null);
create index if not exists flows_by_time on flows (updated_at, seq);
create index if not exists flows_by_tracking on flows (tracking_id);
create table if not exists invoices (
    id integer primary key, flow_id text not null unique references flows (flow_id), direction text not null,
    seller text not null, year integer not null, number text not null, facts text not null, script text not null,
    next_step integer not null default 0, awaits text, rejected integer not null default 0);
create index if not exists invoices_by_key on invoices (seller, number, year);
create table if not exists statuses (
    seq integer primary key, invoice_id integer not null references invoices (id), flow_id text not null,
    code text not null, direction text not null, at text not null);
create table if not exists webhooks (
    webhook_id text primary key, signing_key text not null, created_at text not null, params text not null);
create table if not exists acts (
    seq integer primary key, kind text not null, subject text not null, body text not null, due_at text not null,
    attempts integer not null default 0, done_at text, error text);
create index if not exists acts_to_do on acts (due_at) where done_at is null;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRow:
    """One flow, as kept. Times are text: RFC 3339, UTC, milliseconds."""

    seq: int
    flow_id: str
    direction: str
    tracking_id: str | None
    name: str
    syntax: str
    profile: str
    processing_rule: str
    rule_source: str
    flow_type: str
    submitted_at: str
    updated_at: str
    ack_status: str
    ack_details: str
    sha256: str
    claimed_sha256: str | None
    document: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceRow:
    """One invoice that was deposited and understood. `facts` is the JSON of messages.InvoiceFacts."""

    id: int
    flow_id: str
    direction: str
    seller: str
    year: int
    number: str
    facts: str
    script: str
    next_step: int
    awaits: str | None
    rejected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing still to be done: `acknowledge`, `step` or `callback`."""

    seq: int
    kind: str
    subject: str
    body: str
    due_at: str
    attempts: int
    done_at: str | None
    error: str | None


class Ledger:
    """The database. Reads may happen any time; writes only inside `transaction()`."""

    def __init__(self, path: Path, clock: Clock | None = None, faults: FaultBox | None = None) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode = wal", "synchronous = full", "foreign_keys = on", "busy_timeout = 5000"):
            self._connection.execute(f"pragma {pragma}")
        self._connection.executescript(SCHEMA)
        self._lock = RLock()
        self._clock = clock
        self._faults = faults or FaultBox()

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._connection.close()

    def now(self) -> datetime:
        """The platform's time, aware UTC, in milliseconds."""
        ahead = timedelta(seconds=self._faults.now.clock_ahead_s)
        if self._clock is not None:
            return self._clock() + ahead
        text: str = self._one("select strftime('%Y-%m-%dT%H:%M:%fZ', 'now')")[0]
        return datetime.fromisoformat(text) + ahead

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, on disk when it ends."""
        with self._lock:
            self._connection.execute("begin immediate")
            try:
                yield
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")

    def add_flow(self, *, direction: str, document: bytes, fields: Mapping[str, Any]) -> FlowRow:
        """Keep a new flow; `fields` are the columns that are not computed here."""
        at = self._next_time()
        flow_id = uuid.uuid4().hex + (uuid.uuid4().hex if self._faults.now.long_ids else "")
        row = {"flow_id": flow_id, "direction": direction, "submitted_at": at, "updated_at": at,
               "document": document, "sha256": hashlib.sha256(document).hexdigest(), "ack_details": "[]", **fields}
        self._insert("flows", row)
        return self.get_flow(str(row["flow_id"]))

    def acknowledge(self, flow_id: str, **changes: str) -> FlowRow:
        """Change the acknowledgement (and what was computed with it); the flow's time moves."""
        self._update("flows", "flow_id", flow_id, {**changes, "updated_at": self._next_time()})
        return self.get_flow(flow_id)

    def get_flow(self, flow_id: str) -> FlowRow:
        """The flow. Raises LookupError."""
        row = self._maybe("select * from flows where flow_id = ?", flow_id)
        if row is None:
            raise LookupError(flow_id)
        return FlowRow(**row)

    def has_document(self, sha256: str) -> bool:
        """Whether a file with this fingerprint was deposited."""
        return self._maybe("select 1 from flows where sha256 = ? and direction = 'Out'", sha256) is not None

    def flows(self, conditions: Sequence[str], values: Sequence[object], limit: int) -> list[FlowRow]:
        """Flows by time. `conditions` are SQL of this package with one `?` each (see flows.CRITERIA)."""
        where = " and ".join(("1 = 1", *conditions))
        rows = self._all(f"select * from flows where {where} order by updated_at, seq limit ?",  # noqa: S608  ours
                         *values, limit)
        return [FlowRow(**row) for row in rows]

    def add_invoice(self, flow_id: str, direction: str, key: tuple[str, str, int], *, facts: str,
                    script: str) -> InvoiceRow:
        """Keep an invoice under its key (seller SIREN, number, year)."""
        seller, number, year = key
        self._insert("invoices", {"flow_id": flow_id, "direction": direction, "seller": seller, "number": number,
                                  "year": year, "facts": facts, "script": script})
        return InvoiceRow(**self._one("select * from invoices where flow_id = ?", flow_id))

    def get_invoice(self, invoice_id: int) -> InvoiceRow:
        """The invoice of this row id."""
        return InvoiceRow(**self._one("select * from invoices where id = ?", invoice_id))

    def invoices(self, seller: str | None = None, number: str | None = None) -> list[InvoiceRow]:
        """Invoices, oldest first; those of this seller and number if given."""
        rows = self._all("select * from invoices where seller = coalesce(?, seller) and number = coalesce(?, number) "
                         "order by id", seller, number)
        return [InvoiceRow(**row) for row in rows]

    def change_invoice(self, invoice_id: int, **changes: object) -> None:
        """Move an invoice along its script."""
        self._update("invoices", "id", invoice_id, changes)

    def add_status(self, invoice_id: int, flow_id: str, code: str, direction: str) -> None:
        """Note a status sent (In) or received (Out)."""
        self._insert("statuses", {"invoice_id": invoice_id, "flow_id": flow_id, "code": code, "direction": direction,
                                  "at": wire_time(self.now())})

    def statuses(self, invoice_id: int) -> list[dict[str, Any]]:
        """The statuses of an invoice in order: code, direction, flow_id, at."""
        rows = self._all("select code, direction, flow_id, at from statuses where invoice_id = ? order by seq",
                         invoice_id)
        return [dict(row) for row in rows]

    def add_act(self, kind: str, subject: str, *, after_s: float, body: object = None) -> None:
        """Something to be done after so many seconds of the platform's time."""
        due = wire_time(self.now() + timedelta(seconds=after_s))
        self._insert("acts", {"kind": kind, "subject": subject, "body": json.dumps(body), "due_at": due})

    def next_act(self, kinds: Sequence[str], *, ignoring_time: bool = False, newest: bool = False) -> Act | None:
        """The earliest act of these kinds that is due, or that comes next; or the newest of them."""
        order = "due_at desc, seq desc" if newest else "due_at, seq"
        until = "9999" if ignoring_time else wire_time(self.now())
        row = self._maybe("select * from acts where done_at is null and due_at <= ? and kind in "  # noqa: S608  ours
                          f"(select value from json_each(?)) order by {order} limit 1", until, json.dumps(kinds))
        return None if row is None else Act(**row)

    def acts(self, *, failed: bool) -> list[Act]:
        """Acts still to be done, or given up."""
        condition = "error is not null and done_at is not null" if failed else "done_at is null"
        return [Act(**row) for row in self._all(f"select * from acts where {condition} order by seq")]  # noqa: S608  ours

    def finish(self, act: Act, error: str | None = None) -> None:
        """The act is done, or given up for this reason."""
        self._update("acts", "seq", act.seq, {"done_at": wire_time(self.now()), "error": error})

    def postpone(self, act: Act, error: str, *, after_s: float) -> None:
        """The act failed and is tried again."""
        due = wire_time(self.now() + timedelta(seconds=after_s))
        self._update("acts", "seq", act.seq, {"due_at": due, "attempts": act.attempts + 1, "error": error})

    def add_webhook(self, params: Mapping[str, Any], signing_key: str) -> dict[str, Any]:
        """Keep a webhook; gives it as the interface lists it."""
        row = {"webhook_id": str(uuid.uuid4()), "signing_key": signing_key, "created_at": wire_time(self.now()),
               "params": json.dumps(params)}
        self._insert("webhooks", row)
        return _webhook(row)

    def webhooks(self) -> list[dict[str, Any]]:
        """Every webhook, as the interface lists it."""
        return [_webhook(row) for row in self._all("select * from webhooks order by created_at, webhook_id")]

    def change_webhook(self, webhook_id: str, params: Mapping[str, Any]) -> None:
        """Put other parameters in the place of a webhook's."""
        self._update("webhooks", "webhook_id", webhook_id, {"params": json.dumps(params)})

    def delete_webhook(self, webhook_id: str) -> bool:
        """Whether there was one to delete."""
        return self._connection.execute("delete from webhooks where webhook_id = ?", (webhook_id,)).rowcount > 0

    def _next_time(self) -> str:
        """Now, later than every time given before: a search by date then never passes over a flow (faults apart)."""
        last, sharing = self._one("select updated_at, count(*) from flows where updated_at = "
                                  "(select max(updated_at) from flows)")
        now = wire_time(self.now())
        if last is not None and sharing < self._faults.now.equal_times:
            return str(last)
        if last is None or now > last:
            return now
        return wire_time(datetime.fromisoformat(last) + timedelta(milliseconds=1))

    def _insert(self, table: str, row: Mapping[str, object]) -> None:
        marks = ", ".join("?" * len(row))
        sql = f"insert into {table} ({', '.join(row)}) values ({marks})"  # noqa: S608  names are ours
        self._connection.execute(sql, tuple(row.values()))

    def _update(self, table: str, key: str, value: object, changes: Mapping[str, object]) -> None:
        names = ", ".join(f"{name} = ?" for name in changes)
        sql = f"update {table} set {names} where {key} = ?"  # noqa: S608  names are ours
        self._connection.execute(sql, (*changes.values(), value))

    def _all(self, sql: str, *values: object) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def _maybe(self, sql: str, *values: object) -> sqlite3.Row | None:
        return next(iter(self._all(sql, *values)), None)

    def _one(self, sql: str, *values: object) -> sqlite3.Row:
        return self._all(sql, *values)[0]


def wire_time(value: datetime) -> str:
    """RFC 3339 in UTC with milliseconds and Z, so that text order is time order."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _webhook(row: Mapping[str, Any] | sqlite3.Row) -> dict[str, Any]:
    return {"webhookId": row["webhook_id"], "signingKey": row["signing_key"], "createdAt": row["created_at"],
            **json.loads(row["params"])}
