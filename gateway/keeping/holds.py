"""Legal holds: who needs what, and why. While one stands nothing under it is destroyed; it shortens nothing.

The row is what counts, from the transaction that adds it, and covers what comes later too. The store is told
afterwards, object by object (S3: its own legal hold, which binds whoever goes round us), and by regular work of what
came since.
"""

import uuid
from collections.abc import Iterable

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from archive.errors import ObjectMissing, StoreUnavailable
from archive.store import Digest
from gateway.db import EVERY_TENANT
from gateway.deps import Deps
from gateway.keeping.retention import EVERYTHING, OBJECT, objects_of, owners_of, standing
from gateway.outbox import Entry, RetryLater
from gateway.problems import Problem, not_found
from gateway.record import Change, Work, lock_tenant, record
from gateway.tables import Event, Submission
from gateway.tables_archive import KeptObject
from gateway.tables_retention import LegalHold
from gateway.turns import for_each_tenant

TOPIC = "legal-hold"


def set_hold(deps: Deps, tenant_id: str, actor: str, subject: str, reason: str) -> LegalHold:
    """Put an invoice (its id), an object (`object:<sha256>`) or `all` under legal hold until somebody lifts it.

    Asked again by the same for the same reason, it gives the hold that stands.

    Raises:
        Problem: 404; 422 invalid-request without a reason.
    """
    if not reason.strip():
        raise Problem(422, "invalid-request", "Dites pourquoi. / Say why.")
    row = LegalHold(tenant_id=tenant_id, id=str(uuid.uuid4()), subject=subject, reason=reason.strip(),
                    set_at=deps.now(), set_by=actor, lifted_at=None, lifted_by=None, lifted_reason=None, told_to=0)
    with deps.db.transaction(tenant_id) as session:
        lock_tenant(session, tenant_id)
        if not _is_known(session, tenant_id, subject):
            raise not_found()
        same = session.scalar(select(LegalHold).where(
            LegalHold.tenant_id == tenant_id, LegalHold.subject == subject, LegalHold.reason == row.reason,
            LegalHold.set_by == actor, LegalHold.lifted_at.is_(None)).limit(1))
        if same is not None:
            return same
        session.add(row)
        _tell(deps, session, row, "hold-set")
    return row


def invoice_called(session: Session, tenant_id: str, what: str) -> str:
    """The id of the one invoice that has this id or number. Other years and sellers have the same numbers.

    Raises:
        Problem: 404; 409 several-invoices, with their ids.
    """
    found = session.scalars(select(Submission.id).where(
        Submission.tenant_id == tenant_id, or_(Submission.id == what, Submission.number == what))
        .order_by(Submission.received_at.desc(), Submission.id)).all()
    if what in found:
        return what
    if not found:
        raise Problem(404, "not-found", "Aucune facture ne porte ce numéro. / No invoice has this number.")
    if len(found) > 1:
        raise Problem(409, "several-invoices", f"Plusieurs factures portent ce numéro : partez de la page de la bonne, "
                      f"ou donnez son identifiant ({', '.join(found[:10])}). / Several invoices have this number: "
                      "give the id of one.", invoices=list(found[:10]))
    return found[0]


def lift_hold(deps: Deps, tenant_id: str, hold_id: str, actor: str, reason: str) -> LegalHold:
    """Lift a hold. One that is lifted stays as it is.

    Raises:
        Problem: 404; 422 invalid-request without a reason.
    """
    if not reason.strip():
        raise Problem(422, "invalid-request", "Dites pourquoi. / Say why.")
    with deps.db.transaction(tenant_id) as session:
        lock_tenant(session, tenant_id)
        row = session.get(LegalHold, (tenant_id, hold_id))
        if row is None:
            raise not_found()
        if row.lifted_at is None:
            row.lifted_at, row.lifted_by, row.lifted_reason = deps.now(), actor, reason.strip()
            _tell(deps, session, row, "hold-lifted")
    return row


def holds(deps: Deps, tenant_id: str) -> list[LegalHold]:
    """Every hold: those that stand first, then the lifted ones, newest first."""
    with deps.db.reading(tenant_id) as session:
        rows = session.scalars(select(LegalHold).order_by(LegalHold.set_at.desc(), LegalHold.id)).all()
    return sorted(rows, key=lambda row: row.lifted_at is not None)


def handle_hold(deps: Deps, entry: Entry) -> None:
    """Tell the store what stands on the objects of one hold. Raises RetryLater while the store is away."""
    try:
        told(deps, entry.tenant_id, entry.subject_id)
    except StoreUnavailable as error:
        raise RetryLater(f"{error.code}: {error}") from error


