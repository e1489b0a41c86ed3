"""Scenarios of reminders: versions by segment, the form of a new one, a trial on the past."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Response
from sqlalchemy import select

from gateway.auth import Permission
from gateway.console import people, scenario_form
from gateway.console.forms import told
from gateway.console.page import Act, Page, Sees, Visit, Writes, go
from gateway.console.reminding import stage_names
from gateway.console.views.invoices import day
from gateway.problems import Problem
from gateway.reminders.clients import segments
from gateway.reminders.letters.texts import FIELDS
from gateway.reminders.people import current_scenario, save_scenario
from gateway.reminders.reasons import title_of
from gateway.reminders.scenario import BadScenario, Scenario, checked
from gateway.reminders.trying import EARLIEST, LONGEST_DAYS, try_out, version_of
from gateway.tables_reminders import Scenario as ScenarioRow

router = APIRouter(route_class=Page, include_in_schema=False)
Seeing = Annotated[Visit, Sees(Permission.REMINDERS_READ)]
Deciding = Annotated[Act, Writes(Permission.REMINDERS_WRITE)]
USUAL_DAYS: Final = 90


@router.get("/relances/scenarios")
def show_scenarios(visit: Seeing) -> Response:
    """Every version of every segment's scenario, the newest first, and that of everybody."""
    tenant_id = visit.principal.tenant_id
    with visit.deps.db.reading(tenant_id) as session:
        rows = session.scalars(select(ScenarioRow).order_by(ScenarioRow.segment, ScenarioRow.version.desc())).all()
        names = people.names(session)
        used = segments(session)
    return visit.draw("scenarios.html", rows=rows, names=names,
                      segments=sorted({"", *used, *(row.segment for row in rows)}),
                      own={row.segment for row in rows if row.active})


@router.get("/relances/scenarios/editer")
def edit(visit: Seeing, segment: str = "", version: str = "") -> Response:
    """The form, filled with a version: that in force, unless one is asked for."""
    scenario = version_of(visit.deps, visit.principal.tenant_id, segment, _number(version))
    return _form(visit, segment, scenario_form.values_of(scenario))


@router.post("/relances/scenarios/editer")
def save(act: Deciding) -> Response:
    """Put a new version in force, or show what is wrong with it.

    With `essayer`, try it first and keep nothing; with `reprendre`, go on writing after that.
    """
    segment = act.text("segment")
    definition, values = scenario_form.read_form(act)
    if act.text("reprendre"):
        return _form(act.visit, segment, values)
    try:
        if act.text("essayer"):
            return _tried(act.visit, checked(definition), segment, values)
        now = current_scenario(act.deps, act.principal.tenant_id, segment).name
        if values[scenario_form.SEEN] not in {"", now}:
            return _form(act.visit, segment, {**values, scenario_form.SEEN: now}, {
                "": f"« {now} » est entrée en vigueur entre-temps : voyez-la, puis enregistrez pour la remplacer."})
        save_scenario(act.deps, act.principal, definition, segment)
    except BadScenario as error:
        return _form(act.visit, segment, values, {"": str(error).partition(" / ")[0]})
    except Problem as problem:
        return _form(act.visit, segment, values, {"": told(problem)})
    return go("/relances/scenarios", "scenario")


@router.get("/relances/scenarios/essai")
def try_version(visit: Seeing, segment: str = "", version: str = "", du: str = "", au: str = "") -> Response:
    """What a version would have done in the past, beside what went out."""
    scenario = version_of(visit.deps, visit.principal.tenant_id, segment, _number(version))
    return _tried(visit, scenario, segment, None, since=day(du), until=day(au), version=version)


def _tried(
    visit: Visit, scenario: Scenario, segment: str, values: Mapping[str, Any] | None, *, since: date | None = None,
    until: date | None = None, version: str = "",
) -> Response:
    last = min(max(until or visit.deps.today(), EARLIEST + timedelta(days=USUAL_DAYS)), visit.deps.today())
    known = since is not None and EARLIEST <= since <= last
    first = since if since is not None and known else last - timedelta(days=USUAL_DAYS)
    trial = try_out(visit.deps, visit.principal.tenant_id, scenario, first, last)
    stages = stage_names(scenario)
    others = stage_names(current_scenario(visit.deps, visit.principal.tenant_id))
    further = {key: others.get(key, key) for key in trial.did if key not in stages}
    return visit.draw(
        "scenario_essai.html", trial=trial, scenario=scenario, segment=segment, version=version, kept=values is None,
        fields={} if values is None else scenario_form.fields_of(values),
        reasons={code: title_of(code) for code in trial.against}, longest=LONGEST_DAYS,
        stages={**stages, **further}, moved=since is not None and (trial.since, trial.until) != (since, until or last),
        channels=scenario_form.CHANNEL_NAMES)


def _form(
    visit: Visit, segment: str, values: Mapping[str, Any], errors: dict[str, str] | None = None
) -> Response:
    seen = values.get(scenario_form.SEEN) or current_scenario(visit.deps, visit.principal.tenant_id, segment).name
    return visit.draw(
        "scenario.html", segment=segment, values=values, seen=seen, errors=errors or {}, status=422 if errors else 200,
        tones=scenario_form.TONE_NAMES, channels=scenario_form.CHANNEL_NAMES, fields=FIELDS)


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 9 else None
