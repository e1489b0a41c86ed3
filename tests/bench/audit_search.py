"""The search of the journal over 1,000,000 entries, on SQLite and PostgreSQL: the 95th percentile of many questions.

Invoices, events, entries and words are written straight into the schema of the service (three years, a few very
frequent parties, one that ended long ago), then `gateway.console.audit.search` answers seeded questions of every
kind, alone and together, first pages and later ones, in several rounds; what counts is the median of each question's.
Beside the clock stands the processor time: of this process, and of the server's process that answers it.
PASSERELLE_BENCH_ENTRIES sets the number, PASSERELLE_BENCH_ON the database (sqlite, postgres, or both),
PASSERELLE_BENCH_KEEP a folder where the filled databases stay for the next run. PASSERELLE_BENCH_KIND asks one kind of
question only and shows the plan of every slow statement.
"""

import json
import os
import random
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, func, make_url, select, text
from sqlalchemy.orm import Session

sys.path.insert(0, str(Path(__file__).parents[1] / "scale"))
import servers

from archive.journal import leaf_hash
from gateway.console import audit, people, searching
from gateway.db import Database
from gateway.migrations.upgrade import upgrade
from gateway.searchable import parties_id, words_of
from gateway.tables import Base, Event, Submission

ENTRIES = int(os.environ.get("PASSERELLE_BENCH_ENTRIES", "1000000"))
ON = os.environ.get("PASSERELLE_BENCH_ON", "both")
SEED = 20261122
KIND = os.environ.get("PASSERELLE_BENCH_KIND", "")
QUESTIONS, ROUNDS = (30, 1) if KIND else (400, 3)
MOST_MS = 100
BATCH = 50_000
START = datetime(2024, 1, 1, tzinfo=UTC)
SPAN = timedelta(days=1050)
PER_INVOICE = 8
TENANT = str(uuid.UUID(int=1))
ENDED = "Filature Ancienne du Nord"
"""A party with a tenth of the invoices, all in the first year."""

FIRST = ("Scierie", "Maison", "Hôtel", "Imprimerie", "Coopérative", "Transports", "Cabinet", "Pharmacie", "Garage",
         "Boulangerie", "Menuiserie", "Verrerie", "Librairie", "Domaine", "Ateliers", "Laiterie")
SECOND = ("du Val", "Tilleul", "des Ponts", "Ravel", "des Combes", "Morvan", "Ostréa", "de la Halle", "Réunis",
          "Beaulieu", "d'Été", "Saint-Luc", "des Prés", "Lamarck", "Corneille", "du Plateau")
REASONS = ("QTE_ERR : Quantité erronée (il manque {n} palettes)", "Virement annoncé pour le {n} du mois",
           "NON_CONFORME : le bon de commande {n} n'est pas rappelé", "Facture relancée ; à compta{n}@client.example",
           "Motif rare {rare} constaté à la réception")
STEPS = (("submission", "accepted"), ("transmission", "deposited"), ("lifecycle", "200"), ("lifecycle", "202"),
         ("lifecycle", "204"), ("lifecycle", "205"), ("reminder", "sent"), ("payment", "received"))
RARE = (("lifecycle", "207"), ("lifecycle", "210"), ("lifecycle", "213"), ("access", "exported"),
        ("setting", "scenario"))

Rows = dict[str, list[dict[str, Any]]]

PARTIES = [(f"{a} {b} {n}", f"{n:09d}") for n in range(2) for a in FIRST for b in SECOND]
USERS = [str(uuid.UUID(int=100 + n)) for n in range(30)]


