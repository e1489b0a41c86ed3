"""Plateforme: connections, queue, what is parked and why."""

from typing import Annotated

from fastapi import APIRouter, Response

from gateway.auth import Permission
from gateway.console import queue
from gateway.console.forms import told
from gateway.console.page import Act, Does, Page, Sees, Visit, go
from gateway.problems import Problem

router = APIRouter(route_class=Page, include_in_schema=False)
Deciding = Annotated[Act, Does(Permission.QUEUE_WRITE)]


@router.get("/plateforme")
def show_platform(visit: Annotated[Visit, Sees(Permission.QUEUE_WRITE)]) -> Response:
    """Health, queue, parked work, unattached flows."""
    return _page(visit)


@router.post("/plateforme/{entry_id}/relancer")
def retry(act: Deciding, entry_id: str) -> Response:
    """Try parked work again."""
    try:
        queue.retry(act.deps, act.principal.tenant_id, entry_id, act.principal.actor)
    except Problem as problem:
        return _refused(act, problem)
    return go("/plateforme", "relance")


@router.post("/plateforme/{entry_id}/classer")
def close(act: Deciding, entry_id: str) -> Response:
    """Give parked work up, with a reason."""
    try:
        queue.close(act.deps, act.principal.tenant_id, entry_id, act.text("raison")[:500], act.principal.actor)
    except Problem as problem:
        return _refused(act, problem)
    return go("/plateforme", "classe")


def _refused(act: Act, problem: Problem) -> Response:
    if problem.status == 404:
        raise problem
    return _page(act.visit, problem=told(problem), status=problem.status)


def _page(visit: Visit, *, problem: str | None = None, status: int = 200) -> Response:
    deps = visit.deps
    with deps.db.reading(visit.principal.tenant_id) as session:
        health = queue.health(session, deps.now(), deps.settings.poll_seconds)
        waiting, stuck, flows = queue.waiting(session), queue.stuck(session), queue.flows(session)
    return visit.draw("plateforme.html", status=status, health=health, waiting=waiting, stuck=stuck, flows=flows,
                      problem=problem)
