"""Depositing one of our own statuses at the platform, once in effect.

As with invoices: the tracking id is fixed before the first byte leaves, the platform is asked for it before every
deposit, and a lost answer waits until the platform must know. The status becomes an event when the platform has it.
"""

from datetime import timedelta

from formats.errors import FormatError
from gateway import circuits
from gateway.connections import open_connection
from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.evidence.rule_sets import keep_decided
from gateway.lifecycle.drafting import Draft, prepare
from gateway.lifecycle.sent import record_refused, record_sent
from gateway.outbox import Entry, Park, RetryLater
from gateway.platforms.port import Flow, Platform, Precondition, Receipt, Rejected, Unavailable, Unknown
from gateway.vault import VaultError
from validation.findings import Verdict

LONGEST_PAUSE = timedelta(hours=6)
"""After a lost answer. With each the platform gets four times as long to know what it has, as with invoices."""


def handle_send_status(deps: Deps, entry: Entry) -> None:
    """Handle one `send-status` entry (subject: the submission; payload: see composing.py); safe to run again.

    Raises:
        RetryLater: the invoice is not deposited yet, transport trouble, an unknown outcome, or a platform that is left
            alone for a while.
        Park: a person must decide: the guard forbids the status, it cannot be composed or breaks the published
            rules, the platform refused it, or there is no usable connection.
    """
    draft = prepare(deps, entry)
    if draft is None:
        return
    platform = _open(deps, draft)
    circuits.admit_work(deps, draft.connection, circuits.FLOWS)
    try:
        written = deps.workshop.write_status(draft.message, as_of=deps.today())
        keep_decided(deps, written.report)
    except FormatError as error:
        raise Park(f"{error.code} : {error}") from error
    if written.report.verdict is Verdict.ERROR:
        raise RetryLater("engine : le statut n'a pas pu être vérifié.")
    if written.report.verdict is not Verdict.VALID:
        raise Park("invalid-status : " + ", ".join(sorted(written.report.rules())))
    kept = Kept("status", deps.store.put(written.document).hex, len(written.document))
    record_sent(deps, draft, _deposit(deps, entry, draft, platform, written.document), kept)


def _open(deps: Deps, draft: Draft) -> Platform:
    try:
        return open_connection(deps, draft.connection)
    except (Precondition, VaultError) as error:
        raise Park(str(error)) from error


def _deposit(deps: Deps, entry: Entry, draft: Draft, platform: Platform, document: bytes) -> Receipt:
    """The platform's receipt, from this attempt or an earlier one. Raises RetryLater and Park, as the handler."""
    try:
        with circuits.watched(deps, draft.connection, circuits.FLOWS):
            return _earlier(platform, draft.tracking_id) or platform.send(document, draft.tracking_id, _flow_of(draft))
    except Rejected as error:
        record_refused(deps, draft, f"{error.code} : {error.message}")
        raise Park(f"{error.code} : {error.message}") from error
    except Precondition as error:
        raise Park(str(error)) from error
    except Unavailable as error:
        at = deps.now() + timedelta(seconds=error.retry_after_s) if error.retry_after_s else None
        raise RetryLater(str(error), at=at) from error
    except Unknown as error:
        pause = timedelta(seconds=deps.settings.settle_seconds) * 4 ** min(entry.attempts - 1, 10)
        raise RetryLater(str(error), at=deps.now() + min(pause, LONGEST_PAUSE)) from error


def _earlier(platform: Platform, tracking_id: str) -> Receipt | None:
    """The receipt of an attempt whose answer was lost; None if the platform certainly has nothing, or refused it.

    Raises PlatformError; a platform that refuses the question has said nothing of the status: Precondition.
    """
    try:
        found = platform.find_flow(tracking_id)
    except Rejected as error:
        raise Precondition(error.code, error.message, evidence=error.evidence) from error
    if found is None or found.ack_status == "Error":
        return None
    return Receipt(flow_id=found.flow_id, submitted_at=found.submitted_at, raw=found.raw)


def _flow_of(draft: Draft) -> Flow:
    return Flow(name=draft.name, syntax="CDAR", profile=None, processing_rule="NotApplicable",
                media_type="application/xml")
