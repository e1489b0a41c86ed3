"""How a destruction ends: its certificate is kept and shown at each invoice, whose words are erased."""

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.store import Digest
from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.evidence.saying import key_of
from gateway.evidence.sealing import dossier_key
from gateway.keeping.certificates import Account, Gone, Part, certificate
from gateway.keeping.clients import forget_client
from gateway.keeping.destruction import APPROVED, DONE, get_destruction, items_of, tell
from gateway.keeping.erasure import erase_invoice, erase_statement
from gateway.keeping.retention import CERTIFICATE, OBJECT, counted, objects_of
from gateway.record import Change, lock_tenant, record
from gateway.tables import Document, Submission
from gateway.tables_archive import KeptObject
from gateway.tables_receivables import BankFile
from gateway.tables_retention import Destruction, DestructionItem

BATCH = 50


def finish(deps: Deps, row: Destruction) -> None:
    """Keep the certificate, show it at each invoice, erase their words; interrupted, it goes on with the same one.

    A few invoices at a time: whoever else writes waits for no more than those.
    """
    tenant_id = row.tenant_id
    with deps.db.reading(tenant_id) as session:
        parts = [_part(session, tenant_id, item) for item in items_of(session, tenant_id, row.id)]
    kept = _certified(deps, row, parts)
    invoices = [part.subject for part in parts if not part.subject.startswith(OBJECT)]
    for start in range(0, len(invoices), BATCH):
        with deps.db.transaction(tenant_id) as session:
            stored = _at_work(session, row)
            if stored is None:
                return
            for submission_id in invoices[start:start + BATCH]:
                _close(deps, session, stored, submission_id, kept)
    for part in parts:
        if part.subject.startswith(OBJECT):
            _close_statement(deps, row, part.subject.removeprefix(OBJECT))
    with deps.db.transaction(tenant_id) as session:
        stored = _at_work(session, row)
        if stored is not None:
            stored.state, stored.finished_at = DONE, deps.now()
            tell(deps, session, stored, "destruction-done", "worker", objects=(kept,))
    deps.db.overwrite_log()


def _certified(deps: Deps, row: Destruction, parts: list[Part]) -> Kept:
    """The certificate of what is gone, made once."""
    with deps.db.reading(row.tenant_id) as session:
        known = get_destruction(session, row.tenant_id, row.id).certificate
    if known is not None:
        return Kept(CERTIFICATE, known, len(deps.store.get(Digest(known))))
    now = deps.now()
    note = certificate(Account(
        id=row.id, tenant=row.tenant_id, reason=row.reason, proposed_by=row.proposed_by, proposed_at=row.proposed_at,
        approved_by=str(row.decided_by), approved_at=row.decided_at or now, finished_at=now, parts=parts,
    ), dossier_key(deps), deps.settings.log_origin)
    digest = deps.store.put(note).hex
    with deps.db.transaction(row.tenant_id) as session:
        stored = _at_work(session, row)
        if stored is not None and stored.certificate is None:
            stored.certificate = digest
    with deps.db.reading(row.tenant_id) as session:
        sha256 = str(get_destruction(session, row.tenant_id, row.id).certificate)
    return Kept(CERTIFICATE, sha256, len(deps.store.get(Digest(sha256))))


def _at_work(session: Session, row: Destruction) -> Destruction | None:
    """The destruction, locked; None when another worker has ended it."""
    lock_tenant(session, row.tenant_id)
    stored = session.get_one(Destruction, (row.tenant_id, row.id))
    return stored if stored.state == APPROVED else None


def _close(deps: Deps, session: Session, row: Destruction, submission_id: str, kept: Kept) -> None:
    """An invoice says that it is gone, and under which certificate; its words are erased. Once."""
    submission = session.get_one(Submission, (row.tenant_id, submission_id))
    retention = counted(session, submission)
    if retention.destroyed_at is not None:
        return
    retention.destroyed_at, retention.destruction_id = deps.now(), row.id
    forget_client(session, submission)
    erase_invoice(session, submission)
    session.add(Document(
        tenant_id=row.tenant_id, id=str(uuid.uuid4()), submission_id=submission_id, role=CERTIFICATE, syntax=None,
        media_type="text/plain; charset=utf-8", name=f"certificat-{row.id[:8]}.txt", sha256=kept.sha256,
        size=kept.size, at=deps.now()))
    for code, objects in (("erased", ()), ("destroyed", (kept,))):
        record(session, row.tenant_id, Change(kind="evidence", code=code, actor=str(row.decided_by),
                                              submission_id=submission_id, objects=objects), now=deps.now())


def _close_statement(deps: Deps, row: Destruction, sha256: str) -> None:
    """The words of a statement of the bank that is gone are erased; once, and only where its bytes went."""
    with deps.db.transaction(row.tenant_id) as session:
        lock_tenant(session, row.tenant_id)
        card = session.get(KeptObject, (row.tenant_id, sha256))
        statement = session.scalar(select(BankFile).where(BankFile.sha256 == sha256))
        about = f"bank-file:{statement.id}" if statement is not None else ""
        if statement is None or card is None or card.destroyed_at is None or key_of(
                session, row.tenant_id, about) is None:  # the key of its words went with them
            return
        erase_statement(session, statement)
        record(session, row.tenant_id, Change(kind="evidence", code="erased", actor=str(row.decided_by),
                                              subject=about), now=deps.now())


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
