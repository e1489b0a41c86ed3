"""What the acknowledgement of a flow means for the invoice or status that we sent in it: transmission only."""

from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from gateway import outbox
from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.lifecycle.history import FILED_OTHERWISE, filed_as, state_of
from gateway.outgoing.drafts import is_not_transmitted
from gateway.outgoing.moves import add_document
from gateway.platforms.port import FlowState
from gateway.record import Change, Work, record
from gateway.tables import OutboxEntry, SeenFlow, Submission

ALREADY_THERE = "AlreadyExistingFlow"
"""The platform has this invoice from another deposit: sending it again would change nothing."""

OK, ERROR = "Ok", "Error"
REJECTED = "213"
UNSAID = frozenset({"Undefined", "NotApplicable"})
"""Processing rules that say nothing about an invoice."""


def take_ack(deps: Deps, session: Session, row: SeenFlow, flow: FlowState, raw: str) -> None:
    """Record the acknowledgement of one of our flows, once. `raw` is the hash of the platform's own words.

    Ok: event `acknowledged`; an invoice that was taken for lost is deposited after all. Error on an invoice: it failed,
    with the reasons; its identity is free again unless the platform has the invoice from another deposit: then a person
    must decide. Error on a status: event `status-refused`, and the flow is parked. Anything else: the flow stays `new`
    and is looked at again.
    """
    submission = find_submission(session, row, flow)
    if submission is None:
        row.state, row.cause = "done", "not-ours : dépôt inconnu ici."
        return
    row.submission_id = submission.id
    is_invoice = flow.tracking_id == submission.id or flow.flow_id == submission.flow_id
    if is_invoice:
        _note_filing(deps, session, submission, flow)
    if flow.ack_status not in {OK, ERROR}:
        row.state, row.cause = "new", f"ack {flow.ack_status}"
        return
    if row.cause == f"ack {flow.ack_status}":
        return
    row.state = "parked" if flow.ack_status == ERROR and not is_invoice else "done"
    code = _code(session, submission, flow, is_invoice=is_invoice)
    row.cause = f"ack {flow.ack_status}"
    reason = reasons_of(flow) if flow.ack_status == ERROR else None
    if code in {"failed", "parked"}:
        submission.transmission, submission.transmission_reason = code, reason
        submission.active = None if code == "failed" else submission.active
    if code == "parked":
        outbox.wait(session, submission.tenant_id, "deliver", submission.id, reason or "", now=deps.now())
    after_all = code == "acknowledged" and _arrived(session, submission, flow, deps.now())
    kept = Kept("acknowledgement", raw, len(flow.raw))
    add_document(session, submission, kept, f"acquittement-{flow.ack_status}", deps.now())
    record(session, row.tenant_id, Change(
        kind="transmission", code=code, actor=f"platform:{row.connection_id}", submission_id=submission.id,
        reason=reason, platform_at=flow.updated_at, objects=(kept,),
        data={"flow_id": flow.flow_id, "tracking_id": flow.tracking_id, "flow_type": flow.flow_type,
              "reasons": [detail.reason_code for detail in flow.ack_details]},
        then=_work_after(submission, flow, "arrived" if after_all else code),
    ), now=deps.now())
    if code in {"status-refused", "status-acknowledged"}:
        submission.lifecycle = state_of(session, submission).code  # without that status of ours, or with it again


def _arrived(session: Session, submission: Submission, flow: FlowState, now: datetime) -> bool:
    """Whether the platform has what failed or waits for a person: it took an error back, or had what was given up.

    Where another invoice has taken the number since, that one stands.
    """
    if submission.transmission not in {"failed", "parked"}:
        return False
    if submission.transmission == "failed" and submission.active is None:
        if submission.lifecycle == REJECTED or session.scalar(select(Submission.id).where(
                Submission.seller_siren == submission.seller_siren, Submission.number == submission.number,
                Submission.issue_year == submission.issue_year, Submission.active.is_(True)).limit(1)) is not None:
            return False
        submission.active = True
    submission.transmission, submission.transmission_reason = "deposited", None
    submission.flow_id = submission.flow_id or flow.flow_id
    for entry_id in session.scalars(select(OutboxEntry.id).where(
            OutboxEntry.topic == "deliver", OutboxEntry.subject_id == submission.id,
            OutboxEntry.state == "parked")).all():
        outbox.revive(session, entry_id, now)  # nobody needs to decide any more: it finds the invoice deposited
    return True


