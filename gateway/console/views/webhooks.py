"""Réglages: webhooks and the log of what was sent to them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import ValidationError

from gateway.auth import Permission
from gateway.console.forms import errors_of, told
from gateway.console.page import Act, Does, Page, Sees, Visit, go
from gateway.problems import Problem, not_found
from gateway.webhooks import service
from gateway.webhooks.schemas import WebhookIn

router = APIRouter(route_class=Page, include_in_schema=False, prefix="/reglages/webhooks")
Reading = Annotated[Visit, Sees(Permission.SETTINGS_WRITE)]
Changing = Annotated[Act, Does(Permission.SETTINGS_WRITE)]
PAGE = 50


@router.get("")
def show_webhooks(visit: Reading) -> Response:
    """The webhooks and a form for another."""
    return _webhooks(visit)


@router.post("")
def add_webhook(act: Changing) -> Response:
    """Set one up and show its secret, this once."""
    values = {"url": act.text("url"), "description": act.text("description"), "kinds": act.texts("kinds")}
    try:
        _, secret = service.create(act.deps, act.principal.tenant_id, WebhookIn.model_validate(values),
                                   act.principal.actor)
    except ValidationError as error:
        return _webhooks(act.visit, values, errors_of(error))
    except Problem as problem:
        return _webhooks(act.visit, values, {"url" if problem.code == "webhook-address" else "": told(problem)})
    return _webhooks(act.visit, made=secret)


@router.get("/{webhook_id}")
def show_webhook(
    visit: Reading, webhook_id: str, avant: Annotated[int | None, Query(ge=0, le=(1 << 63) - 1)] = None
) -> Response:
    """One webhook and what was sent to it, newest first."""
    return _webhook(visit, webhook_id, before=avant)


@router.post("/{webhook_id}/envois/{delivery_id}")
def send_again(act: Changing, webhook_id: str, delivery_id: str) -> Response:
    """Send one delivery again."""
    try:
        service.redeliver(act.deps, act.principal.tenant_id, webhook_id, delivery_id, act.principal.actor)
    except Problem as problem:
        if problem.status == 404:
            raise
        return _webhook(act.visit, webhook_id, problem=told(problem))
    return go(f"/reglages/webhooks/{webhook_id}", "relance")


@router.post("/{webhook_id}/{verb}")
def change_webhook(act: Changing, webhook_id: str, verb: str) -> Response:
    """Switch it on or off, take it away, or give it a new secret, shown this once."""
    where = (act.deps, act.principal.tenant_id, webhook_id, act.principal.actor)
    if verb == "secret":
        _, secret = service.rotate(*where)
        return _webhook(act.visit, webhook_id, made=secret)
    if verb == "supprimer":
        service.remove(*where)
        return go("/reglages/webhooks", verb)
    actions = {"activer": service.enable, "desactiver": service.disable}
    if verb not in actions:
        raise not_found()
    actions[verb](*where)
    return go(f"/reglages/webhooks/{webhook_id}", verb)


def _webhooks(
    visit: Visit, values: dict[str, Any] | None = None, errors: dict[str, str] | None = None, made: str | None = None
) -> Response:
    return visit.draw("reglages_webhooks.html", status=422 if errors else 200, values=values or {},
                      errors=errors or {}, made=made, rows=service.list_webhooks(visit.deps, visit.principal.tenant_id))


def _webhook(
    visit: Visit, webhook_id: str, *, before: int | None = None, made: str | None = None, problem: str | None = None
) -> Response:
    tenant = visit.principal.tenant_id
    row = service.get_webhook(visit.deps, tenant, webhook_id)
    deliveries, following = service.deliveries(visit.deps, tenant, webhook_id, before=before, limit=PAGE)
    return visit.draw("reglages_webhook.html", status=409 if problem else 200, row=row, deliveries=deliveries,
                      following=following, made=made, problem=problem)
