"""Stages that a person finishes: a call, a letter to post, a formal notice to register, a file for an agency.

The machine prepares the paper, keeps it with the invoices, and opens the task; who posts it says so by closing the
task. One paper and one task for all invoices of a client that are at that stage; each has its own decision and case.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from babel.dates import format_date
from sqlalchemy.orm import Session

from formats.errors import FormatError
from formats.invoice import Address, Invoice
from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.outgoing.drafts import file_name
from gateway.record import Change, Work, lock_tenant, record
from gateway.reminders.cases import open_case
from gateway.reminders.decide import offset_of
from gateway.reminders.grouping import unchanged
from gateway.reminders.keeping import facts_json, label_of
from gateway.reminders.letters.collection import collection_file
from gateway.reminders.letters.drafting import facts_of, language_of, letter_of, read_invoice
from gateway.reminders.letters.letter import Letter
from gateway.reminders.letters.writing import page_texts
from gateway.reminders.state import Seen
from gateway.tables import Document
from gateway.tables_reminders import Decision

SENDING: Final = {"fr": "Lettre recommandée avec avis de réception", "en": "Registered letter with proof of delivery"}
ROLES: Final = {"letter": "lettre", "notice": "mise-en-demeure", "handover": "recouvrement"}
"""What the name of a paper says of it, by channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What was prepared for a person, for which invoices; a call has no paper."""

    group: tuple[Seen, ...]
    facts: dict[str, object]
    paper: bytes | None = None
    media_type: str = "application/pdf"
    trouble: str | None = None
    """Why there is no paper."""


def hand_over(deps: Deps, seen: Seen, group: Sequence[Seen]) -> bool:
    """Prepare the stage for this invoice and those beside it, keep its paper and open its task, once.

    False when the state of one of them has changed meanwhile: then nothing was done.
    """
    made = prepare(deps, seen, group)
    kept = Kept("reminder", deps.store.put(made.paper).hex, len(made.paper)) if made.paper else None
    with deps.db.transaction(seen.submission.tenant_id) as session:
        lock_tenant(session, seen.submission.tenant_id)
        now_seen = unchanged(session, deps, made.group)
        for one in now_seen:
            _keep(deps, session, one, made, kept)
        if now_seen:
            lead, *beside = now_seen
            why = made.trouble or ("" if beside else lead.decision.reason)
            open_case(session, lead.submission, lead.decision.channel, why, stage=lead.decision.stage or "", seen=lead,
                      beside=beside, now=deps.now(), today=deps.today())
    return bool(now_seen)


def _keep(deps: Deps, session: Session, seen: Seen, made: Prepared, kept: Kept | None) -> None:
    """The decision about one invoice, its paper and its event."""
    now, submission, decision = deps.now(), seen.submission, seen.decision
    stage = decision.stage or ""
    row = Decision(
        tenant_id=submission.tenant_id, id=str(uuid.uuid4()), submission_id=submission.id,
        intent=f"{submission.id}:{stage}", stage=stage, at=now, outcome="sent", reason=decision.reason,
        facts={**facts_json(deps, seen), "offset": offset_of(seen.scenario, stage), "not_prepared": made.trouble,
               **made.facts},
        scenario=seen.scenario.name, channel=decision.channel, recipient=None, sha256=kept.sha256 if kept else None,
    )
    session.add(row)
    if kept:
        session.add(Document(
            tenant_id=row.tenant_id, id=str(uuid.uuid4()), submission_id=submission.id, role="reminder", syntax=None,
            media_type=made.media_type, sha256=kept.sha256, size=kept.size, at=now,
            name=file_name(submission.number, ROLES[decision.channel], made.media_type)))
    record(session, row.tenant_id, Change(
        kind="reminder", code="prepared", actor="worker", submission_id=submission.id,
        objects=(kept,) if kept else (), reason=f"{label_of(seen.scenario, stage)} : {decision.reason}",
        data={"decision": row.id, "stage": stage, "channel": row.channel},
        then=(Work(topic="remind", subject_id=submission.id),),
    ), now=now)


def prepare(deps: Deps, seen: Seen, group: Sequence[Seen]) -> Prepared:
    """The paper of a stage, or why there is none. Draws in the workshop: never in a transaction.

    What is posted goes to one address: invoices of the group whose buyer has another one wait for their own paper.
    """
    channel = seen.decision.channel
    if channel == "call":
        return Prepared(group=tuple(group), facts={"together": [one.facts.number for one in group]})
    read = [(one, read_invoice(deps, one)) for one in group]
    to = next(invoice.buyer.address for one, invoice in read if one.submission.id == seen.submission.id)
    served = [(one, invoice) for one, invoice in read if invoice.buyer.address == to]
    ones, invoices = tuple(one for one, _ in served), [invoice for _, invoice in served]
    letter = letter_of(deps, ones, invoices, lang=language_of(invoices[0], seen))
    facts = facts_of(letter)
    try:
        drawn = deps.workshop.draw_letter(page_of(letter, ones[0], invoices[0], registered=channel == "notice"))
    except FormatError as error:
        return Prepared(group=ones, facts=facts, trouble=f"La lettre n'a pas pu être dessinée : {error}")
    if channel == "handover":
        return Prepared(group=ones, facts=facts, paper=collection_file(deps, ones, drawn, letter),
                        media_type="application/zip")
    return Prepared(group=ones, facts=facts, paper=drawn)


def page_of(letter: Letter, seen: Seen, invoice: Invoice, *, registered: bool) -> bytes:
    """What Workshop.draw_letter wants: every text ready to print."""
    entity = seen.entity
    place = (entity.address.get("city") if entity else None) or ""
    day = format_date(letter.today, "d MMMM y", locale=letter.lang)
    sender = _lines(Address(**entity.address)) if entity else []
    return json.dumps({
        **page_texts(letter), "company": letter.company, "sender": [letter.company, *sender],
        "recipient": [letter.client, *_attention(seen, letter.lang), *_lines(invoice.buyer.address)],
        "sending": SENDING[letter.lang] if registered else "",
        "place": f"{place}, le {day}" if place and letter.lang == "fr" else f"{place}, {day}" if place else day,
    }).encode()


def _attention(seen: Seen, lang: str) -> list[str]:
    """Whom the envelope is for, where a person settled that."""
    contact = seen.client.contact if seen.client is not None else None
    return [f"{'À l’attention de' if lang == 'fr' else 'Attn.'} {contact}"] if contact else []


def _lines(address: Address | None) -> list[str]:
    """An address as it stands on an envelope."""
    if address is None:
        return []
    town = " ".join(part for part in (address.post_code, address.city) if part)
    return [line for line in (address.line_1, address.line_2, address.line_3, town) if line]
