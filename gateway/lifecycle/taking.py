"""A status message that came from a platform becomes an event of its invoice.

Nothing is dropped: what cannot be read is parked with its cause, what is about an unknown invoice is parked and
tried again, what comes twice is recorded once, what comes late or against the guard is recorded and does not count.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from archive.store import Digest
from formats.errors import FormatError
from formats.status import StatusMessage
from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.evidence.rule_sets import keep_decided
from gateway.lifecycle.derive import Status, objection_to
from gateway.lifecycle.history import men_of, state_of, statuses_of, total_of
from gateway.lifecycle.matching import find_same, find_submission, unmatched
from gateway.lifecycle.wording import actor_of, event_data, is_by_platform, reason_of
from gateway.outbox import Entry, Park, RetryLater
from gateway.outgoing.drafts import file_name, is_not_transmitted, rule_sets_of
from gateway.record import Change, Work, lock_tenant, record
from gateway.tables import Document, SeenFlow, Submission
from validation.findings import Report, Verdict

NUMBER_STAYS_TAKEN = frozenset({"DOUBLON", "REJ_UNI"})
"""Reasons of a 213 after which the same number cannot be sent again: the platform has such an invoice."""

PATIENCE = timedelta(days=30)
"""How long a status may wait for its invoice."""

FINDINGS_KEPT = 20


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that was read, with the bytes it came in and where it came from."""

    message: StatusMessage
    report: Report
    kept: Kept
    source: Mapping[str, Any]
    """The payload of the entry."""

    not_carried: tuple[str, ...] = ()
    """Places of texts that the message has no field for."""


def handle_status(deps: Deps, entry: Entry) -> None:
    """Handle one `status` entry: payload {connection_id, flow_id, sha256, tracking_id}; safe to run again.

    Raises:
        RetryLater: the invoice is not known (yet), or the message could not be read because we failed.
        Park: the message cannot be read, or its invoice stayed unknown for 30 days.
    """
    payload = entry.payload
    document = deps.store.get(Digest(payload["sha256"]))
    try:
        reading = deps.workshop.read_status(document, as_of=deps.today())
    except FormatError as error:  # the workshop gave up on these bytes, twice
        _mark(deps, entry, "parked", f"{error.code} : {error}")
        raise Park(f"{error.code} : {error}") from error
    if reading.report.verdict is Verdict.ERROR:
        raise RetryLater(f"engine : {_first_words(reading.report)}")
    if reading.message is None:
        cause = f"unreadable : {_first_words(reading.report)}"
        _mark(deps, entry, "parked", cause)
        raise Park(cause)
    try:
        keep_decided(deps, reading.report)
    except FormatError as error:
        raise RetryLater(f"{error.code} : {error}") from error
    kept = Kept("status", payload["sha256"], len(document))
    waiting = _take(deps, entry, Incoming(reading.message, reading.report, kept, payload, reading.not_carried))
    if waiting is not None:
        raise waiting


def _take(deps: Deps, entry: Entry, incoming: Incoming) -> RetryLater | Park | None:
    """Record the status in one transaction; what to raise when its invoice is unknown."""
    with deps.db.transaction(entry.tenant_id) as session:
        lock_tenant(session, entry.tenant_id)  # two copies at once: one event
        flow = _flow(session, entry)
        submission = find_submission(
            session, incoming.message, incoming.kept.sha256, incoming.source.get("tracking_id"))
        if submission is None:
            return _wait(deps, flow, unmatched(incoming.message))
        flow.state, flow.cause, flow.submission_id = "done", None, submission.id
        earlier = find_same(session, submission, incoming.message, incoming.kept.sha256)
        if earlier is not None:
            flow.cause = f"duplicate : déjà reçu le {earlier.at:%d/%m/%Y}."
            return None
        _record(deps, session, submission, incoming)
    return None