def told(deps: Deps, tenant_id: str, hold_id: str) -> None:
    """Tell the store of every object of a hold, and remember how far that went. Raises StoreUnavailable."""
    with deps.db.reading(tenant_id) as session:
        to = _newest_event(session, tenant_id)
        row = session.get_one(LegalHold, (tenant_id, hold_id))
        digests = _objects(session, tenant_id, row)
    tell_store(deps, digests)
    with deps.db.transaction(tenant_id) as session:
        row = session.get_one(LegalHold, (tenant_id, hold_id))
        row.told_to = max(row.told_to, to)


def tell_new(deps: Deps) -> None:
    """Regular work: tell the store of what came under a hold since it was told; later, while it is away."""
    for_each_tenant(deps, _tell_new)


def _tell_new(deps: Deps, tenant_id: str) -> None:
    with deps.db.reading(tenant_id) as session:
        stale = [row.id for row in standing(session, tenant_id) if _has_more(session, row)]
    for hold_id in stale:
        try:
            told(deps, tenant_id, hold_id)
        except StoreUnavailable:
            return


def tell_store(deps: Deps, digests: Iterable[str]) -> None:
    """Set or lift the store's own hold on each object, by what stands on it for anybody. Raises StoreUnavailable."""
    for sha256 in digests:
        with deps.db.reading(EVERY_TENANT) as session:
            stands = is_held(session, sha256)
        try:
            deps.store.hold(Digest(sha256), standing=stands)
        except ObjectMissing:
            continue  # destroyed, or lost: the control of everything tells which


def is_held(session: Session, sha256: str) -> bool:
    """Whether any tenant that keeps an object has it under a hold. `session`: the machinery's."""
    keepers = session.scalars(select(KeptObject.tenant_id).where(
        KeptObject.sha256 == sha256, KeptObject.destroyed_at.is_(None))).all()
    return any(standing(session, tenant_id, {f"{OBJECT}{sha256}", *owners_of(session, tenant_id, sha256)})
               for tenant_id in keepers)


def _objects(session: Session, tenant_id: str, row: LegalHold) -> list[str]:
    """What a hold is on: of everything, only what came since the store was told, unless the hold was lifted."""
    if row.subject.startswith(OBJECT):
        return [row.subject.removeprefix(OBJECT)]
    if row.subject != EVERYTHING:
        return objects_of(session, tenant_id, row.subject)
    kept = select(KeptObject.sha256).where(KeptObject.tenant_id == tenant_id, KeptObject.destroyed_at.is_(None))
    if row.lifted_at is None and row.told_to:
        before = select(Event.at).where(Event.tenant_id == tenant_id, Event.position == row.told_to).scalar_subquery()
        kept = kept.where(KeptObject.deposited_at >= before)
    return list(session.scalars(kept))


def _has_more(session: Session, row: LegalHold) -> bool:
    """Whether anything happened under a hold since the store was told; an object by itself gets no more."""
    if row.subject.startswith(OBJECT):
        return row.told_to == 0
    news = select(Event.position).where(Event.tenant_id == row.tenant_id, Event.position > row.told_to).limit(1)
    if row.subject != EVERYTHING:
        news = news.where(Event.submission_id == row.subject)
    return session.scalar(news) is not None


def _newest_event(session: Session, tenant_id: str) -> int:
    return session.scalar(select(func.max(Event.position)).where(Event.tenant_id == tenant_id)) or 0


def _is_known(session: Session, tenant_id: str, subject: str) -> bool:
    if subject.startswith(OBJECT):
        return session.get(KeptObject, (tenant_id, subject.removeprefix(OBJECT))) is not None
    return subject == EVERYTHING or session.get(Submission, (tenant_id, subject)) is not None


def _tell(deps: Deps, session: Session, row: LegalHold, code: str) -> None:
    """The event is the invoice's where the hold is on one."""
    actor, reason = row.lifted_by or row.set_by, row.lifted_reason or row.reason
    invoice = None if row.subject == EVERYTHING or row.subject.startswith(OBJECT) else row.subject
    about = f"hold:{row.id}"
    record(session, row.tenant_id, Change(
        kind="evidence", code=code, actor=actor, submission_id=invoice, subject=about, reason=reason,
        data={"hold": row.id, "on": row.subject}, then=(Work(topic=TOPIC, subject_id=row.id),)), now=deps.now())
