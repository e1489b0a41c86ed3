"""Plateforme: connections, queue, what is parked, what helps."""

from typing import Annotated

from fastapi import APIRouter, Response

from gateway.auth import Permission
from gateway.console import queue
from gateway.console.forms import told
from gateway.console.page import Act, Does, Page, Sees, Visit, go
from gateway.outgoing import decisions
from gateway.problems import Problem, not_found

router = APIRouter(route_class=Page, include_in_schema=False)
Deciding = Annotated[Act, Does(Permission.QUEUE_WRITE)]
VERBS = {
    "relancer": (decisions.retry, "relance"), "classer": (decisions.close, "classe"),
    "envoyer": (decisions.send_anyway, "force"),
}


@router.get("/plateforme")
def show_platform(visit: Annotated[Visit, Sees(Permission.QUEUE_WRITE)]) -> Response:
    """Health, queue, parked work, unattached flows."""
    return _page(visit)


@router.post("/plateforme/flux")
def close_flow(act: Deciding) -> Response:
    """Give a flow up that belongs to no invoice, cannot be read, or was refused: with a reason."""
    try:
        decisions.close_flow(act.deps, act.principal.tenant_id, act.text("connexion"), act.text("flux"),
                             reason=act.text("raison")[:500].strip(), actor=act.principal.actor)
    except Problem as problem:
        if problem.status == 404:
            raise
        return _page(act.visit, problem=told(problem), status=problem.status)
    return go("/plateforme", "classe")


@router.post("/plateforme/{entry_id}/tout")
def retry_alike(act: Deciding, entry_id: str) -> Response:
    """Try everything again that waits for the same cause."""
    decisions.retry_alike(act.deps, act.principal.tenant_id, entry_id, act.principal.actor)
    return go("/plateforme", "relance")


@router.post("/plateforme/{entry_id}/{verb}")
def decide(act: Deciding, entry_id: str, verb: str) -> Response:
    """Try waiting work again, send it anyway, or give it up with a reason."""
    if verb not in VERBS:
        raise not_found()
    action, done = VERBS[verb]
    try:
        action(act.deps, act.principal.tenant_id, entry_id, act.text("raison")[:500].strip(), act.principal.actor)
    except Problem as problem:
        if problem.status == 404:
            raise
        return _page(act.visit, problem=told(problem), status=problem.status)
    return go("/plateforme", done)


def _page(visit: Visit, *, problem: str | None = None, status: int = 200) -> Response:
    deps = visit.deps
    with deps.db.reading(visit.principal.tenant_id) as session:
        health = queue.health(session, deps.now(), deps.settings.poll_seconds)
        waiting, stuck, flows = queue.waiting(session), queue.stuck(session), queue.flows(session)
    return visit.draw("plateforme.html", status=status, health=health, waiting=waiting, stuck=stuck, flows=flows,
                      problem=problem)
