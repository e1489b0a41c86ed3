"""Réglages: legal entities."""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import ValidationError

from gateway.accounts import service
from gateway.accounts.schemas import EntityChange, EntityIn
from gateway.auth import Permission
from gateway.console.forms import errors_of, told
from gateway.console.page import Act, Does, Page, Sees, Visit, go
from gateway.console.views import directory
from gateway.problems import Problem, not_found
from gateway.tables import LegalEntity

router = APIRouter(route_class=Page, include_in_schema=False)
router.include_router(directory.router)  # before the verbs of an entity, which its path looks like
Reading = Annotated[Visit, Sees(Permission.SETTINGS_WRITE)]
Changing = Annotated[Act, Does(Permission.SETTINGS_WRITE)]
ENTITY_FIELDS = ("name", "vat_number", "electronic_address", "vat_regime", "fiscal_year_end", "format",
                 "connection_id", "contact_name", "contact_email")
ADDRESS_FIELDS = ("line_1", "line_2", "post_code", "city", "country")


@router.get("/reglages")
def show_entities(visit: Reading) -> Response:
    """The legal entities."""
    tenant = visit.principal.tenant_id
    connections = {row.id: row for row in service.list_connections(visit.deps, tenant)}
    return visit.draw("reglages_entites.html", entities=service.list_entities(visit.deps, tenant),
                      connections=connections)


@router.get("/reglages/entites/nouvelle")
def show_new_entity(visit: Reading) -> Response:
    """An empty form."""
    return _entity_form(visit, None, {"format": "factur-x", "vat_regime": "normal-monthly",
                                      "fiscal_year_end": "12-31", "address.country": "FR"})


@router.post("/reglages/entites/nouvelle")
def add_entity(act: Changing) -> Response:
    """Set up a legal entity; it starts switched off."""
    values = _entity_values(act)
    try:
        entity = EntityIn.model_validate({**_nested(values), "siren": "".join(act.text("siren").split())})
        made = service.create_entity(act.deps, act.principal.tenant_id, entity, act.principal.actor)
    except ValidationError as error:
        return _entity_form(act.visit, None, {**values, "siren": act.text("siren")}, errors_of(error))
    except Problem as problem:
        return _entity_form(act.visit, None, {**values, "siren": act.text("siren")}, _told(problem))
    return go(f"/reglages/entites/{made.id}", "ajout")


@router.get("/reglages/entites/{entity_id}")
def show_entity(visit: Reading, entity_id: str) -> Response:
    """One legal entity's settings."""
    row = _entity(visit, entity_id)
    return _entity_form(visit, row, _row_values(row))


@router.post("/reglages/entites/{entity_id}")
def change_entity(act: Changing, entity_id: str) -> Response:
    """Change one legal entity's settings."""
    row, values = _entity(act.visit, entity_id), _entity_values(act)
    try:
        service.change_entity(act.deps, act.principal.tenant_id, entity_id,
                              EntityChange.model_validate(_nested(values)), act.principal.actor)
    except ValidationError as error:
        return _entity_form(act.visit, row, values, errors_of(error))
    except Problem as problem:
        return _entity_form(act.visit, row, values, _told(problem))
    return go(f"/reglages/entites/{entity_id}", "enregistre")


@router.post("/reglages/entites/{entity_id}/{verb}")
def switch_entity(act: Changing, entity_id: str, verb: str) -> Response:
    """Switch a legal entity on or off."""
    actions = {"activer": service.enable_entity, "desactiver": service.disable_entity}
    if verb not in actions:
        raise not_found()
    try:
        actions[verb](act.deps, act.principal.tenant_id, entity_id, act.principal.actor)
    except Problem as problem:
        if problem.status == 404:
            raise
        row = _entity(act.visit, entity_id)
        return _entity_form(act.visit, row, _row_values(row), _told(problem))
    return go(f"/reglages/entites/{entity_id}", verb)


def _entity(visit: Visit, entity_id: str) -> LegalEntity:
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        row = session.get(LegalEntity, (visit.principal.tenant_id, entity_id))
    if row is None:
        raise not_found()
    return row


def _row_values(row: LegalEntity) -> dict[str, Any]:
    values = {name: getattr(row, name) or "" for name in ENTITY_FIELDS} | {"vat_on_debits": row.vat_on_debits}
    return values | {f"address.{name}": (row.address or {}).get(name, "") for name in ADDRESS_FIELDS}


def _entity_values(act: Act) -> dict[str, Any]:
    values: dict[str, Any] = {name: act.text(name) for name in ENTITY_FIELDS}
    values |= {f"address.{name}": act.text(f"address.{name}") for name in ADDRESS_FIELDS}
    return {**values, "vat_on_debits": act.text("vat_on_debits") == "1"}


def _nested(values: dict[str, Any]) -> dict[str, Any]:
    """Flat form values as the schema wants them: empty texts are absent, the address is an object."""
    flat = {name: value for name, value in values.items() if "." not in name and value != ""}
    address = {name.partition(".")[2]: value for name, value in values.items() if "." in name and value != ""}
    return {**flat, "address": address}


def _entity_form(
    visit: Visit, row: LegalEntity | None, values: dict[str, Any], errors: dict[str, str] | None = None
) -> Response:
    connections = service.list_connections(visit.deps, visit.principal.tenant_id)
    return visit.draw("reglages_entite.html", status=422 if errors else 200, row=row, values=values,
                      errors=errors or {}, connection_options=[(one.id, one.name) for one in connections])


def _told(problem: Problem) -> dict[str, str]:
    if problem.status == 404:
        raise problem
    return {"": told(problem)}
