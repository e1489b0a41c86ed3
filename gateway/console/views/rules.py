"""Règles: every rule that we can run, what it means, what to do, a good and a bad example; what others would change."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from gateway import jobs
from gateway.auth import Permission
from gateway.console import people, words
from gateway.console.forms import told
from gateway.console.page import Act, Does, Page, Sees, Visit, go
from gateway.console.views.invoices import day
from gateway.console.views.proofs import REFRESH_SECONDS
from gateway.problems import Problem
from gateway.replay import service as replaying
from gateway.replay.changes import period
from validation.workshop import Workshop

router = APIRouter(route_class=Page, include_in_schema=False)
PAGE = 50
FIELD_OF = {"nothing-to-replay": "jeu", "unknown-rule-set": "jeu", "bad-period": "au"}
"""Code of a problem to the field of the form that it is about."""



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


@router.get("/regles/rejeux")
def show_replays(visit: Annotated[Visit, Sees(Permission.AUDIT_READ)]) -> Response:
    """What was replayed, and the form for another."""
    return _replays(visit, {}, {})


@router.post("/regles/rejeux")
def start_replay(act: Annotated[Act, Does(Permission.AUDIT_READ)]) -> Response:
    """Judge the invoices of a period again."""
    values = {name: act.text(name)[:200] for name in ("jeu", "date", "du", "au")}
    try:
        wanted = replaying.wanted(act.deps, rules=values["jeu"], as_of=day(values["date"]), first=day(values["du"]),
                                  last=day(values["au"]))
    except Problem as problem:
        return _replays(act.visit, values, {FIELD_OF.get(problem.code, ""): told(problem)}, status=422)
    job = jobs.start_replay(act.deps, act.principal.tenant_id, wanted, act.principal.actor)
    return go(f"/regles/rejeux/{job.id}")


@router.get("/regles/rejeux/{job_id}")
def show_replay(visit: Annotated[Visit, Sees(Permission.AUDIT_READ)], job_id: str) -> Response:
    """How far a replay is, then what would change. Without a script the page asks again by itself."""
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        job = jobs.get_job(session, jobs.REPLAY, visit.principal.tenant_id, job_id)
        names = people.names(session)
    known = catalogue(visit.deps.workshop) if job.state not in jobs.OPEN else {}
    return visit.draw("rejeu.html", job=job, names=names, known=known, asked=replaying.Wanted.of_text(job.subject),
                      refresh=REFRESH_SECONDS if job.state in jobs.OPEN else None)


def _replays(visit: Visit, values: dict[str, str], errors: dict[str, str], *, status: int = 200) -> Response:
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        found, names = jobs.jobs(session, jobs.REPLAY), people.names(session)
    sets = [(each["key"], f"{words.LAYERS[each['layer']]} : {each['id']} {each['version']}, {standing(each)}")
            for each in replaying.usable(visit.deps)]
    first, last = period(None, None, visit.deps.today())
    shown = {"du": first.isoformat(), "au": last.isoformat(), **values}
    return visit.draw("rejeux.html", status=status, sets=sets, values=shown, errors=errors, names=names,
                      replays=[(job, replaying.Wanted.of_text(job.subject)) for job in found],
                      refresh=REFRESH_SECONDS if any(job.state in jobs.OPEN for job in found) else None)


@router.get("/regles/{rule:path}")
def show_rule(rule: str, visit: Annotated[Visit, Sees(Permission.VALIDATE)]) -> Response:
    """One rule."""
    entry = catalogue(visit.deps.workshop).get(rule)
    if entry is None:
        raise Problem(404, "not-found", "Cette règle n'existe pas. / There is no such rule.")
    return visit.draw("regle.html", rule=entry)


def standing(rule_set: Mapping[str, Any]) -> str:
    """What a rule set is today, in French."""
    since = f" le {day(rule_set['from']):%d/%m/%Y}" if rule_set["state"] == "coming" else ""
    return f"{words.STANDING[rule_set['state']]}{since}"


def said(entry: Mapping[str, Any]) -> str:
    """What is searched, in small letters."""
    words = (entry["rule"], *entry["aliases"], entry["title"]["fr"], *entry["terms"], *entry["rule_sets"])
    return " ".join(words).lower()
