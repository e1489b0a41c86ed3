"""Depositing one invoice at the platform, once in effect.

The tracking id is the submission's id, fixed and durable before the first byte leaves. A lost answer makes the
state `unknown`: the platform is asked for the tracking id, and the document goes again only when the platform
certainly has not got it and enough time has passed for it to know.
"""

import uuid
from datetime import timedelta

from archive.store import Digest
from gateway.connections import open_connection
from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.outbox import Entry, Park, RetryLater
from gateway.outgoing.drafts import file_name, media_type_of
from gateway.platforms.port import Flow, Platform, Precondition, Receipt, Rejected, Unavailable, Unknown
from gateway.record import Change, Work, record
from gateway.tables import Document, PlatformConnection, Submission
from gateway.vault import VaultError

FLOW_SYNTAX = {"factur-x": "Factur-X", "cii": "CII", "ubl-invoice": "UBL", "ubl-credit-note": "UBL"}
FLOW_PROFILE = {"minimum": "Basic", "basicwl": "Basic", "basic": "Basic", "en16931": "CIUS", "cius": "CIUS",
                "extended": "Extended-CTC-FR", "extended-ctc-fr": "Extended-CTC-FR"}


def deliver(deps: Deps, entry: Entry) -> None:
    """Handle one `deliver` entry; safe to run again after a crash at any point.

    Raises:
        RetryLater: transport trouble, or an unknown outcome that is not old enough to be settled.
        Park: a person must decide (no connection, credentials refused).
    """
    submission, connection = _load(deps, entry)
    if submission.transmission not in {"queued", "sending", "unknown", "parked"}:
        return
    platform = _open(deps, submission, connection)
    try:
        if submission.transmission != "queued" and _settled(deps, submission, platform):
            return
        _intend(deps, submission)
        receipt = platform.send(deps.store.get(Digest(submission.sent_sha256 or submission.sha256)),
                                submission.id, _flow(submission))
    except Rejected as error:
        _move(deps, submission, "failed", f"{error.code}: {error.message}", free=True)
    except Precondition as error:
        _move(deps, submission, "parked", f"{error.code}: {error.message}")
        raise Park(f"{error.code}: {error.message}") from error
    except Unavailable as error:
        _move(deps, submission, "queued", f"{error.code}: {error.message}", quiet=True)
        at = deps.now() + timedelta(seconds=error.retry_after_s) if error.retry_after_s else None
        raise RetryLater(f"{error.code}: {error.message}", at=at) from error
    except Unknown as error:
        _move(deps, submission, "unknown", f"{error.code}: {error.message}")
        raise RetryLater(f"{error.code}: {error.message}", at=deps.now() + _settle(deps)) from error
    else:
        deposited(deps, submission, receipt)


def _load(deps: Deps, entry: Entry) -> tuple[Submission, PlatformConnection | None]:
    with deps.db.reading(entry.tenant_id) as session:
        submission = session.get(Submission, (entry.tenant_id, entry.subject_id))
        if submission is None:
            raise Park("no such submission")
        connection = session.get(PlatformConnection, (entry.tenant_id, submission.connection_id or ""))
        return submission, connection


def _open(deps: Deps, submission: Submission, connection: PlatformConnection | None) -> Platform:
    if connection is None or not connection.enabled:
        _move(deps, submission, "parked", "no-connection")
        raise Park("L'entité n'a pas de plateforme agréée active.")
    try:
        return open_connection(deps, connection)
    except (VaultError, Precondition) as error:
        _move(deps, submission, "parked", str(error))
        raise Park(str(error)) from error


def _settled(deps: Deps, submission: Submission, platform: Platform) -> bool:
    """Whether an earlier attempt turns out to have reached the platform; waits while it is too fresh to say."""
    found = platform.find_flow(submission.id)
    if found is not None:
        receipt = Receipt(flow_id=found.flow_id, submitted_at=found.submitted_at, raw=found.raw)
        deposited(deps, submission, receipt, looked_up=True)
        return True
    with deps.db.transaction(submission.tenant_id) as session:
        row = session.get(Submission, (submission.tenant_id, submission.id))
        fresh = row is not None and row.transmission == "sending"
        if fresh and row is not None:
            row.transmission, row.transmission_reason = "unknown", "Interrompu pendant l'envoi."
    if fresh:
        raise RetryLater("interrupted while sending", at=deps.now() + _settle(deps))
    return False


def _settle(deps: Deps) -> timedelta:
    return timedelta(seconds=deps.settings.settle_seconds)


def _intend(deps: Deps, submission: Submission) -> None:
    """Make the intent durable before the first byte leaves."""
    now = deps.now()
    with deps.db.transaction(submission.tenant_id) as session:
        row = session.get(Submission, (submission.tenant_id, submission.id))
        if row is not None:
            row.transmission = "sending"
            record(session, row.tenant_id, Change(kind="transmission", code="sending", actor="worker",
                                                  submission_id=row.id), now=now)


def _flow(submission: Submission) -> Flow:
    media_type = media_type_of(submission.syntax)
    return Flow(
        name=file_name(submission.number, "facture", media_type),
        syntax=FLOW_SYNTAX.get(submission.syntax, "CII"),
        profile=FLOW_PROFILE.get(submission.profile, "CIUS"),
        processing_rule=submission.processing_rule,
        media_type=media_type,
    )


def deposited(deps: Deps, submission: Submission, receipt: Receipt, *, looked_up: bool = False) -> None:
    """Record that the platform has the invoice; once, whoever finds out first."""
    kept = Kept("receipt", deps.store.put(receipt.raw).hex, len(receipt.raw))
    now = deps.now()
    with deps.db.transaction(submission.tenant_id) as session:
        row = session.get(Submission, (submission.tenant_id, submission.id), with_for_update=True)
        if row is None or row.transmission in {"deposited", "failed"}:
            return
        row.transmission, row.transmission_reason, row.flow_id = "deposited", None, receipt.flow_id
        session.add(Document(
            tenant_id=row.tenant_id, id=str(uuid.uuid4()), submission_id=row.id, role="receipt", syntax=None,
            media_type="application/json", name=file_name(row.number, "recepisse", "application/json"),
            sha256=kept.sha256, size=kept.size, at=now,
        ))
        record(session, row.tenant_id, Change(
            kind="transmission", code="deposited", actor=f"platform:{row.connection_id}", submission_id=row.id,
            platform_at=receipt.submitted_at, objects=(kept,),
            reason="Retrouvée sur la plateforme après une réponse perdue." if looked_up else None,
            data={"flow_id": receipt.flow_id}, then=(Work(topic="remind", subject_id=row.id),),
        ), now=now)


def _move(
    deps: Deps, submission: Submission, state: str, reason: str, *, free: bool = False, quiet: bool = False
) -> None:
    now = deps.now()
    with deps.db.transaction(submission.tenant_id) as session:
        row = session.get(Submission, (submission.tenant_id, submission.id), with_for_update=True)
        if row is None or row.transmission == "deposited":
            return
        row.transmission, row.transmission_reason = state, reason
        if free:
            row.active = None
        if not quiet:
            record(session, row.tenant_id, Change(kind="transmission", code=state, actor="worker",
                                                  submission_id=row.id, reason=reason), now=now)