class World:
    """What the rows are made of."""

    def __init__(self) -> None:
        self.random = random.Random(SEED)
        self.parties: dict[str, str] = {}
        self.known: set[str] = set()

    def batches(self, entries: int, size: int = 2000) -> Iterator[Rows]:
        """All rows, some invoices at a time. Positions and times grow together, as they do."""
        invoices = entries // PER_INVOICE
        live: list[tuple[str, int]] = []
        position, made = 0, 0
        rows = empty()
        while position < entries:
            at = START + SPAN * (position / entries)
            if made < invoices and (len(live) < 400 or self.random.random() < 1 / PER_INVOICE):
                live.append((self.invoice(rows, made, at), 0))
                made += 1
            which = self.random.randrange(len(live)) if len(live) >= 400 else len(live) - 1
            submission, step = live[which]
            position += 1
            self.event(rows, position, at, submission, step)
            live[which] = (submission, step + 1)
            if step + 1 >= PER_INVOICE:
                live[which] = live[-1]
                live.pop()
            if position % size == 0:
                yield rows
                rows = empty()
        yield rows

    def invoice(self, rows: Rows, n: int, at: datetime) -> str:
        """One invoice with its words."""
        ended = at < START + timedelta(days=330) and self.random.random() < 0.3
        name, siren = (ENDED, "000099999") if ended else PARTIES[int(self.random.paretovariate(1.2) - 1) % 512]
        number = f"F-{at.year}-{n:06d}"
        submission, digest = str(uuid.UUID(int=10_000 + n)), f"{self.random.getrandbits(256):064x}"
        rows["submissions"].append({
            "tenant_id": TENANT, "id": submission, "received_at": at, "actor": "key:1", "number": number,
            "issue_date": at.date(), "issue_year": at.year, "processing_rule": "B2B", "seller_siren": "000002006",
            "seller_name": "Atelier des Passerelles", "buyer_siren": siren, "buyer_name": name, "currency": "EUR",
            "total": Decimal(100), "due": Decimal(100), "vat": [], "preceding": [], "syntax": "cii",
            "profile": "en16931", "verdict": "valid", "sha256": digest, "sent_sha256": digest, "active": True,
            "transmission": "deposited", "lifecycle": "205"})
        rows["invoice_words"] += [{"tenant_id": TENANT, "submission_id": submission, "word": word}
                                  for word in words_of(number)]
        words = words_of(name, "Atelier des Passerelles", siren, "000002006")
        parties = self.parties[submission] = parties_id(words)
        rows["invoice_parties"].append({"tenant_id": TENANT, "submission_id": submission, "parties": parties})
        if parties not in self.known:
            self.known.add(parties)
            rows["party_words"] += [{"tenant_id": TENANT, "parties": parties, "word": word} for word in words]
        return submission

    def event(self, rows: Rows, position: int, at: datetime, submission: str, step: int) -> None:
        """One event with its entry and words."""
        dice = self.random.random()
        kind, code = self.random.choice(RARE) if dice < 0.02 else STEPS[step]
        actor = f"user:{self.random.choice(USERS)}" if dice < 0.2 else "worker" if dice < 0.8 else "platform:1"
        reason = None
        if self.random.random() < 0.25:
            reason = self.random.choice(REASONS[:4] if dice > 0.001 else REASONS[4:]).format(
                n=self.random.randrange(30), rare=f"xq{position % 97}")
        digest = f"{self.random.getrandbits(256):064x}" if dice < 0.5 else None
        event_id = str(uuid.UUID(int=(1 << 100) + position))
        rows["events"].append({
            "tenant_id": TENANT, "id": event_id, "position": position, "submission_id": submission, "at": at,
            "kind": kind, "code": code, "actor": actor, "reason": reason, "data": {}, "sha256": digest})
        line = json.dumps({"v": 1, "seq": position, "at": at.isoformat(), "type": kind, "subject": submission,
                           "actor": actor, "cause": event_id, "outcome": code, "objects": [], "soft": "passerelle"}
                          ).encode()
        rows["journal"].append({"tenant_id": TENANT, "log": f"{at.year}", "seq": position, "at": at, "type": kind,
                                "subject": submission, "actor": actor, "line": line, "leaf": leaf_hash(line),
                                "frontier": bytes(320)})
        rows["event_parties"].append({"tenant_id": TENANT, "parties": self.parties[submission], "position": position})
        rows["event_words"] += [{"tenant_id": TENANT, "position": position, "word": word}
                                for word in words_of(reason)]


