"""Réglages: is an address reachable, and what an entity does after each answer of the directory."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import ValidationError

from gateway.accounts import appearance
from gateway.auth import Permission
from gateway.console.forms import errors_of, told
from gateway.console.page import Act, Does, Page, Sees, Visit, go
from gateway.directory import service
from gateway.directory.reachability import CHOOSABLE
from gateway.directory.schemas import AnswerOut, Policy
from gateway.problems import Problem

router = APIRouter(route_class=Page, include_in_schema=False)
Reading = Annotated[Visit, Sees(Permission.SETTINGS_WRITE)]
Changing = Annotated[Act, Does(Permission.SETTINGS_WRITE)]


@router.get("/reglages/entites/{entity_id}/annuaire")
def show_directory(visit: Reading, entity_id: str, adresse: str = "") -> Response:
    """The policy, and the answer about one address where one is asked for."""
    address = adresse.strip()[:125]
    if not address:
        return _page(visit, entity_id)
    try:
        found = service.look_up(visit.deps, visit.principal.tenant_id, entity_id, address)
    except Problem as problem:
        if problem.status == 404:
            raise
        return _page(visit, entity_id, address=address, errors={"": told(problem)})
    return _page(visit, entity_id, address=address, found=found)


@router.post("/reglages/entites/{entity_id}/annuaire")
def change_policy(act: Changing, entity_id: str) -> Response:
    """Keep what was chosen."""
    chosen = {reach.value: act.text(reach.value) for reach in CHOOSABLE}
    try:
        policy = Policy.model_validate(chosen)
    except ValidationError as error:
        return _page(act.visit, entity_id, errors=errors_of(error))
    service.set_policy(act.deps, act.principal.tenant_id, entity_id, policy, act.principal.actor)
    return go(f"/reglages/entites/{entity_id}/annuaire", "enregistre")


def _page(
    visit: Visit, entity_id: str, *, address: str = "", found: AnswerOut | None = None,
    errors: dict[str, str] | None = None,
) -> Response:
    row = appearance.get_entity(visit.deps, visit.principal.tenant_id, entity_id)
    return visit.draw("reglages_annuaire.html", status=422 if errors else 200, row=row, address=address, found=found,
                      values=Policy.of(row).kept(), errors=errors or {})
