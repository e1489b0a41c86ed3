"""The credit controller's pages with 100,000 open items: whole answers of the console, as a browser gets them.

    python tests/bench/controlling.py --invoices 100000      # the usual form has 20,000; --on sqlite, postgres or both

Goals of processor time: a client's page and the first page in 100 ms, a page of the open items in 300 ms, figures in
500 ms, of any day. Times by the clock, with processor time of this process beside it (not that of a server of
PostgreSQL), least of some tries; every fifth client has cases, holds and letters of the past.
"""

import random
import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

from fastapi.testclient import TestClient
from receivables import SEED, TODAY, Told, analyse, fill, name_of, on_databases

from gateway.app import create_app
from gateway.auth import COOKIE, ROLES, SESSION_LENGTH, digest_of
from gateway.db import insert_rows, slices
from gateway.deps import Deps
from gateway.receivables import lines
from gateway.tables_access import ConsoleSession, User
from gateway.tables_receivables import BankMovement
from gateway.tables_reminders import Case, Decision, Hold

TRIES = 5


def measure(name: str, deps: Deps, tenant_id: str, count: int) -> None:
    """Every page of one database."""
    dice = random.Random(SEED)
    clients = [(f"{number:09}", name_of(dice)) for number in range(1, max(10, count // 25))]
    fill(deps, tenant_id, dice, list(clients), count)
    live(deps, tenant_id, clients, count)
    tell, visitor = Told(f"pages on {name}", count), signed_in(deps, tenant_id)
    tell("the ledger made the first time", lambda: lines.catch_up(deps, tenant_id))
    analyse(name, deps)
    month_ago = TODAY - timedelta(days=30)
    for what, path, times in (
        ("a client's page (goal 100 ms)", f"/encours/client?cle={clients[0][0]}", TRIES),
        ("the same a month ago", f"/encours/client?cle={clients[0][0]}&au={month_ago}", TRIES),
        ("its items as a workbook", f"/encours/client.xlsx?cle={clients[0][0]}", TRIES),
        ("tasks of the day", "/taches", TRIES), ("the first page (goal 100 ms)", "/", TRIES),
        ("ageing", "/encours", TRIES), ("ageing a month ago", f"/encours?au={month_ago}", TRIES),
        ("ageing as a workbook", "/encours.xlsx", 1), ("open items (goal 300 ms)", "/encours/postes", TRIES),
        ("the greatest first", "/encours/postes?tri=-reste", TRIES),
        ("its last page", f"/encours/postes?tri=-reste&page={count // 50}", TRIES),
        ("those of some clients, a month ago", f"/encours/postes?q=scierie&au={month_ago}", TRIES),
        ("open items as CSV", "/encours/postes.csv", 1), ("open items as a workbook", "/encours/postes.xlsx", 1),
        ("figures (goal 500 ms)", "/encours/indicateurs", TRIES),
        ("figures a month ago, of a year", f"/encours/indicateurs?periode=365&au={month_ago}", TRIES),
    ):
        answer = tell(what, lambda path=path: visitor.get(path), times)
        assert answer.status_code == 200, (path, answer.status_code)


def live(deps: Deps, tenant_id: str, clients: list[tuple[str, str]], count: int) -> None:
    """Cases, holds, letters and movements of the bank, as they come with so many items."""
    now = deps.now()
    decisions, cases, holds = [], [], []
    for number in range(count):
        of = {"tenant_id": tenant_id, "submission_id": f"{number:08}"}
        if number % 2:
            decisions += [{
                **of, "id": f"{number}:{stage}", "intent": f"{number:08}:{stage}", "stage": stage, "outcome": "sent",
                "at": now - timedelta(days=days), "reason": "bench", "facts": {"offset": offset, "n": 1, "code": "due"},
                "scenario": "relances-v2", "channel": "smtp", "recipient": "c@client.example", "sha256": "0" * 64,
            } for stage, days, offset in (("due", 30, 0), ("friendly", 20, 10))]
        if number % 100 == 3:
            cases.append({
                **of, "id": f"c{number}", "client": clients[number % len(clients)][0], "kind": "call", "stage": "call",
                "reason": "bench", "balance": Decimal(100), "opened_at": now, "due_on": TODAY, "active": True})
        if number % 100 == 5:
            holds.append({**of, "id": f"h{number}", "kind": "promise", "reason": "bench", "until": TODAY,
                          "created_at": now, "actor": "user:x"})
    moves = [{
        "tenant_id": tenant_id, "id": f"m{number}", "file_id": "f", "key": f"{number}", "content": f"{number}",
        "account": "FR76", "statement": "1", "amount": Decimal(100), "currency": "EUR", "booked_on": TODAY,
        "value_on": TODAY, "returned": False, "name": clients[number % len(clients)][1], "remittance": "VIR FA",
        "state": "open" if number % 10 else "doubtful"} for number in range(300)]
    for table, rows in ((Decision, decisions), (Case, cases), (Hold, holds), (BankMovement, moves)):
        for part in slices(rows, 5000):
            with deps.db.transaction(tenant_id) as session:
                insert_rows(session, table, part)


def signed_in(deps: Deps, tenant_id: str) -> TestClient:
    """A browser of somebody with every role."""
    secret, who = "bench", str(uuid.uuid4())
    with deps.db.transaction(tenant_id) as session:
        session.add(User(tenant_id=tenant_id, id=who, email="bench@atelier.example", name="Bench", password_hash="",
                         roles=list(ROLES), created_at=deps.now(), disabled_at=None))
        session.add(ConsoleSession(tenant_id=tenant_id, id=digest_of(secret), user_id=who, csrf="x",
                                   created_at=deps.now(), expires_at=deps.now() + SESSION_LENGTH))
    visitor: Any = TestClient(create_app(deps), base_url="http://passerelle.example", headers={"Accept": "text/html"})
    visitor.cookies.set(COOKIE, secret)
    return visitor


if __name__ == "__main__":
    on_databases(measure)
