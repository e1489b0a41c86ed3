"""Goal 11: the journal holds no person, and after erasure nothing does, while every proof still holds.

So many synthetic persons (names, e-mails, IBANs, addresses that occur nowhere else) are put wherever the service keeps
people: parties of invoices, reasons of events, what platforms said, searches, kept searches, payments, reminders, mails
in the spool. First every byte of lines, leaves, frontiers, checkpoints and tokens is searched. Then the invoices reach
their end, two persons have them destroyed, the searches grow old; and every byte of every file is searched: database,
its log, objects, spool.
"""

import base64
import random
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from evidence import part_options, scratch, tell
from sqlalchemy import select

sys.path.insert(0, str(Path(__file__).parents[1] / "archive"))

import crash_ops

from gateway.auth import Permission, Principal
from gateway.evidence import looks
from gateway.evidence.ledger import Kept
from gateway.evidence.sealing import seal_log
from gateway.evidence.trust import check_everything
from gateway.keeping import destruction, erasure, retention
from gateway.record import Change, record
from gateway.tables import Base, Document, JournalEntry, Payment, Seal, Submission, Tenant
from gateway.tables_reminders import Decision
from gateway.topics import HANDLERS
from gateway.worker import relay

TENANT = crash_ops.TENANT
SIGNS = "abcdefghjkmnpqrstuvwxyz"


def person(chance: random.Random) -> dict[str, str]:
    """Somebody who occurs nowhere else."""
    made = ["".join(chance.choices(SIGNS, k=10)) for _ in range(3)]
    return {"name": f"Zq{made[0]}", "email": f"{made[1]}@oiseaux.example", "street": f"rue {made[2]}",
            "iban": f"FR76{chance.randrange(10**23):023}"}


def arrive(deps: Any, who: dict[str, str], officer: Principal) -> None:
    """One invoice with its person wherever there is room for one."""
    name, now = str(uuid.uuid4()), deps.now()
    data = f"<Invoice>{' '.join(who.values())} {name}</Invoice>".encode()
    kept = Kept("original", deps.store.put(data).hex, len(data))
    with deps.db.transaction(TENANT) as session:
        usual: dict[str, Any] = {column.name: None for column in Submission.__table__.columns}
        session.add(Submission(**{
            **usual, "tenant_id": TENANT, "id": name, "received_at": now, "actor": "key:test", "number": name[:8],
            "issue_date": now.date(), "issue_year": now.year, "processing_rule": "B2B", "vat": [], "preceding": [],
            "syntax": "ubl-invoice", "profile": "en16931", "verdict": "valid", "sha256": kept.sha256,
            "buyer_name": who["name"], "buyer_email": who["email"], "transmission": "deposited",
            "transmission_reason": f"refused by {who['name']}", "linked": {"BT-13": [who["street"]]}}))
        session.add(Document(tenant_id=TENANT, id=name, submission_id=name, role="original", syntax=None,
                             media_type="application/xml", name=f"{who['name']}.xml", sha256=kept.sha256,
                             size=kept.size, at=now))
        session.add(Payment(tenant_id=TENANT, id=name, submission_id=name, amount=1, currency="EUR", paid_on=now.date(),
                            method=None, reference=who["iban"], recorded_at=now, actor="key:test"))
        session.add(Decision(tenant_id=TENANT, id=name, submission_id=name, intent=None, stage="1", at=now,
                             outcome="sent", reason=who["name"], facts={"to": who["email"]}, scenario="v1",
                             channel="mail", recipient=who["email"], sha256=None))
        record(session, TENANT, Change(
            kind="submission", code="accepted", actor="key:test", submission_id=name, objects=(kept,),
            reason=f"{who['name']}, {who['street']}", data={"iban": who["iban"], "mail": who["email"]}), now=now)
    looks.at_list(deps, officer, looks.JOURNAL_SEARCHED, "journal", q=who["name"])
    spool = deps.settings.data / "mail"
    spool.mkdir(exist_ok=True)
    (spool / f"{name}.eml").write_text(f"To: {who['email']}\n\n{who['name']}")


