"""By which words the journal is searched: those of an invoice's number and parties, and those that events say.

Words are lower case, without accents and without anything but letters and digits, so that `Société d'Été` is found by
`ete`, and F-2026-0415 by `f2026`, `0415` or as it is. They are kept in tables of their own with plain B-trees, the same
on SQLite and PostgreSQL: under row-level security PostgreSQL uses no text index whose operators might tell what they
saw, and comparisons of words are the ones it trusts.
"""

import hashlib
import re
import unicodedata

from sqlalchemy import BigInteger, String, bindparam, delete, insert, select
from sqlalchemy.orm import Session

from gateway.db import insert_chosen, insert_rows, plain
from gateway.tables import Event, Submission
from gateway.tables_care import EventParties, EventWord, InvoiceParties, InvoiceWord, PartyWord

LONGEST = 40
MOST_WORDS = 60
"""Of one event: a reason may quote a whole message."""

TENANT, INVOICE = bindparam("tenant", type_=String()), bindparam("invoice", type_=String())
OF_INVOICE = (InvoiceParties.tenant_id == TENANT, InvoiceParties.submission_id == INVOICE)
KNOWN = select(
    select(InvoiceParties.parties).where(*OF_INVOICE).exists(),
    select(PartyWord.word).where(PartyWord.tenant_id == TENANT, PartyWord.parties == bindparam("parties")).exists())
"""Whether an invoice has its words, and whether its parties have."""

HAS_EVENTS = select(EventParties.position).where(
    EventParties.tenant_id == TENANT, EventParties.parties == bindparam("parties")).limit(1)
OF_PARTIES = insert(EventParties).from_select(
    ("tenant_id", "parties", "position"),
    select(InvoiceParties.tenant_id, InvoiceParties.parties, bindparam("position", type_=BigInteger())).where(
        *OF_INVOICE))
PART = re.compile(r"[a-z0-9]+")
LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l"})


def words_of(*texts: str | None) -> set[str]:
    """Every word by which one of these texts is found: between blanks, and its parts of two signs and more."""
    found: set[str] = set()
    for text in texts:
        for piece in folded(text or "").split():
            parts = PART.findall(piece)
            found |= {"".join(parts)[:LONGEST], *(part[:LONGEST] for part in parts if len(part) > 1)}
    return found - {""}


def asked_words(text: str) -> list[str]:
    """The words of a search, each of which must be found; the last one may be the beginning of one."""
    return [word for piece in folded(text).split() if (word := "".join(PART.findall(piece))[:LONGEST])][:8]


def folded(text: str) -> str:
    """Lower case, without accents."""
    letters = unicodedata.normalize("NFKD", text.casefold().translate(LIGATURES))
    return "".join(sign for sign in letters if not unicodedata.combining(sign))


def after(word: str) -> str | None:
    """The least word that comes after all that begin with `word`, in any order that puts digits before letters."""
    stem = word.rstrip(LETTERS[-1])
    return stem[:-1] + LETTERS[LETTERS.index(stem[-1]) + 1] if stem else None


def make_searchable(session: Session, event: Event) -> None:
    """Add the words of an event, and those of its invoice when it came in. Inside the transaction that records it."""
    insert_rows(session, EventWord, [{"tenant_id": event.tenant_id, "position": event.position, "word": word}
                                     for word in sorted(words_of(event.reason))[:MOST_WORDS]])
    if event.submission_id is None:
        return
    if event.kind == "submission":
        invoice = session.get(Submission, (event.tenant_id, event.submission_id))
        if invoice is not None:
            _add_invoice(session, invoice)
    insert_chosen(session, event.tenant_id, OF_PARTIES, invoice=event.submission_id, position=event.position)


def _add_invoice(session: Session, invoice: Submission) -> None:
    parties, words = parties_of(invoice)
    invoice_known, parties_known = plain(session, invoice.tenant_id, KNOWN, invoice=invoice.id, parties=parties).one()
    if invoice_known:
        return
    insert_rows(session, InvoiceWord, number_words(invoice))
    if not parties_known:
        insert_rows(session, PartyWord, [{"tenant_id": invoice.tenant_id, "parties": parties, "word": word}
                                         for word in sorted(words)])
    insert_rows(session, InvoiceParties, [
        {"tenant_id": invoice.tenant_id, "submission_id": invoice.id, "parties": parties}])


def number_words(invoice: Submission) -> list[dict[str, str]]:
    """The rows of InvoiceWord for one invoice."""
    return [{"tenant_id": invoice.tenant_id, "submission_id": invoice.id, "word": word}
            for word in sorted(words_of(invoice.number))]


def parties_of(invoice: Submission) -> tuple[str, set[str]]:
    """The parties of an invoice as one id, and their words; whoever has the same words has the same id."""
    words = words_of(invoice.seller_name, invoice.buyer_name, invoice.seller_siren, invoice.buyer_siren)
    return parties_id(words), words


def parties_id(words: set[str]) -> str:
    """The id of those who have these words."""
    return hashlib.sha256(" ".join(sorted(words)).encode()).hexdigest()[:32]


def forget_words(session: Session, tenant_id: str, submission_id: str) -> None:
    """An invoice is found by no word any more, nor is what was said about it: for the erasure of personal data.

    The words of its parties go with the last invoice between them.
    """
    said = select(Event.position).where(Event.tenant_id == tenant_id, Event.submission_id == submission_id)
    parties = session.scalar(select(InvoiceParties.parties).where(
        InvoiceParties.tenant_id == tenant_id, InvoiceParties.submission_id == submission_id))
    session.execute(delete(EventWord).where(EventWord.tenant_id == tenant_id, EventWord.position.in_(said)))
    for table in (InvoiceWord, InvoiceParties):
        session.execute(delete(table).where(table.tenant_id == tenant_id, table.submission_id == submission_id))
    if parties is None:
        return
    session.execute(delete(EventParties).where(
        EventParties.tenant_id == tenant_id, EventParties.parties == parties, EventParties.position.in_(said)))
    if plain(session, tenant_id, HAS_EVENTS, parties=parties).scalar() is None:
        session.execute(delete(PartyWord).where(PartyWord.tenant_id == tenant_id, PartyWord.parties == parties))
