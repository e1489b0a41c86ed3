"""Which invoice a status message is about, and whether it was heard before. Reads, changes nothing."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from formats.invoice import Identifier
from formats.status import StatusMessage
from gateway.lifecycle.wording import event_data
from gateway.tables import Event, Submission

CLOCKS_APART = timedelta(minutes=5)
"""How far a platform's clock may lag behind ours."""

NOT_LEFT = frozenset({"queued", "held"})
"""States of transmission in which no byte of an invoice can have reached a platform."""


def find_submission(
    session: Session, message: StatusMessage, sha256: str, hint: str | None = None
) -> Submission | None:
    """The invoice with this number, date and seller; `hint` (tracking id or flow id) decides among several.

    A number is unique per seller and year, so another day of the same year finds the invoice too where none has the
    very day: a message with a slip in the date is not lost.

    A rejected invoice may have been sent again under its number: then a status belongs to the submission that has
    told it before (`sha256` is that of its bytes), else to the newest one that existed when it was set; one that still
    waits to be sent comes last. Without a seller in the message (MDT-129) the hint must confirm the number. Invoices
    that we refused ourselves were never sent and never match.
    """
    if message.invoice_number is None:
        return None
    known = session.scalars(
        select(Submission)
        .where(Submission.number == message.invoice_number, Submission.transmission != "refused")
        .order_by(Submission.received_at, Submission.id)
    ).all()
    siren = siren_of(message.seller)
    candidates = [row for row in known if _is_about(message, siren, row)]
    candidates = [row for row in candidates if row.issue_date == message.invoice_date] or candidates
    candidates = [row for row in candidates if row.transmission not in NOT_LEFT] or candidates
    hinted = [row for row in candidates if hint is not None and hint in {row.id, row.flow_id}]
    if hinted or siren is None:
        return hinted[-1] if hinted else None
    return candidates[0] if len(candidates) == 1 else _of_its_time(session, candidates, message, sha256)


def _of_its_time(
    session: Session, candidates: Sequence[Submission], message: StatusMessage, sha256: str
) -> Submission | None:
    """Which of several submissions of one number a status is about.

    Clocks that are apart leave a doubt: a rejection settles it where the earlier one is known to have failed.
    """
    told = [row for row in candidates if find_same(session, row, message, sha256) is not None]
    earlier = [row for row in candidates if row.received_at - CLOCKS_APART <= message.set_at]
    surely = [row for row in earlier if row.received_at <= message.set_at]
    if told or not earlier:
        return next(iter(told or candidates), None)
    unexplained = bool(surely) and surely[-1].transmission == "failed" and surely[-1].lifecycle is None
    return surely[-1] if unexplained and message.code == "213" else earlier[-1]


def find_same(session: Session, submission: Submission, message: StatusMessage, sha256: str) -> Event | None:
    """The event that already tells this status: from the same bytes, or from a copy that says the same."""
    told = event_data(message)
    events = session.scalars(
        select(Event).where(Event.submission_id == submission.id, Event.kind == "lifecycle",
                            Event.code == message.code).order_by(Event.position)
    )
    return next((event for event in events if event.sha256 == sha256 or _says_the_same(event, message, told)), None)


def siren_of(identifier: Identifier | None) -> str | None:
    """The SIREN in an identifier: as such, at the start of a SIRET, at the end of a French VAT number."""
    if identifier is None:
        return None
    if identifier.scheme == "0223" and identifier.value.startswith("FR"):
        return identifier.value[-9:]
    return identifier.value[:9] if identifier.scheme in {"0002", "0009", None} else None


def unmatched(message: StatusMessage) -> str:
    """What to say of a message about an invoice that nobody here knows."""
    return (f"unmatched : aucune facture {message.invoice_number or 'sans numéro'} du "
            f"{message.invoice_date or '(sans date)'}, vendeur {siren_of(message.seller) or 'inconnu'}.")


def _is_about(message: StatusMessage, siren: str | None, row: Submission) -> bool:
    same_year = message.invoice_date is None or message.invoice_date.year == row.issue_year
    return same_year and (siren is None or siren == row.seller_siren)


def _says_the_same(event: Event, message: StatusMessage, told: dict[str, object]) -> bool:
    return event.platform_at == message.set_at and all(event.data.get(name) == value for name, value in told.items())
