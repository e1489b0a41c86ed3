"""The searches that a person keeps: names for what stands in the URL of the journal."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.auth import Principal
from gateway.tables_care import SavedSearch

MOST = 30
FIELDS = ("q", "qui", "type", "statut", "du", "au")


def searches(session: Session, principal: Principal) -> Sequence[SavedSearch]:
    """Those of this person, by name."""
    return session.scalars(select(SavedSearch).where(SavedSearch.user_id == principal.actor)
                           .order_by(SavedSearch.name, SavedSearch.created_at)).all()


def keep(session: Session, principal: Principal, name: str, query: str, now: datetime) -> bool:
    """Keep a search under a name; one of the same name gives way. False when there is nothing to keep, or too much."""
    asked = urlencode([(field, value) for field, value in parse_qsl(query[:2000]) if field in FIELDS])
    mine = searches(session, principal)
    same = next((one for one in mine if one.name == name[:100]), None)
    if not name or not asked or (same is None and len(mine) >= MOST):
        return False
    if same is not None:
        same.query = asked
    else:
        session.add(SavedSearch(tenant_id=principal.tenant_id, id=str(uuid.uuid4()), user_id=principal.actor,
                                name=name[:100], query=asked, created_at=now))
    return True


def forget(session: Session, principal: Principal, search_id: str) -> None:
    """Keep it no longer; of others nothing is touched."""
    row = session.get(SavedSearch, (principal.tenant_id, search_id))
    if row is not None and row.user_id == principal.actor:
        session.delete(row)
