"""The words of a message: what happened, to which invoices, and where to look. French, the English name beside it.

They leave for somebody else's service, so they say no more than number, client and amount; reasons and remarks stay
on our pages.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.alarms.kinds import kind_of
from gateway.auth import ROLE_NAMES
from gateway.channels.happenings import HAPPENINGS
from gateway.reminders.reasons import amount_words
from gateway.tables import Event, Submission
from gateway.tables_channels import ChannelMessage

MOST: Final = 10
"""Lines; the rest is counted."""

TEST_TITLE: Final = "Passerelle : message d'essai"
TEST_BODY: Final = "Ce canal fonctionne. / This channel works."


def words_of(session: Session, row: ChannelMessage, events: Sequence[Event], base: str) -> tuple[str, str]:
    """(title, text) of a message. `base` is the address of the console."""
    if row.event not in HAPPENINGS:
        return TEST_TITLE, TEST_BODY
    happening = HAPPENINGS[row.event]
    invoices = {one.id: one for one in session.scalars(select(Submission).where(
        Submission.id.in_({event.submission_id for event in events if event.submission_id})))}
    said = [_line(event, invoices.get(event.submission_id or "")) for event in events]
    lines = said if row.event == "paid" else list(dict.fromkeys(said))  # two payments of one amount are two
    count = f" : {len(lines)}" if len(lines) > 1 else ""
    one = events[0].submission_id if len(lines) == 1 and events else None
    return f"{happening.fr}{count}", "\n".join((*_shown(lines), *_ending(
        row, f"{base}/factures/{one}" if one else f"{base}{happening.href}", happening.en)))


def _line(event: Event, invoice: Submission | None) -> str:
    if invoice is not None:
        paid = event.data.get("amount") if event.kind == "payment" else None
        amount = invoice.total if paid is None else Decimal(paid)
        words = amount_words(amount, invoice.currency or "EUR") if amount is not None else None
        return " · ".join(part for part in (invoice.number, invoice.buyer_name, words) if part)
    if event.kind == "alarm":
        return kind_of(str(event.data.get("alarm", ""))).title
    doubtful = event.data.get("doubtful")
    return f"{doubtful} mouvement(s) à trancher" if doubtful else event.code


def _shown(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:MOST]
    if len(lines) > MOST:
        yield f"… et {len(lines) - MOST} de plus"


def _ending(row: ChannelMessage, link: str, english: str) -> Iterator[str]:
    yield link
    yield f"Pour : {', '.join(ROLE_NAMES[role] for role in row.roles)}. ({english})"
