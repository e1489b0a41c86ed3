"""The checker of the fault campaign sees each kind of fault in books that were spoilt on purpose."""

import hashlib
import io
import sqlite3
import sys
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "campaigns"))
from fault_check import Books, Findings, dossiers, look

TABLES = """
create table flows (flow_id, direction, flow_type, tracking_id, sha256);
create table invoices (id, number, direction);
create table statuses (invoice_id, code, direction);
create table acts (kind, subject, done_at);
"""
SENT = hashlib.sha256(b"invoice").hexdigest()


class Round:
    """Two accepted invoices, deposited once and told two statuses each: what a good round leaves."""

    def __init__(self, folder: Path) -> None:
        self.ledger = folder / "ledger.sqlite3"
        self.states: dict[str, dict[str, Any]] = {}
        self.sent = b"invoice"
        with closing(sqlite3.connect(self.ledger)) as book, book:
            book.executescript(TABLES)
            for number in (1, 2):
                book.execute("insert into flows values (?, 'Out', 'CustomerInvoice', ?, ?)",
                             (f"f{number}", f"id{number}", SENT))
                book.execute("insert into invoices values (?, ?, 'Out')", (number, f"F-{number}"))
                book.executemany("insert into statuses values (?, ?, 'In')", [(number, "200"), (number, "205")])
                self.states[f"id{number}"] = {
                    "transmission": {"state": "deposited", "reason": None},
                    "events": [{"kind": "lifecycle", "code": code} for code in ("200", "205")]}

    def change(self, statement: str) -> None:
        with closing(sqlite3.connect(self.ledger)) as book, book:
            book.execute(statement)

    def answer(self, request: httpx.Request) -> httpx.Response:
        _, _, rest = request.url.path.partition("/v1/invoices/")
        if not rest.endswith("/dossier"):
            return httpx.Response(200, json=self.states[rest]) if rest in self.states else httpx.Response(404)
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as dossier:
            dossier.writestr("sent.xml", self.sent)
            dossier.writestr("SHA256SUMS", f"{hashlib.sha256(b'invoice').hexdigest()}  sent.xml\n")
        return httpx.Response(200, content=held.getvalue())

    def looked(self) -> Findings:
        books = Books("http://gateway.example", "key", self.ledger, {"F-1": "id1", "F-2": "id2"})
        with httpx.Client(base_url=books.url, transport=httpx.MockTransport(self.answer)) as gateway:
            found = look(books, gateway)
            found.dossiers = dossiers(books, gateway)
        return found


@pytest.fixture
def played(tmp_path: Path) -> Round:
    return Round(tmp_path)


def test_a_good_round_holds(played: Round) -> None:
    assert played.looked().held()


SPOILT: dict[str, tuple[str, Callable[[Round], object]]] = {
    "an invoice never arrived": ("lost", lambda it: it.change("delete from flows where tracking_id = 'id2'")),
    "an invoice is gone here": ("lost", lambda it: it.states.pop("id2")),
    "a document went twice": ("twice", lambda it: it.change(
        "insert into flows values ('f3', 'Out', 'CustomerInvoice', 'id1', '')")),
    "a document went twice and was refused": ("twice", lambda it: it.change(
        "insert into flows values ('f3', 'Out', 'Undefined', 'id1', '')")),
    "a number is there twice": ("twice", lambda it: it.change("insert into invoices values (3, 'F-1', 'Out')")),
    "nobody posted it": ("unasked", lambda it: it.change("insert into invoices values (3, 'F-3', 'Out')")),
    "a status is gone": ("statuses_lost", lambda it: it.states["id1"]["events"].pop()),
    "a status counted twice": ("statuses_twice", lambda it: it.states["id1"]["events"].append(
        {"kind": "lifecycle", "code": "200"})),
    "never settled": ("open", lambda it: it.states["id1"].update(transmission={"state": "unknown", "reason": "x"})),
    "the platform has more to say": ("unplayed", lambda it: it.change(
        "insert into acts values ('status', 'f1', null)")),
    "no reason given": ("without_reason", lambda it: it.states["id1"].update(
        transmission={"state": "unknown", "reason": None})),
    "other bytes in the dossier": ("dossiers", lambda it: setattr(it, "sent", b"another")),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_book_is_seen(played: Round, name: str) -> None:
    kind, spoil = SPOILT[name]
    spoil(played)
    found = played.looked()
    assert getattr(found, kind)
    assert not found.held()
