"""How a destruction ends: its certificate is kept and shown at each invoice, whose words are erased."""

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.evidence.sealing import dossier_key
from gateway.keeping.certificates import Account, Gone, Part, certificate
from gateway.keeping.destruction import APPROVED, DONE, items_of, tell
from gateway.keeping.erasure import erase_invoice
from gateway.keeping.retention import CERTIFICATE, OBJECT, counted, objects_of
from gateway.record import Change, lock_tenant, record
from gateway.tables import Document, Submission
from gateway.tables_archive import KeptObject
from gateway.tables_retention import Destruction, DestructionItem


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
    deps.db.overwrite_log()


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
        KeptObject.sha256.in_(digests_of(session, tenant_id, item.subject))))}
    return Part(item.subject, (submission.number if submission else None) or "-", item.until,
                [Gone(sha256, card.size, card.destroyed_at) for sha256, card in sorted(cards.items())])


def digests_of(session: Session, tenant_id: str, subject: str) -> list[str]:
    """The objects of one item of a destruction."""
    return ([subject.removeprefix(OBJECT)] if subject.startswith(OBJECT)
            else objects_of(session, tenant_id, subject))
