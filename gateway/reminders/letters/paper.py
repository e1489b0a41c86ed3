"""What is printed for a person: the letter to post, the notice to register, the file for an agency. Drawn, not kept."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from babel import Locale
from babel.dates import format_date

from formats.errors import FormatError
from formats.invoice import Address, Invoice
from gateway.deps import Deps
from gateway.reminders.letters.collection import collection_file
from gateway.reminders.letters.drafting import facts_of, language_of, letter_of, read_invoice
from gateway.reminders.letters.letter import Letter
from gateway.reminders.letters.writing import page_texts
from gateway.reminders.state import Seen

SENDING: Final = {"fr": "Lettre recommandée avec avis de réception", "en": "Registered letter with proof of delivery"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What was prepared for a person, for which invoices; a call has no paper."""

    group: tuple[Seen, ...]
    facts: dict[str, object]
    paper: bytes | None = None
    media_type: str = "application/pdf"
    trouble: str | None = None
    """Why there is no paper."""


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
    home = (entity.address.get("country") if entity else None) or "FR"
    return json.dumps({
        **page_texts(letter), "company": letter.company, "sender": [letter.company, *sender],
        "recipient": [letter.client, *_attention(seen, letter.lang), *_lines(invoice.buyer.address),
                      *_abroad(invoice.buyer.address, home)],
        "sending": SENDING[letter.lang] if registered else "",
        "place": f"{place}, le {day}" if place and letter.lang == "fr" else f"{place}, {day}" if place else day,
    }).encode()


def _attention(seen: Seen, lang: str) -> list[str]:
    """Whom the envelope is for, where a person settled that."""
    contact = seen.client.contact if seen.client is not None else None
    return [f"{'À l’attention de' if lang == 'fr' else 'Attn.'} {contact}"] if contact else []


def _abroad(address: Address | None, home: str) -> list[str]:
    """The end of an address in another country: that in capitals, in the language of the post that sorts it first."""
    if address is None or address.country in {None, home}:
        return []
    country = Locale("fr").territories.get(address.country, address.country)
    return [line for line in (address.country_subdivision, str(country).upper()) if line]


def _lines(address: Address | None) -> list[str]:
    """An address as it stands on an envelope."""
    if address is None:
        return []
    town = " ".join(part for part in (address.post_code, address.city) if part)
    return [line for line in (address.line_1, address.line_2, address.line_3, town) if line]
