"""Destruction by two persons: one proposes and says why it is allowed, another one approves, then the objects go.

Both are people with an account (`user:<id>`), never a key or a program. What forbids is looked at when it is proposed,
again when it is approved, and once more for each object by the safe, which journals each of them (keeping/objects.py).
Carrying it out is the worker's part (keeping/destroying.py).
"""

import uuid
from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.store import Digest
from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.keeping.retention import OBJECT, last_day, objects_of, owners_of, standing
from gateway.problems import Problem, not_found
from gateway.record import Change, Work, lock_tenant, record
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
        tell(deps, session, row, "destruction-proposed", actor)
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
        tell(deps, session, row, "destruction-approved", actor, Work(topic=TOPIC, subject_id=row.id))
    return row


def decline(deps: Deps, tenant_id: str, actor: str, destruction_id: str, reason: str) -> Destruction:
    """Decline a proposal, one's own too. Raises Problem as `approve`; 422 without a reason."""
    if not reason.strip():
        raise Problem(422, "invalid-request", "Dites pourquoi. / Say why.")
    with deps.db.transaction(tenant_id) as session:
        row = _open(session, tenant_id, destruction_id, actor)
        row.state, row.decided_at, row.decided_by, row.decided_reason = DECLINED, deps.now(), actor, reason.strip()
        tell(deps, session, row, "destruction-declined", actor)
    return row


def certificate_of(deps: Deps, tenant_id: str, destruction_id: str) -> bytes:
    """The bytes of the certificate of one that is done. Raises Problem 404."""
    with deps.db.reading(tenant_id) as session:
        row = get_destruction(session, tenant_id, destruction_id)
    if row.certificate is None:
        raise not_found()
    return deps.store.get(Digest(row.certificate))


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


def _open(session: Session, tenant_id: str, destruction_id: str, actor: str) -> Destruction:
    check_person(actor)
    lock_tenant(session, tenant_id)
    row = get_destruction(session, tenant_id, destruction_id)
    if row.state != PROPOSED:
        raise Problem(409, "not-open", "Cette proposition est déjà décidée. / Already decided.", state=row.state)
    return row


def tell(
    deps: Deps, session: Session, row: Destruction, code: str, actor: str, *then: Work, objects: tuple[Kept, ...] = ()
) -> None:
    """Record one step of a destruction."""
    about = f"destruction:{row.id}"
    record(session, row.tenant_id, Change(kind="evidence", code=code, actor=actor, subject=about,
                                          data={"subject": about}, objects=objects, then=then), now=deps.now())
