"""What a person decides about work that waits: try again, send anyway, give up, send again as a new submission.

Each decision is journaled with who took it and why, in the transaction that carries it out.
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive.store import Digest
from gateway import outbox
from gateway.auth import Principal
from gateway.channels import sending as channels
from gateway.deps import Deps
from gateway.idempotency import Answer
from gateway.outgoing import service
from gateway.outgoing.addressing import ANYWAY
from gateway.outgoing.paths import Path, path_of, standing_of
from gateway.outgoing.schemas import path_out
from gateway.problems import Problem, not_found
from gateway.record import Change, Work, record
from gateway.tables import Event, OutboxEntry, SeenFlow, Submission
from gateway.webhooks import sending as webhooks

WAITING = ("parked", "pending")
OF_A_FLOW = ("fetch", "status")
"""Topics of work on one flow that a platform showed us."""


def decide(deps: Deps, principal: Principal, submission_id: str, action: str, reason: str) -> None:
    """Decide about the sending of one invoice.

    Raises:
        Problem: 404; 409 not-possible with what is possible instead; 409 in-progress or already-decided; 422 without
            a reason where one is needed.
    """
    tenant_id = principal.tenant_id
    if action not in ACTIONS:
        raise not_found()
    with deps.db.reading(tenant_id) as session:
        _check_possible(session, service.get_submission(session, tenant_id, submission_id), action)
        entry_id = session.scalar(select(OutboxEntry.id).where(
            OutboxEntry.topic == "deliver", OutboxEntry.subject_id == submission_id, OutboxEntry.state.in_(WAITING)
        ).order_by(OutboxEntry.created_at.desc()).limit(1))
    if entry_id is None:
        raise _decided()
    ACTIONS[action](deps, tenant_id, entry_id, reason.strip(), principal.actor)


def resend(deps: Deps, principal: Principal, submission_id: str, key: str) -> Answer:
    """Send the same bytes again as a new submission under the same number, where that is possible (see paths.py).

    Raises:
        Problem: 404, 409 not-possible, and everything that service.submit answers.
    """
    with deps.db.reading(principal.tenant_id) as session:
        row = service.get_submission(session, principal.tenant_id, submission_id)
        _check_possible(session, row, "resend")
    return service.submit(deps, principal, deps.store.get(Digest(row.sha256)), key,
                          asked=b"POST resend" + submission_id.encode())


def retry(deps: Deps, tenant_id: str, entry_id: str, reason: str, actor: str) -> None:
    """Put a parked entry back to work. Raises Problem: 404, or 409 when it is not parked any more."""
    with deps.db.transaction(tenant_id) as session:
        entry = _get(session, tenant_id, entry_id)
        if not outbox.revive(session, entry_id, deps.now()):
            raise _decided()
        record(session, tenant_id, _decision(session, entry, "retried", actor, reason or entry.reason), now=deps.now())


def retry_alike(deps: Deps, tenant_id: str, entry_id: str, actor: str) -> int:
    """Put every parked entry of the same topic and with the same cause back to work; how many there were.

    The cause is the code before the colon of the reason: one wrong secret parks many invoices. Raises Problem: 404.
    """
    with deps.db.reading(tenant_id) as session:
        entry = _get(session, tenant_id, entry_id)
        parked = session.scalars(select(OutboxEntry).where(
            OutboxEntry.state == "parked", OutboxEntry.topic == entry.topic).order_by(OutboxEntry.created_at)).all()
        alike = [other.id for other in parked if cause_of(other) == cause_of(entry)]
    done = 0
    for other_id in alike:
        try:
            retry(deps, tenant_id, other_id, "", actor)
        except Problem:  # somebody decided about this one meanwhile
            continue
        done += 1
    return done


def cause_of(entry: OutboxEntry) -> str:
    """The code that an entry's reason begins with."""
    return (entry.reason or "").partition(":")[0].strip()


def send_anyway(deps: Deps, tenant_id: str, entry_id: str, reason: str, actor: str) -> None:
    """Send an invoice whatever the directory says.

    Raises:
        Problem: 404, 409 when it does not wait for its buyer or is being worked on, 422 without a reason.
    """
    _need(reason)
    with deps.db.transaction(tenant_id) as session:
        entry = _waiting(session, deps, tenant_id, entry_id)
        row = session.get(Submission, (tenant_id, entry.subject_id))
        if row is None or entry.topic != "deliver":
            raise not_found()
        _check_possible(session, row, "send-anyway")
        entry.payload = {**entry.payload, ANYWAY: actor}
        outbox.revive(session, entry_id, deps.now())
        record(session, tenant_id, _decision(session, entry, "sent-anyway", actor, reason), now=deps.now())


def close(deps: Deps, tenant_id: str, entry_id: str, reason: str, actor: str) -> None:
    """Give waiting work up. An invoice whose sending is given up becomes `failed`; a flow waits for nobody any more.

    The number of the invoice is free again only if no attempt to send it was ever made.

    Raises:
        Problem: 404, 409 when it does not wait any more, 422 without a reason.
    """
    _need(reason)
    with deps.db.transaction(tenant_id) as session:
        entry = _waiting(session, deps, tenant_id, entry_id)
        outbox.close(session, entry_id, reason)
        if entry.topic == "deliver":
            _give_up(session, tenant_id, entry.subject_id, reason)
        if entry.topic in OF_A_FLOW:
            _let_go(session, entry, reason)
        if entry.topic == webhooks.TOPIC:
            webhooks.give_up(session, tenant_id, entry.subject_id, reason, deps.now())
        if entry.topic == channels.TOPIC:
            channels.give_up(session, tenant_id, entry.subject_id, reason)
        record(session, tenant_id, _decision(session, entry, "closed", actor, reason), now=deps.now())


