"""What the database holds for the dossiers of some invoices, read in few queries: a period has thousands of them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.dossier import package
from archive.journal import Row, read_entry
from archive.manifest import REVOCATION
from gateway.deps import Deps
from gateway.evidence.ledger import LogRows
from gateway.receivables.documents import Relations, relations_of
from gateway.tables import Document, Event, JournalEntry, Payment, Seal, Submission
from gateway.tables_archive import KeptObject

MOST_ROWS = 20_000
BLOCK = 64
"""Rows read at once: the proofs of neighbours in a log need neighbours."""


class RememberedRows(LogRows):
    """A log whose rows are read once, in blocks. Keeps about MOST_ROWS of them."""

    def __init__(self, session: Session, tenant_id: str, log: str) -> None:
        super().__init__(session, tenant_id, log)
        self._read: dict[int, Row] = {}
        self._last: Row | None = None

    def last(self) -> Row | None:
        """The newest row when it was first asked for."""
        self._last = self._last or super().last()
        return self._last

    def get(self, seq: int) -> Row:
        """The row at a position that exists."""
        if seq not in self._read:
            if len(self._read) >= MOST_ROWS:
                self._read.clear()
            self._read |= {row.seq: row for row in self._block(seq - seq % BLOCK)}
        if seq not in self._read:
            raise LookupError(f"no entry {seq}")
        return self._read[seq]

    def _block(self, first: int) -> Iterator[Row]:
        rows = self._session.execute(
            select(JournalEntry.seq, JournalEntry.line, JournalEntry.leaf, JournalEntry.frontier)
            .where(JournalEntry.tenant_id == self._tenant_id, JournalEntry.log == self._log,
                   JournalEntry.seq >= first, JournalEntry.seq < first + BLOCK))
        return (Row(*row) for row in rows)


@dataclass(frozen=True, slots=True)
class Standing:
    """A seal, and what all dossiers under it share."""

    seal: Seal
    rows: RememberedRows
    next: package.NextSeal | None


@dataclass(frozen=True, slots=True)
class Shelf:
    """Rows about some invoices, by invoice."""

    documents: Mapping[str, Sequence[Document]]
    events: Mapping[str, Sequence[Event]]
    payments: Mapping[str, Sequence[Payment]]
    seqs: Mapping[tuple[str, str], Sequence[int]]
    """Positions in a log, by (log, subject); subjects are the invoices, and `object:<sha256>` for what is gone."""

    gone: Mapping[str, datetime]
    """Objects of these invoices that were destroyed lawfully, and when."""

    relations: Relations
    """What nets them."""

    def subjects(self, submission_id: str) -> tuple[str, ...]:
        """What the entries of an invoice's dossier may be about."""
        gone = dict.fromkeys(row.sha256 for row in self.documents[submission_id] if row.sha256 in self.gone)
        return (submission_id, *(f"object:{sha256}" for sha256 in gone))


def shelf_of(session: Session, ids: Sequence[str]) -> Shelf:
    """Everything about these invoices; at most a few hundred of them."""
    documents, events = defaultdict[str, list[Document]](list), defaultdict[str, list[Event]](list)
    payments, seqs = defaultdict[str, list[Payment]](list), defaultdict[tuple[str, str], list[int]](list)
    for document in session.scalars(select(Document).where(Document.submission_id.in_(ids))
                                    .order_by(Document.at, Document.role, Document.id)):
        documents[document.submission_id].append(document)
    for event in session.scalars(select(Event).where(Event.submission_id.in_(ids)).order_by(Event.position)):
        events[str(event.submission_id)].append(event)
    for payment in session.scalars(select(Payment).where(Payment.submission_id.in_(ids))
                                   .order_by(Payment.recorded_at, Payment.id)):
        payments[payment.submission_id].append(payment)
    named = {row.sha256 for rows in documents.values() for row in rows}
    gone = {sha256: at for sha256, at in session.execute(select(KeptObject.sha256, KeptObject.destroyed_at).where(
        KeptObject.sha256.in_(named), KeptObject.destroyed_at.is_not(None))) if at is not None}
    subjects = [*ids, *(f"object:{sha256}" for sha256 in gone)]
    for log, seq, subject in session.execute(
            select(JournalEntry.log, JournalEntry.seq, JournalEntry.subject)
            .where(JournalEntry.subject.in_(subjects)).order_by(JournalEntry.log, JournalEntry.seq)):
        seqs[log, str(subject)].append(seq)
    relations = relations_of(session, session.scalars(select(Submission).where(Submission.id.in_(ids))).all())
    return Shelf(documents, events, payments, seqs, gone, relations)


def standing_of(deps: Deps, session: Session, seal: Seal) -> Standing:
    """A seal with the rows of its log and the seal that covers its token."""
    rows = RememberedRows(session, seal.tenant_id, seal.log)
    return Standing(seal, rows, following(deps, session, seal, rows))


def following(deps: Deps, session: Session, seal: Seal, rows: RememberedRows) -> package.NextSeal | None:
    """The first timestamped seal over the entry that tells of `seal`; None while there is none."""
    entry = telling_of(session, seal)
    if entry is None:
        return None
    later = session.scalar(select(Seal).where(
        Seal.log == entry.log, Seal.size > entry.seq, Seal.token.is_not(None)).order_by(Seal.size).limit(1))
    if later is None or later.token is None:
        return None
    of = rows if later.log == seal.log else RememberedRows(session, seal.tenant_id, later.log)
    told = {ref.role: ref.digest for ref in read_entry(entry.line)[1].objects}
    published = {role: deps.store.get(told[role]) for role in REVOCATION.keys() & told.keys()}
    return package.NextSeal(later.checkpoint, later.token, package.logged(of, entry.seq, later.size), published)


def telling_of(session: Session, seal: Seal) -> JournalEntry | None:
    """The entry that names a seal's checkpoint and token: it may be in a later log."""
    return session.scalar(select(JournalEntry).where(
        JournalEntry.subject == f"log:{seal.log}:{seal.size}", JournalEntry.type == "evidence")
        .order_by(JournalEntry.at, JournalEntry.seq).limit(1))
