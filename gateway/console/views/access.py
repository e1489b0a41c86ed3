"""Réglages: platforms, API keys, people."""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import ValidationError

from gateway.accounts import people, service
from gateway.accounts.schemas import ConnectionIn, CredentialsIn, KeyIn
from gateway.auth import ROLES, Permission
from gateway.connections import open_connection
from gateway.console.forms import errors_of, told
from gateway.console.page import Act, Does, Page, Sees, Visit, go
from gateway.platforms.port import PlatformError
from gateway.platforms.presets import presets
from gateway.problems import Problem, not_found
from gateway.tables import PlatformConnection
from gateway.vault import VaultError

router = APIRouter(route_class=Page, include_in_schema=False, prefix="/reglages")
Reading = Annotated[Visit, Sees(Permission.SETTINGS_WRITE)]
Changing = Annotated[Act, Does(Permission.SETTINGS_WRITE)]
CONNECTION_FIELDS = ("name", "preset", "flow_url", "directory_url", "token_url", "client_id", "organization_id")


@router.get("/plateformes")
def show_connections(visit: Reading) -> Response:
    """The platform connections and a form for another."""
    return _connections(visit)


@router.post("/plateformes")
def add_connection(act: Changing) -> Response:
    """Set up an account at a platform."""
    values = {name: act.text(name) for name in CONNECTION_FIELDS}
    given = {name: value for name, value in values.items() if value}
    try:
        connection = ConnectionIn.model_validate({
            **given, "client_secret": act.text("client_secret"), "allow_loopback": act.text("allow_loopback") == "1"})
        service.create_connection(act.deps, act.principal.tenant_id, connection, act.principal.actor)
    except ValidationError as error:
        return _connections(act.visit, values, errors_of(error))
    except Problem as problem:
        return _connections(act.visit, values, {"": told(problem)})
    return go("/reglages/plateformes", "ajout")


@router.post("/plateformes/{connection_id}/tester")
def check_connection(act: Changing, connection_id: str) -> Response:
    """Ask the platform whether it answers, with our credentials."""
    with act.deps.db.reading(act.principal.tenant_id) as session:
        row = session.get(PlatformConnection, (act.principal.tenant_id, connection_id))
    if row is None:
        raise not_found()
    try:
        open_connection(act.deps, row).healthcheck()
    except PlatformError as error:
        return _connections(act.visit, errors={"": f"{row.name} ne répond pas : {error.message} ({error.code})"})
    except VaultError:
        return _connections(act.visit, errors={"": f"Identifiants de {row.name} illisibles : ressaisissez-les."})
    return go("/reglages/plateformes", "reponse")


@router.post("/plateformes/{connection_id}/identifiants")
def change_credentials(act: Changing, connection_id: str) -> Response:
    """A new identifier and secret for a connection that there is."""
    try:
        given = CredentialsIn.model_validate({name: act.text(name) for name in ("client_id", "client_secret")})
        service.change_credentials(act.deps, act.principal.tenant_id, connection_id, given, act.principal.actor)
    except ValidationError as error:
        return _connections(act.visit, errors=errors_of(error))
    return go("/reglages/plateformes", "identifiants")


def _connections(visit: Visit, values: dict[str, str] | None = None, errors: dict[str, str] | None = None) -> Response:
    return visit.draw("reglages_plateformes.html", status=422 if errors else 200, values=values or {},
                      errors=errors or {}, presets=presets().values(),
                      rows=service.list_connections(visit.deps, visit.principal.tenant_id))


@router.get("/cles")
def show_keys(visit: Reading) -> Response:
    """The API keys and a form for another."""
    return _keys(visit)


@router.post("/cles")
def add_key(act: Changing) -> Response:
    """Make a key and show it, this once."""
    name, scopes = act.text("name"), act.texts("scopes")
    try:
        key = KeyIn.model_validate({"name": name, "scopes": scopes})
    except ValidationError as error:
        return _keys(act.visit, name=name, scopes=scopes, errors=errors_of(error))
    made = service.create_key(act.deps, act.principal.tenant_id, key.name, key.scopes, act.principal.actor)
    return _keys(act.visit, made=made)


@router.post("/cles/{key_id}/revoquer")
def revoke_key(act: Changing, key_id: str) -> Response:
    """End a key at once."""
    service.revoke_key(act.deps, act.principal.tenant_id, key_id, act.principal.actor)
    return go("/reglages/cles", "revocation")


def _keys(
    visit: Visit, *, made: str | None = None, name: str = "", scopes: list[str] | None = None,
    errors: dict[str, str] | None = None,
) -> Response:
    return visit.draw("reglages_cles.html", status=422 if errors else 200, made=made, name=name, scopes=scopes or [],
                      errors=errors or {}, rows=service.list_keys(visit.deps, visit.principal.tenant_id))


@router.get("/personnes")
def show_people(visit: Reading) -> Response:
    """The people and a form for another."""
    return _people(visit)


@router.post("/personnes")
def add_person(act: Changing) -> Response:
    """Add somebody who may sign in."""
    values: dict[str, Any] = {"email": act.text("email"), "name": act.text("name"), "roles": act.texts("roles")}
    try:
        people.create_user(act.deps, act.principal.tenant_id, act.text("email"), act.text("name"),
                           str(act.form.get("password", "")), act.texts("roles"), act.principal.actor)
    except ValidationError as error:
        return _people(act.visit, values, errors_of(error))
    except Problem as problem:
        return _people(act.visit, values, {"": told(problem)})
    return go("/reglages/personnes", "ajout")


@router.post("/personnes/{user_id}/desactiver")
def disable_person(act: Changing, user_id: str) -> Response:
    """Shut somebody out at once."""
    try:
        people.disable_user(act.deps, act.principal.tenant_id, user_id, act.principal.actor)
    except Problem as problem:
        if problem.status == 404:
            raise
        return _people(act.visit, errors={"": told(problem)})
    return go("/reglages/personnes", "desactiver")


def _people(
    visit: Visit, values: dict[str, Any] | None = None, errors: dict[str, str] | None = None
) -> Response:
    return visit.draw("reglages_personnes.html", status=422 if errors else 200, values=values or {}, roles=ROLES,
                      errors=errors or {}, rows=people.list_users(visit.deps, visit.principal.tenant_id))
