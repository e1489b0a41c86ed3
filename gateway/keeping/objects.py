"""Whose the kept objects are: the metadata of each, and the eight verbs for a program or person (archive.stores.safe).

The service's own work does not go through the safe, and is journaled all the same: what it deposits is named, with role
and size, by the entry of the change that it belongs to, whose actor is the depositor; what it reads for a delivery, a
reminder or a drawing is read on behalf of the entry of that work. The control of everything is told once per pass, and
once for each object that it finds damaged or heals.
"""

from collections.abc import Iterator

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from archive.journal import read_entry
from archive.store import Digest
from archive.stores.safe import Call, Card, Safe, Verb
from gateway.auth import Permission, Principal
from gateway.db import EVERY_TENANT
from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.keeping.retention import refuse_early
from gateway.record import Change, record
from gateway.tables import JournalEntry
from gateway.tables_archive import KeptObject

RIGHTS = {
    Verb.DEPOSIT: Permission.INVOICES_WRITE, Verb.READ: Permission.EVIDENCE_READ,
    Verb.METADATA: Permission.EVIDENCE_READ, Verb.CONTROL: Permission.EVIDENCE_READ,
    Verb.LIST: Permission.EVIDENCE_READ, Verb.COUNT: Permission.EVIDENCE_READ,
    Verb.JOURNAL: Permission.AUDIT_READ, Verb.DESTROY: Permission.RETENTION_WRITE,
}
"""What a caller needs for each verb."""


def safe_of(deps: Deps, principal: Principal) -> Safe:
    """The eight verbs on the objects of the principal's tenant, with his rights."""
    return Safe(deps.store, TenantBook(deps, principal))


class TenantBook:
    """archive.stores.safe.Book in the service's database, for one principal."""

    def __init__(self, deps: Deps, principal: Principal) -> None:
        self._deps = deps
        self._principal = principal
        self._tenant_id = principal.tenant_id

    def may(self, verb: Verb) -> bool:
        """Whether the principal has the right to a verb."""
        return RIGHTS[verb] in self._principal.permissions

    def card(self, digest: Digest) -> Card | None:
        """The metadata of an object of this tenant that was not destroyed."""
        with self._deps.db.reading(self._tenant_id) as session:
            row = session.get(KeptObject, (self._tenant_id, digest.hex))
        return card_of(row) if row is not None and row.destroyed_at is None else None

    def cards(self, after: Digest | None) -> Iterator[Card]:
        """All of them behind `after`, read as they are wanted."""
        wanted = _standing(self._tenant_id).where(KeptObject.sha256 > (after.hex if after else ""))
        wanted = wanted.order_by(KeptObject.sha256).execution_options(yield_per=500)
        with self._deps.db.reading(self._tenant_id) as session, session.scalars(wanted) as rows:
            yield from map(card_of, rows)

    def size(self) -> int:
        """How many there are."""
        with self._deps.db.reading(self._tenant_id) as session:
            counted = _standing(self._tenant_id).with_only_columns(func.count())
            return session.scalar(counted) or 0

    def note(self, call: Call) -> None:
        """Journal a call in a transaction of its own."""
        with self._deps.db.transaction(self._tenant_id) as session:
            self._record(session, call)

    def admit(self, digest: Digest, size: int) -> Card:
        """Journal a deposit; the entry brings the metadata with it (gateway/record.py)."""
        with self._deps.db.transaction(self._tenant_id) as session:
            self._record(session, Call(Verb.DEPOSIT, digest, "done", size), (Kept("object", digest.hex, size),))
            row = session.get_one(KeptObject, (self._tenant_id, digest.hex))
            row.destroyed_at = None  # somebody wants to keep again what was destroyed
            return card_of(row)

    def drop(self, digest: Digest, reason: str) -> None:
        """Journal a destruction that happened and close the metadata."""
        with self._deps.db.transaction(self._tenant_id) as session:
            row = session.get_one(KeptObject, (self._tenant_id, digest.hex))
            row.destroyed_at = self._deps.now()
            self._record(session, Call(Verb.DESTROY, digest, "done", row.size, reason))

    def forbid(self, card: Card) -> None:
        """Refuse while retention runs, under a hold, and without an order that a second person approved."""
        with self._deps.db.reading(self._tenant_id) as session:
            refuse_early(session, self._tenant_id, card.digest.hex, self._deps.today())

    def shared(self, digest: Digest) -> bool:
        """Whether another tenant keeps the same bytes."""
        with self._deps.db.reading(EVERY_TENANT) as session:
            others = select(KeptObject.tenant_id).where(
                KeptObject.sha256 == digest.hex, KeptObject.tenant_id != self._tenant_id,
                KeptObject.destroyed_at.is_(None))
            return session.scalar(others.limit(1)) is not None

    def calls(self, digest: Digest | None) -> Iterator[Call]:
        """The journaled calls, oldest first; the deposit by the service's own work is in the metadata."""
        named = (JournalEntry.subject == f"object:{digest}" if digest is not None
                 else JournalEntry.subject.startswith("object:"))
        with self._deps.db.reading(self._tenant_id) as session:
            lines = session.scalars(
                select(JournalEntry.line).where(named, JournalEntry.type == "access")  # not what the control healed
                .order_by(JournalEntry.at, JournalEntry.log, JournalEntry.seq)).all()
        for _, entry in map(read_entry, lines):
            verb, _, ending = entry.outcome.removeprefix("object.").partition(".")
            yield Call(Verb(verb), _digest(entry.subject), ending)

    def _record(self, session: Session, call: Call, kept: tuple[Kept, ...] = ()) -> None:
        record(session, self._tenant_id, Change(
            kind="access", code=f"object.{call.verb}.{call.outcome}", actor=self._principal.actor,
            subject=f"object:{call.digest or 'all'}", reason=call.reason or None, objects=kept,
            data={"subject": f"object:{call.digest or 'all'}"},
        ), now=self._deps.now())


def card_of(row: KeptObject) -> Card:
    """A row as the safe knows it."""
    return Card(Digest(row.sha256), row.depositor, row.deposited_at, row.size, row.algorithm)


def _standing(tenant_id: str) -> Select[KeptObject]:
    return select(KeptObject).where(KeptObject.tenant_id == tenant_id, KeptObject.destroyed_at.is_(None))


def _digest(subject: str) -> Digest | None:
    name = subject.removeprefix("object:")
    return None if name == "all" else Digest(name)
