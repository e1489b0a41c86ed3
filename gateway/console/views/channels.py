"""Réglages: channels of chat and SMS, what goes there for whom, and where each message ended."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import ValidationError
from sqlalchemy import select

from gateway.auth import ROLES, Permission
from gateway.channels import service
from gateway.channels.happenings import HAPPENINGS, may_hear
from gateway.channels.schemas import PHONE, ChannelIn, RuleIn
from gateway.console.forms import errors_of, told
from gateway.console.page import Act, Does, Page, Sees, Visit, go
from gateway.problems import Problem, not_found
from gateway.reminders.scenario import SMS
from gateway.tables import Submission
from gateway.tables_reminders import Decision

router = APIRouter(route_class=Page, include_in_schema=False, prefix="/reglages/canaux")
Reading = Annotated[Visit, Sees(Permission.SETTINGS_WRITE)]
Changing = Annotated[Act, Does(Permission.SETTINGS_WRITE)]
SHOWN = 50


@router.get("")
def show_channels(visit: Reading) -> Response:
    """The channels and a form for another."""
    return _channels(visit)


@router.post("")
def add_channel(act: Changing) -> Response:
    """Set one up. Its URL is not shown again, not even after an error."""
    values = {"name": act.text("name"), "url": act.text("url")}
    try:
        made = service.create(act.deps, act.principal.tenant_id, ChannelIn.model_validate(values), act.principal.actor)
    except ValidationError as error:
        return _channels(act.visit, values, errors_of(error))
    except Problem as problem:
        return _channels(act.visit, values, {"url" if problem.status == 422 else "": told(problem)})
    return go(f"/reglages/canaux/{made.id}", "ajouter")


@router.get("/{channel_id}")
def show_channel(visit: Reading, channel_id: str) -> Response:
    """One channel: its rules, and the newest messages."""
    return _channel(visit, channel_id)


@router.post("/{channel_id}/messages/{message_id}")
def settle(act: Changing, channel_id: str, message_id: str) -> Response:
    """Say whether a message arrived, or have it sent again."""
    arrived = act.text("arrive") == "oui"
    return _done(act, channel_id, lambda: service.settle(
        act.deps, act.principal.tenant_id, channel_id, message_id, act.principal.actor, arrived=arrived), "constat")


@router.post("/{channel_id}/{verb}")
def change_channel(act: Changing, channel_id: str, verb: str) -> Response:
    """Try it, say anew what goes there, switch it on or off, or take it away."""
    where = (act.deps, act.principal.tenant_id, channel_id)
    if verb == "supprimer":
        service.remove(*where, act.principal.actor)
        return go("/reglages/canaux", verb)
    if verb == "regles":
        ticked = [rule.partition(":") for rule in act.texts("regles")]
        try:
            rules = [RuleIn.model_validate({"event": event, "role": role}) for event, _, role in ticked]
        except ValidationError as error:
            raise not_found() from error
        return _done(act, channel_id, lambda: service.set_rules(*where, rules, act.principal.actor), verb)
    actions = {"essai": service.try_out, "activer": service.enable, "desactiver": service.disable}
    if verb not in actions:
        raise not_found()
    return _done(act, channel_id, lambda: actions[verb](*where, act.principal.actor), verb)


def _done(act: Act, channel_id: str, do: Callable[[], object], mark: str) -> Response:
    try:
        do()
    except Problem as problem:
        if problem.status == 404:
            raise
        return _channel(act.visit, channel_id, problem=told(problem))
    return go(f"/reglages/canaux/{channel_id}", mark)


def _channels(visit: Visit, values: dict[str, str] | None = None, errors: dict[str, str] | None = None) -> Response:
    return visit.draw("reglages_canaux.html", status=422 if errors else 200, values=values or {}, errors=errors or {},
                      rows=service.list_channels(visit.deps, visit.principal.tenant_id), phone=PHONE)


def _channel(visit: Visit, channel_id: str, *, problem: str | None = None) -> Response:
    tenant = visit.principal.tenant_id
    row = service.get_channel(visit.deps, tenant, channel_id)
    log = service.messages(visit.deps, tenant, channel_id, limit=SHOWN)
    with visit.deps.db.reading(tenant) as session:
        texts = session.execute(select(Decision, Submission).join(
            Submission, (Submission.tenant_id == Decision.tenant_id) & (Submission.id == Decision.submission_id)
        ).where(Decision.channel == SMS).order_by(Decision.at.desc()).limit(SHOWN)).all() if row.to_clients else []
    return visit.draw("reglages_canal.html", status=409 if problem else 200, row=row, log=log, texts=texts,
                      problem=problem, most=SHOWN, happenings=HAPPENINGS, roles=tuple(ROLES), may_hear=may_hear)
