"""What remains of a status of ours once the platform has answered."""

import uuid
from datetime import datetime

from sqlalchemy.orm import Session

from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.incoming.flows import LOOK_AGAIN
from gateway.lifecycle.drafting import Draft
from gateway.lifecycle.guard import SELLER
from gateway.lifecycle.history import state_of
from gateway.lifecycle.matching import find_same
from gateway.lifecycle.wording import event_data, reason_of
from gateway.platforms.port import Receipt
from gateway.record import Change, Work, lock_tenant, record
from gateway.tables import Document, SeenFlow, Submission


def record_sent(deps: Deps, draft: Draft, receipt: Receipt, kept: Kept) -> None:
    """Record that the platform has the status; once."""
    receipt_kept = Kept("receipt", deps.store.put(receipt.raw).hex, len(receipt.raw))
    now = deps.now()
    tenant_id = draft.submission.tenant_id
    with deps.db.transaction(tenant_id) as session:
        lock_tenant(session, tenant_id)
        submission = session.get_one(Submission, (tenant_id, draft.submission.id))
        if find_same(session, submission, draft.message, kept.sha256) is not None:
            return
        for document, media_type, name in (
            (kept, "application/xml", draft.name),
            (receipt_kept, "application/json", f"{draft.name[:-4]}-recepisse.json"),
        ):
            session.add(Document(
                tenant_id=tenant_id, id=str(uuid.uuid4()), submission_id=submission.id, role=document.role,
                syntax="cdar" if document is kept else None, media_type=media_type, name=name,
                sha256=document.sha256, size=document.size, at=now,
            ))
        _remember_flow(session, draft, receipt, kept, now)
        record(session, tenant_id, Change(
            kind="lifecycle", code=draft.message.code, actor=SELLER, submission_id=submission.id,
            reason=reason_of(draft.message), platform_at=draft.message.set_at, objects=(kept, receipt_kept),
            data={**event_data(draft.message), "own": True, "requested_by": draft.actor,
                  "tracking_id": draft.tracking_id, "flow_id": receipt.flow_id,
                  "submitted_at": receipt.submitted_at.isoformat()},
            then=(Work(topic="remind", subject_id=submission.id),),
        ), now=now)
        submission.lifecycle = state_of(session, submission).code


def record_refused(deps: Deps, draft: Draft, reason: str) -> None:
    """Record that the platform does not want the status."""
    with deps.db.transaction(draft.submission.tenant_id) as session:
        record(session, draft.submission.tenant_id, Change(
            kind="transmission", code="status-refused", actor=f"platform:{draft.connection.id}",
            submission_id=draft.submission.id, reason=f"Statut {draft.message.code} : {reason}",
            data={"tracking_id": draft.tracking_id, "message": draft.message.id},
        ), now=deps.now())


def _remember_flow(session: Session, draft: Draft, receipt: Receipt, kept: Kept, now: datetime) -> None:
    """So that the acknowledgement of this flow, when it is polled, finds its invoice."""
    key = {"tenant_id": draft.submission.tenant_id, "id": receipt.flow_id, "connection_id": draft.connection.id}
    row = session.get(SeenFlow, key)
    if row is None:
        row = SeenFlow(**key, flow_type="CustomerInvoiceLC", first_seen_at=now, updated_at=receipt.submitted_at,
                       state="new", cause=None)
        session.add(row)
    elif row.submission_id is None:  # listed before this moment, when nobody knew whose it is
        row.state, row.cause = "new", LOOK_AGAIN
    row.submission_id, row.sha256 = draft.submission.id, kept.sha256
