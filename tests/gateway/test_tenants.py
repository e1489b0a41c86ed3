"""The guard between tenants: no shape of statement sees over it, counts and subqueries neither."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from gateway.db import EVERY_TENANT
from gateway.deps import Deps
from gateway.engines import TenantMissing
from gateway.tables import OutboxEntry, Tenant

ALIAS = aliased(OutboxEntry)
STATEMENTS = {
    "entity": select(OutboxEntry),
    "column": select(OutboxEntry.id),
    "count": select(func.count()).select_from(OutboxEntry),
    "count by where alone": select(func.count()).where(OutboxEntry.state == "pending"),
    "count of a column": select(func.count(OutboxEntry.id)),
    "count of a subquery": select(func.count()).select_from(select(OutboxEntry.id).subquery()),
    "alias": select(ALIAS.id),
    "count of an alias": select(func.count()).select_from(ALIAS),
    "scalar subquery": select(select(func.count()).select_from(OutboxEntry).scalar_subquery()),
    "in": select(OutboxEntry.id).where(OutboxEntry.id.in_(select(ALIAS.id))),
    "exists": select(func.count()).select_from(Tenant).where(exists().where(OutboxEntry.tenant_id == Tenant.id)),
    "group": select(func.count()).select_from(OutboxEntry).group_by(OutboxEntry.state),
    "join": select(OutboxEntry.id).join(Tenant, Tenant.id == OutboxEntry.tenant_id),
}


@pytest.fixture
def two(deps: Deps, make_tenant: Callable[[str], str]) -> tuple[str, str]:
    """Two tenants with one entry each."""
    tenants = make_tenant("Un"), make_tenant("Deux")
    for tenant_id in tenants:
        with deps.db.transaction(tenant_id) as session:
            session.add(OutboxEntry(
                tenant_id=tenant_id, id=f"entry-{tenant_id}", topic="x", subject_id="s", payload={},
                created_at=deps.now(), due_at=deps.now(), lease_until=None, attempts=0, state="pending", reason=None))
    return tenants


def size_of(session: Session, statement: Any) -> int:
    """How many entries a statement saw: a count as it says, else its rows."""
    rows = session.execute(statement).all()
    return rows[0][0] if len(rows) == 1 and isinstance(rows[0][0], int) else len(rows)


@pytest.mark.parametrize("shape", STATEMENTS)
def test_a_tenant_sees_its_own_rows_whatever_the_statement(deps: Deps, two: tuple[str, str], shape: str) -> None:
    for tenant_id in two:
        with deps.db.reading(tenant_id) as session:
            assert size_of(session, STATEMENTS[shape]) == 1
    with deps.db.reading(EVERY_TENANT) as session:
        assert size_of(session, STATEMENTS[shape]) == 2


@pytest.fixture
def nobodys(deps: Deps) -> Iterator[Session]:
    with Session(deps.db.engine) as session:
        yield session


@pytest.mark.parametrize("shape", STATEMENTS)
def test_a_session_that_belongs_to_nobody_sees_nothing(nobodys: Session, shape: str) -> None:
    with pytest.raises(TenantMissing):
        nobodys.execute(STATEMENTS[shape])


def test_a_tenant_changes_its_own_rows_only(deps: Deps, two: tuple[str, str]) -> None:
    one, other = two
    with deps.db.transaction(one) as session:
        session.execute(update(OutboxEntry).values(state="done"))
        session.execute(delete(OutboxEntry).where(OutboxEntry.id == f"entry-{other}"))
    with deps.db.reading(EVERY_TENANT) as session:
        states = {row.tenant_id: row.state for row in session.scalars(select(OutboxEntry))}
    assert states == {one: "done", other: "pending"}
