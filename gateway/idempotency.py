"""Idempotency-Key: the same key gives the same answer, whatever happened in between.

Missing: 400. Same key and request: the first answer again. Same key, other request: 422. First still running:
409 with Retry-After. A first request whose process died is taken over after `TAKEOVER`; should it live after all,
the one that takes effect first wins, and the other gives that answer and has no effect.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import Header
from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from gateway.db import EVERY_TENANT, insert_rows, plain
from gateway.deps import Deps
from gateway.problems import Problem
from gateway.tables_access import IdempotencyKey

TAKEOVER = timedelta(seconds=60)
"""Longer than a request usually takes (30 s of workshop at most for each of its steps)."""

Answer = tuple[int, dict[str, Any]]


class AlreadyAnswered(Exception):
    """Another request with this key took effect first; `answer` is its answer, and ours must have no effect."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


async def idempotency_key(value: Annotated[str | None, Header(alias="Idempotency-Key")] = None) -> str:
    """The header's value. Raises Problem 400 when it is missing or not 1 to 255 characters.

    A coroutine, as `bounded_body` is: anything else would wait for a thread.
    """
    key = (value or "").strip().strip('"')
    if not 1 <= len(key) <= 255:
        raise Problem(400, "idempotency-key-missing", "Donnez une clé unique par envoi. / Give one key per submission.")
    return key


def fingerprint_of(*parts: bytes) -> str:
    """What makes two requests the same: method, path and body."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def once(deps: Deps, tenant_id: str, key: str, fingerprint: str, act: Callable[[], Answer]) -> Answer:
    """Run `act` for a new key; repeat the first answer for a known one.

    `act` must call `remember` in the transaction that takes effect. When it raises, the key is free again.

    Raises:
        Problem: 422 key reused for another request, 409 first request still running.
    """
    started_at = deps.now()
    earlier = _begin(deps, tenant_id, key, fingerprint, started_at)
    if earlier is not None:
        return earlier
    try:
        return act()
    except AlreadyAnswered as first:
        return first.answer
    except BaseException:
        _forget_unanswered(deps, tenant_id, key, started_at)
        raise


def remember(session: Session, tenant_id: str, key: str, answer: Answer) -> None:
    """Keep the answer, in the transaction of the effect.

    Raises:
        AlreadyAnswered: a request that took this one over was faster; the transaction must not be committed.
        Problem: 409 when the key is gone: what was done for it cannot be told apart from a repetition.
    """
    status, said = answer
    if plain(session, tenant_id, ANSWERED, name=key, code=status, said=said).first() is not None:
        return
    first = plain(session, tenant_id, ANSWER, name=key).one_or_none()
    if first is None or first.status is None:
        raise _running()
    raise AlreadyAnswered((first.status, first.answer or {}))


THIS: Final = (IdempotencyKey.tenant_id == bindparam("tenant"), IdempotencyKey.key == bindparam("name"))
ANSWERED: Final = (
    update(IdempotencyKey).where(*THIS, IdempotencyKey.status.is_(None))
    .values(status=bindparam("code"), answer=bindparam("said")).returning(IdempotencyKey.key))
ANSWER: Final = select(IdempotencyKey.status, IdempotencyKey.answer).where(*THIS)


def forget_unfinished(deps: Deps) -> None:
    """At the start of the only API process: whoever began an unanswered request is dead, so its key is free again."""
    with deps.db.transaction(EVERY_TENANT) as session:
        session.execute(delete(IdempotencyKey).where(IdempotencyKey.status.is_(None)))


def _begin(deps: Deps, tenant_id: str, key: str, fingerprint: str, now: datetime) -> Answer | None:
    """Take a new key; the answer of one that has its answer. A power cut may undo what nobody was answered yet."""
    new = {"tenant_id": tenant_id, "key": key, "fingerprint": fingerprint, "started_at": now, "status": None}
    try:
        with deps.db.fleeting(tenant_id) as session:
            insert_rows(session, IdempotencyKey, [new])
            return None
    except IntegrityError:  # somebody began, perhaps at this moment
        return _begun(deps, tenant_id, key, fingerprint, now)


def _begun(deps: Deps, tenant_id: str, key: str, fingerprint: str, now: datetime) -> Answer | None:
    with deps.db.transaction(tenant_id) as session:
        row = session.get(IdempotencyKey, (tenant_id, key), with_for_update=True)
        if row is None:
            raise _running()
        if row.fingerprint != fingerprint:
            raise Problem(422, "idempotency-key-reused",
                          "Cette clé a servi pour un autre contenu. / This key was used for other content.")
        if row.status is not None:
            return row.status, row.answer or {}
        if now - row.started_at < TAKEOVER:
            raise _running()
        row.started_at = now
        return None


def _running() -> Problem:
    return Problem(409, "idempotency-in-progress", "Réessayez dans un instant. / Try again in a moment.",
                   headers={"Retry-After": "1"})


def _forget_unanswered(deps: Deps, tenant_id: str, key: str, started_at: datetime) -> None:
    """Free the key of a request that failed; not the key of one that took over from it."""
    with deps.db.transaction(tenant_id) as session:
        session.execute(delete(IdempotencyKey).where(
            IdempotencyKey.key == key, IdempotencyKey.status.is_(None), IdempotencyKey.started_at == started_at))
