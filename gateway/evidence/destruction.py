"""Destruction by two persons: one proposes and says why it is allowed, another one approves, then the objects go.

Both are people with an account (`user:<id>`), never a key or a program. What forbids is looked at when it is proposed,
again when it is approved, and once more for each object by the safe, which journals each of them (evidence/objects.py).
An object that also belongs to an invoice that stays, stays. At the end a signed certificate is kept, every invoice
says where it is, and the words about it that hold personal data go with it (evidence/erasure.py).
"""

import uuid
from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.errors import DestructionRefused, ObjectMissing, StoreUnavailable
from archive.store import Digest
from gateway.auth import Permission, Principal
from gateway.deps import Deps
from gateway.evidence.cards import admit
from gateway.evidence.certificates import Account, Gone, Part, certificate
from gateway.evidence.erasure import erase_invoice
from gateway.evidence.ledger import Kept
from gateway.evidence.objects import safe_of
from gateway.evidence.retention import CERTIFICATE, OBJECT, counted, last_day, objects_of, owners_of, standing
from gateway.evidence.sealing import dossier_key
from gateway.outbox import Entry, Park, RetryLater
from gateway.problems import Problem, not_found
from gateway.record import Change, Work, lock_tenant, record
from gateway.tables import Document, Submission
from gateway.tables_archive import KeptObject
from gateway.tables_retention import Destruction, DestructionItem, Retention

TOPIC = "destroy"
PROPOSED, DECLINED, APPROVED, DONE = "proposed", "declined", "approved", "done"
MOST = 1000
"""Invoices of one destruction: its certificate is read by people."""


def propose(deps: Deps, tenant_id: str, actor: str, subjects: Sequence[str], reason: str) -> Destruction:
    """Propose to destroy invoices (ids) or single objects (`object:<sha256>`), saying why it is allowed.

    Raises:
        Problem: 404; 403 person-needed; 409 retention-runs, under-hold, already-proposed; 422 without reason or items.
    """
    check_person(actor)
    wanted = sorted(set(subjects))
    if not reason.strip() or not 0 < len(wanted) <= MOST:
        raise Problem(422, "invalid-request", f"Dites quoi (au plus {MOST}) et pourquoi. / Say what and why.")
    row = Destruction(tenant_id=tenant_id, id=str(uuid.uuid4()), reason=reason.strip(), state=PROPOSED,
                      proposed_at=deps.now(), proposed_by=actor, decided_at=None, decided_by=None, decided_reason=None,
                      finished_at=None, certificate=None)
    with deps.db.transaction(tenant_id) as session:
        lock_tenant(session, tenant_id)
        for subject in wanted:
            session.add(DestructionItem(tenant_id=tenant_id, destruction_id=row.id, subject=subject,
                                        until=check_lawful(deps, session, tenant_id, subject)))
        session.add(row)
        _tell(deps, session, row, "destruction-proposed", actor)
    return row


def approve(deps: Deps, tenant_id: str, actor: str, destruction_id: str) -> Destruction:
    """Approve what somebody else proposed; the worker does it.

    Raises:
        Problem: 404; 403 person-needed, same-person; 409 not-open, retention-runs, under-hold.
    """
    with deps.db.transaction(tenant_id) as session:
        row = _open(session, tenant_id, destruction_id, actor)
        if row.proposed_by == actor:
            raise Problem(403, "same-person", "Une deuxième personne doit approuver. / A second person must approve.")
        for item in items_of(session, tenant_id, row.id):
            check_lawful(deps, session, tenant_id, item.subject, within=row.id)
        row.state, row.decided_at, row.decided_by = APPROVED, deps.now(), actor
        _tell(deps, session, row, "destruction-approved", actor, Work(topic=TOPIC, subject_id=row.id))
    return row


def decline(deps: Deps, tenant_id: str, actor: str, destruction_id: str, reason: str) -> Destruction:
    """Decline a proposal, one's own too. Raises Problem as `approve`; 422 without a reason."""
    if not reason.strip():
        raise Problem(422, "invalid-request", "Dites pourquoi. / Say why.")
    with deps.db.transaction(tenant_id) as session:
        row = _open(session, tenant_id, destruction_id, actor)
        row.state, row.decided_at, row.decided_by, row.decided_reason = DECLINED, deps.now(), actor, reason.strip()
        _tell(deps, session, row, "destruction-declined", actor)
    return row