def _work_after(submission: Submission, flow: FlowState, code: str) -> tuple[Work, ...]:
    reasons = [detail.reason_code for detail in flow.ack_details]
    stranded = code in {"acknowledged", "arrived"} and is_not_transmitted("", reasons)
    settled = code in {"failed", "arrived", "status-refused", "status-acknowledged"}
    return (*((Work(topic="hand-over", subject_id=submission.id),) if stranded else ()),
            *((Work(topic="remind", subject_id=submission.id),) if settled else ()))


def _note_filing(deps: Deps, session: Session, submission: Submission, flow: FlowState) -> None:
    """Read back under which rule the platform files the invoice: one filed as foreign gets no statuses any more."""
    rule = flow.processing_rule
    if rule in UNSAID or rule == filed_as(session, submission):
        return
    right = rule == submission.processing_rule
    record(session, submission.tenant_id, Change(
        kind="transmission", code=FILED_OTHERWISE, actor="worker", submission_id=submission.id,
        reason=f"La plateforme classe cette facture {rule}" + (" : c'est juste." if right else
               f" au lieu de {submission.processing_rule}. Faites-la corriger chez elle : ses statuts en dépendent."),
        data={"processing_rule": rule, "flow_id": flow.flow_id}), now=deps.now())


def find_submission(session: Session, row: SeenFlow, flow: FlowState) -> Submission | None:
    """The invoice that this flow of ours carries or is about: by our row, our tracking id, or the flow id.

    A flow id is the platform's own: another platform may use the same for something else.
    """
    for submission_id in (row.submission_id, flow.tracking_id):
        found = session.scalar(BY_ID, {"wanted": submission_id}) if submission_id else None
        if found is not None:
            return found
    return session.scalar(BY_FLOW, {"wanted": flow.flow_id, "connection": row.connection_id})


BY_ID: Final = select(Submission).where(Submission.id == bindparam("wanted"))
BY_FLOW: Final = select(Submission).where(
    Submission.flow_id == bindparam("wanted"), Submission.connection_id == bindparam("connection"))


def reasons_of(flow: FlowState) -> str:
    """The reasons of an acknowledgement in the platform's words: `code : message (item)`."""
    told = (f"{detail.reason_code} : {detail.message}" + (f" ({detail.item})" if detail.item else "")
            for detail in flow.ack_details)
    return " ; ".join(told) or "Refusé par la plateforme, sans motif."


def _code(session: Session, submission: Submission, flow: FlowState, *, is_invoice: bool) -> str:
    """The event's code."""
    if flow.ack_status == OK:
        return "acknowledged" if is_invoice else "status-acknowledged"
    if not is_invoice:
        return "status-refused"
    other_deposit = submission.flow_id not in {None, flow.flow_id} or _acknowledged_elsewhere(session, submission, flow)
    if other_deposit:
        return "duplicate-refused"
    return "parked" if ALREADY_THERE in {detail.reason_code for detail in flow.ack_details} else "failed"


def _acknowledged_elsewhere(session: Session, submission: Submission, flow: FlowState) -> bool:
    """Whether another deposit of the same invoice was accepted."""
    return session.scalar(
        select(SeenFlow.id).where(SeenFlow.submission_id == submission.id, SeenFlow.id != flow.flow_id,
                                  SeenFlow.cause == f"ack {OK}", SeenFlow.flow_type.notlike("%LC")).limit(1)
    ) is not None
