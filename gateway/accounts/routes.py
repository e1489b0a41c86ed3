"""/v1: legal entities, platform connections and API keys."""

from typing import Annotated

from fastapi import APIRouter, Depends

from gateway.accounts import logo, service
from gateway.accounts.schemas import (
    ConnectionIn,
    ConnectionOut,
    Connections,
    Entities,
    EntityIn,
    EntityOut,
    KeyIn,
    KeyMade,
    KeyOut,
    Keys,
)
from gateway.auth import Permission, Principal, Requires
from gateway.deps import CurrentDeps
from gateway.problems import documented

router = APIRouter(prefix="/v1", tags=["settings"])
Administrator = Annotated[Principal, Requires(Permission.SETTINGS_WRITE)]
Picture = Annotated[bytes, Depends(logo.raw_picture)]


@router.get("/entities")
def list_entities(deps: CurrentDeps, principal: Administrator) -> Entities:
    """All legal entities of the caller."""
    return Entities(items=[EntityOut.of(row) for row in service.list_entities(deps, principal.tenant_id)])


@router.post("/entities", status_code=201, responses=documented(409))
def create_entity(entity: EntityIn, deps: CurrentDeps, principal: Administrator) -> EntityOut:
    """Set up a legal entity; it stays off until enabled. 409: the SIREN is already set up."""
    return EntityOut.of(service.create_entity(deps, principal.tenant_id, entity, principal.actor))


@router.post("/entities/{entity_id}/enable", responses=documented(409))
def enable_entity(entity_id: str, deps: CurrentDeps, principal: Administrator) -> EntityOut:
    """Switch a legal entity on. 409: it has no platform yet."""
    return EntityOut.of(service.enable_entity(deps, principal.tenant_id, entity_id, principal.actor))


@router.post("/entities/{entity_id}/disable")
def disable_entity(entity_id: str, deps: CurrentDeps, principal: Administrator) -> EntityOut:
    """Switch a legal entity off."""
    return EntityOut.of(service.disable_entity(deps, principal.tenant_id, entity_id, principal.actor))


@router.put("/entities/{entity_id}/logo")
def set_logo(principal: Administrator, entity_id: str, deps: CurrentDeps, picture: Picture) -> EntityOut:
    """The picture (PNG, JPEG or SVG, raw body) on the invoices that are written from JSON."""
    return EntityOut.of(logo.set_logo(deps, principal.tenant_id, entity_id, picture, principal.actor))


@router.get("/connections")
def list_connections(deps: CurrentDeps, principal: Administrator) -> Connections:
    """All platform connections of the caller, without their secrets."""
    rows = service.list_connections(deps, principal.tenant_id)
    return Connections(items=[ConnectionOut.of(row) for row in rows])


@router.post("/connections", status_code=201)
def create_connection(connection: ConnectionIn, deps: CurrentDeps, principal: Administrator) -> ConnectionOut:
    """Set up an account at a platform. 422: an address to which no secret should go."""
    return ConnectionOut.of(service.create_connection(deps, principal.tenant_id, connection, principal.actor))


@router.get("/keys")
def list_keys(deps: CurrentDeps, principal: Administrator) -> Keys:
    """All API keys of the caller, without their secrets."""
    return Keys(items=[KeyOut.of(row) for row in service.list_keys(deps, principal.tenant_id)])


@router.post("/keys", status_code=201)
def create_key(key: KeyIn, deps: CurrentDeps, principal: Administrator) -> KeyMade:
    """Make an API key. This answer is the only place where it ever appears."""
    return KeyMade(key=service.create_key(deps, principal.tenant_id, key.name, key.scopes, principal.actor))


@router.post("/keys/{key_id}/revoke", status_code=204)
def revoke_key(key_id: str, deps: CurrentDeps, principal: Administrator) -> None:
    """End an API key at once."""
    service.revoke_key(deps, principal.tenant_id, key_id, principal.actor)
