"""Where an outgoing invoice stands on its way to the platform: every change of it, with event and reason."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NoReturn

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from gateway.db import insert_rows, plain
from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.outbox import Park
from gateway.outgoing.drafts import file_name
from gateway.record import Change, Work, record
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
            named = state == "failed" and row.preceding  # what it took off is owed again
            record(session, row.tenant_id, Change(
                kind="transmission", code=state, actor="worker", submission_id=row.id, reason=reason,
                data=dict(data or {}), objects=(kept,) if kept else (),
                then=(Work(topic="remind", subject_id=row.id),) if named else ()), now=now)


THIS: Final = (Submission.tenant_id == bindparam("tenant"), Submission.id == bindparam("invoice"))
STATE: Final = select(Submission.transmission).where(*THIS)
SENDING: Final = (
    update(Submission).where(*THIS, Submission.transmission == bindparam("seen"), Submission.active.is_(True))
    .values(transmission="sending", transmission_reason=None).returning(Submission.id))
DEPOSITED: Final = (
    update(Submission).where(*THIS, Submission.transmission.in_(sorted(OPEN)))
    .values(transmission="deposited", transmission_reason=None, flow_id=bindparam("flow")).returning(Submission.id))
NAMED: Final = (
    update(Submission).where(*THIS, Submission.flow_id.is_(None))
    .values(flow_id=bindparam("flow")).returning(Submission.id))


def set_sending(session: Session, seen: Submission) -> bool:
    """Lock the invoice and let it stand as `sending`; False where it moved on, or lost its number. Records nothing."""
    return plain(session, seen.tenant_id, SENDING, invoice=seen.id, seen=seen.transmission).first() is not None


def stands(session: Session, seen: Submission) -> bool:
    """Whether the invoice stands where it was seen."""
    return plain(session, seen.tenant_id, STATE, invoice=seen.id).scalar() == seen.transmission


def set_deposited(session: Session, submission: Submission, flow_id: str) -> bool:
    """Lock the invoice and let it stand as `deposited`, in this flow. Records nothing.

    False where somebody else settled it; only a flow id that was missing is kept then.
    """
    changes = {"invoice": submission.id, "flow": flow_id}
    if plain(session, submission.tenant_id, DEPOSITED, **changes).first() is not None:
        return True
    plain(session, submission.tenant_id, NAMED, **changes)
    return False


ATTACHED: Final = select(Document.id).where(
    Document.tenant_id == bindparam("tenant"), Document.submission_id == bindparam("invoice"),
    Document.sha256 == bindparam("sha256")).limit(1)


def attach(deps: Deps, session: Session, row: Submission, kept: Kept | None) -> None:
    """Let a kept answer of the directory belong to the invoice; once, however often it is used."""
    if kept is None or plain(session, row.tenant_id, ATTACHED, invoice=row.id, sha256=kept.sha256).first() is not None:
        return
    add_document(session, row, kept, "annuaire", deps.now())


def add_document(session: Session, row: Submission, kept: Kept, name: str, at: datetime) -> None:
    """Let a kept answer of the platform belong to the invoice: JSON, as it came."""
    insert_rows(session, Document, [{
        "tenant_id": row.tenant_id, "id": str(uuid.uuid4()), "submission_id": row.id, "role": kept.role, "syntax": None,
        "media_type": "application/json", "name": file_name(row.number, name, "application/json"),
        "sha256": kept.sha256, "size": kept.size, "at": at,
    }])
