"""Depositing one of our own statuses at the platform, once in effect.

As with invoices: the tracking id is fixed before the first byte leaves, the platform is asked for it before every
deposit, and a lost answer waits until the platform must know. The status becomes an event when the platform has it.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from formats.errors import FormatError
from formats.status import StatusMessage
from gateway.connections import open_connection
from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.incoming.flows import LOOK_AGAIN
from gateway.lifecycle.composing import CannotCompose, compose
from gateway.lifecycle.derive import SELLER, Objection, Status, objection_to
from gateway.lifecycle.history import men_of, state_of, statuses_of, total_of
from gateway.lifecycle.matching import find_same
from gateway.lifecycle.wording import event_data, reason_of
from gateway.outbox import Entry, Park, RetryLater
from gateway.outgoing.drafts import file_name
from gateway.platforms.port import Flow, Platform, Precondition, Receipt, Rejected, Unavailable, Unknown
from gateway.record import Change, Work, record
from gateway.tables import Document, Event, OutboxEntry, PlatformConnection, SeenFlow, Submission, Tenant
from gateway.vault import VaultError
from validation.findings import Verdict

DEPOSIT_WAIT = timedelta(minutes=1)
OBJECTIONS = {
    Objection.AFTER_END: "La facture est rejetée, refusée ou annulée : aucun statut ne peut plus suivre.",
    Objection.NOTHING_OPEN: "Aucune suspension (208) n'attend de réponse.",
    Objection.TAKES_BACK_TOO_MUCH: "L'annulation dépasse ce qui a été déclaré encaissé.",
    Objection.NOT_THEIRS: "Ce statut n'est pas au vendeur.",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A status ready to go."""

    submission: Submission
    connection: PlatformConnection
    message: StatusMessage
    tracking_id: str
    actor: str
    """Who asked for it."""


def handle_send_status(deps: Deps, entry: Entry) -> None:
    """Handle one `send-status` entry (subject: the submission; payload: see composing.py); safe to run again.

    Raises:
        RetryLater: the invoice is not deposited yet, transport trouble, or an unknown outcome.
        Park: a person must decide: the guard forbids the status, it cannot be composed or breaks the published
            rules, the platform refused it, or there is no usable connection.
    """
    draft = _prepare(deps, entry)
    if draft is None:
        return
    try:
        written = deps.workshop.write_status(draft.message, as_of=deps.today())
    except FormatError as error:
        raise Park(f"{error.code} : {error}") from error
    if written.report.verdict is Verdict.ERROR:
        raise RetryLater("engine : le statut n'a pas pu être vérifié.")
    if written.report.verdict is not Verdict.VALID:
        raise Park("invalid-status : " + ", ".join(sorted(written.report.rules())))
    kept = Kept("status", deps.store.put(written.document).hex, len(written.document))
    try:
        platform = open_connection(deps, draft.connection)
        receipt = _earlier(platform, draft.tracking_id) or platform.send(
            written.document, draft.tracking_id, _flow_of(draft))
    except Rejected as error:
        _refused(deps, draft, f"{error.code} : {error.message}")
        raise Park(f"{error.code} : {error.message}") from error
    except (Precondition, VaultError) as error:
        raise Park(str(error)) from error
    except Unavailable as error:
        at = deps.now() + timedelta(seconds=error.retry_after_s) if error.retry_after_s else None
        raise RetryLater(str(error), at=at) from error
    except Unknown as error:
        raise RetryLater(str(error), at=deps.now() + timedelta(seconds=deps.settings.settle_seconds)) from error
    _sent(deps, draft, receipt, kept)


