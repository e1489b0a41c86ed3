"""Before an invoice is sent: is its exact address reachable today, and does the entity want it sent.

Asked only while no byte of the invoice can have reached the platform: once it may be there, the directory changes
nothing any more.
"""

from datetime import timedelta
from typing import Final, NoReturn

from sqlalchemy import bindparam, func, select

from gateway.db import plain
from gateway.deps import Deps
from gateway.directory.asking import Known, ask
from gateway.directory.reachability import Step, decide
from gateway.outbox import Entry, RetryLater
from gateway.outgoing.moves import move, park
from gateway.platforms.port import Platform
from gateway.tables import Event, LegalEntity, PlatformConnection, Submission

ASKED_FOR = frozenset({"B2B"})
"""Treatments for which the French directory knows the buyer. Abroad, consumers and archives have no line."""

BEFORE_SENDING = frozenset({"queued", "held", "parked"})

AGAIN_AFTER = timedelta(hours=4)
"""When a held invoice asks again. A new line takes effect the next day at the earliest."""

MOST_HELD = timedelta(days=10)
"""How long an invoice waits for its buyer before a person must decide: it has a date, and VAT is due."""

ANYWAY = "anyway"
"""Key of an entry's payload: who decided to send whatever the directory says."""


WISHES: Final = select(LegalEntity.reachability).where(
    LegalEntity.tenant_id == bindparam("tenant"), LegalEntity.id == bindparam("entity"))


def check_reachable(
    deps: Deps, entry: Entry, submission: Submission, connection: PlatformConnection, platform: Platform
) -> Known | None:
    """What the directory says, when the invoice may go; None where it is not asked.

    Raises:
        RetryLater: the entity wants such an invoice held; the directory is asked again later.
        Park: the entity wants a person to decide, or the invoice was held too long.
    """
    asked = submission.processing_rule in ASKED_FOR and submission.transmission in BEFORE_SENDING
    if not asked or entry.payload.get(ANYWAY):
        return None
    waited = submission.transmission != "queued"
    known = ask(deps, connection, platform, submission.buyer_address, fresh=waited)
    with deps.db.reading(submission.tenant_id) as session:
        wishes = plain(session, submission.tenant_id, WISHES, entity=submission.legal_entity_id or "").scalar()
    step = decide(wishes, known.finding.reach)
    reason = f"reach-{known.finding.reach} : {known.finding.reason}"
    if step is Step.ASK:
        park(deps, submission, reason, kept=known.kept, data=known.data())
    if step is Step.HOLD:
        _hold(deps, submission, known, reason)
    return known


def _hold(deps: Deps, submission: Submission, known: Known, reason: str) -> NoReturn:
    with deps.db.reading(submission.tenant_id) as session:
        since = session.scalar(select(func.min(Event.at)).where(
            Event.submission_id == submission.id, Event.kind == "transmission", Event.code == "held"))
    if since is not None and deps.now() - since > MOST_HELD:
        park(deps, submission, f"{reason} Retenue depuis le {since:%d/%m/%Y}.", kept=known.kept, data=known.data())
    move(deps, submission, "held", reason, kept=known.kept, data=known.data())
    raise RetryLater(reason, at=deps.now() + AGAIN_AFTER, patient=True)
