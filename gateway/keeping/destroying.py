"""What two persons approved is destroyed, object by object, and certified. See keeping/destruction.py.

An object that also belongs to an invoice that stays, stays. How it ends is keeping/certifying.py.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.errors import DestructionRefused, ObjectMissing, StoreUnavailable
from archive.store import Digest
from gateway.auth import Permission, Principal
from gateway.deps import Deps
from gateway.evidence.cards import admit
from gateway.evidence.ledger import Kept
from gateway.keeping.certifying import digests_of, finish
from gateway.keeping.destruction import APPROVED, covering, get_destruction, is_gone, items_of
from gateway.keeping.objects import safe_of
from gateway.keeping.retention import OBJECT, owners_of, standing
from gateway.outbox import Entry, Park, RetryLater
from gateway.tables_archive import KeptObject
from gateway.tables_retention import Destruction


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
        going = frozenset(subjects)
        for subject in subjects:
            destroy_all_of(deps, row, subject, going)
    except StoreUnavailable as error:
        raise RetryLater(f"{error.code}: {error}") from error
    except (DestructionRefused, ObjectMissing) as error:
        raise Park(f"{error.code}: {error}") from error
    finish(deps, row)


def destroy_all_of(deps: Deps, row: Destruction, subject: str, going: frozenset[str]) -> None:
    """Destroy the objects of one item that belong to nothing that stays. Raises ArchiveError."""
    safe = safe_of(deps, Principal(tenant_id=row.tenant_id, actor=str(row.decided_by), name="",
                                   permissions=frozenset({Permission.RETENTION_WRITE})))
    with deps.db.transaction(row.tenant_id) as session:
        if held := standing(session, row.tenant_id, covering(session, row.tenant_id, subject)):
            raise DestructionRefused(f"{subject}: legal hold {held[0].id}")
        digests = [sha256 for sha256 in digests_of(session, row.tenant_id, subject)
                   if is_free(session, row.tenant_id, sha256, going)]
        known = set(session.scalars(select(KeptObject.sha256).where(KeptObject.sha256.in_(digests))))
        lost = [Kept("object", sha256, 0) for sha256 in digests if sha256 not in known]
        admit(session, row.tenant_id, lost, "worker", deps.now())  # of before metadata were kept
    for sha256 in digests:
        with deps.db.reading(row.tenant_id) as session:
            gone = is_gone(session, row.tenant_id, f"{OBJECT}{sha256}")
        if not gone:
            safe.destroy(Digest(sha256), reason=f"destruction:{row.id}")


def is_free(session: Session, tenant_id: str, sha256: str, going: frozenset[str]) -> bool:
    """Whether every invoice that an object belongs to is going too."""
    return owners_of(session, tenant_id, sha256) <= going
