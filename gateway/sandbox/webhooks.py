"""The sandbox's Flow Service, webhooks: flat with a key in 1.3; nested, readable and changeable in 1.2; none in 1.1.

1.2 leaves open how a callback is proved, so the sandbox sends it unsigned there.
"""

import base64
import secrets
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends
from pydantic import BaseModel, ValidationError

from gateway.sandbox.stage import CurrentStage, Problem, Stage, authorised
from gateway.sandbox.wire import OldWebhookParams, WebhookParams, old_webhook_json

KEY_BYTES = 32


def offered(stage: CurrentStage) -> None:
    """Let pass where the version has webhooks. Raises Problem 404."""
    if stage.version == "1.1":
        raise Problem(404, "MISSING_RESOURCE", "XP Z12-013 1.1 has no webhooks")


def old(stage: CurrentStage) -> None:
    """Let pass what only 1.2 has. Raises Problem 405."""
    if stage.version != "1.2":
        raise Problem(405, "HTTP_405", "1.3 has neither GET nor PATCH of one webhook")


router = APIRouter(dependencies=[Depends(authorised), Depends(offered)])


@router.get("/v1/webhooks")
def list_webhooks(stage: CurrentStage) -> dict[str, Any]:
    """Every webhook. The description asks for `webhookIds` and describes `webhooks`: both are given."""
    webhooks = stage.ledger.webhooks()
    shown = webhooks if stage.version == "1.3" else [old_webhook_json(item) for item in webhooks]
    return {"count": len(shown), "webhooks": shown, "webhookIds": [item["webhookId"] for item in webhooks]}


@router.post("/v1/webhooks", status_code=201)
def create_webhook(params: Annotated[dict[str, Any], Body()], stage: CurrentStage) -> dict[str, Any]:
    """A new webhook; 1.3 gives a key of 256 bits with it."""
    kept = _read(stage, params)
    with stage.ledger.transaction():
        webhook = stage.ledger.add_webhook(kept, base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode())
    if stage.version == "1.2":
        return old_webhook_json(webhook)
    return {name: webhook[name] for name in ("webhookId", "signingKey", "createdAt")}


@router.get("/v1/webhooks/{webhook_id}", dependencies=[Depends(old)])
def get_webhook(webhook_id: UUID, stage: CurrentStage) -> dict[str, Any]:
    """One webhook (1.2)."""
    return old_webhook_json(_find(stage, webhook_id))


@router.patch("/v1/webhooks/{webhook_id}", dependencies=[Depends(old)])
def change_webhook(webhook_id: UUID, params: Annotated[dict[str, Any], Body()], stage: CurrentStage) -> dict[str, Any]:
    """Change a webhook (1.2): what is named replaces what was."""
    before = old_webhook_json(_find(stage, webhook_id))
    kept = _read(stage, {name: {**before[name], **params.get(name, {})} for name in ("callback", "metadata")})
    with stage.ledger.transaction():
        stage.ledger.change_webhook(str(webhook_id), kept)
    return old_webhook_json(_find(stage, webhook_id))


@router.delete("/v1/webhooks/{webhook_id}", status_code=204)
def delete_webhook(webhook_id: UUID, stage: CurrentStage) -> None:
    """End a webhook."""
    with stage.ledger.transaction():
        found = stage.ledger.delete_webhook(str(webhook_id))
    if not found:
        raise Problem(404, "MISSING_RESOURCE", f"There is no webhook {webhook_id}")


def _read(stage: Stage, params: dict[str, Any]) -> dict[str, Any]:
    """The parameters, as 1.3 names them. Raises Problem 400."""
    try:
        if stage.version == "1.2":
            return OldWebhookParams.model_validate(params).flat()
        kept: BaseModel = WebhookParams.model_validate(params)
    except ValidationError as error:
        where = ", ".join(".".join(map(str, item["loc"])) for item in error.errors())
        raise Problem(400, "MISSING_REQUIRED_FIELD", where) from error
    return kept.model_dump(mode="json", by_alias=True, exclude_none=True)


def _find(stage: Stage, webhook_id: UUID) -> dict[str, Any]:
    for webhook in stage.ledger.webhooks():
        if webhook["webhookId"] == str(webhook_id):
            return webhook
    raise Problem(404, "MISSING_RESOURCE", f"There is no webhook {webhook_id}")
