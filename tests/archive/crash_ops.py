"""What is struck by crashes: put, append, seal and export, each in a process of its own on a copied data folder.

Each operation tells what it acknowledges as one line, `<operation> <id>`, only once it is done; the id is what
crash_fsck.py looks for afterwards. The `broken_…` ones are bad on purpose: the check must find them out.
"""

import os
import sys
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy.dialects.sqlite.pysqlite  # noqa: F401 - loaded before anything is traced

from archive.errors import ArchiveError
from archive.store import Digest
from archive.stores.directory import DirectoryStore
from gateway.auth import Permission, Principal
from gateway.db import Database
from gateway.deps import Bell, Deps
from gateway.dossiers import dossier
from gateway.evidence.ledger import Kept
from gateway.evidence.sealing import seal_log
from gateway.record import Change, record
from gateway.settings import Settings
from gateway.tables import Base, Document, Submission, Tenant
from gateway.vault import Vault

TENANT, INVOICE = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DATA = b"an invoice, or a status, or a report. " * 4000
Tell = Callable[[str], None]


def deps_of(folder: Path) -> Deps:
    settings = Settings(data=folder / "data")
    return Deps(settings=settings, db=Database(settings.database), store=DirectoryStore(folder / "objects"),
                workshop=None, vault=Vault(bytes(32)), bell=Bell(), clock=lambda: NOW)  # type: ignore[arg-type]  # nothing is read here


def make_world(folder: Path) -> None:
    """A tenant with one invoice, a log of a few entries, one seal over it with its token."""
    deps = deps_of(folder)
    Base.metadata.create_all(deps.db.engine)
    kept = Kept("original", deps.store.put(b"<Invoice/>").hex, 10)
    with deps.db.transaction(TENANT) as session:
        session.add(Tenant(id=TENANT, name="Atelier", created_at=NOW))
        session.flush()
        usual: dict[str, Any] = {column.name: None for column in Submission.__table__.columns}
        session.add(Submission(**{
            **usual, "tenant_id": TENANT, "id": INVOICE, "received_at": NOW, "actor": "key:test", "number": "F-1",
            "issue_year": 2026, "processing_rule": "B2B", "vat": [], "preceding": [], "syntax": "ubl-invoice",
            "profile": "en16931", "verdict": "valid", "sha256": kept.sha256, "transmission": "deposited"}))
        session.add(Document(tenant_id=TENANT, id="document", submission_id=INVOICE, role="original",
                             syntax="ubl-invoice", media_type="application/xml", name="F-1.xml", sha256=kept.sha256,
                             size=kept.size, at=NOW))
        for code in ("accepted", "sending", "deposited"):
            record(session, TENANT, Change(kind="submission", code=code, actor="worker", submission_id=INVOICE,
                                           objects=(kept,)), now=NOW)
    seal_log(deps, TENANT, "2026")
    deps.db.close()


def put(deps: Deps, tell: Tell) -> None:
    tell(f"put {deps.store.put(DATA)}")


def append(deps: Deps, tell: Tell) -> None:
    kept = Kept("status", deps.store.put(b"<Status/>").hex, 9)
    with deps.db.transaction(TENANT) as session:
        event = record(session, TENANT, Change(kind="lifecycle", code="207", actor="worker", submission_id=INVOICE,
                                               objects=(kept,)), now=NOW)
    tell(f"append {event.id}")


def seal(deps: Deps, tell: Tell) -> None:
    append(deps, tell)
    tell(f"seal {seal_log(deps, TENANT, '2026').size}")


def export(deps: Deps, tell: Tell) -> None:
    who = Principal(tenant_id=TENANT, actor="key:test", name="test", permissions=frozenset(Permission))
    with deps.db.transaction(TENANT) as session:
        event = record(session, TENANT, Change(kind="access", code="exported", actor=who.actor, submission_id=INVOICE),
                       now=NOW)
    gathered = dossier.gather(deps, TENANT, INVOICE)
    assert gathered is not None
    dossier.files_of(deps, gathered, pdf=False, seda=True)
    tell(f"export {event.id}")


def broken_in_place(deps: Deps, tell: Tell) -> None:
    """An object is written where it will lie, not linked there."""
    digest = Digest.of(DATA)
    place = deps.settings.data.parent / "objects" / "sha256" / digest.hex[:2] / digest.hex[2:4] / digest.hex
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("wb") as file:
        file.write(DATA)
        file.flush()
        os.fsync(file.fileno())
    tell(f"put {digest}")


def broken_early(deps: Deps, tell: Tell) -> None:
    """An entry is acknowledged before its transaction ended."""
    with deps.db.transaction(TENANT) as session:
        event = record(session, TENANT, Change(kind="lifecycle", code="207", actor="worker", submission_id=INVOICE),
                       now=NOW)
        tell(f"append {event.id}")


def broken_deaf(deps: Deps, tell: Tell) -> None:
    """What the disk says is not listened to."""
    with suppress(ArchiveError):
        deps.store.put(DATA)
    tell(f"put {Digest.of(DATA)}")


def broken_unsynced(deps: Deps, tell: Tell) -> None:
    """As put, without waiting for the disk. Only the order of the calls tells it from put."""
    digest = Digest.of(DATA)
    root = deps.settings.data.parent / "objects"
    temporary = root / "tmp" / uuid.uuid4().hex
    temporary.write_bytes(DATA)
    place = root / "sha256" / digest.hex[:2] / digest.hex[2:4] / digest.hex
    place.parent.mkdir(parents=True, exist_ok=True)
    os.link(temporary, place)
    temporary.unlink()
    tell(f"put {digest}")


OPERATIONS: dict[str, Callable[[Deps, Tell], None]] = {
    name: operation for name, operation in list(globals().items())
    if name in {"put", "append", "seal", "export"} or name.startswith("broken_")
}


def run(name: str, folder: Path, tell: Tell) -> int:
    """Do it; 0 done, 1 refused with an error, as a service would tell its caller."""
    try:
        OPERATIONS[name](deps_of(folder), tell)
    except Exception as error:  # noqa: BLE001 - any error is an answer that is no acknowledgement
        sys.stderr.write(f"{name}: {type(error).__name__}: {error}\n"[:300])
        return 1
    return 0
