"""Renewing the hashes of a log, and the proof of a renewed entry; see archive/longterm/rehash.py."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.errors import ObjectMissing, TimestampUnavailable
from archive.journal import inclusion_proof, node_hash, read_entry
from archive.longterm import rehash
from archive.longterm.rehash import OldProof, Renewed
from archive.seal import Checkpoint, InclusionProof, sign_checkpoint, write_proof
from archive.store import Digest
from gateway.deps import Deps
from gateway.evidence.authorities import stamped
from gateway.evidence.ledger import Kept, LogRows
from gateway.evidence.revocation import publications
from gateway.evidence.sealing import log_key, origin_of, seal_log
from gateway.problems import not_found
from gateway.record import Change, record
from gateway.tables import Seal
from gateway.tables_archive import KeptObject
from gateway.tables_journal import HashRenewal


def renew(deps: Deps, tenant_id: str, name: str, actor: str) -> HashRenewal:
    """Put everything sealed in a log, and every object it names, under SHA-512 once more.

    Reads each object of the log once; memory grows with the number of entries (about 250 bytes each).

    Raises:
        Problem: 404, there is no such log.
        TimestampUnavailable, TimestampRefused: nothing was kept; try again.
        ObjectMissing, ObjectDamaged: an object that was not destroyed is not what it was.
    """
    with deps.db.reading(tenant_id) as session:
        if LogRows(session, tenant_id, name).last() is None:
            raise not_found()
    seal = seal_log(deps, tenant_id, name)
    if seal.token is None:
        raise TimestampUnavailable(seal.trouble or "no token")
    # The seal's own token may have run out years ago, and is vouched for by later seals; a fresh one stands by itself.
    fresh, _ = stamped(deps, seal.checkpoint, partial(publications, deps, {}))
    with deps.db.reading(tenant_id) as session:
        before = _renewals(session, name)
        leaves = [rehash.renewal_leaf(row.checkpoint, row.token) for row in before]
        leaves += _entry_leaves(deps, session, seal, fresh.response)
    tip = Checkpoint(f"{origin_of(deps, tenant_id, name)}/{rehash.ALGORITHM}", len(leaves), rehash.tree(leaves)[-1][0])
    note = sign_checkpoint(tip, log_key(deps))
    token, published = stamped(deps, note, partial(publications, deps, {}), algorithm=rehash.ALGORITHM)
    kept = tuple(Kept(role, deps.store.put(data).hex, len(data)) for role, data in (
        ("leaves", b"".join(leaves)), ("old-token", fresh.response), ("checkpoint", note), ("token", token.response),
        *published))
    row = HashRenewal(tenant_id=tenant_id, log=name, number=len(before), size=seal.size, at=deps.now(),
                      checkpoint=note, token=token.response, ends_at=token.stamp.ends, leaves_sha256=kept[0].sha256,
                      old_token=fresh.response)
    with deps.db.transaction(tenant_id) as session:
        session.add(row)
        record(session, tenant_id, Change(
            kind="evidence", code="hash-renewed", actor=actor, subject=f"log:{name}:{seal.size}", objects=kept,
            data={"log": name, "size": seal.size, "algorithm": rehash.ALGORITHM}), now=deps.now())
    return row


def proof_of(deps: Deps, tenant_id: str, name: str, seq: int) -> tuple[OldProof, tuple[Renewed, ...]]:
    """What proves an entry after the hash of its log fell: its old proof, and every renewal since the first over it.

    Raises:
        Problem: 404, no renewal covers it.
    """
    with deps.db.reading(tenant_id) as session:
        rows = _renewals(session, name)
        first = next((row for row in rows if row.size > seq), None)
        if first is None:
            raise not_found()
        seal = session.get_one(Seal, (tenant_id, name, first.size))
        log = LogRows(session, tenant_id, name)
        proof = write_proof(InclusionProof(seq, inclusion_proof(log, seq, seal.size), seal.checkpoint))
        old = OldProof(line=log.get(seq).line, proof=proof, token=first.old_token)
    renewed = []
    for row in rows[first.number:]:
        index = row.number + seq if row is first else first.number  # each later one has the first as a leaf
        blob = deps.store.get(Digest(row.leaves_sha256))
        leaves = [blob[at:at + rehash.SIZE] for at in range(0, len(blob), rehash.SIZE)]
        renewed.append(Renewed(row.checkpoint, row.token, index, rehash.path_in(rehash.tree(leaves), index)))
        first = row
    return old, tuple(renewed)


def _renewals(session: Session, name: str) -> list[HashRenewal]:
    return list(session.scalars(select(HashRenewal).where(HashRenewal.log == name).order_by(HashRenewal.number)))


def _entry_leaves(deps: Deps, session: Session, seal: Seal, token: bytes) -> Iterator[bytes]:
    rows = LogRows(session, seal.tenant_id, seal.log)
    levels = rehash.tree([row.leaf for row in rows.first(seal.size)], node_hash)
    destroyed = set(session.scalars(select(KeptObject.sha256).where(KeptObject.destroyed_at.is_not(None))))
    strong: dict[str, bytes] = {}
    with closing(rows.first(seal.size)) as kept:
        for row in kept:
            _, entry = read_entry(row.line)
            for digest in {ref.digest for ref in entry.objects if ref.digest.hex not in strong}:
                strong[digest.hex] = _strong(deps, digest, gone=digest.hex in destroyed)
            proof = write_proof(InclusionProof(row.seq, rehash.path_in(levels, row.seq), seal.checkpoint))
            old = OldProof(line=row.line, proof=proof, token=token)
            yield rehash.entry_leaf((strong[ref.digest.hex] for ref in entry.objects), old)


def _strong(deps: Deps, digest: Digest, *, gone: bool) -> bytes:
    try:
        return rehash.strong(deps.store.get(digest))
    except ObjectMissing:
        if not gone:
            raise
        return rehash.GONE
