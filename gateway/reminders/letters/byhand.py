"""Stages that a person finishes: a call, a letter to post, a formal notice to register, a file for an agency.

The machine prepares the paper, keeps it with the invoice, and opens the case; who posts it says so by closing the case.
"""

import json
import uuid
from dataclasses import dataclass
from typing import Final

from babel.dates import format_date

from formats.errors import FormatError
from formats.invoice import Address, Invoice
from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.outgoing.drafts import file_name
from gateway.record import Change, Work, lock_tenant, record
from gateway.reminders.cases import open_case
from gateway.reminders.decide import offset_of
from gateway.reminders.keeping import facts_json, label_of
from gateway.reminders.letters.collection import collection_file
from gateway.reminders.letters.drafting import language_of, letter_of, read_invoice
from gateway.reminders.letters.letter import Letter, headings, open_rows, rows_of, words_of
from gateway.reminders.state import Seen, look
from gateway.tables import Document
from gateway.tables_reminders import Decision

SENDING: Final = {"fr": "Lettre recommandée avec avis de réception", "en": "Registered letter with proof of delivery"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """What was prepared for a person."""

    content: bytes
    name: str
    media_type: str


def hand_over(deps: Deps, seen: Seen) -> bool:
    """Prepare the stage, keep its paper and open its case, once; False when the state has changed meanwhile."""
    now, submission, stage = deps.now(), seen.submission, seen.decision.stage or ""
    paper, trouble = prepare(deps, seen)
    kept = Kept("reminder", deps.store.put(paper.content).hex, len(paper.content)) if paper else None
    with deps.db.transaction(submission.tenant_id) as session:
        lock_tenant(session, submission.tenant_id)
        again = look(session, submission.tenant_id, submission.id, deps.today())
        if again is None or (again.decision, again.facts) != (seen.decision, seen.facts):
            return False
        row = Decision(
            tenant_id=submission.tenant_id, id=str(uuid.uuid4()), submission_id=submission.id,
            intent=f"{submission.id}:{stage}", stage=stage, at=now, outcome="sent", reason=again.decision.reason,
            facts={**facts_json(deps, again), "offset": offset_of(again.scenario, stage), "not_prepared": trouble},
            scenario=again.scenario.name, channel=again.decision.channel, recipient=None,
            sha256=kept.sha256 if kept else None,
        )
        session.add(row)
        if paper and kept:
            session.add(Document(
                tenant_id=row.tenant_id, id=str(uuid.uuid4()), submission_id=submission.id, role="reminder",
                syntax=None, media_type=paper.media_type, name=paper.name, sha256=kept.sha256, size=kept.size, at=now))
        record(session, row.tenant_id, Change(
            kind="reminder", code="prepared", actor="worker", submission_id=submission.id,
            objects=(kept,) if kept else (), reason=f"{label_of(again.scenario, stage)} : {again.decision.reason}",
            data={"decision": row.id, "stage": stage, "channel": row.channel},
            then=(Work(topic="remind", subject_id=submission.id),),
        ), now=now)
        open_case(session, submission, again.decision.channel, trouble or again.decision.reason, stage=stage,
                  seen=again, now=now, today=deps.today())
    return True


def prepare(deps: Deps, seen: Seen) -> tuple[Paper | None, str | None]:
    """The paper of a stage, or why there is none; a call has none. Draws in the workshop: never in a transaction."""
    channel = seen.decision.channel
    if channel == "call":
        return None, None
    invoice = read_invoice(deps, seen)
    lang = language_of(invoice, seen)
    letter = letter_of(deps, seen, invoice, lang=lang, tone=seen.decision.tone or "")
    try:
        drawn = deps.workshop.draw_letter(page_of(letter, seen, invoice, registered=channel == "notice"))
    except FormatError as error:
        return None, f"La lettre n'a pas pu être dessinée : {error}"
    if channel == "handover":
        name = file_name(seen.submission.number, "recouvrement", "application/zip")
        return Paper(content=collection_file(deps, seen, drawn, letter), name=name, media_type="application/zip"), None
    name = file_name(seen.submission.number, "mise-en-demeure" if channel == "notice" else "lettre", "application/pdf")
    return Paper(content=drawn, name=name, media_type="application/pdf"), None


def page_of(letter: Letter, seen: Seen, invoice: Invoice, *, registered: bool) -> bytes:
    """What Workshop.draw_letter wants: every text ready to print."""
    entity, words = seen.entity, headings(letter.lang)
    subject, paragraphs = words_of(letter)
    place = (entity.address.get("city") if entity else None) or ""
    day = format_date(letter.today, "d MMMM y", locale=letter.lang)
    sender = _lines(Address(**entity.address)) if entity else []
    return json.dumps({
        "lang": letter.lang, "day": letter.today.isoformat(), "subject": subject, "paragraphs": paragraphs,
        "company": letter.company, "sender": [letter.company, *sender],
        "recipient": [letter.client, *_attention(seen, letter.lang), *_lines(invoice.buyer.address)],
        "sending": SENDING[letter.lang] if registered else "",
        "place": f"{place}, le {day}" if place and letter.lang == "fr" else f"{place}, {day}" if place else day,
        "rows": rows_of(letter), "open_title": words["open"], "open_rows": open_rows(letter),
        "closing": words["formal_closing"], "signature": list(letter.signature),
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
