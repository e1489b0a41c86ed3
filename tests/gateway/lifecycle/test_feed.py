"""The feed of events: in order, in pages, one tenant's only."""

from collections.abc import Callable
from typing import Any

from gateway.deps import Deps
from gateway.lifecycle.routes import router
from gateway.record import Change, record
from gateway.tables import Submission


def test_pages_lead_to_the_end_and_tell_everything_once(
    deps: Deps, tenant: str, make_invoice: Callable[..., Submission], serve: Any
) -> None:
    api, invoice = serve(router), make_invoice()
    with deps.db.transaction(tenant) as session:
        for number in range(7):
            record(session, tenant, Change(kind="lifecycle", code="205", actor="buyer", submission_id=invoice.id,
                                           platform_at=deps.now(), reason=str(number)), now=deps.now())
            record(session, tenant, Change(kind="access", code="signed-in", actor="user:1", subject="user:1"),
                   now=deps.now())

    after, told = 0, []
    while after is not None:
        page = api.get("/v1/events", params={"after": after, "limit": 3}).json()
        told += page["items"]
        after = page["next"]

    assert [event["reason"] for event in told] == [str(number) for number in range(7)]
    assert [event["position"] for event in told] == sorted({event["position"] for event in told})
    assert {(event["invoice"], event["kind"], event["label"]) for event in told} == {
        (invoice.id, "lifecycle", "Approuvée")}
    assert api.get("/v1/events", params={"after": told[-1]["position"]}).json() == {"items": [], "next": None}


def test_nobody_hears_of_others(
    deps: Deps, make_invoice: Callable[..., Submission], serve: Any, make_key: Any, make_tenant: Any,
) -> None:
    api, invoice = serve(router), make_invoice()
    tenant = invoice.tenant_id
    with deps.db.transaction(tenant) as session:
        record(session, tenant, Change(kind="lifecycle", code="205", actor="buyer", submission_id=invoice.id),
               now=deps.now())

    other = api.get("/v1/events", headers={"Authorization": make_key(make_tenant("Autre"))})
    blind = api.get("/v1/events", headers={"Authorization": make_key(tenant, "invoices:read")})

    assert other.json()["items"] == []
    assert blind.status_code == 403
