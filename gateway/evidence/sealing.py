"""Seals: a signed checkpoint of each log and an RFC 3161 token over it.

A timestamp authority that does not answer never blocks anything: checkpoints are signed and kept all the same, and at
a later turn the newest of each log gets the token that covers the others too. The entry that tells of a seal is itself
covered by the next one, so each seal protects the tokens before it; the last word of a year stands in the next year's
log. Before the newest token of a tenant runs out, its log is sealed again without any news.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from archive.errors import BadKey, TimestampRefused, TimestampUnavailable
from archive.journal import root, size_of
from archive.seal import Checkpoint, create_key, load_key, sign_checkpoint
from archive.timestamp import Authority
from gateway.db import EVERY_TENANT
from gateway.deps import Deps
from gateway.evidence.authorities import pinned, stamped, trusted
from gateway.evidence.ledger import Kept, LogRows, current_log
from gateway.evidence.revocation import Published, publications
from gateway.outbox import Entry
from gateway.record import Change, lock_tenant, record
from gateway.tables import JournalEntry, Seal
from gateway.turns import for_each_tenant

log = structlog.get_logger()
SEALED = "sealed"
RENEW_BEFORE = timedelta(days=180)
"""A tenant's newest token gets a successor this long before it runs out, without news too..."""

RENEW_EVERY = timedelta(days=30)
"""...and no more often than this, where the successor runs out as soon."""


def seal_due(deps: Deps) -> None:
    """Regular work: sign what has waited long enough, fetch the tokens that are still missing."""
    try:
        for_each_tenant(deps, _sign_due)
    finally:  # what is signed needs its token, whatever one tenant's log hinders
        _stamp_waiting(deps)


def _sign_due(deps: Deps, tenant_id: str) -> None:
    for name in due(deps, tenant_id):
        sign(deps, tenant_id, name)


def _stamp_waiting(deps: Deps) -> None:
    with deps.db.reading(EVERY_TENANT) as session:
        missing = list(waiting(session))
    seen: Published = {}
    for seal in missing:
        if (stamp(deps, seal, seen).trouble or "").startswith(TimestampUnavailable.code):
            return  # it would let us wait for each of them


def handle_seal(deps: Deps, entry: Entry) -> None:
    """Seal one tenant's logs now."""
    for name in due(deps, entry.tenant_id, at_once=True):
        seal_log(deps, entry.tenant_id, name)


def due(deps: Deps, tenant_id: str, *, at_once: bool = False) -> list[str]:
    """The logs of a tenant to sign now: one has news and its last seal is old enough, or that runs out.

    The word of the last seal is no news in a log that is still written; in one that is not, it is its last.
    """
    now, pause = deps.now(), timedelta(seconds=0 if at_once else deps.settings.seal_seconds)
    found = []
    with deps.db.reading(tenant_id) as session:
        for name in logs(session, tenant_id):
            last = newest(session, tenant_id, name)
            if last is not None and last.at <= now < last.at + pause:
                continue
            rest = has_entries(session, tenant_id, name, last.size if last is not None else 0)
            if rest == "news" or (rest and (name != current_log(session, tenant_id, now)
                                            or runs_out(session, tenant_id, now))):
                found.append(name)
    return found


def logs(session: Session, tenant_id: str) -> Iterator[str]:
    """Every log of a tenant that has an entry, by one step in the index for each."""
    name = ""
    while found := session.scalar(select(func.min(JournalEntry.log)).where(
            JournalEntry.tenant_id == tenant_id, JournalEntry.log > name)):
        name = found
        yield name


def newest(session: Session, tenant_id: str, name: str) -> Seal | None:
    """The seal over most of a log, with or without its token."""
    return session.scalar(select(Seal).where(Seal.tenant_id == tenant_id, Seal.log == name)
                          .order_by(Seal.size.desc()).limit(1))


def has_entries(session: Session, tenant_id: str, name: str, since: int) -> str:
    """What a log has from a position on: "news", "words" of seals only, or nothing ("")."""
    after = (JournalEntry.tenant_id == tenant_id, JournalEntry.log == name, JournalEntry.seq >= since)
    if session.scalar(select(JournalEntry.seq).where(*after, JournalEntry.type != "evidence").limit(1)) is not None:
        return "news"
    return "words" if session.scalar(select(JournalEntry.seq).where(*after).limit(1)) is not None else ""