def _prepare(deps: Deps, entry: Entry) -> Draft | None:
    """What to send; None when it was sent and recorded before. What the message says is fixed from here on."""
    with deps.db.transaction(entry.tenant_id) as session:
        submission = session.get(Submission, (entry.tenant_id, entry.subject_id))
        if submission is None:
            raise Park("no such submission")
        row = session.get_one(OutboxEntry, (entry.tenant_id, entry.id))
        payload = {"set_at": row.created_at.replace(microsecond=0).isoformat(), **row.payload}
        message = _composed(submission, payload)
        if find_same(session, submission, message, "") is not None:
            return None
        _check_guard(deps, session, submission, message)
        payload.setdefault("received_at", _deposited_at(session, submission))
        row.payload = payload
        connection = session.get(PlatformConnection, (entry.tenant_id, submission.connection_id or ""))
        if connection is None or not connection.enabled:
            raise Park("L'entité n'a pas de plateforme agréée active.")
        return Draft(submission, connection, _composed(submission, payload), str(payload.get("id") or entry.id),
                     str(payload.get("actor") or "worker"))


def _composed(submission: Submission, payload: Mapping[str, Any]) -> StatusMessage:
    try:
        return compose(submission, payload)
    except CannotCompose as error:
        raise Park(str(error)) from error


def _check_guard(deps: Deps, session: Session, submission: Submission, message: StatusMessage) -> None:
    status = Status(code=message.code, at=message.set_at, by=SELLER, id=message.id,
                    amount=men_of(event_data(message)))
    objection = objection_to(status, statuses_of(session, submission), total_of(submission))
    if objection is Objection.NOT_DEPOSITED:
        raise RetryLater("La facture n'est pas encore déposée.", at=deps.now() + DEPOSIT_WAIT, patient=True)
    if objection is not None:
        raise Park(OBJECTIONS[objection])


def _earlier(platform: Platform, tracking_id: str) -> Receipt | None:
    """The receipt of an attempt whose answer was lost; None if the platform certainly has nothing, or refused it."""
    found = platform.find_flow(tracking_id)
    if found is None or found.ack_status == "Error":
        return None
    return Receipt(flow_id=found.flow_id, submitted_at=found.submitted_at, raw=found.raw)


def _flow_of(draft: Draft) -> Flow:
    return Flow(name=_name(draft), syntax="CDAR", profile=None, processing_rule="NotApplicable",
                media_type="application/xml")


def _name(draft: Draft) -> str:
    code, set_at = draft.message.code, draft.message.set_at
    return file_name(draft.submission.number, f"statut-{code}-{set_at:%Y%m%dT%H%M%S}", "application/xml")


def _sent(deps: Deps, draft: Draft, receipt: Receipt, kept: Kept) -> None:
    """Record that the platform has the status; once."""
    receipt_kept = Kept("receipt", deps.store.put(receipt.raw).hex, len(receipt.raw))
    now = deps.now()
    tenant_id = draft.submission.tenant_id
    with deps.db.transaction(tenant_id) as session:
        session.get(Tenant, tenant_id, with_for_update=True)
        submission = session.get_one(Submission, (tenant_id, draft.submission.id))
        if find_same(session, submission, draft.message, kept.sha256) is not None:
            return
        for document, media_type, name in (
            (kept, "application/xml", _name(draft)),
            (receipt_kept, "application/json", f"{_name(draft)[:-4]}-recepisse.json"),
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


def _refused(deps: Deps, draft: Draft, reason: str) -> None:
    with deps.db.transaction(draft.submission.tenant_id) as session:
        record(session, draft.submission.tenant_id, Change(
            kind="transmission", code="status-refused", actor=f"platform:{draft.connection.id}",
            submission_id=draft.submission.id, reason=f"Statut {draft.message.code} : {reason}",
            data={"tracking_id": draft.tracking_id, "message": draft.message.id},
        ), now=deps.now())


def _deposited_at(session: Session, submission: Submission) -> str | None:
    """MDT-95 for the seller's side: when the status 200 was set."""
    found = session.scalar(
        select(Event.platform_at)
        .where(Event.submission_id == submission.id, Event.kind == "lifecycle", Event.code == "200")
        .order_by(Event.position).limit(1)
    )
    return found.isoformat() if found is not None else None
