"""Regular work for every tenant, one after the other."""

from collections.abc import Callable
from typing import Final

import structlog
from sqlalchemy import Select, select

from gateway.db import EVERY_TENANT, Database
from gateway.deps import Deps
from gateway.tables import Tenant

log = structlog.get_logger()

ALL: Final = select(Tenant.id).order_by(Tenant.id)


def tenants(db: Database, which: Select[str] = ALL) -> list[str]:
    """The ids of tenants, those that `which` selects."""
    with db.reading(EVERY_TENANT) as session:
        return list(session.scalars(which))


def for_each_tenant(deps: Deps, act: Callable[[Deps, str], object], which: Select[str] = ALL) -> None:
    """Do it for all of them. What fails for one keeps no other from its turn, and is raised after the last."""
    troubles: list[Exception] = []
    for tenant_id in tenants(deps.db, which):
        try:
            act(deps, tenant_id)
        except Exception as error:  # a bug that one tenant's data meet
            log.exception("regular work failed for a tenant", tenant=tenant_id)
            troubles.append(error)
    if troubles:
        raise troubles[0]
