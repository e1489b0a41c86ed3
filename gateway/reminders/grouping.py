"""Whom one mail, call or paper serves: all invoices of a client about which there is the same to do on the same day.

A client with ten late invoices gets one mail, or one letter, that names them all, not ten.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy.orm import Session

from gateway.deps import Deps
from gateway.receivables.lines import keep_up
from gateway.reminders.decide import WRITTEN, Outcome
from gateway.reminders.nightly import concerned
from gateway.reminders.scenario import THANKS, TONES
from gateway.reminders.state import Seen, ground_of, key_of, look_again, look_at
from gateway.tables import Submission

MOST: Final = 50
"""Invoices in one mail or paper; the rest has its own."""

HEIGHTS: Final[dict[str, int]] = {tone: height for height, tone in enumerate(TONES)}


def group_of(session: Session, deps: Deps, seen: Seen) -> tuple[Seen, ...]:
    """The invoices that are dealt with together with this one, the gravest first.

    Same seller, client and currency. Of mails, also the same address and the same kind of word: a question before the
    due date, a reminder, thanks. Of what a person finishes (a call, a letter), the same stage.
    """
    key, one = key_of(seen.submission), seen.submission
    named = Submission.buyer_siren == one.buyer_siren if one.buyer_siren else Submission.buyer_name == one.buyer_name
    # Of a long history only what is not settled counts among the most that are read, or the newest would be lost.
    others = concerned(
        session, deps, [seen.scenario], named, Submission.seller_siren == one.seller_siren,
        Submission.currency == one.currency, Submission.legal_entity_id == one.legal_entity_id,
        Submission.id != one.id, most=10 * MOST)
    mates = [other for other in others if key_of(other) == key]
    found = [mate for mate in look_at(session, mates, ground_of(session, mates), deps.today())
             if mate.decision.outcome is Outcome.SENT and _together(mate, seen)][:MOST - 1]
    return tuple(sorted([seen, *found], key=_gravity))


def unchanged(session: Session, deps: Deps, group: Sequence[Seen]) -> tuple[Seen, ...]:
    """The group read again, or nothing if any of it is no longer what the words were written for.

    In the transaction that sends, under the tenant's lock.
    """
    keep_up(session, group[0].submission.tenant_id)  # money is told by the lines of what is open
    now = look_again(session, [seen.submission.id for seen in group], deps.today())
    same = [(one.decision, one.facts, one.scenario) for one in now] == [
        (one.decision, one.facts, one.scenario) for one in group]
    return now if same else ()


def _together(one: Seen, other: Seen) -> bool:
    if one.decision.channel != other.decision.channel:
        return False
    if one.decision.channel in WRITTEN:
        return _kind(one) == _kind(other) and one.facts.email == other.facts.email
    return one.decision.stage == other.decision.stage


def _kind(seen: Seen) -> str:
    tone = seen.decision.tone or ""
    return tone if tone in {"before", THANKS} else "reminder"


def _gravity(seen: Seen) -> tuple[object, ...]:
    return -HEIGHTS.get(seen.decision.tone or "", 0), seen.facts.due_date or seen.facts.received_on, seen.submission.id
