"""Deposited, but not transmitted: the buyer has no platform, so the invoice must reach him otherwise.

The double goes by mail, once, and a person gets the task to see to it that it arrived. Every step is an event; the
mail itself is kept. What can be interrupted is settled by what the events say, as for reminders.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from archive.errors import ArchiveError
from archive.store import Digest
from formats.errors import FormatError
from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.lifecycle.derive import derive
from gateway.lifecycle.history import read_events, total_of
from gateway.mail import InDoubt, NotDelivered, channel_of, deliver
from gateway.outbox import Entry, Park, RetryLater
from gateway.outgoing.drafts import file_name
from gateway.outgoing.duplicate import Double, message_id_of, recipient_of, write_double
from gateway.record import Change, record
from gateway.tables import Document, Event, OutboxEntry, Submission

ARRIVED = frozenset({"202", "203", "204", "205", "206", "207", "208", "210", "211"})
"""Statuses after which the buyer's side has the invoice: nothing has to be handed over any more."""

OUR_STEPS = ("not-transmitted", "duplicate-sending", "duplicate-sent", "duplicate-failed", "duplicate-unknown")

CAUSE = ("L'acheteur n'a pas de plateforme joignable : la facture est déposée et légalement émise, mais ne lui a pas "
         "été transmise.")


@dataclass(frozen=True, slots=True)
class Case:
    """What is known when a hand-over is looked at."""

    submission: Submission
    events: Sequence[Event]
    """Of this invoice, oldest first: our steps and all statuses."""

    @property
    def last(self) -> Event | None:
        """Our last step about the mail."""
        ours = [event for event in self.events if event.kind == "transmission" and event.code.startswith("duplicate-")]
        return ours[-1] if ours else None


def hand_over(deps: Deps, entry: Entry) -> None:
    """Handle one `hand-over` entry (subject: the invoice); safe to run again, and beside itself.

    Raises:
        RetryLater: the mail server cannot be reached.
        Park: always in the end, while the buyer has nothing from a platform: a person makes sure that it arrived.
            Tried again after that, an invoice whose double was sent is done.
    """
    case = _look(deps, entry)
    if case is None:
        return
    if not any(event.code == "not-transmitted" for event in case.events):
        _tell(deps, case.submission, "not-transmitted", CAUSE)
    recipient = recipient_of(case.submission)
    if recipient is None:
        raise Park(f"not-transmitted : {CAUSE} Aucune adresse de courriel de l'acheteur n'est connue : remettez-lui la "
                   "facture autrement, puis classez ce travail en disant comment.")
    double, kept = _double(deps, case, recipient)
    _send(deps, case.submission, double, kept)
    raise Park(f"not-transmitted : {CAUSE} Son double est parti par courriel à {recipient} ; vérifiez qu'il est bien "
               "reçu, puis classez ce travail.")


def _look(deps: Deps, entry: Entry) -> Case | None:
    """The case, or None when there is nothing to do.

    An older entry has it, the invoice arrived or is over (it failed, was rejected, refused or cancelled), or its double
    was sent.
    """
    with deps.db.reading(entry.tenant_id) as session:
        submission = session.get(Submission, (entry.tenant_id, entry.subject_id))
        first = session.scalar(select(OutboxEntry.id).where(
            OutboxEntry.topic == entry.topic, OutboxEntry.subject_id == entry.subject_id
        ).order_by(OutboxEntry.created_at, OutboxEntry.id).limit(1))
        events = session.scalars(select(Event).where(
            Event.submission_id == entry.subject_id, Event.kind.in_(("transmission", "lifecycle"))
        ).order_by(Event.position)).all()
    if submission is None or first != entry.id:
        return None
    state = derive(read_events(events), total_of(submission))
    over = submission.transmission == "failed" or state.ended is not None
    case = Case(submission, [event for event in events if event.kind == "lifecycle" or event.code in OUR_STEPS])
    sent = case.last is not None and case.last.code == "duplicate-sent"
    return None if over or state.counted & ARRIVED or sent else case


def _double(deps: Deps, case: Case, recipient: str) -> tuple[Double, Kept]:
    """The mail to send now, its intent committed; the very same mail after an interruption that lost nothing."""
    submission, last = case.submission, case.last
    if last is not None and last.code == "duplicate-sending" and last.sha256 is not None:
        if channel_of(deps.settings) != "spool":
            reason = "Interrompu pendant l'envoi : vérifiez auprès du serveur de messagerie si le message est parti."
            _tell(deps, submission, "duplicate-unknown", reason)
            raise Park(f"duplicate-unknown : {reason}")
        content = deps.store.get(Digest(last.sha256))
        double = Double(content=content, message_id=message_id_of(deps, submission), recipient=recipient)
        return double, Kept("duplicate", last.sha256, len(content))
    try:
        double = write_double(deps, submission, recipient)
    except (FormatError, ArchiveError, ValueError) as error:
        raise Park(f"not-transmitted : {CAUSE} Son double n'a pas pu être préparé ({error}) : remettez-lui la facture "
                   "autrement, puis classez ce travail.") from error
    kept = Kept("duplicate", deps.store.put(double.content).hex, len(double.content))
    _tell(deps, submission, "duplicate-sending", f"À {recipient}.", kept)
    return double, kept


def _send(deps: Deps, submission: Submission, double: Double, kept: Kept) -> None:
    try:
        deliver(deps.settings, double.content, message_id=double.message_id, sender=deps.settings.mail_from,
                recipient=double.recipient)
    except NotDelivered as error:
        _tell(deps, submission, "duplicate-failed", error.reason, kept)
        if error.permanent:
            raise Park(f"duplicate-failed : {error.reason} {CAUSE} Remettez-lui la facture autrement, puis classez ce "
                       "travail.") from error
        raise RetryLater(error.reason) from error
    except InDoubt as error:
        _tell(deps, submission, "duplicate-unknown", error.reason, kept)
        raise Park(f"duplicate-unknown : {error.reason}") from error
    _tell(deps, submission, "duplicate-sent", f"À {double.recipient}.", kept, document=True)


def _tell(
    deps: Deps, submission: Submission, code: str, reason: str, kept: Kept | None = None, *, document: bool = False
) -> None:
    now = deps.now()
    with deps.db.transaction(submission.tenant_id) as session:
        if document and kept is not None:
            session.add(Document(
                tenant_id=submission.tenant_id, id=str(uuid.uuid4()), submission_id=submission.id, role=kept.role,
                syntax=None, media_type="message/rfc822", sha256=kept.sha256, size=kept.size, at=now,
                name=file_name(submission.number, "double", "message/rfc822")))
        record(session, submission.tenant_id, Change(
            kind="transmission", code=code, actor="worker", submission_id=submission.id, reason=reason,
            objects=(kept,) if kept is not None else ()), now=now)
