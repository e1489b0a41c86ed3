"""What this gateway's dossiers are to be checked against, and the check of everything it holds."""

import hashlib
from dataclasses import dataclass

from sqlalchemy import select

from archive.errors import ArchiveError
from archive.journal import check, root, size_of
from archive.seal import Checkpoint, public_pem, read_checkpoint
from archive.store import Digest
from archive.timestamp import verify
from gateway.db import EVERY_TENANT
from gateway.deps import Deps
from gateway.evidence.ledger import LogRows
from gateway.evidence.sealing import authority_of, dossier_key, log_key, origin_of
from gateway.tables import Document, JournalEntry, Seal


@dataclass(frozen=True, slots=True)
class Checked:
    """What a full check looked at, and what is wrong; nothing wrong when `faults` is empty."""

    entries: int
    seals: int
    objects: int
    faults: tuple[str, ...]


def lines(deps: Deps) -> str:
    """The trust file: name and SHA-256 of each key, one per line."""
    _, ca = authority_of(deps)
    keys = (("log-pub.pem", public_pem(log_key(deps).public_key())),
            ("seal-pub.pem", public_pem(dossier_key(deps).public_key())), ("tsa-ca.pem", ca))
    return "".join(f"{name} {hashlib.sha256(data).hexdigest()}\n" for name, data in keys)


def check_everything(deps: Deps, tenant_id: str = EVERY_TENANT) -> Checked:
    """Recompute every log, verify every seal against it, and re-hash every object that a row names."""
    faults: list[str] = []
    entries = seals = 0
    with deps.db.reading(tenant_id) as session:
        for owner, name in session.execute(select(JournalEntry.tenant_id, JournalEntry.log).distinct()).all():
            rows = LogRows(session, owner, name)
            sealed = session.scalars(
                select(Seal).where(Seal.tenant_id == owner, Seal.log == name).order_by(Seal.size)
            ).all()
            try:
                entries += check(rows.all())[0]
            except ArchiveError as error:
                faults.append(f"journal {owner}/{name}: {error}")
                continue
            seals += len(sealed)
            faults += [fault for seal in sealed if (fault := seal_fault(deps, seal, rows))]
        digests = session.scalars(select(Document.sha256).distinct()).all()
    for sha256 in digests:
        try:
            deps.store.control(Digest(sha256))
        except ArchiveError as error:
            faults.append(f"objet {sha256}: {error.code}: {error}")
    return Checked(entries, seals, len(digests), tuple(faults))


def seal_fault(deps: Deps, seal: Seal, rows: LogRows) -> str | None:
    """What is wrong with a seal: its signature, its root against the checked log, its token; None when it holds."""
    where = f"scellement {seal.tenant_id}/{seal.log}/{seal.size}"
    _, ca = authority_of(deps)
    try:
        checkpoint = read_checkpoint(seal.checkpoint, log_key(deps).public_key())
        if size_of(rows) < seal.size:
            return f"{where}: le journal n'a plus que {size_of(rows)} écritures"
        expected = Checkpoint(origin_of(seal.tenant_id, seal.log), seal.size, root(rows, seal.size))
        if checkpoint != expected:
            return f"{where}: n'est pas celui du journal"
        if seal.token is not None:
            verify(seal.token, seal.checkpoint, ca)
    except ArchiveError as error:
        return f"{where}: {error.code}: {error}"
    return None