class Questions:
    """What one asks about them."""

    def __init__(self, db: Database) -> None:
        self.random = random.Random(SEED)
        with db.reading(TENANT) as session:
            self.numbers = list(session.scalars(select(Submission.number).order_by(Submission.id)))
            self.hashes = list(session.scalars(select(Event.sha256).where(
                Event.position.in_(range(1, ENTRIES, 1000)), Event.sha256.is_not(None)).order_by(Event.position)))

    def next(self) -> tuple[str, searching.Search]:
        """A kind of question, and one of them."""
        dice = self.random
        name, siren = PARTIES[int(dice.paretovariate(1.2) - 1) % 512]
        day = (START + SPAN * dice.random()).date()
        one: dict[str, Callable[[], searching.Search]] = {
            "everything": searching.Search,
            "number": lambda: searching.Search(q=dice.choice(self.numbers)),
            "part of a number": lambda: searching.Search(q=dice.choice(self.numbers)[-6:-1]),
            "beginning of a number": lambda: searching.Search(q=f"F-{dice.choice((2024, 2025, 2026))}"),
            "siren": lambda: searching.Search(q=siren),
            "seller's siren": lambda: searching.Search(q="000 002 006"),
            "party": lambda: searching.Search(q=name),
            "word of a name": lambda: searching.Search(q=dice.choice(FIRST).lower()),
            "party that ended": lambda: searching.Search(q=ENDED),
            "status": lambda: searching.Search(status=dice.choice(("205", "207", "210", "213"))),
            "kind": lambda: searching.Search(kind=dice.choice(("access", "lifecycle", "setting"))),
            "person": lambda: searching.Search(actor=f"user:{dice.choice(USERS)}"),
            "period": lambda: searching.Search(since=day, until=day + timedelta(days=dice.choice((0, 7, 90)))),
            "hash": lambda: searching.Search(q=dice.choice(self.hashes)),
            "free text": lambda: searching.Search(q=dice.choice(("palettes", "motif rare", "xq17", "bon de commande 12",
                                                             "virement annoncé", "introuvable"))),
            "person and status": lambda: searching.Search(actor=f"user:{dice.choice(USERS)}", status="207"),
            "party and period": lambda: searching.Search(q=name, since=day, until=day + timedelta(days=90)),
            "status and period": lambda: searching.Search(status="213", since=day, until=day + timedelta(days=30)),
            "party and status": lambda: searching.Search(q=name, status="207"),
            "kind, person and period": lambda: searching.Search(kind="access", actor=f"user:{dice.choice(USERS)}",
                                                            since=day, until=date(2026, 12, 31)),
        }
        kind = KIND or dice.choice(list(one))
        asked = one[kind]()
        if dice.random() < 0.25:
            position = dice.randrange(ENTRIES)
            asked = replace(asked, before=searching.Cursor(START + SPAN * (position / ENTRIES), position))
        return kind, asked


def empty() -> Rows:
    """No rows yet."""
    return {name: [] for name in ("submissions", "invoice_words", "invoice_parties", "party_words", "events",
                                  "event_parties", "journal", "event_words")}


def fill(db: Database, admin: Engine) -> float:
    """Write everything, the indexes last; returns the seconds it took."""
    began = time.perf_counter()
    tables = [Base.metadata.tables[name] for name in empty()]
    indexes = [index for table in tables for index in table.indexes]
    with admin.begin() as connection:
        connection.execute(Base.metadata.tables["tenants"].insert(),
                           {"id": TENANT, "name": "Banc", "created_at": START})
        for index in indexes:
            index.drop(connection)
    for number, batch in enumerate(World().batches(ENTRIES, BATCH), 1):
        with admin.begin() as connection:
            for table in tables:
                write(connection, table, batch[table.name])
        print(f"{db.engine.dialect.name}: {min(number * BATCH, ENTRIES)} entries written", flush=True)
    with admin.begin() as connection:
        for index in indexes:
            index.create(connection)
    if admin.dialect.name == "postgresql":
        with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    return time.perf_counter() - began


