"""/v1: legal entities, platform connections and API keys."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from gateway.accounts import appearance, logo, service
from gateway.accounts.schemas import (
    AppearanceIn,
    AppearanceOut,
    ConnectionHealthOut,
    ConnectionIn,
    ConnectionOut,
    Connections,
    CredentialsIn,
    Entities,
    EntityIn,
    EntityOut,
    KeyIn,
    KeyMade,
    KeyOut,
    Keys,
    ServiceHealthOut,
)
from gateway.auth import Permission, Principal, Requires
from gateway.deps import CurrentDeps
from gateway.problems import documented

router = APIRouter(prefix="/v1", tags=["settings"])
Administrator = Annotated[Principal, Requires(Permission.SETTINGS_WRITE)]
Picture = Annotated[bytes, Depends(logo.raw_picture)]


class Pdf(Response):
    """Pages as a PDF."""

    media_type = "application/pdf"


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


@router.delete("/entities/{entity_id}/logo")
def remove_logo(principal: Administrator, entity_id: str, deps: CurrentDeps) -> EntityOut:
    """No picture from now on."""
    return EntityOut.of(logo.set_logo(deps, principal.tenant_id, entity_id, None, principal.actor))


@router.get("/entities/{entity_id}/appearance")
def show_appearance(principal: Administrator, entity_id: str, deps: CurrentDeps) -> AppearanceOut:
    """How the drawn invoices look."""
    return appearance.get_appearance(deps, principal.tenant_id, entity_id)


@router.put("/entities/{entity_id}/appearance")
def set_appearance(
    chosen: AppearanceIn, principal: Administrator, entity_id: str, deps: CurrentDeps
) -> AppearanceOut:
    """Change how the drawn invoices look. Remarks say what is drawn otherwise than chosen."""
    return appearance.set_appearance(deps, principal.tenant_id, entity_id, chosen, principal.actor)


@router.get("/entities/{entity_id}/appearance/preview", response_class=Pdf)
def show_preview(principal: Administrator, entity_id: str, deps: CurrentDeps) -> Pdf:
    """An invented invoice of this entity, as PDF."""
    row = appearance.get_entity(deps, principal.tenant_id, entity_id)
    look = appearance.appearance_of(deps.store, row)
    return Pdf(appearance.preview(deps, row, appearance.settings_of(row), look.logo).pdf)


@router.get("/connections")
def list_connections(deps: CurrentDeps, principal: Administrator) -> Connections:
    """All platform connections of the caller, without their secrets."""
    rows = service.list_connections(deps, principal.tenant_id)
    return Connections(items=[ConnectionOut.of(row) for row in rows])


@router.post("/connections", status_code=201)
def create_connection(connection: ConnectionIn, deps: CurrentDeps, principal: Administrator) -> ConnectionOut:
    """Set up an account at a platform. 422: an address to which no secret should go."""
    return ConnectionOut.of(service.create_connection(deps, principal.tenant_id, connection, principal.actor))


@router.put("/connections/{connection_id}/credentials")
def change_credentials(
    principal: Administrator, connection_id: str, credentials: CredentialsIn, deps: CurrentDeps
) -> ConnectionOut:
    """Give a connection a new identifier and secret. Invoices that wait for them are sent once they are retried."""
    return ConnectionOut.of(service.change_credentials(
        deps, principal.tenant_id, connection_id, credentials, principal.actor))


@router.get("/connections/{connection_id}/health")
def show_health(connection_id: str, deps: CurrentDeps, principal: Administrator) -> ConnectionHealthOut:
    """How a platform connection does: last success, last error, failures in a row, and until when it is left alone."""
    row, services = service.connection_health(deps, principal.tenant_id, connection_id)
    return ConnectionHealthOut(id=row.id, polled_at=row.polled_at, trouble=row.trouble,
                               services=[ServiceHealthOut.of(one) for one in services])


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