def runs_out(session: Session, tenant_id: str, now: datetime) -> bool:
    """Whether the newest token of a tenant should have a successor by now."""
    last = session.scalar(select(Seal).where(Seal.tenant_id == tenant_id, Seal.token.is_not(None))
                          .order_by(Seal.token_at.desc()).limit(1))
    return (last is not None and last.ends_at is not None and last.ends_at - now < RENEW_BEFORE
            and now - last.at >= RENEW_EVERY)


def waiting(session: Session) -> Iterator[Seal]:
    """The newest seal of each log where it has no token yet, the oldest first."""
    top = (select(Seal.tenant_id, Seal.log, func.max(Seal.size).label("size"))
           .group_by(Seal.tenant_id, Seal.log)).subquery()
    yield from session.scalars(
        select(Seal).join(top, (Seal.tenant_id == top.c.tenant_id) & (Seal.log == top.c.log)
                          & (Seal.size == top.c.size))
        .where(Seal.token.is_(None)).order_by(Seal.at)).all()


def seal_log(deps: Deps, tenant_id: str, name: str) -> Seal:
    """Sign a checkpoint over everything in the log and have it timestamped; the newest seal when nothing is new."""
    seal = sign(deps, tenant_id, name)
    return seal if seal.token is not None else stamp(deps, seal, {})


def sign(deps: Deps, tenant_id: str, name: str) -> Seal:
    """A signed checkpoint over everything in the log, with or without its token yet."""
    now = deps.now()
    with deps.db.transaction(tenant_id) as session:
        lock_tenant(session, tenant_id)
        rows = LogRows(session, tenant_id, name)
        size = size_of(rows)
        seal = session.get(Seal, (tenant_id, name, size))
        if seal is None:
            checkpoint = Checkpoint(origin_of(deps, tenant_id, name), size, root(rows, size))
            seal = Seal(tenant_id=tenant_id, log=name, size=size, at=now, token=None, token_at=None, trouble=None,
                        ends_at=None, checkpoint=sign_checkpoint(checkpoint, log_key(deps)))
            session.add(seal)
    return seal


def stamp(deps: Deps, seal: Seal, seen: Published) -> Seal:
    """Fetch the token of a checkpoint and journal both hashes; on failure the trouble is kept and logged.

    `seen`: what authorities published, as far as it was fetched in this turn.
    """
    try:
        token, published = stamped(deps, seal.checkpoint, partial(publications, deps, seen))
    except (TimestampUnavailable, TimestampRefused) as error:
        log.warning("timestamp missing", tenant=seal.tenant_id, log=seal.log, size=seal.size, error=str(error))
        with deps.db.transaction(seal.tenant_id) as session:
            row = session.get(Seal, (seal.tenant_id, seal.log, seal.size))
            if row is not None and row.token is None:
                row.trouble = f"{error.code}: {error}"
        return row or seal
    kept = tuple(Kept(role, deps.store.put(data).hex, len(data)) for role, data in (
        ("checkpoint", seal.checkpoint), ("token", token.response), *published))
    with deps.db.transaction(seal.tenant_id) as session:
        lock_tenant(session, seal.tenant_id)
        row = session.get(Seal, (seal.tenant_id, seal.log, seal.size), with_for_update=True)
        if row is None or row.token is not None:
            return row or seal
        row.token, row.token_at, row.trouble = token.response, token.stamp.at, None
        row.ends_at = token.stamp.ends
        session.execute(update(Seal).where(
            Seal.tenant_id == seal.tenant_id, Seal.log == seal.log, Seal.size < seal.size, Seal.token_at.is_(None),
        ).values(token_at=token.stamp.at, trouble=None))
        record(session, seal.tenant_id, Change(
            kind="evidence", code=SEALED, actor="worker", subject=f"log:{seal.log}:{seal.size}", objects=kept,
            data={"log": seal.log, "size": seal.size, "checkpoint": seal.checkpoint.decode()}), now=deps.now())
        return row


def origin_of(deps: Deps, tenant_id: str, name: str) -> str:
    """The name of a log in its checkpoints."""
    return f"{deps.settings.log_origin}/{tenant_id}/{name}"


def authority_of(deps: Deps) -> tuple[Authority, bytes]:
    """The timestamp authority that is asked first, and the PEM of all whose tokens are believed."""
    return pinned(deps)[0].authority, trusted(deps)


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
