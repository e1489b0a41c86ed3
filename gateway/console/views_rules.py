"""Règles: every rule that we can run, what it means, what to do, a good and a bad example."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from gateway.auth import Permission
from gateway.console.page import Page, Sees, Visit
from gateway.problems import Problem
from validation.workshop import Workshop

router = APIRouter(route_class=Page, include_in_schema=False)
PAGE = 50


@lru_cache(maxsize=1)
def catalogue(workshop: Workshop) -> Mapping[str, Mapping[str, Any]]:
    """Every rule by its id, from the workshop; kept, since it changes with the program only."""
    return {entry["rule"]: entry for entry in workshop.catalogue()}


@router.get("/regles")
def list_rules(
    visit: Annotated[Visit, Sees(Permission.VALIDATE)], q: str = "", page: Annotated[int, Query(ge=1, le=1000)] = 1
) -> Response:
    """The rules whose id, title or terms hold all the words asked for."""
    words = q.lower().split()
    found = [entry for entry in catalogue(visit.deps.workshop).values() if all(word in said(entry) for word in words)]
    shown = found[(page - 1) * PAGE : page * PAGE]
    return visit.draw("regles.html", rules=shown, total=len(found), q=q, page=page, more=len(found) > page * PAGE)


@router.get("/regles/{rule:path}")
def show_rule(rule: str, visit: Annotated[Visit, Sees(Permission.VALIDATE)]) -> Response:
    """One rule."""
    entry = catalogue(visit.deps.workshop).get(rule)
    if entry is None:
        raise Problem(404, "not-found", "Cette règle n'existe pas. / There is no such rule.")
    return visit.draw("regle.html", rule=entry)


def said(entry: Mapping[str, Any]) -> str:
    """What is searched, in small letters."""
    words = (entry["rule"], *entry["aliases"], entry["title"]["fr"], *entry["terms"], *entry["rule_sets"])
    return " ".join(words).lower()
