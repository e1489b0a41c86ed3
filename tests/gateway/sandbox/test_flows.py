"""Polling a platform that caps its pages at 25, lists rows late and lets flows share a time: all read, each once.

The long form, with real statuses among ten thousand flows, is tests/campaigns/flows.py.
"""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from gateway.connections import seal_credentials
from gateway.deps import Deps
from gateway.incoming.poll import DEEP_OVERLAP, OVERLAP, overlap, poll
from gateway.tables import PlatformConnection, SeenFlow


def connected(deps: Deps, tenant: str, ready: dict[str, Any]) -> PlatformConnection:
    row = PlatformConnection(
        tenant_id=tenant, id=str(uuid.uuid4()), name="PA", driver="afnor", enabled=True, watermark=None, webhook_id="",
        config={name: ready[name] for name in ("flow_url", "directory_url", "token_url")} | {"allow_loopback": True},
        credentials=seal_credentials(deps.vault, ready["client_id"], ready["client_secret"]),
        signing_key=None, polled_at=None, trouble=None)
    with deps.db.transaction(tenant) as session:
        session.add(row)
    return row


@pytest.mark.parametrize(("norm", "shared"), [("1.3", 60), ("1.2", 20)])
def test_all_flows_are_read_each_once(
    deps: Deps, tenant: str, own_sandbox: Callable[..., Any], norm: str, shared: int,
) -> None:
    sandbox = own_sandbox("--norm", norm)
    sandbox.faults(page_cap=25, equal_times=shared, late_s=3600)
    row = connected(deps, tenant, sandbox.ready)
    key = (row.tenant_id, row.id)
    counts = []
    for _ in range(2):
        sandbox.admin.post("/mail", params={"count": 150}).raise_for_status()
        with deps.db.reading(tenant) as session:
            row = session.get_one(PlatformConnection, key)
        poll(deps, row)
        counts.append(len(listed(deps, tenant)))
    sandbox.faults(page_cap=25)  # what was late is listed now, behind the mark
    with deps.db.reading(tenant) as session:
        row = session.get_one(PlatformConnection, key)
    poll(deps, row)

    there = sorted(flow["flowId"] for flow in sandbox.ledger()["flows"])
    assert (counts, len(there)) == ([100, 200], 300)
    assert listed(deps, tenant) == there
    with deps.db.reading(tenant) as session:
        assert session.get_one(PlatformConnection, key).trouble is None


def listed(deps: Deps, tenant: str) -> list[str]:
    with deps.db.reading(tenant) as session:
        return sorted(session.scalars(select(SeenFlow.id)))


def test_the_first_walk_of_an_hour_goes_deeper(deps: Deps) -> None:
    now = deps.now()
    assert overlap(None, now) == DEEP_OVERLAP
    assert overlap(now, now) == OVERLAP
    assert overlap(now.replace(hour=now.hour - 1, minute=59), now) == DEEP_OVERLAP
