"""Webhooks set up, switched, given a new secret; deliveries shown and sent again. Every change is journaled."""

import uuid

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway import outbox
from gateway.deps import Deps
from gateway.feeding import from_now_on
from gateway.problems import Problem, not_found
from gateway.record import Change, lock_tenant, record
from gateway.tables_webhooks import WebhookDelivery, WebhookEndpoint
from gateway.webhooks.address import ForbiddenTarget, check_url
from gateway.webhooks.keys import first_secret, next_secret
from gateway.webhooks.schemas import WebhookIn
from gateway.webhooks.sending import TOPIC, close_pending

MOST = 20
"""Webhooks of one tenant."""


def create(deps: Deps, tenant_id: str, wanted: WebhookIn, actor: str) -> tuple[WebhookEndpoint, str]:
    """A webhook that hears of everything from now on, and its secret, which is shown this once.

    Raises:
        Problem: 422 webhook-address for an address that is not allowed, 409 too-many-webhooks.
    """
    try:
        check_url(wanted.url, deps.settings.webhook_allow)
    except ForbiddenTarget as error:
        raise Problem(422, "webhook-address", str(error)) from error
    secret, kept = first_secret()
    with deps.db.transaction(tenant_id) as session:
        lock_tenant(session, tenant_id)
        count = session.scalar(select(func.count()).select_from(WebhookEndpoint)
                               .where(WebhookEndpoint.removed_at.is_(None)))
        if (count or 0) >= MOST:
            raise Problem(409, "too-many-webhooks", f"Au plus {MOST} webhooks. / At most {MOST}.")
        row = WebhookEndpoint(
            tenant_id=tenant_id, id=str(uuid.uuid4()), url=wanted.url, description=wanted.description,
            kinds=list(wanted.kinds), secret=deps.vault.seal(kept),
            cursor=from_now_on(session), created_at=deps.now(), disabled_at=None,
            removed_at=None, resume_at=None, trouble=None)
        session.add(row)
        session.flush()
        _tell(deps, session, row, "webhook-created", actor)
    return row, secret


def list_webhooks(deps: Deps, tenant_id: str) -> list[WebhookEndpoint]:
    """All webhooks that were not removed, oldest first."""
    with deps.db.reading(tenant_id) as session:
        return list(session.scalars(select(WebhookEndpoint).where(WebhookEndpoint.removed_at.is_(None))
                                    .order_by(WebhookEndpoint.created_at)))


def get_webhook(deps: Deps, tenant_id: str, webhook_id: str) -> WebhookEndpoint:
    """One webhook. Raises Problem 404."""
    with deps.db.reading(tenant_id) as session:
        return _get(session, tenant_id, webhook_id)


def enable(deps: Deps, tenant_id: str, webhook_id: str, actor: str) -> WebhookEndpoint:
    """Switch on again: it hears of what happens from now on, and reads what it missed in `GET /v1/events`."""
    with deps.db.transaction(tenant_id) as session:
        row = _locked(session, tenant_id, webhook_id)
        if row.disabled_at is not None:
            row.disabled_at, row.trouble, row.resume_at = None, None, None
            row.cursor = from_now_on(session)
            _tell(deps, session, row, "webhook-enabled", actor)
    return row


def disable(deps: Deps, tenant_id: str, webhook_id: str, actor: str) -> WebhookEndpoint:
    """Switch off: what still waits is closed, and its trouble is nobody's any more."""
    with deps.db.transaction(tenant_id) as session:
        row = _locked(session, tenant_id, webhook_id)
        row.trouble = None
        if row.disabled_at is None:
            row.disabled_at = deps.now()
            close_pending(session, row, "désactivé / switched off")
            _tell(deps, session, row, "webhook-disabled", actor)
    return row


def remove(deps: Deps, tenant_id: str, webhook_id: str, actor: str) -> None:
    """Take a webhook away; its deliveries stay in the database as a trace."""
    with deps.db.transaction(tenant_id) as session:
        row = _locked(session, tenant_id, webhook_id)
        row.removed_at = deps.now()
        close_pending(session, row, "supprimé / removed")
        _tell(deps, session, row, "webhook-removed", actor)


def rotate(deps: Deps, tenant_id: str, webhook_id: str, actor: str) -> tuple[WebhookEndpoint, str]:
    """A new secret; for one day the old one signs too, so that nothing is lost while the receiver changes it."""
    with deps.db.transaction(tenant_id) as session:
        row = _locked(session, tenant_id, webhook_id)
        secret, kept = next_secret(deps.vault.open(row.secret), deps.now())
        row.secret = deps.vault.seal(kept)
        _tell(deps, session, row, "webhook-secret-changed", actor)
    return row, secret


def deliveries(
    deps: Deps, tenant_id: str, webhook_id: str, *, before: int | None, limit: int
) -> tuple[list[WebhookDelivery], int | None]:
    """Deliveries of a webhook, newest first, and the `before` of the next page."""
    with deps.db.reading(tenant_id) as session:
        _get(session, tenant_id, webhook_id)
        found = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == webhook_id)
        if before is not None:
            found = found.where(WebhookDelivery.position < before)
        rows = session.scalars(found.order_by(WebhookDelivery.position.desc()).limit(limit + 1)).all()
    page = list(rows[:limit])
    return page, page[-1].position if len(rows) > limit else None


def redeliver(deps: Deps, tenant_id: str, webhook_id: str, delivery_id: str, actor: str) -> WebhookDelivery:
    """Send a delivery again, at once and under its old id, whatever became of it; others go on as they were.

    Raises:
        Problem: 404; 409 webhook-disabled; 409 delivery-pending while it is still on its way.
    """
    with deps.db.transaction(tenant_id) as session:
        endpoint = _locked(session, tenant_id, webhook_id)
        row = session.get(WebhookDelivery, (tenant_id, delivery_id))
        if row is None or row.endpoint_id != webhook_id:
            raise not_found()
        if endpoint.disabled_at is not None:
            raise Problem(409, "webhook-disabled", "Ce webhook est désactivé. / This webhook is switched off.")
        if row.state == "pending":
            raise Problem(409, "delivery-pending", "Cet envoi est déjà en route. / Already on its way.")
        row.state, row.attempts, row.first_tried_at = "pending", 0, None
        endpoint.resume_at = None
        outbox.put(session, tenant_id, TOPIC, row.id, now=deps.now())
        _tell(deps, session, endpoint, "webhook-redelivery", actor, delivery=row.id)
    return row


def _locked(session: Session, tenant_id: str, webhook_id: str) -> WebhookEndpoint:
    """A webhook that nobody else changes or sends to before the transaction ends. Raises Problem 404."""
    lock_tenant(session, tenant_id)
    return _get(session, tenant_id, webhook_id)


def _get(session: Session, tenant_id: str, webhook_id: str) -> WebhookEndpoint:
    row = session.get(WebhookEndpoint, (tenant_id, webhook_id))
    if row is None or row.removed_at is not None:
        raise not_found()
    return row


def _tell(deps: Deps, session: Session, row: WebhookEndpoint, code: str, actor: str, **data: str) -> None:
    change = Change(kind="setting", code=code, actor=actor, subject=f"webhook:{row.id}", data={"url": row.url, **data})
    record(session, row.tenant_id, change, now=deps.now())