def journal_bytes(deps: Any) -> bytes:
    """Everything that is proved: lines, leaves, frontiers (from which tiles are made), checkpoints, tokens."""
    with deps.db.reading(TENANT) as session:
        rows = session.execute(select(JournalEntry.line, JournalEntry.leaf, JournalEntry.frontier)).all()
        seals = session.execute(select(Seal.checkpoint, Seal.token)).all()
    return b"\n".join(bytes(part or b"") for row in (*rows, *seals) for part in row)


def found_in(data: bytes, canaries: list[str]) -> list[str]:
    """Which of them occur, as they are or in Base64. By grep, which looks for all of them in one pass."""
    coded = {base64.b64encode(one.encode())[:-4]: one for one in canaries}
    plain = {one.lower().encode(): one for one in canaries}
    found = {plain[match] for match in occurring(data.lower(), plain)}
    found |= {coded[match] for match in occurring(data, coded)}
    return sorted(found)


def occurring(data: bytes, texts: Collection[bytes]) -> set[bytes]:
    """Those of the texts that are in the data."""
    with tempfile.NamedTemporaryFile() as wanted:
        wanted.write(b"\n".join(texts))
        wanted.flush()
        done = subprocess.run(["grep", "--text", "--only-matching", "--fixed-strings", f"--file={wanted.name}"],
                              input=data, capture_output=True, check=False, env={"LC_ALL": "C"})
    if done.returncode > 1:
        raise RuntimeError(done.stderr.decode())
    return set(done.stdout.splitlines())


def everything(folder: Path) -> bytes:
    """Every byte of every file that the service keeps."""
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def main(argv: list[str]) -> int:
    """Arrive, look, destroy, erase, look again."""
    asked = part_options(__doc__).parse_args(argv)
    chance = random.Random(asked.seed)
    people = [person(chance) for _ in range(max(20, round(5000 * asked.scale)))]
    canaries = [value for who in people for value in who.values()]
    officer = Principal(tenant_id=TENANT, actor="user:a", name="", permissions=frozenset(Permission))
    with scratch() as name:
        now: list[datetime] = [crash_ops.NOW]
        deps = replace(crash_ops.deps_of(Path(name)), clock=lambda: now[0])
        Base.metadata.create_all(deps.db.engine)
        with deps.db.transaction(TENANT) as session:
            session.add(Tenant(id=TENANT, name="Atelier", created_at=now[0]))
        for number, who in enumerate(people):
            arrive(deps, who, officer)
            if number % 500 == 0:
                print(f"{number} of {len(people)}", file=sys.stderr, flush=True)
        seal_log(deps, TENANT, "2026")
        leaked = found_in(journal_bytes(deps), canaries)
        there = len(found_in(everything(Path(name)), canaries[:40]))
        now[0] += timedelta(days=11 * 366)
        retention.count_tenant(deps, TENANT)
        while True:
            with deps.db.reading(TENANT) as session:
                due = [row.submission_id for row in retention.due(session, TENANT, deps.today(), limit=500)]
            if not due:
                break
            row = destruction.propose(deps, TENANT, "user:a", due, "au terme")
            destruction.approve(deps, TENANT, "user:b", row.id)
            relay(deps, HANDLERS)
        erasure.erase_old(deps)
        for path in (deps.settings.data / "mail").glob("*"):  # the files' own times are today's
            path.unlink()
        faults = check_everything(deps).faults
        left = found_in(everything(Path(name)), canaries)
        deps.db.close()
    for one in [*leaked[:3], *left[:3], *faults[:3]]:
        print(one, file=sys.stderr)
    blind = int(there < 40)  # the search itself must find them while they are there
    return int(tell("11", len(people), asked.seed, len(leaked) + len(left) + len(faults) + blind,
                    f"{len(canaries):,} names, mails, IBANs, streets: none in the journal; none anywhere after "
                    "destruction and erasure, all proofs hold") > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
