"""What one of our own statuses will say: fixed before it is sent, and only if the guard lets it through."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from formats.status import StatusMessage
from gateway.deps import Deps
from gateway.lifecycle.composing import CannotCompose, compose
from gateway.lifecycle.derive import Status, objection_to
from gateway.lifecycle.guard import SELLER, Objection
from gateway.lifecycle.history import men_of, statuses_of, total_of
from gateway.lifecycle.matching import find_same
from gateway.lifecycle.wording import event_data
from gateway.outbox import Entry, Park, RetryLater
from gateway.outgoing.drafts import file_name
from gateway.tables import Event, OutboxEntry, PlatformConnection, Submission

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

    @property
    def name(self) -> str:
        """The file name of the message."""
        code, set_at = self.message.code, self.message.set_at
        return file_name(self.submission.number, f"statut-{code}-{set_at:%Y%m%dT%H%M%S}", "application/xml")


def prepare(deps: Deps, entry: Entry) -> Draft | None:
    """What to send; None when it was sent and recorded before. What the message says is fixed from here on.

    Raises:
        RetryLater: the invoice is not deposited yet.
        Park: the guard forbids the status, it cannot be composed, or there is no connection.
    """
    with deps.db.transaction(entry.tenant_id) as session:
        submission = session.get(Submission, (entry.tenant_id, entry.subject_id))
        if submission is None:
            raise Park("no such submission")
        row = session.get_one(OutboxEntry, (entry.tenant_id, entry.id))
        payload = {"set_at": row.created_at.replace(microsecond=0).isoformat(), **row.payload}
        message = _composed(submission, payload)
        if find_same(session, submission, message, "") is not None:
            return None
        _check_guard(deps, session, row, submission, message)
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


def _check_guard(
    deps: Deps, session: Session, row: OutboxEntry, submission: Submission, message: StatusMessage
) -> None:
    status = Status(code=message.code, at=message.set_at, by=SELLER, id=message.id,
                    amount=men_of(event_data(message)))
    objection = objection_to(status, statuses_of(session, submission), total_of(submission))
    if objection is Objection.NOT_DEPOSITED and (submission.active is not True or submission.transmission == "failed"):
        raise Park("La facture n'a pas été prise par la plateforme, ou son envoi est classé : elle n'aura pas de "
                   "statut.")
    if objection is Objection.NOT_DEPOSITED:
        raise RetryLater("La facture n'est pas encore déposée.", at=deps.now() + DEPOSIT_WAIT, patient=True)
    if objection is Objection.TAKES_BACK_TOO_MUCH and _payments_under_way(session, row):
        raise RetryLater("Un encaissement antérieur n'est pas encore parti.", at=deps.now() + DEPOSIT_WAIT,
                         patient=True)
    if objection is not None:
        raise Park(OBJECTIONS[objection])


def _payments_under_way(session: Session, row: OutboxEntry) -> bool:
    """Whether an older status of the same invoice is still on its way: what is taken back may be in it."""
    return session.scalar(
        select(OutboxEntry.id)
        .where(OutboxEntry.topic == row.topic, OutboxEntry.subject_id == row.subject_id, OutboxEntry.id != row.id,
               OutboxEntry.state == "pending", OutboxEntry.created_at <= row.created_at)
        .limit(1)
    ) is not None


def _deposited_at(session: Session, submission: Submission) -> str | None:
    """MDT-95 for the seller's side: when the status 200 was set."""
    found = session.scalar(
        select(Event.platform_at)
        .where(Event.submission_id == submission.id, Event.kind == "lifecycle", Event.code == "200")
        .order_by(Event.position).limit(1)
    )
    return found.isoformat() if found is not None else None
