"""Where an outgoing invoice stands on its way to the platform: every change of it, with event and reason."""

import uuid
from collections.abc import Mapping
from typing import Any, NoReturn

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.outbox import Park
from gateway.outgoing.drafts import file_name
from gateway.record import Change, record
from gateway.tables import Document, Submission

OPEN = frozenset({"queued", "held", "sending", "unknown", "parked"})
"""States in which an invoice may still have to be sent. The others are final here."""


def park(
    deps: Deps, submission: Submission, reason: str, *, kept: Kept | None = None,
    data: Mapping[str, Any] | None = None,
) -> NoReturn:
    """A person must decide. Raises Park, always."""
    move(deps, submission, "parked", reason, kept=kept, data=data)
    raise Park(reason)


def move(
    deps: Deps, submission: Submission, state: str, reason: str, *, kept: Kept | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Record where the invoice stands now, unless somebody else settled it.

    The same state again is no event, but for `held`, where another reason is news. `kept` shows the reason.
    """
    now = deps.now()
    with deps.db.transaction(submission.tenant_id) as session:
        row = session.get_one(Submission, (submission.tenant_id, submission.id), with_for_update=True)
        if row.transmission not in OPEN:
            return
        news = row.transmission != state or (state == "held" and row.transmission_reason != reason)
        row.transmission, row.transmission_reason = state, reason
        if state == "failed":
            row.active = None
        if news:
            attach(deps, session, row, kept)
            record(session, row.tenant_id, Change(
                kind="transmission", code=state, actor="worker", submission_id=row.id, reason=reason,
                data=dict(data or {}), objects=(kept,) if kept else ()), now=now)


def attach(deps: Deps, session: Session, row: Submission, kept: Kept | None) -> None:
    """Let a kept answer of the directory belong to the invoice; once, however often it is used."""
    if kept is None or session.scalar(select(Document.id).where(
            Document.submission_id == row.id, Document.sha256 == kept.sha256).limit(1)) is not None:
        return
    session.add(Document(
        tenant_id=row.tenant_id, id=str(uuid.uuid4()), submission_id=row.id, role=kept.role, syntax=None,
        media_type="application/json", name=file_name(row.number, "annuaire", "application/json"),
        sha256=kept.sha256, size=kept.size, at=deps.now(),
    ))