def close_flow(deps: Deps, tenant_id: str, connection_id: str, flow_id: str, *, reason: str, actor: str) -> None:
    """Give a flow up that waits: unreadable, of no invoice here, or a status of ours that the platform refused.

    Raises:
        Problem: 404, 409 when it does not wait any more, 422 without a reason.
    """
    _need(reason)
    with deps.db.transaction(tenant_id) as session:
        key = {"tenant_id": tenant_id, "id": flow_id, "connection_id": connection_id}
        flow = session.get(SeenFlow, key, with_for_update=True)
        if flow is None:
            raise not_found()
        if flow.state != "parked":
            raise _decided()
        flow.state, flow.cause = "done", f"closed : {reason}"
        for entry in session.scalars(select(OutboxEntry).where(
                OutboxEntry.topic.in_(OF_A_FLOW), OutboxEntry.subject_id == flow_id, OutboxEntry.state.in_(WAITING))):
            if entry.payload.get("connection_id") == connection_id:
                entry.state, entry.reason, entry.lease_until = "closed", reason, None
        subject = f"flow:{flow_id}"
        kind, code = ("transmission", "closed") if flow.submission_id else ("setting", "work-closed")
        record(session, tenant_id, Change(
            kind=kind, code=code, actor=actor, reason=reason, submission_id=flow.submission_id, subject=subject,
            data={"subject": subject, "flow_id": flow_id}), now=deps.now())


ACTIONS = {"retry": retry, "send-anyway": send_anyway, "close": close}


def path_now(session: Session, row: Submission) -> Path:
    """What is possible with an invoice now."""
    events = session.scalars(select(Event).where(Event.submission_id == row.id).order_by(Event.position)).all()
    return path_of(standing_of(row, events))


def _check_possible(session: Session, row: Submission, action: str) -> None:
    path = path_now(session, row)
    if action not in path.actions:
        raise Problem(409, "not-possible", f"{path.fr} / {path.en}", path=path_out(path).model_dump())


def _waiting(session: Session, deps: Deps, tenant_id: str, entry_id: str) -> OutboxEntry:
    """An entry that waits for a person, or for its buyer; parked now, so that no worker takes it meanwhile."""
    entry = session.get(OutboxEntry, (tenant_id, entry_id), with_for_update=True)
    if entry is None:
        raise not_found()
    row = session.get(Submission, (tenant_id, entry.subject_id))
    held = entry.state == "pending" and entry.topic == "deliver" and row is not None and row.transmission == "held"
    if held and entry.lease_until is not None and entry.lease_until > deps.now():
        raise Problem(409, "in-progress", "Ce travail est en cours ; réessayez dans un instant. / "
                      "In progress; try again.")
    if entry.state != "parked" and not held:
        raise _decided()
    entry.state = "parked"
    session.flush()
    return entry


def _give_up(session: Session, tenant_id: str, submission_id: str, reason: str) -> None:
    invoice = session.get(Submission, (tenant_id, submission_id))
    if invoice is None or invoice.transmission == "deposited":
        return
    tried = session.scalar(select(func.count()).select_from(Event).where(
        Event.submission_id == submission_id, Event.kind == "transmission", Event.code == "sending"))
    invoice.transmission, invoice.transmission_reason = "failed", f"Classée : {reason}"
    if not tried:
        invoice.active = None


def _let_go(session: Session, entry: OutboxEntry, reason: str) -> None:
    """The flow that was not read, or that belongs to no invoice here, rings no alarm any more."""
    flow = session.get(SeenFlow, {"tenant_id": entry.tenant_id, "id": entry.payload.get("flow_id"),
                                  "connection_id": entry.payload.get("connection_id")})
    if flow is not None and flow.state == "parked":
        flow.state, flow.cause = "done", f"closed : {reason}"


def _decision(session: Session, entry: OutboxEntry, verb: str, actor: str, reason: str | None) -> Change:
    invoice = session.get(Submission, (entry.tenant_id, entry.subject_id))
    about_invoice = invoice is not None
    return Change(
        kind="transmission" if about_invoice else "setting", code=verb if about_invoice else f"work-{verb}",
        actor=actor, submission_id=entry.subject_id if about_invoice else None, subject=f"work:{entry.id}",
        reason=reason, data={"subject": f"work:{entry.id}", "topic": entry.topic},
        then=(Work(topic="remind", subject_id=invoice.id),) if invoice is not None and invoice.preceding else (),
    )


def _need(reason: str) -> None:
    if not reason:
        raise Problem(422, "reason-missing", "Indiquez la raison de cette décision. / A reason is needed.")


def _get(session: Session, tenant_id: str, entry_id: str) -> OutboxEntry:
    entry = session.get(OutboxEntry, (tenant_id, entry_id))
    if entry is None:
        raise not_found()
    return entry


def _decided() -> Problem:
    return Problem(409, "already-decided", "Quelqu'un a déjà décidé pour ce travail. / Somebody decided already.")
