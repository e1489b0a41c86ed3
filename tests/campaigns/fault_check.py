"""Holds three books against each other: what was answered, what the platform's ledger file holds, what is exported.

Imports nothing of the product: HTTP answers, the SQLite file of the platform, ZIP files, and hashes only. The platform
is the judge of what arrived, the answers are the judge of what had to.
"""

import hashlib
import io
import json
import sqlite3
import time
import zipfile
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

OPEN = {"queued", "sending", "unknown", "held"}
DOSSIERS = 10


@dataclass(frozen=True, slots=True)
class Books:
    """Where everything lies."""

    url: str
    key: str
    ledger: Path
    accepted: Mapping[str, str]
    """Number to id, as answered with 200 or 202."""


@dataclass(slots=True)
class Findings:
    """What is wrong, by kind; all empty is what must be."""

    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)
    statuses_lost: list[str] = field(default_factory=list)
    statuses_twice: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    without_reason: list[str] = field(default_factory=list)
    parked: list[str] = field(default_factory=list)
    unplayed: list[str] = field(default_factory=list)
    dossiers: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, int]:
        """How many of each."""
        return {name: len(getattr(self, name)) for name in self.__slots__}

    def held(self) -> bool:
        """Whether all of it held. Parked with a reason is what a person is there for."""
        return not any(count for name, count in self.figures().items() if name != "parked")


def check(books: Books, *, patience: float, exported: int = DOSSIERS) -> Findings:
    """Look again until all holds, or nothing has moved for `patience` seconds; then so many dossiers."""
    with httpx.Client(base_url=books.url, headers={"Authorization": f"Bearer {books.key}"}, timeout=120,
                      trust_env=False) as gateway:
        still, began = 0.0, time.monotonic()
        found = look(books, gateway)
        while not found.held() and still < patience:
            pause = max(1.0, 3 * (time.monotonic() - began))  # who is looked at works less
            time.sleep(pause)
            began = time.monotonic()
            earlier, found = found, look(books, gateway)
            still = still + pause if found == earlier else 0.0
        found.dossiers = dossiers(books, gateway, exported)
    return found


def look(books: Books, gateway: httpx.Client) -> Findings:
    """Compare once, without the dossiers."""
    found = Findings()
    deposits, taken, numbers, statuses = platform_book(books.ledger)
    ours = {submission_id: number for number, submission_id in books.accepted.items()}
    found.lost = [number for submission_id, number in ours.items() if submission_id not in taken]
    found.twice = [f"{key}: {count} deposits" for key, count in deposits.items() if count != 1]
    found.twice += [f"{number}: {count} invoices" for number, count in numbers.items() if count != 1]
    found.unplayed = unplayed(books.ledger)
    found.unasked = [number for number in numbers if number not in books.accepted]
    for number, submission_id in books.accepted.items():
        answer = gateway.get(f"/v1/invoices/{submission_id}")
        if answer.status_code != 200:
            found.lost.append(f"{number}: {answer.status_code}")
            continue
        state = answer.json()
        judge(found, number, state, statuses.get(number, Counter()))
    return found


def judge(found: Findings, number: str, state: Mapping[str, Any], sent: Counter[str]) -> None:
    """One invoice: how it stands, and whether each status that the platform sent is there once."""
    transmission = state["transmission"]
    if transmission["state"] in OPEN:
        found.open.append(f"{number}: {transmission}")
    if transmission["state"] in {"unknown", "parked", "failed"} and not transmission["reason"]:
        found.without_reason.append(number)
    if transmission["state"] == "parked":
        found.parked.append(f"{number}: {transmission['reason']}")
    known = Counter(event["code"] for event in state["events"]
                    if event["kind"] == "lifecycle" and event["code"] in sent)
    found.statuses_lost += [f"{number}: {code}" for code in (sent - known).elements()]
    found.statuses_twice += [f"{number}: {code}" for code in (known - sent).elements()]


def platform_book(ledger: Path) -> tuple[Counter[str], set[str], Counter[str], dict[str, Counter[str]]]:
    """Deposits by tracking id, refused ones too: a second deposit is refused, and is there all the same.

    Then the tracking ids of invoices taken; invoices by number; statuses sent to us by number and code.
    """
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as book:
        deposits = Counter(row[0] for row in book.execute(
            "SELECT tracking_id FROM flows WHERE direction = 'Out' AND tracking_id IS NOT NULL"))
        taken = {row[0] for row in book.execute(
            "SELECT tracking_id FROM flows WHERE direction = 'Out' AND flow_type = 'CustomerInvoice'")}
        numbers = Counter(row[0] for row in book.execute("SELECT number FROM invoices WHERE direction = 'Out'"))
        statuses: dict[str, Counter[str]] = {}
        for number, code in book.execute("SELECT number, code FROM statuses JOIN invoices ON invoices.id = invoice_id "
                                         "WHERE statuses.direction = 'In'"):
            statuses.setdefault(number, Counter())[code] += 1
    return deposits, taken, numbers, statuses


def unplayed(ledger: Path) -> list[str]:
    """What the platform still has to do, callbacks apart: until then there may be more statuses."""
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as book:
        return [f"{kind} {subject}" for kind, subject in book.execute(
            "SELECT kind, subject FROM acts WHERE done_at IS NULL AND kind <> 'callback'")]


def dossiers(books: Books, gateway: httpx.Client, count: int = DOSSIERS) -> list[str]:
    """Export some, and find in each the very bytes that the platform holds."""
    faults = []
    with closing(sqlite3.connect(f"file:{books.ledger}?mode=ro", uri=True)) as book:
        hashes = dict(book.execute("SELECT tracking_id, sha256 FROM flows WHERE direction = 'Out'"))
    chosen = sorted(books.accepted.items())[::max(1, len(books.accepted) // max(1, count))][:count]
    for number, submission_id in chosen:
        answer = gateway.get(f"/v1/invoices/{submission_id}/dossier")
        if answer.status_code != 200:
            faults.append(f"{number}: {answer.status_code} {answer.text[:300]}")
            continue
        with zipfile.ZipFile(io.BytesIO(answer.content)) as dossier:
            held = {hashlib.sha256(dossier.read(name)).hexdigest() for name in dossier.namelist()}
            said = dict(reversed(line.split(None, 1)) for line in dossier.read("SHA256SUMS").decode().splitlines())
            wrong = [name for name, digest in said.items()
                     if hashlib.sha256(dossier.read(name.lstrip("*"))).hexdigest() != digest]
        faults += [f"{number}: {name} is not what SHA256SUMS says" for name in wrong]
        if hashes.get(submission_id) not in held:
            faults.append(f"{number}: the dossier has not the bytes that the platform has")
    return faults


def report(found: Findings) -> str:
    """The figures, and the first of each kind that is not empty."""
    lines = [json.dumps(found.figures())]
    for name in found.__slots__:
        lines += [f"  {name}: {text}" for text in getattr(found, name)[:5]]
    return "\n".join(lines)