def write(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Rows with the same columns, through the driver and its quickest way."""
    if not rows:
        return
    named = [table.c[name] for name in rows[0]]
    ready = [column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect) for column in named]
    lines = [tuple(made(value) if made and value is not None else value
                   for value, made in zip(row.values(), ready, strict=True)) for row in rows]
    names = ", ".join(f'"{column.name}"' for column in named)
    cursor: Any = connection.connection.cursor()
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(named))
        cursor.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", lines)  # noqa: S608 - our own names
        return
    with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for line in lines:
            copy.write_row(line)


@dataclass
class Took:
    """What the answers to one question took, in milliseconds."""

    kind: str
    asked: searching.Search
    clock: list[float] = field(default_factory=list)
    computed: list[float] = field(default_factory=list)
    """Processor time of this process, and of the server's that answered."""


def measure(db: Database, questions: Questions) -> list[Took]:
    """Ask all of them, in several rounds."""
    names = people.Names({user: f"Personne {n}" for n, user in enumerate(USERS)}, {}, {"1": "Ma PA"})
    with db.reading(TENANT) as session:  # connections, compiled statements
        audit.search(session, searching.Search(q="palettes"), names)
    every = [Took(*questions.next()) for _ in range(QUESTIONS)]
    for _ in range(ROUNDS):
        for took in every:
            with db.reading(TENANT) as session:
                server = server_time(session)
                began, busy = time.perf_counter(), time.process_time()
                audit.search(session, took.asked, names)
                took.clock.append((time.perf_counter() - began) * 1000)
                took.computed.append((time.process_time() - busy) * 1000 + server())
            if KIND and took.computed[-1] > MOST_MS / 3:
                print(f"-- {took.computed[-1]:.0f} ms: {took.asked}")
                explain(db, took.asked, names)
    return every


def server_time(session: Session) -> Callable[[], float]:
    """Gives the milliseconds of processor time that the server's process of this session used since (Linux tells)."""
    if session.get_bind().dialect.name != "postgresql":
        return lambda: 0.0
    told = Path(f"/proc/{session.connection().exec_driver_sql('SELECT pg_backend_pid()').scalar()}/schedstat")
    began = int(told.read_text().split()[0])
    return lambda: (int(told.read_text().split()[0]) - began) / 1e6


def explain(db: Database, asked: searching.Search, names: people.Names) -> None:
    """Print each statement of a search with its time, read to its last row, and the plan of the slow ones."""
    told: list[tuple[str, Any]] = []

    def after(_conn: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool) -> None:  # noqa: FBT001 - SQLAlchemy's
        if " FROM " in statement or "\nFROM " in statement:
            told.append((statement, values))

    event.listen(db.engine, "after_cursor_execute", after)
    with db.reading(TENANT) as session:
        audit.search(session, asked, names)
    event.remove(db.engine, "after_cursor_execute", after)
    how = "EXPLAIN QUERY PLAN" if db.engine.dialect.name == "sqlite" else "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF)"
    with db.reading(TENANT) as session:
        connection = session.connection()
        for statement, values in told:
            began = time.perf_counter()
            found = connection.exec_driver_sql(statement, values)
            rows = found.all() if found.returns_rows else []
            ms = (time.perf_counter() - began) * 1000
            told_of = statement[statement.find("FROM"):][:700]
            print(f"   {ms:7.1f} ms, {len(rows)} rows  {told_of!r} {str(values)[:300]}")
            if ms > MOST_MS / 10:
                for row in connection.exec_driver_sql(f"{how} {statement}", values):
                    print("             ", row[-1])


@contextmanager
def databases() -> Iterator[Iterator[tuple[str, Database, Engine]]]:
    """Those that were asked for, one after the other, each with a way in for who fills it."""
    with ExitStack() as stack:
        kept = os.environ.get("PASSERELLE_BENCH_KEEP")
        folder = Path(kept or stack.enter_context(tempfile.TemporaryDirectory(prefix="passerelle-bench-")))
        folder.mkdir(parents=True, exist_ok=True)

        def each() -> Iterator[tuple[str, Database, Engine]]:
            if ON in {"both", "sqlite"}:
                db = opened(f"sqlite:///{folder}/{ENTRIES}.sqlite3")
                yield "sqlite", db, db.engine
            if ON in {"both", "postgres"}:
                reason = servers.missing()
                if reason:
                    print(f"postgres: {reason}")
                    return
                with servers.postgres_server(durable=False, keep=folder / f"{ENTRIES}.postgres") as (url, _):
                    owner = create_engine(make_url(url).set(username="postgres"))  # row security allows no COPY
                    yield "postgres", opened(url), owner
                    owner.dispose()
        yield each()


def opened(url: str) -> Database:
    """A database with every table."""
    db = Database(url)
    upgrade(db.engine)
    return db


def percentile(values: list[float], share: float) -> float:
    """The value below which this share lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def told(name: str, every: list[Took]) -> float:
    """Print what was measured; gives the 95th percentile by the clock."""
    for kind in sorted({took.kind for took in every}):
        alike = [took for took in every if took.kind == kind]
        clock = [statistics.median(took.clock) for took in alike]
        computed = [statistics.median(took.computed) for took in alike]
        print(f"  {kind:26} {len(alike):4} asked, median {statistics.median(clock):7.1f} ms, worst {max(clock):7.1f}, "
              f"processor {statistics.median(computed):7.1f} ms, worst {max(computed):7.1f}")
    clock = [statistics.median(took.clock) for took in every]
    computed = [statistics.median(took.computed) for took in every]
    for what, values in (("by the clock", clock), ("processor time", computed)):
        print(f"{name}: {what} p50 {percentile(values, .5):.1f} ms, p95 {percentile(values, .95):.1f} ms, "
              f"p99 {percentile(values, .99):.1f} ms over {len(values)} questions in {ROUNDS} rounds (seed {SEED})",
              flush=True)
    return percentile(clock, 0.95)


def main() -> int:
    """Fill where nothing is yet, ask, print; 1 when a 95th percentile is over 100 ms."""
    worst = 0.0
    with databases() as each:
        for name, db, admin in each:
            with db.reading(TENANT) as session:
                there = session.scalar(select(func.max(Event.position)))
            if there not in {None, ENTRIES}:
                raise SystemExit(f"{name}: a run broke off here, start with an empty folder")
            seconds = 0.0 if there else fill(db, admin)
            questions = Questions(db)
            print(f"{name}: {ENTRIES} entries, {len(questions.numbers)} invoices, filled in {seconds:.0f} s")
            worst = max(worst, told(name, measure(db, questions)))
            db.close()
    return int(worst > MOST_MS)


if __name__ == "__main__":
    sys.exit(main())
