"""Regular work for every tenant, one after the other."""

from collections.abc import Callable

import structlog
from sqlalchemy import select

from gateway.db import EVERY_TENANT
from gateway.deps import Deps
from gateway.tables import Tenant

log = structlog.get_logger()


def for_each_tenant(deps: Deps, act: Callable[[Deps, str], object]) -> None:
    """Do it for all of them. What fails for one keeps no other from its turn, and is raised after the last."""
    with deps.db.reading(EVERY_TENANT) as session:
        tenants = session.scalars(select(Tenant.id).order_by(Tenant.id)).all()
    troubles: list[Exception] = []
    for tenant_id in tenants:
        try:
            act(deps, tenant_id)
        except Exception as error:  # a bug that one tenant's data meet
            log.exception("regular work failed for a tenant", tenant=tenant_id)
            troubles.append(error)
    if troubles:
        raise troubles[0]