def check_person(actor: str) -> None:
    """Refuse keys and programs: nobody knows who holds them. Raises Problem 403."""
    if not actor.startswith("user:"):
        raise Problem(403, "person-needed", "Il faut une personne, pas une clé. / A person is needed, not a key.")


def check_lawful(deps: Deps, session: Session, tenant_id: str, subject: str, *, within: str = "") -> date:
    """The last day of retention, if it is over and nothing forbids to destroy. Raises Problem 404 or 409."""
    try:
        until = last_day(session, tenant_id, subject)
    except LookupError:
        raise not_found() from None
    if is_gone(session, tenant_id, subject):
        raise Problem(409, "already-destroyed", "Déjà détruit. / Already destroyed.", subject=subject)
    if deps.today() <= until:
        raise Problem(409, "retention-runs", f"À conserver jusqu'au {until:%d/%m/%Y}. / To be kept until {until}.",
                      subject=subject, until=until.isoformat())
    if held := standing(session, tenant_id, covering(session, tenant_id, subject)):
        raise Problem(409, "under-hold", "Sous gel : rien n'est détruit tant qu'il n'est pas levé. / Under legal hold.",
                      subject=subject, hold=held[0].id)
    other = session.scalar(select(Destruction.id).join(DestructionItem, (
        DestructionItem.tenant_id == Destruction.tenant_id) & (DestructionItem.destruction_id == Destruction.id)).where(
            DestructionItem.subject == subject, Destruction.state.in_((PROPOSED, APPROVED)), Destruction.id != within))
    if other is not None:
        raise Problem(409, "already-proposed", "Une destruction est déjà proposée. / Already proposed.", other=other)
    return until


def covering(session: Session, tenant_id: str, subject: str) -> set[str]:
    """What a hold may be on to forbid the destruction of a subject: itself, and what it is part of."""
    if subject.startswith(OBJECT):
        return {subject, *owners_of(session, tenant_id, subject.removeprefix(OBJECT))}
    return {subject, *(f"{OBJECT}{sha256}" for sha256 in objects_of(session, tenant_id, subject))}


def is_gone(session: Session, tenant_id: str, subject: str) -> bool:
    """Whether an invoice or object was destroyed."""
    if subject.startswith(OBJECT):
        card = session.get(KeptObject, (tenant_id, subject.removeprefix(OBJECT)))
        return card is not None and card.destroyed_at is not None
    row = session.get(Retention, (tenant_id, subject))
    return row is not None and row.destroyed_at is not None


def destructions(deps: Deps, tenant_id: str, *, limit: int = 100) -> list[Destruction]:
    """The newest ones; those that wait for a second person first."""
    with deps.db.reading(tenant_id) as session:
        rows = session.scalars(select(Destruction).order_by(Destruction.proposed_at.desc(), Destruction.id)
                               .limit(limit)).all()
    return sorted(rows, key=lambda row: row.state != PROPOSED)


def get_destruction(session: Session, tenant_id: str, destruction_id: str) -> Destruction:
    """One by its id. Raises Problem 404."""
    row = session.get(Destruction, (tenant_id, destruction_id))
    if row is None:
        raise not_found()
    return row


def items_of(session: Session, tenant_id: str, destruction_id: str) -> list[DestructionItem]:
    """What a destruction is about."""
    return list(session.scalars(select(DestructionItem).where(
        DestructionItem.tenant_id == tenant_id, DestructionItem.destruction_id == destruction_id)
        .order_by(DestructionItem.subject)))


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
        _tell(deps, session, stored, "destruction-done", "worker", objects=(kept,))


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


def _open(session: Session, tenant_id: str, destruction_id: str, actor: str) -> Destruction:
    check_person(actor)
    lock_tenant(session, tenant_id)
    row = get_destruction(session, tenant_id, destruction_id)
    if row.state != PROPOSED:
        raise Problem(409, "not-open", "Cette proposition est déjà décidée. / Already decided.", state=row.state)
    return row


def _tell(
    deps: Deps, session: Session, row: Destruction, code: str, actor: str, *then: Work, objects: tuple[Kept, ...] = ()
) -> None:
    about = f"destruction:{row.id}"
    record(session, row.tenant_id, Change(kind="evidence", code=code, actor=actor, subject=about,
                                          data={"subject": about}, objects=objects, then=then), now=deps.now())
