"""The mandatory metadata of objects, added with the journal entry that first names them."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from gateway.db import insert_rows, plain
from gateway.evidence.ledger import Kept
from gateway.tables_archive import KeptObject

KNOWN = select(KeptObject.sha256).where(
    KeptObject.tenant_id == bindparam("tenant"), KeptObject.sha256.in_(bindparam("named", expanding=True)))


def admit(session: Session, tenant_id: str, kept: Iterable[Kept], depositor: str, at: datetime) -> None:
    """Keep the metadata of objects that this tenant had not deposited yet. The caller holds the tenant's row."""
    new = {one.sha256: one for one in kept}
    if not new:
        return
    known = plain(session, tenant_id, KNOWN, named=list(new)).scalars()
    insert_rows(session, KeptObject, [
        {"tenant_id": tenant_id, "sha256": sha256, "algorithm": "sha256", "size": new[sha256].size,
         "depositor": depositor, "deposited_at": at, "destroyed_at": None}
        for sha256 in sorted(new.keys() - set(known))])
