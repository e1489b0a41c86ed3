"""What a program asks of the bank room, over the API; how many rows there are then."""

from typing import Any

from sqlalchemy import func, select

from gateway.deps import Deps


def take_in(api: Any, document: bytes, name: str = "releve.xml") -> Any:
    return api.post(f"/v1/bank-files?name={name}", content=document, headers={"Content-Type": "application/xml"})


def movements(api: Any, state: str = "open") -> list[dict[str, Any]]:
    answer = api.get(f"/v1/bank-movements?state={state}")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def allocate(api: Any, movement: dict[str, Any], parts: list[tuple[str, str]], key: str = "k", **more: Any) -> Any:
    return api.post(f"/v1/bank-movements/{movement['id']}/allocations", headers={"Idempotency-Key": key}, json={
        "parts": [{"invoice_id": invoice, "amount": amount} for invoice, amount in parts], **more})


def confirm(api: Any, movement: dict[str, Any], number: int = 0, key: str = "k", **more: Any) -> Any:
    chosen = movement["proposals"][number]["parts"]
    return allocate(api, movement, [(part["invoice_id"], part["amount"]) for part in chosen], key, **more)


def count(deps: Deps, tenant: str, table: type[Any]) -> int:
    with deps.db.reading(tenant) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0
