"""By which words the journal is searched: those of an invoice's number and parties, and those that events say.

Words are lower case, without accents and without anything but letters and digits, so that `Société d'Été` is found by
`ete`, and F-2026-0415 by `f2026`, `0415` or as it is. They are kept in tables of their own with plain B-trees, the same
on SQLite and PostgreSQL: under row-level security PostgreSQL uses no text index whose operators might tell what they
saw, and comparisons of words are the ones it trusts.
"""

import re
import unicodedata

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from gateway.db import insert_rows, plain
from gateway.tables import Event, Submission
from gateway.tables_care import EventWord, InvoiceWord

LONGEST = 40
MOST_WORDS = 60
"""Of one event: a reason may quote a whole message."""

HAS_WORDS = select(InvoiceWord.word).where(
    InvoiceWord.tenant_id == bindparam("tenant"), InvoiceWord.submission_id == bindparam("invoice")).limit(1)
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
    if event.kind == "submission" and event.submission_id is not None:
        invoice = session.get(Submission, (event.tenant_id, event.submission_id))
        if invoice is not None and plain(session, event.tenant_id, HAS_WORDS, invoice=invoice.id).scalar() is None:
            insert_rows(session, InvoiceWord, invoice_words(invoice))


def invoice_words(invoice: Submission) -> list[dict[str, str]]:
    """The rows of InvoiceWord for one invoice."""
    words = words_of(invoice.number, invoice.seller_name, invoice.buyer_name, invoice.seller_siren, invoice.buyer_siren)
    return [{"tenant_id": invoice.tenant_id, "submission_id": invoice.id, "word": word} for word in sorted(words)]


def forget_words(session: Session, tenant_id: str, submission_id: str) -> None:
    """An invoice is found by no word any more, nor is what was said about it: for the erasure of personal data."""
    said = select(Event.position).where(Event.tenant_id == tenant_id, Event.submission_id == submission_id)
    session.execute(delete(InvoiceWord).where(InvoiceWord.tenant_id == tenant_id,
                                              InvoiceWord.submission_id == submission_id))
    session.execute(delete(EventWord).where(EventWord.tenant_id == tenant_id, EventWord.position.in_(said)))
