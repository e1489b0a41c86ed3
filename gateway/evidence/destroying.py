"""What two persons approved is destroyed, object by object, and certified. See evidence/destruction.py.

An object that also belongs to an invoice that stays, stays. At the end a signed certificate is kept, every invoice
says where it is, and the words about it that hold personal data go with it (evidence/erasure.py).
"""

import uuid
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.errors import DestructionRefused, ObjectMissing, StoreUnavailable
from archive.store import Digest
from gateway.auth import Permission, Principal
from gateway.deps import Deps
from gateway.evidence.cards import admit
from gateway.evidence.certificates import Account, Gone, Part, certificate
from gateway.evidence.destruction import APPROVED, DONE, covering, get_destruction, is_gone, items_of, tell
from gateway.evidence.erasure import erase_invoice
from gateway.evidence.ledger import Kept
from gateway.evidence.objects import safe_of
from gateway.evidence.retention import CERTIFICATE, OBJECT, counted, objects_of, owners_of, standing
from gateway.evidence.sealing import dossier_key
from gateway.outbox import Entry, Park, RetryLater
from gateway.record import Change, lock_tenant, record
from gateway.tables import Document, Submission
from gateway.tables_archive import KeptObject
from gateway.tables_retention import Destruction, DestructionItem


def handle_destruction(deps: Deps, entry: Entry) -> None:
    """Destroy what was approved, object by object, then certify it. Interrupted, it goes on with what is left.

    Raises:
        Park: something forbids it now, e.g. a hold set meanwhile. RetryLater: the store is away.
    """
    with deps.db.reading(entry.tenant_id) as session:
        row = get_destruction(session, entry.tenant_id, entry.subject_id)
        subjects = [item.subject for item in items_of(session, entry.tenant_id, row.id)]
    if row.state != APPROVED:
        return
    try:
        for subject in subjects:
            destroy_all_of(deps, row, subject, set(subjects))
    except StoreUnavailable as error:
        raise RetryLater(f"{error.code}: {error}") from error
    except (DestructionRefused, ObjectMissing) as error:
        raise Park(f"{error.code}: {error}") from error
    finish(deps, row)


def destroy_all_of(deps: Deps, row: Destruction, subject: str, going: Iterable[str]) -> None:
    """Destroy the objects of one item that belong to nothing that stays. Raises ArchiveError."""
    safe = safe_of(deps, Principal(tenant_id=row.tenant_id, actor=str(row.decided_by), name="",
                                   permissions=frozenset({Permission.RETENTION_WRITE})))
    with deps.db.transaction(row.tenant_id) as session:
        if held := standing(session, row.tenant_id, covering(session, row.tenant_id, subject)):
            raise DestructionRefused(f"{subject}: legal hold {held[0].id}")
        digests = [sha256 for sha256 in _digests(session, row.tenant_id, subject)
                   if is_free(session, row.tenant_id, sha256, {*going, subject})]
        known = set(session.scalars(select(KeptObject.sha256).where(KeptObject.sha256.in_(digests))))
        lost = [Kept("object", sha256, 0) for sha256 in digests if sha256 not in known]
        admit(session, row.tenant_id, lost, "worker", deps.now())  # of before metadata were kept
    for sha256 in digests:
        with deps.db.reading(row.tenant_id) as session:
            gone = is_gone(session, row.tenant_id, f"{OBJECT}{sha256}")
        if not gone:
            safe.destroy(Digest(sha256), reason=f"destruction:{row.id}")


def is_free(session: Session, tenant_id: str, sha256: str, going: Iterable[str]) -> bool:
    """Whether every invoice that an object belongs to is going too."""
    return owners_of(session, tenant_id, sha256) <= set(going)


def finish(deps: Deps, row: Destruction) -> None:
    """Keep the certificate, show it at each invoice, erase their words, in one transaction."""
    tenant_id, now = row.tenant_id, deps.now()
    with deps.db.reading(tenant_id) as session:
        parts = [_part(session, tenant_id, item) for item in items_of(session, tenant_id, row.id)]
    note = certificate(Account(
        id=row.id, tenant=tenant_id, reason=row.reason, proposed_by=row.proposed_by, proposed_at=row.proposed_at,
        approved_by=str(row.decided_by), approved_at=row.decided_at or now, finished_at=now, parts=parts,
    ), dossier_key(deps), deps.settings.log_origin)
    kept = Kept(CERTIFICATE, deps.store.put(note).hex, len(note))
    with deps.db.transaction(tenant_id) as session:
        lock_tenant(session, tenant_id)
        stored = session.get_one(Destruction, (tenant_id, row.id))
        if stored.state != APPROVED:
            return  # another worker was faster
        for part in parts:
            if not part.subject.startswith(OBJECT):
                _close(deps, session, stored, part.subject, kept)
        stored.state, stored.finished_at, stored.certificate = DONE, now, kept.sha256
        tell(deps, session, stored, "destruction-done", "worker", objects=(kept,))


def _close(deps: Deps, session: Session, row: Destruction, submission_id: str, kept: Kept) -> None:
    """An invoice says that it is gone, and under which certificate; its words are erased."""
    submission = session.get_one(Submission, (row.tenant_id, submission_id))
    retention = counted(session, submission)
    retention.destroyed_at, retention.destruction_id = deps.now(), row.id
    erase_invoice(session, submission)
    session.add(Document(
        tenant_id=row.tenant_id, id=str(uuid.uuid4()), submission_id=submission_id, role=CERTIFICATE, syntax=None,
        media_type="text/plain; charset=utf-8", name=f"certificat-{row.id[:8]}.txt", sha256=kept.sha256,
        size=kept.size, at=deps.now()))
    for code, objects in (("erased", ()), ("destroyed", (kept,))):
        record(session, row.tenant_id, Change(kind="evidence", code=code, actor=str(row.decided_by),
                                              submission_id=submission_id, objects=objects), now=deps.now())


def _part(session: Session, tenant_id: str, item: DestructionItem) -> Part:
    submission = session.get(Submission, (tenant_id, item.subject))
    cards = {card.sha256: card for card in session.scalars(select(KeptObject).where(
        KeptObject.sha256.in_(_digests(session, tenant_id, item.subject))))}
    return Part(item.subject, (submission.number if submission else None) or "-", item.until,
                [Gone(sha256, card.size, card.destroyed_at) for sha256, card in sorted(cards.items())])


def _digests(session: Session, tenant_id: str, subject: str) -> list[str]:
    return ([subject.removeprefix(OBJECT)] if subject.startswith(OBJECT)
            else objects_of(session, tenant_id, subject))
