"""Depositing one invoice at the platform, once in effect.

The tracking id is the submission's id, fixed and durable before the first byte leaves. Only the very first attempt
goes without a question: before every other one the platform is asked for the tracking id, and the document goes
again only when the platform certainly has not got it and enough time has passed for it to know. What a platform
says to the question never changes the invoice: only an answer to a deposit, or a flow that was found, does.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NoReturn

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from archive.errors import ArchiveError
from archive.store import Digest
from gateway import circuits, outbox
from gateway.connections import open_connection
from gateway.deps import Deps
from gateway.directory.asking import Known
from gateway.evidence.ledger import Kept
from gateway.outbox import MOST_ATTEMPTS, Entry, Park, RetryLater, backoff
from gateway.outgoing.addressing import check_reachable
from gateway.outgoing.drafts import file_name, media_type_of
from gateway.outgoing.moves import (
    OPEN,
    add_document,
    attach,
    move,
    park,
    set_deposited,
    set_sending,
    stands,
)
from gateway.platforms.port import (
    Flow,
    Platform,
    PlatformError,
    Precondition,
    Receipt,
    Rejected,
    Unavailable,
    Unknown,
)
from gateway.record import Change, Work, record
from gateway.tables import Event, PlatformConnection, Submission
from gateway.vault import VaultError

FLOW_SYNTAX = {"factur-x": "Factur-X", "cii": "CII", "ubl-invoice": "UBL", "ubl-credit-note": "UBL"}
FLOW_PROFILE = {"minimum": "Basic", "basicwl": "Basic", "basic": "Basic", "en16931": "CIUS", "cius": "CIUS",
                "extended": "Extended-CTC-FR", "extended-ctc-fr": "Extended-CTC-FR"}

ALREADY_THERE = "AlreadyExistingFlow"
"""The platform has this invoice from a deposit that is not ours: sending it again, or freeing its number, is wrong."""

MOST_UNKNOWN = 6
"""How many answers to a deposit may be lost before a person must look: each new deposit might double the invoice."""

LONGEST_PAUSE_S = 24 * 3600.0
"""However long a platform asks us to wait."""


def deliver(deps: Deps, entry: Entry) -> bool:
    """Handle one `deliver` entry; safe to run again after a crash at any point, and beside itself.

    Whether the entry is finished already: it is, in the transaction that records the deposit.

    Raises:
        RetryLater: transport trouble, an unknown outcome that is not old enough to be settled, a platform that is
            left alone for a while, or a buyer who is not reachable yet.
        Park: a person must decide: no connection, credentials refused, a refusal after a lost answer, bytes that
            the archive cannot give, a buyer who cannot be reached, or too many attempts. The submission is `parked`
            then, with the reason.
    """
    submission, connection, health = _load(deps, entry)
    if submission.transmission not in OPEN:
        return False
    connection, platform = _open(deps, submission, connection)
    circuits.admit_work(deps, connection, circuits.FLOWS, submission.transmission_reason, health)
    at = Attempt(entry, submission, connection, health, platform)
    first = entry.attempts == 1 and submission.transmission == "queued"
    if not first and _settled(deps, at):
        return True
    return _deposit(deps, at, check_reachable(deps, entry, submission, connection, platform))


@dataclass(frozen=True, slots=True)
class Attempt:
    """One turn at one invoice."""

    entry: Entry
    submission: Submission
    connection: PlatformConnection
    health: circuits.Health
    platform: Platform


def _load(deps: Deps, entry: Entry) -> tuple[Submission, PlatformConnection | None, circuits.Health]:
    with deps.db.reading(entry.tenant_id) as session:
        submission = session.scalar(SUBMISSION, {"wanted": entry.subject_id})
        if submission is None:
            raise Park("no such submission")
        connection = session.scalar(CONNECTION, {"wanted": submission.connection_id or ""})
        health = circuits.health_of(session, connection, circuits.FLOWS) if connection else circuits.UNHEARD_OF
        return submission, connection, health


SUBMISSION: Final = select(Submission).where(Submission.id == bindparam("wanted"))
CONNECTION: Final = select(PlatformConnection).where(PlatformConnection.id == bindparam("wanted"))


def _open(
    deps: Deps, submission: Submission, connection: PlatformConnection | None
) -> tuple[PlatformConnection, Platform]:
    if connection is None or not connection.enabled:
        park(deps, submission, "no-connection : l'entité n'a pas de plateforme agréée active.")
    try:
        return connection, open_connection(deps, connection)
    except (VaultError, Precondition) as error:
        park(deps, submission, str(error))


def _settled(deps: Deps, at: Attempt) -> bool:
    """Whether an earlier attempt turns out to have reached the platform; waits while it is too fresh to say."""
    submission = at.submission
    interrupted = submission.transmission == "sending"
    state = "unknown" if interrupted else submission.transmission
    try:
        found = at.platform.find_flow(submission.id)
    except (Unavailable, Unknown) as error:
        _retry(deps, at, state, error)
    except PlatformError as error:
        park(deps, submission, _words(error))
    if found is not None and found.ack_status == "Error" and submission.transmission == "parked":
        park(deps, submission, submission.transmission_reason or "")  # refused there: no deposit, and nothing new to do
    if found is not None:
        receipt = Receipt(flow_id=found.flow_id, submitted_at=found.submitted_at, raw=found.raw)
        deposited(deps, at.entry, submission, receipt, looked_up=True)
        return True
    if interrupted:
        lost = Unknown("INTERRUPTED", "l'envoi a été interrompu ; la plateforme est interrogée avant tout nouvel essai")
        _retry(deps, at, state, lost, ours=True)
    with deps.db.reading(submission.tenant_id) as session:
        _, last = _unknowns(session, submission)
    settles = timedelta(seconds=deps.settings.settle_seconds)
    if last is not None and deps.now() < last + settles:  # a person wanted it tried again at once
        raise RetryLater(submission.transmission_reason or "", at=last + settles, patient=True)
    return False


def _deposit(deps: Deps, at: Attempt, known: Known | None) -> bool:
    submission = at.submission
    try:
        document = deps.store.get(Digest(submission.sent_sha256 or submission.sha256))
    except ArchiveError as error:
        park(deps, submission, f"{error.code}: {error}")
    _intend(deps, at.entry, submission, known)
    try:
        receipt = at.platform.send(document, submission.id, _flow(submission))
    except Rejected as error:
        circuits.succeeded(deps, at.connection, circuits.FLOWS)  # it works, and does not want this document
        _refused(deps, submission, error)
        return False
    except Precondition as error:
        circuits.failed(deps, at.connection, circuits.FLOWS, _words(error))
        park(deps, submission, _words(error))
    except Unavailable as error:
        _retry(deps, at, "unknown" if submission.transmission == "unknown" else "queued", error)
    except Unknown as error:
        _retry(deps, at, "unknown", error)
    deposited(deps, at.entry, submission, receipt)
    circuits.succeeded(deps, at.connection, circuits.FLOWS, at.health)
    return True


def _intend(deps: Deps, entry: Entry, submission: Submission, known: Known | None) -> None:
    """Make the intent durable before the first byte leaves, if nothing changed since we looked.

    Raises:
        RetryLater: another worker holds the entry now, or the invoice moved on; look again.
        Park: the invoice lost its number meanwhile (rejected by the platform): it must not go again.
    """
    kept = known.kept if known is not None else None
    with deps.db.transaction(submission.tenant_id) as session:
        begun = set_sending(session, submission)
        gone = not begun and stands(session, submission)
        if not gone and not (begun and outbox.holds(session, entry)):
            raise RetryLater("changed while we looked")
        if begun:
            attach(deps, session, submission, kept)
            record(session, submission.tenant_id, Change(
                kind="transmission", code="sending", actor="worker", submission_id=submission.id,
                data=known.data() if known is not None else {}, objects=(kept,) if kept is not None else (),
            ), now=deps.now())
    if gone:
        park(deps, submission, "identity-freed : cette facture a été rejetée ou remplacée entre-temps.")


def _flow(submission: Submission) -> Flow:
    media_type = media_type_of(submission.syntax)
    return Flow(
        name=file_name(submission.number, "facture", media_type),
        syntax=FLOW_SYNTAX.get(submission.syntax, "CII"),
        profile=FLOW_PROFILE.get(submission.profile, "CIUS"),
        processing_rule=submission.processing_rule,
        media_type=media_type,
    )


def deposited(deps: Deps, entry: Entry, submission: Submission, receipt: Receipt, *, looked_up: bool = False) -> None:
    """Record that the platform has the invoice, and that the work is done; once, whoever finds out first.

    An acknowledgement that came before this (`failed`) stands; only the flow id is kept then.
    """
    kept = Kept("receipt", deps.store.put(receipt.raw).hex, len(receipt.raw))
    now, tenant_id = deps.now(), submission.tenant_id
    with deps.db.transaction(tenant_id) as session:
        if set_deposited(session, submission, receipt.flow_id):
            add_document(session, submission, kept, "recepisse", now)
            record(session, tenant_id, Change(
                kind="transmission", code="deposited", actor=f"platform:{submission.connection_id}",
                submission_id=submission.id, platform_at=receipt.submitted_at, objects=(kept,),
                reason="Retrouvée sur la plateforme après une réponse perdue." if looked_up else None,
                data={"flow_id": receipt.flow_id}, then=(Work(topic="remind", subject_id=submission.id),),
            ), now=now)
        outbox.finish(session, entry)


def _refused(deps: Deps, submission: Submission, error: Rejected) -> None:
    """The platform refused the document: its number is free again, unless it may speak of our own earlier deposit."""
    with deps.db.reading(submission.tenant_id) as session:
        doubtful = error.code == ALREADY_THERE or _unknowns(session, submission)[0] > 0
    if doubtful:
        park(deps, submission, _words(error))
    move(deps, submission, "failed", _words(error))


def _unknowns(session: Session, submission: Submission) -> tuple[int, datetime | None]:
    """How many deposits of this invoice had an unknown outcome, and when the last one had."""
    count, last = session.execute(select(func.count(), func.max(Event.at)).select_from(Event).where(
        Event.submission_id == submission.id, Event.kind == "transmission", Event.code == "unknown")).one()
    return count, last


def _retry(
    deps: Deps, at: Attempt, state: str, error: Unavailable | Unknown, *, ours: bool = False
) -> NoReturn:
    """Try again later, or park after too many attempts. `ours`: the platform has no part in the failure.

    With each lost answer the platform gets four times as long to know what it has: half a minute at first, then hours.
    """
    reason, attempts, submission = _words(error), at.entry.attempts, at.submission
    asked = error.retry_after_s if isinstance(error, Unavailable) else None
    if not ours:
        circuits.failed(deps, at.connection, circuits.FLOWS, reason, retry_after_s=asked)
    if attempts >= MOST_ATTEMPTS:
        park(deps, submission, f"{reason} ({attempts} essais)")
    move(deps, submission, state, reason)
    seconds = backoff(attempts).total_seconds()
    if isinstance(error, Unknown):
        with deps.db.reading(submission.tenant_id) as session:
            lost = max(1, _unknowns(session, submission)[0])
        if lost >= MOST_UNKNOWN:
            park(deps, submission, f"{reason} ({lost} réponses perdues)")
        seconds = max(seconds, deps.settings.settle_seconds * 4 ** (lost - 1))
    elif asked:
        seconds = asked
    raise RetryLater(reason, at=deps.now() + timedelta(seconds=min(seconds, LONGEST_PAUSE_S))) from error


def _words(error: PlatformError) -> str:
    return f"{error.code}: {error.message}"
