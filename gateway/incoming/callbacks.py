"""What platforms tell us by themselves. A callback is a hint to poll and nothing more: no state comes from it.

The address is public but holds the connection's random id, and the body must be signed with the key that the
platform gave us. A genuine repeat inside the signature's window is answered like the first and asks for no more work
than one poll.
"""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from sqlalchemy import select

from gateway import outbox
from gateway.db import EVERY_TENANT
from gateway.deps import CurrentDeps, Deps
from gateway.incoming.subscribe import key_of
from gateway.intake import bounded_body
from gateway.platforms.callbacks import VERIFIERS, Call, NotGenuine
from gateway.problems import Problem, documented, not_found
from gateway.tables import OutboxEntry, PlatformConnection

router = APIRouter(tags=["callbacks"])
LIMIT = 1 << 20
"""Bytes of a callback. A Flow object has about one thousand."""

POLL_AFTER = timedelta(seconds=0.5)
"""Whoever calls back once for each flow causes one walk for the calls of this time."""

BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}


class HeardOut(BaseModel):
    """The answer that a platform expects."""

    status: str = "ok"


async def callback_body(request: Request) -> bytes:
    """The raw body, at most LIMIT bytes. Raises Problem 413, 422."""
    return await bounded_body(request, LIMIT)


@router.post("/callbacks/{connection_id}", openapi_extra=BODY, responses=documented(401, 413))
def take_callback(
    connection_id: str,
    request: Request,
    body: Annotated[bytes, Depends(callback_body)],
    deps: CurrentDeps,
) -> HeardOut:
    """Hear that a platform has news (XP Z12-013 webhook). 401 when the signature, its age or its key is not right."""
    query = f"?{request.url.query}" if request.url.query else ""
    hear(deps, connection_id, Call(path=request.url.path + query, headers=request.headers, body=body))
    return HeardOut()


def hear(deps: Deps, connection_id: str, call: Call) -> None:
    """Check, keep and queue a poll of the connection.

    Raises:
        Problem: 404 unknown connection, 401 not genuine; nothing is kept or changed then.
        VaultError: the stored key cannot be opened with the present secret.
    """
    with deps.db.reading(EVERY_TENANT) as session:
        connection = session.scalar(select(PlatformConnection).where(PlatformConnection.id == connection_id))
    if connection is None or not connection.enabled:
        raise not_found()
    signature = str(connection.config.get("signature", "afnor"))
    key = key_of(deps, connection)
    if key is None and signature != "none":
        raise _not_genuine("NO_KEY")
    try:
        VERIFIERS[signature](call, key or b"", deps.now(), str(connection.config.get("clock_unit", "s")))
    except NotGenuine as error:
        raise _not_genuine(error.code) from error
    sha256 = deps.store.put(call.body).hex
    with deps.db.transaction(connection.tenant_id) as session:
        waiting = session.scalar(
            select(OutboxEntry.id)
            .where(OutboxEntry.topic == "poll", OutboxEntry.subject_id == connection.id,
                   OutboxEntry.state == "pending", OutboxEntry.lease_until.is_(None))
            .limit(1)
        )
        if waiting is None:
            outbox.put(session, connection.tenant_id, "poll", connection.id, now=deps.now(),
                       due_at=deps.now() + POLL_AFTER, payload={"sha256": sha256})


def _not_genuine(code: str) -> Problem:
    return Problem(401, "callback-not-genuine", "La signature de l'appel n'est pas valable. / "
                   "The callback's signature is not right.", cause=code)
