"""/v1/entities/{id}: whether an address is reachable, and what the entity does after each answer."""

from typing import Annotated

from fastapi import APIRouter, Path

from gateway.auth import Permission, Principal, Reader, Requires
from gateway.deps import CurrentDeps
from gateway.directory import service
from gateway.directory.schemas import AnswerOut, Policy
from gateway.problems import documented

router = APIRouter(prefix="/v1/entities", tags=["directory"])
Administrator = Annotated[Principal, Requires(Permission.SETTINGS_WRITE)]


@router.get("/{entity_id}/directory/{address}", responses=documented(409))
def look_up(
    principal: Reader, entity_id: str, deps: CurrentDeps, address: Annotated[str, Path(max_length=125)]
) -> AnswerOut:
    """Ask the directory, now, about one address (BT-49, scheme 0225). 409: the entity has no usable platform."""
    return service.look_up(deps, principal.tenant_id, entity_id, address)


@router.get("/{entity_id}/reachability")
def show_policy(principal: Administrator, entity_id: str, deps: CurrentDeps) -> Policy:
    """What happens to an invoice after each answer of the directory."""
    return service.get_policy(deps, principal.tenant_id, entity_id)


@router.put("/{entity_id}/reachability")
def set_policy(policy: Policy, principal: Administrator, entity_id: str, deps: CurrentDeps) -> Policy:
    """Change what happens after each answer; what is left out takes its default."""
    return service.set_policy(deps, principal.tenant_id, entity_id, policy, principal.actor)
