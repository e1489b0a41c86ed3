"""Receivables with 100,000 open invoices: bank files and their proposals, a client's page, the whole ledger of a day.

    python tests/bench/receivables.py --invoices 100000      # the usual form has 20,000; --on sqlite, postgres or both

Goals: 25 movements with their proposals in 300 ms, a file of 500 movements taken in within 10 s, a client's page in
100 ms. Of the invoices one in twenty is paid in part; a fifth more are settled, a thirtieth more are credit notes; one
client in fifty has no SIREN. Times by the clock, with processor time of this process beside it.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

HERE = Path(__file__).parents[1]
sys.path[:0] = [str(HERE / "campaigns"), str(HERE / "scale"), str(HERE / "gateway" / "bank")]

import servers
from sqlalchemy import func, select, text
from statements import paid, statement
from year import Clock, house

from gateway.assembly import assembled
from gateway.auth import Permission, Principal
from gateway.bank.files import take_in
from gateway.bank.proposals import movements
from gateway.console.client_file import client_file
from gateway.db import insert_rows, slices
from gateway.deps import Deps
from gateway.receivables import lines
from gateway.receivables.open_items import all_items, open_items, owed
from gateway.record import Change, record
from gateway.settings import Settings
from gateway.tables import Payment, Submission
from gateway.tables_receivables import LedgerLine

SEED = 20261122
TODAY = date(2026, 3, 23)
PARTS = ("bo", "ra", "lin", "ver", "mau", "dre", "sol", "ti", "gan", "pel", "zo", "cham", "fri", "lu", "bert", "ost")
KINDS = ("Scierie", "Maison", "Hôtel", "Imprimerie", "Transports", "Cabinet", "Garage", "Menuiserie", "Laiterie")


def on_databases(measure: Callable[[str, Deps, str, int], None]) -> None:
    """Have an empty tenant measured on each database that the options name, with as many invoices."""
    options = argparse.ArgumentParser()
    options.add_argument("--invoices", type=int, default=20_000)
    options.add_argument("--on", choices=("sqlite", "postgres", "both"), default="both")
    asked = options.parse_args()
    for name in ("sqlite", "postgres") if asked.on == "both" else (asked.on,):
        with ExitStack() as stack:
            folder, url = Path(stack.enter_context(tempfile.TemporaryDirectory())), None
            if name == "postgres":
                if reason := servers.missing():
                    print(f"postgres: {reason}")
                    continue
                url, _ = stack.enter_context(servers.postgres_server(durable=False))
            made = stack.enter_context(assembled(Settings(data=folder, database_url=url, log_json=False)))
            clock = Clock()
            clock.now = datetime(2026, 3, 23, 9, tzinfo=UTC)
            deps = replace(made, clock=clock)
            measure(name, deps, house(deps, clock).tenant_id, asked.invoices)


def measure(name: str, deps: Deps, tenant_id: str, count: int) -> None:
    """All figures of one database."""
    dice = random.Random(SEED)
    clients = [(f"{number:09}" if number % 50 else None, name_of(dice)) for number in range(max(10, count // 25))]
    fill(deps, tenant_id, dice, clients, count)
    tell = Told(name, count)
    tell("lines made the first time", lambda: lines.catch_up(deps, tenant_id))
    analyse(name, deps)
    with deps.db.transaction(tenant_id) as session:
        ids = session.scalars(select(LedgerLine.submission_id).order_by(LedgerLine.submission_id).limit(500)).all()
        for one in ids:
            record(session, tenant_id, Change(kind="lifecycle", code="205", actor="x", submission_id=one),
                   now=deps.now())
    tell("lines after 500 events", lambda: lines.catch_up(deps, tenant_id))
    who = Principal(tenant_id=tenant_id, actor="user:bench", name="", permissions=frozenset(Permission))
    document = statement(*entries(deps, tenant_id, dice, clients))
    tell("file of 500 movements taken in (goal 10 s)", lambda: take_in(deps, who, document, "releve.xml"))
    page = tell("25 movements with proposals (goal 300 ms)", lambda: movements(deps, tenant_id, limit=25), 5)
    full = tell("200 movements with proposals", lambda: movements(deps, tenant_id, limit=200), 2)
    print(f"    {sum(bool(one.proposals) for one in page.items)} of 25 and "
          f"{sum(bool(one.proposals) for one in full.items)} of {len(full.items)} have proposals")
    nameless = next(f"nom:{called.casefold()}" for siren, called in clients if siren is None and called.isascii())
    with deps.db.reading(tenant_id) as session:
        for what, key in (("a client", str(clients[1][0])), ("a client without SIREN", nameless)):
            tell(f"{what}: what it owes", lambda key=key: owed(session, key, TODAY), 5)
            file = tell(f"{what}: its page's data (goal 100 ms)", lambda key=key: client_file(
                session, deps, tenant_id, key, TODAY, bank=True), 5)
            print(f"    {len(file.items)} items, {len(file.movements)} movements")
        tell("a client a month ago", lambda: all_items(session, TODAY - timedelta(days=30), str(clients[1][0])), 5)
        tell("the whole ledger", lambda: open_items(session, TODAY))


def analyse(name: str, deps: Deps) -> None:
    """Have PostgreSQL count what it has, as it does by itself in a while."""
    if name == "postgres":
        with deps.db.engine.begin() as connection:
            connection.execute(text("ANALYZE"))


class Told:
    """Measures, and prints the least of some tries."""

    def __init__(self, name: str, count: int) -> None:
        print(f"{name}, {count} open invoices:")

    def __call__(self, what: str, act: Callable[[], Any], times: int = 1) -> Any:
        """What `act` gives."""
        least = (float("inf"), 0.0)
        for _ in range(times):
            began, busy = time.perf_counter(), time.process_time()
            given = act()
            least = min(least, (time.perf_counter() - began, time.process_time() - busy))
        print(f"  {what:52} {least[0] * 1000:9.0f} ms, {least[1] * 1000:9.0f} ms of this processor", flush=True)
        return given


def name_of(dice: random.Random) -> str:
    """An invented company; few are alike."""
    word = "".join(dice.choices(PARTS, k=3)).capitalize()
    return f"{dice.choice(KINDS)} {word} {''.join(dice.choices(PARTS, k=2)).capitalize()} SARL"


def fill(deps: Deps, tenant_id: str, dice: random.Random, clients: list[tuple[str | None, str]], count: int) -> None:
    """Open invoices, settled ones and credit notes, with payments, as rows."""
    made: list[dict[str, Any]] = []
    money: list[dict[str, Any]] = []
    for number in range(count + count // 5 + count // 30):
        siren, called = clients[number % len(clients)]
        amount = Decimal(dice.randrange(1000, 5_000_000)) / 100
        credit, settled = number >= count + count // 5, number >= count
        due = TODAY - timedelta(days=dice.randrange(-30, 120))
        named = dice.randrange(0, count // len(clients)) * len(clients) + number % len(clients)
        made.append({
            "tenant_id": tenant_id, "id": f"{number:08}", "received_at": datetime(2026, 1, 1, tzinfo=UTC),
            "actor": "bench", "legal_entity_id": "atelier", "number": f"FA-2026-{number:06}",
            "issue_date": due - timedelta(days=30), "issue_year": 2026, "type_code": "381" if credit else "380",
            "business_process": "S1", "processing_rule": "B2B", "seller_siren": "000002006", "seller_name": "Atelier",
            "buyer_siren": siren, "buyer_name": called, "currency": "EUR", "total": amount, "due": amount,
            "due_date": None if credit else due, "vat": [], "syntax": "ubl-invoice", "profile": "en16931",
            "preceding": [f"FA-2026-{named:06}"] if credit else [], "verdict": "valid", "sha256": f"{number:064}",
            "sent_sha256": f"{number:064}", "active": True, "transmission": "deposited", "lifecycle": "205",
            "buyer_email": "c@client.example"})
        if not credit and (settled or number % 20 == 7):
            money.append({
                "tenant_id": tenant_id, "id": f"{number:08}", "submission_id": f"{number:08}", "currency": "EUR",
                "amount": amount if settled else Decimal("10.00"), "paid_on": TODAY, "recorded_at": deps.now(),
                "actor": "bench", "method": None, "reference": None})
    for table, rows in ((Submission, made), (Payment, money)):
        for part in slices(rows, 5000):
            with deps.db.transaction(tenant_id) as session:
                insert_rows(session, table, part)


def entries(deps: Deps, tenant_id: str, dice: random.Random, clients: list[tuple[str | None, str]]) -> Iterator[Any]:
    """Movements as banks tell them: with a number, with a name only, with an amount only, of strangers."""
    with deps.db.reading(tenant_id) as session:
        most = session.scalar(select(func.count()).select_from(LedgerLine)) or 0
        for number in range(500):
            line = session.get_one(LedgerLine, (tenant_id, f"{dice.randrange(most * 8 // 10):08}"))
            amount = format(max(line.balance, Decimal("5.00")), "f")
            words = (f"VIR {line.name.upper()[:20]} FACT {line.number} MERCI", "votre facture", "VIREMENT SEPA",
                     f"avoir deduit {line.number.replace('-', ' ')}")[number % 4]
            called = (line.name.removesuffix(" SARL"), "INCONNU", name_of(dice), dice.choice(clients)[1])[number % 4]
            yield paid(amount, words, name=called, iban=f"FR76{number % 300:023}", end_to_end=f"E{number}",
                       reference=f"R{number}", booked=f"2026-03-{1 + number % 22:02}", value=None)


if __name__ == "__main__":
    on_databases(measure)
