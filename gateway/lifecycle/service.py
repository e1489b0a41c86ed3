"""The feed of events, and the statuses that a seller sets by hand."""

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.auth import Principal
from gateway.deps import Deps
from gateway.idempotency import Answer, fingerprint_of, once, remember
from gateway.lifecycle.derive import Status, objection_to
from gateway.lifecycle.guard import SELLER, Objection
from gateway.lifecycle.history import codes_under_way, filed_away, has_left, statuses_of, total_of
from gateway.lifecycle.schemas import FeedEventOut, FeedOut, StatusIn, StatusQueuedOut
from gateway.lifecycle.wording import label_of
from gateway.problems import Problem, not_found
from gateway.record import Change, Work, lock_tenant, record
from gateway.tables import Event, Submission

REFUSALS = {
    Objection.AFTER_END: "La facture est rejetée, refusée ou annulée. / Rejected, refused or cancelled already.",
    Objection.NOT_DEPOSITED: "La facture n'est pas encore déposée. / The invoice is not deposited yet.",
    Objection.NOTHING_OPEN: "Aucune suspension (208) n'attend de réponse. / There is no open suspension (208).",
}


def feed(deps: Deps, tenant_id: str, after: int, limit: int) -> FeedOut:
    """Events about invoices with a position greater than `after`, oldest first. Positions are never used twice."""
    with deps.db.reading(tenant_id) as session:
        rows = session.scalars(
            select(Event)
            .where(Event.position > after, Event.submission_id.is_not(None))
            .order_by(Event.position)
            .limit(limit + 1)
        ).all()
    page = rows[:limit]
    return FeedOut(items=[event_out(row) for row in page], next=page[-1].position if len(rows) > limit else None)


def event_out(row: Event) -> FeedEventOut:
    """A stored event as it is shown."""
    return FeedEventOut(
        position=row.position, id=row.id, invoice=row.submission_id or "", at=row.at, platform_at=row.platform_at,
        kind=row.kind, code=row.code, label=label_of(row.code) if row.kind == "lifecycle" else None, actor=row.actor,
        reason=row.reason, sha256=row.sha256, data=row.data,
    )


def set_status(deps: Deps, principal: Principal, submission_id: str, status: StatusIn, key: str) -> Answer:
    """Queue one of the seller's own statuses (209, 220, 227); returns (HTTP status, body).

    Repeating key and body is safe.

    Problems: 404, 409 invoice-not-sent, status-under-way, status-already-asked, filed-otherwise, status-not-possible
    with the guard's reason.
    """
    fingerprint = fingerprint_of(b"POST statuses", submission_id.encode(), status.model_dump_json().encode())
    return once(deps, principal.tenant_id, key, fingerprint,
                lambda: _queue(deps, principal, submission_id, status, key))


def _queue(deps: Deps, principal: Principal, submission_id: str, status: StatusIn, key: str) -> Answer:
    now = deps.now()
    with deps.db.transaction(principal.tenant_id) as session:
        lock_tenant(session, principal.tenant_id)
        submission = session.get(Submission, (principal.tenant_id, submission_id))
        if submission is None:
            raise not_found()
        if submission.transmission in {"refused", "failed"}:
            raise Problem(409, "invoice-not-sent", "La facture n'a pas été transmise. / The invoice was not sent.")
        tracking_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{principal.tenant_id}/status/{key}"))
        if _asked_before(session, submission, tracking_id):
            raise Problem(409, "status-already-asked", "Ce statut a déjà été demandé sous cette clé. / Asked already.")
        if status.code in codes_under_way(session, submission.id):
            raise Problem(409, "status-under-way", f"Un statut {status.code} est déjà en route pour cette facture. / "
                          "One is on its way already.")
        rule = filed_away(session, submission)
        if rule is not None:
            raise Problem(409, "filed-otherwise", f"La plateforme classe cette facture {rule} et n'en prend pas de "
                          "statut : faites-la corriger chez elle. / Filed otherwise by the platform.", filed_as=rule)
        wanted = Status(code=status.code, at=now, by=SELLER)
        if status.code == "227" and submission.processing_rule == "B2G":
            raise Problem(409, "status-not-possible", "Un acheteur public attend le nouvel IBAN en pièce jointe, sur "
                          "Chorus Pro. / A public buyer wants the new IBAN as an attachment, on Chorus Pro.")
        objection = objection_to(wanted, statuses_of(session, submission), total_of(submission))
        if objection is None and not has_left(submission):
            objection = Objection.NOT_DEPOSITED  # or its cancellation would go in front of it
        if objection is not None:
            raise Problem(409, "status-not-possible", REFUSALS.get(objection, str(objection)), objection=str(objection))
        record(session, principal.tenant_id, Change(
            kind="transmission", code="status-queued", actor=principal.actor, submission_id=submission.id,
            reason=f"Statut {status.code} : {label_of(status.code)}", data={"tracking_id": tracking_id},
            then=(Work(topic="send-status", subject_id=submission.id, payload={
                "code": status.code, "id": tracking_id, "actor": principal.actor, "comment": status.comment,
                "set_at": now.replace(microsecond=0).isoformat(),
                **({"account": status.account.model_dump()} if status.account else {}),
            }),),
        ), now=now)
        answer = 202, StatusQueuedOut(id=tracking_id, code=status.code).model_dump(mode="json")
        remember(session, principal.tenant_id, key, answer)
    return answer


def _asked_before(session: Session, submission: Submission, tracking_id: str) -> bool:
    """Whether a status was asked for under this id; its Idempotency-Key may be forgotten since."""
    return any(event.data.get("tracking_id") == tracking_id for event in session.scalars(select(Event).where(
        Event.submission_id == submission.id, Event.kind == "transmission", Event.code == "status-queued")))