def _record(deps: Deps, session: Session, submission: Submission, incoming: Incoming) -> None:
    now = deps.now()
    message, kept = incoming.message, incoming.kept
    actor = actor_of(message)
    data = event_data(message)
    said = Status(code=message.code, at=message.set_at, by=actor, id=message.id, amount=men_of(data))
    objection = objection_to(said, statuses_of(session, submission), total_of(submission))
    stranded = objection is None and _is_stranded(message)
    session.add(Document(
        tenant_id=submission.tenant_id, id=str(uuid.uuid4()), submission_id=submission.id, role="status",
        syntax="cdar", media_type="application/xml", sha256=kept.sha256, size=kept.size, at=now,
        name=file_name(submission.number, f"statut-{message.code}-{message.set_at:%Y%m%dT%H%M%S}", "application/xml"),
    ))
    record(session, submission.tenant_id, Change(
        kind="lifecycle", code=message.code, actor=actor, submission_id=submission.id, reason=reason_of(message),
        platform_at=message.set_at, objects=(kept,), rule_sets=rule_sets_of(incoming.report),
        data={**data, "flow_id": incoming.source.get("flow_id"), "connection_id": incoming.source.get("connection_id"),
              **_remarks(submission, incoming, objection)},
        then=(Work(topic="remind", subject_id=submission.id),
              *((Work(topic="hand-over", subject_id=submission.id),) if stranded else ())),
    ), now=now)
    state = state_of(session, submission)
    submission.lifecycle = state.code
    if state.ended == "213" and objection is None and frees_number(message):
        submission.active = None


def _is_stranded(message: StatusMessage) -> bool:
    """Whether the buyer gets nothing from a platform: the double must reach him otherwise."""
    return is_not_transmitted(message.code, [detail.reason_code for detail in message.details])


def frees_number(message: StatusMessage) -> bool:
    """Whether this rejection lets the same invoice number be sent again. Source: DGFiP G1.45."""
    reasons = {detail.reason_code for detail in message.details}
    return message.code == "213" and is_by_platform(message) and not reasons & NUMBER_STAYS_TAKEN


def _remarks(submission: Submission, incoming: Incoming, objection: str | None) -> dict[str, Any]:
    """What is odd about the message: rules it breaks, texts nobody here reads, a wrong date, why it does not count."""
    message = incoming.message
    broken = [finding.rule for finding in incoming.report.findings if finding.severity.blocks][:FINDINGS_KEPT]
    other_day = message.invoice_date if message.invoice_date not in {None, submission.issue_date} else None
    told = {"broken_rules": broken, "not_carried": list(incoming.not_carried[:FINDINGS_KEPT]),
            "invoice_date": other_day.isoformat() if other_day else None,
            "objection": str(objection) if objection else None}
    return {name: value for name, value in told.items() if value}


def _wait(deps: Deps, flow: SeenFlow, cause: str) -> RetryLater | Park:
    """Park the flow; look again after a while that grows with its age."""
    age = deps.now() - flow.first_seen_at
    flow.state, flow.cause = "parked", cause
    if age > PATIENCE:
        return Park(cause)
    pause = min(max(age / 2, timedelta(seconds=30)), timedelta(hours=6))
    return RetryLater(cause, at=deps.now() + pause, patient=True)


def _mark(deps: Deps, entry: Entry, state: str, cause: str) -> None:
    with deps.db.transaction(entry.tenant_id) as session:
        flow = _flow(session, entry)
        flow.state, flow.cause = state, cause


def _flow(session: Session, entry: Entry) -> SeenFlow:
    """The flow that brought the message; it was remembered before the message was fetched."""
    return session.get_one(SeenFlow, {"tenant_id": entry.tenant_id, "id": entry.payload["flow_id"],
                                      "connection_id": entry.payload["connection_id"]})


def _first_words(report: Report) -> str:
    blocking = [finding for finding in report.findings if finding.severity.blocks]
    return blocking[0].message.fr if blocking else "message sans contenu lisible."
