"""The journal against checkpoints that left the house, and which invoice a fault belongs to.

Whoever holds keys and database can rewrite a log so that it agrees with itself. It then disagrees with a checkpoint
that somebody else has kept: in an API receipt, in the daily mail, in a dossier.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.errors import ArchiveError
from archive.journal import size_of
from archive.seal import Checkpoint
from gateway.deps import Deps
from gateway.evidence.former import read_signed
from gateway.evidence.ledger import LogRows
from gateway.tables import Document, Event, JournalEntry, Seal, SeenFlow, Submission, Tenant
from gateway.tables_reminders import Decision

PROMPT = timedelta(hours=1)
"""A token this soon after the newest entry under it was hardly made for a history rewritten later."""


def published_faults(deps: Deps, session: Session, notes: Sequence[bytes]) -> Iterator[str]:
    """What is wrong between the logs and checkpoints that were kept elsewhere, one line per checkpoint."""
    for note in notes:
        try:
            published = read_signed(deps, _owner(session, note), note)
        except ArchiveError as error:
            yield f"checkpoint publié: {error.code}: {error}"
            continue
        owner, name = published.origin.split("/")[-2:]
        where = f"journal {owner}/{name}: checkpoint publié de {published.size} écritures"
        rows = LogRows(session, owner, name)
        kept = size_of(rows)
        if kept < published.size:
            yield (f"{where}: le journal n'en a plus que {kept} ; première manquante: entry {kept}"
                   f"{about_entry(session, owner, name, kept - 1, ' ; dernière restante')}")
        elif rows.root(published.size) != published.root:
            first = vouched(session, rows, owner, published)
            yield (f"{where}: le journal a été réécrit ; première suspecte: entry {first}"
                   f"{about_entry(session, owner, name, first)}")


def _owner(session: Session, note: bytes) -> str:
    """The tenant that a note claims to be about, if we have it; nothing of it is believed yet."""
    claimed = note.split(b"\n", 1)[0].decode("utf-8", "replace").split("/")[-2:][0]
    return claimed if session.get(Tenant, claimed) is not None else ""


def vouched(session: Session, rows: LogRows, owner: str, published: Checkpoint) -> int:
    """How many entries are still those that a prompt timestamp vouches for: what was changed comes after them."""
    good = 0
    for seal in session.scalars(select(Seal).where(
            Seal.tenant_id == owner, Seal.log == published.origin.rsplit("/", 1)[-1], Seal.size < published.size,
            Seal.token.is_not(None)).order_by(Seal.size)):
        last = session.get(JournalEntry, (owner, seal.log, seal.size - 1))
        if last is None or seal.token_at is None or seal.token_at - last.at > PROMPT:
            break
        again = Checkpoint(published.origin, seal.size, rows.root(seal.size)).text()
        if not seal.checkpoint.startswith(again + b"\n"):
            break
        good = seal.size
    return good


def about_entry(session: Session, owner: str, log: str, seq: int, word: str = "") -> str:
    """` (facture F-1)` for the entry at a position, as far as the row says it; empty where it is about no invoice."""
    subject = session.scalar(select(JournalEntry.subject).where(
        JournalEntry.tenant_id == owner, JournalEntry.log == log, JournalEntry.seq == seq))
    if subject is None:  # the row is gone: its event may tell
        return ""
    return about_subject(session, owner, subject, word)


def about_subject(session: Session, owner: str, subject: str, word: str = "") -> str:
    """The invoice of a subject, for messages."""
    found = session.get(Submission, (owner, subject.removeprefix("view:")))
    return f"{word} (facture {found.number or found.id}, compte {owner})" if found else ""


def about_object(session: Session, sha256: str) -> str:
    """The invoices that an object belongs to, three at most, for messages."""
    found: set[tuple[str, str]] = set()
    for table in (Document, Event, Decision, SeenFlow):
        found |= {(owner, subject) for owner, subject in session.execute(
            select(table.tenant_id, table.submission_id).where(table.sha256 == sha256).limit(3)) if subject}
    return "".join(about_subject(session, owner, subject) for owner, subject in sorted(found)[:3])
