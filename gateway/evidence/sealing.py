"""Seals: a signed checkpoint of each log and an RFC 3161 token over it.

A timestamp authority that does not answer never blocks anything: the checkpoint is signed and kept, the token is
fetched at a later turn. The entry that tells of a seal is itself covered by the next one, so each seal protects
the tokens before it.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select

from archive.errors import BadKey, TimestampRefused, TimestampUnavailable
from archive.journal import root, size_of
from archive.seal import Checkpoint, create_key, load_key, sign_checkpoint
from archive.timestamp import Authority, HttpAuthority, obtain, plain
from gateway.db import EVERY_TENANT
from gateway.deps import Deps
from gateway.evidence.ledger import Kept, LogRows
from gateway.outbox import Entry
from gateway.record import Change, lock_tenant, record
from gateway.sandbox.authority import LocalAuthority
from gateway.settings import UnsafeSetup
from gateway.tables import JournalEntry, Seal

log = structlog.get_logger()
SEALED = "sealed"


def seal_due(deps: Deps) -> None:
    """Seal every log that has something new, and fetch the tokens that are still missing."""
    for tenant_id, name in logs_of(deps):
        sign(deps, tenant_id, name)
    with deps.db.reading(EVERY_TENANT) as session:
        missing = session.scalars(select(Seal).where(Seal.token.is_(None)).order_by(Seal.at)).all()
    for seal in missing:
        if (stamp(deps, seal).trouble or "").startswith(TimestampUnavailable.code):
            return  # it would let us wait for each of them


def handle_seal(deps: Deps, entry: Entry) -> None:
    """Seal one tenant's logs now."""
    for tenant_id, name in logs_of(deps):
        if tenant_id == entry.tenant_id:
            seal_log(deps, tenant_id, name)


def logs_of(deps: Deps) -> Sequence[tuple[str, str]]:
    """(tenant, log) of every log with something that no checkpoint covers, besides the word of the last seal."""
    sealed = (
        select(Seal.tenant_id, Seal.log, func.max(Seal.size).label("size")).group_by(Seal.tenant_id, Seal.log)
    ).subquery()
    news = (
        select(JournalEntry.tenant_id, JournalEntry.log)
        .outerjoin(sealed, (sealed.c.tenant_id == JournalEntry.tenant_id) & (sealed.c.log == JournalEntry.log))
        .where(JournalEntry.seq >= func.coalesce(sealed.c.size, 0), JournalEntry.type != "evidence")
        .group_by(JournalEntry.tenant_id, JournalEntry.log)
    )
    with deps.db.reading(EVERY_TENANT) as session:
        return [(tenant_id, name) for tenant_id, name in session.execute(news)]


def seal_log(deps: Deps, tenant_id: str, name: str) -> Seal:
    """Sign a checkpoint over everything in the log and have it timestamped; the newest seal when nothing is new."""
    seal = sign(deps, tenant_id, name)
    return seal if seal.token is not None else stamp(deps, seal)


def sign(deps: Deps, tenant_id: str, name: str) -> Seal:
    """A signed checkpoint over everything in the log, with or without its token yet."""
    now = deps.now()
    with deps.db.transaction(tenant_id) as session:
        lock_tenant(session, tenant_id)
        rows = LogRows(session, tenant_id, name)
        size = size_of(rows)
        seal = session.get(Seal, (tenant_id, name, size))
        if seal is None:
            checkpoint = Checkpoint(origin_of(tenant_id, name), size, root(rows, size))
            seal = Seal(tenant_id=tenant_id, log=name, size=size, at=now, token=None, token_at=None, trouble=None,
                        checkpoint=sign_checkpoint(checkpoint, log_key(deps)))
            session.add(seal)
    return seal


def stamp(deps: Deps, seal: Seal) -> Seal:
    """Fetch the token of a checkpoint and journal both hashes; on failure the trouble is kept and logged."""
    authority, ca = authority_of(deps)
    try:
        token = obtain(authority, seal.checkpoint, ca)
    except (TimestampUnavailable, TimestampRefused) as error:
        log.warning("timestamp missing", tenant=seal.tenant_id, log=seal.log, size=seal.size, error=str(error))
        with deps.db.transaction(seal.tenant_id) as session:
            row = session.get(Seal, (seal.tenant_id, seal.log, seal.size))
            if row is not None and row.token is None:
                row.trouble = f"{error.code}: {error}"
        return row or seal
    kept = tuple(Kept(role, deps.store.put(data).hex, len(data))
                 for role, data in (("checkpoint", seal.checkpoint), ("token", token.response)))
    with deps.db.transaction(seal.tenant_id) as session:
        row = session.get(Seal, (seal.tenant_id, seal.log, seal.size), with_for_update=True)
        if row is None or row.token is not None:
            return row or seal
        row.token, row.token_at, row.trouble = token.response, token.stamp.at, None
        record(session, seal.tenant_id, Change(kind="evidence", code=SEALED, actor="worker",
                                               subject=f"log:{seal.log}:{seal.size}", objects=kept), now=deps.now())
        return row


def origin_of(tenant_id: str, name: str) -> str:
    """The name of a log in its checkpoints."""
    return f"passerelle/{tenant_id}/{name}"


def authority_of(deps: Deps) -> tuple[Authority, bytes]:
    """The timestamp authority in force and the PEM of the root it must chain to."""
    url, ca = deps.settings.tsa_url, deps.settings.tsa_ca
    if url is None:
        local = LocalAuthority(deps.settings.data / "tsa", deps.now)
        return local, local.ca
    if ca is None:
        raise UnsafeSetup("PASSERELLE_TSA_CA must name the root of the authority at PASSERELLE_TSA_URL")
    return HttpAuthority(url), plain(ca.read_bytes())


def log_key(deps: Deps) -> Ed25519PrivateKey:
    """The key that signs checkpoints."""
    return _key(deps.settings.data / "keys" / "log.pem")


def dossier_key(deps: Deps) -> Ed25519PrivateKey:
    """The key that signs dossiers."""
    return _key(deps.settings.data / "keys" / "dossier.pem")


@cache
def _key(path: Path) -> Ed25519PrivateKey:
    if path.exists():
        return load_key(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return create_key(path)
    except BadKey:  # another thread or process was faster
        return load_key(path)
