"""/v1/webhooks: set up, switch, rotate, and the log of deliveries."""

from typing import Annotated

from fastapi import APIRouter, Query

from gateway.auth import Permission, Principal, Requires
from gateway.deps import CurrentDeps
from gateway.problems import documented
from gateway.webhooks import service
from gateway.webhooks.schemas import Deliveries, DeliveryOut, WebhookIn, WebhookMade, WebhookOut, Webhooks

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])
Administrator = Annotated[Principal, Requires(Permission.SETTINGS_WRITE)]


@router.get("")
def list_webhooks(deps: CurrentDeps, principal: Administrator) -> Webhooks:
    """All webhooks."""
    return Webhooks(items=[WebhookOut.of(row) for row in service.list_webhooks(deps, principal.tenant_id)])


@router.post("", status_code=201, responses=documented(409))
def create_webhook(principal: Administrator, webhook: WebhookIn, deps: CurrentDeps) -> WebhookMade:
    """Be told of events as they happen (Standard Webhooks). The secret is shown this once."""
    row, secret = service.create(deps, principal.tenant_id, webhook, principal.actor)
    return WebhookMade(**WebhookOut.of(row).model_dump(), secret=secret)


@router.delete("/{webhook_id}", status_code=204)
def remove_webhook(webhook_id: str, deps: CurrentDeps, principal: Administrator) -> None:
    """Take a webhook away."""
    service.remove(deps, principal.tenant_id, webhook_id, principal.actor)


@router.post("/{webhook_id}/enable")
def enable_webhook(webhook_id: str, deps: CurrentDeps, principal: Administrator) -> WebhookOut:
    """Switch a webhook on again, from now on."""
    return WebhookOut.of(service.enable(deps, principal.tenant_id, webhook_id, principal.actor))


@router.post("/{webhook_id}/disable")
def disable_webhook(webhook_id: str, deps: CurrentDeps, principal: Administrator) -> WebhookOut:
    """Switch a webhook off; what still waits is closed."""
    return WebhookOut.of(service.disable(deps, principal.tenant_id, webhook_id, principal.actor))


@router.post("/{webhook_id}/secret")
def rotate_secret(webhook_id: str, deps: CurrentDeps, principal: Administrator) -> WebhookMade:
    """A new secret, shown this once; the old one signs too for one more day."""
    row, secret = service.rotate(deps, principal.tenant_id, webhook_id, principal.actor)
    return WebhookMade(**WebhookOut.of(row).model_dump(), secret=secret)


@router.get("/{webhook_id}/deliveries")
def list_deliveries(
    webhook_id: str,
    deps: CurrentDeps,
    principal: Administrator,
    before: Annotated[int | None, Query(ge=0, le=(1 << 63) - 1)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Deliveries:
    """What was sent to a webhook, newest first."""
    rows, following = service.deliveries(deps, principal.tenant_id, webhook_id, before=before, limit=limit)
    return Deliveries(items=[DeliveryOut.of(row) for row in rows], next=following)


@router.post("/{webhook_id}/deliveries/{delivery_id}/redeliver", status_code=202, responses=documented(409))
def redeliver(webhook_id: str, delivery_id: str, deps: CurrentDeps, principal: Administrator) -> DeliveryOut:
    """Send one delivery again."""
    return DeliveryOut.of(service.redeliver(deps, principal.tenant_id, webhook_id, delivery_id, principal.actor))
