"""What people do about reminders: hold them, lift a hold, settle a doubt, change the scenario."""

import re
import uuid
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import func, select, update

from gateway.auth import Principal
from gateway.deps import Deps
from gateway.problems import Problem, not_found
from gateway.record import Change, Work, lock_tenant, record
from gateway.reminders.returning import came_back
from gateway.reminders.scenario import BadScenario, Scenario, checked, to_json
from gateway.reminders.schemas import BounceIn, DecisionOut, HoldIn, HoldOut, SettlementIn, decision_out, hold_out
from gateway.reminders.settling import conclude, of_one_mail
from gateway.reminders.state import named, scenario_for, scenarios_of
from gateway.tables import Submission
from gateway.tables_reminders import Decision, Hold
from gateway.tables_reminders import Scenario as ScenarioRow

SEGMENT: Final = re.compile(r"[a-z0-9-]{0,40}")


def add_hold(deps: Deps, principal: Principal, submission_id: str, wanted: HoldIn) -> HoldOut:
    """Let the reminders of an invoice wait. Problems: not-found; 422 until-in-past."""
    if wanted.until is not None and wanted.until < deps.today():
        raise Problem(422, "until-in-past", "La date de fin est passée. / The last day is in the past.")
    now, tenant_id = deps.now(), principal.tenant_id
    with deps.db.transaction(tenant_id) as session:
        if session.get(Submission, (tenant_id, submission_id)) is None:
            raise not_found()
        row = Hold(tenant_id=tenant_id, id=str(uuid.uuid4()), submission_id=submission_id, kind=wanted.kind,
                   reason=wanted.reason, until=wanted.until, created_at=now, actor=principal.actor, lifted_at=None)
        session.add(row)
        record(session, tenant_id, Change(
            kind="reminder", code="held", actor=principal.actor, submission_id=submission_id, reason=wanted.reason,
            data={"hold": row.id, "kind": row.kind, "until": row.until.isoformat() if row.until else None},
            then=(Work(topic="remind", subject_id=submission_id),),
        ), now=now)
    return hold_out(row)


def lift_hold(deps: Deps, principal: Principal, submission_id: str, hold_id: str) -> HoldOut:
    """End a hold; ending it twice changes nothing. Problem: not-found."""
    now, tenant_id = deps.now(), principal.tenant_id
    with deps.db.transaction(tenant_id) as session:
        row = session.get(Hold, (tenant_id, hold_id), with_for_update=True)
        if row is None or row.submission_id != submission_id:
            raise not_found()
        if row.lifted_at is None:
            row.lifted_at = now
            record(session, tenant_id, Change(
                kind="reminder", code="lifted", actor=principal.actor, submission_id=submission_id,
                data={"hold": row.id, "kind": row.kind}, then=(Work(topic="remind", subject_id=submission_id),),
            ), now=now)
    return hold_out(row)


def settle(
    deps: Deps, principal: Principal, submission_id: str, decision_id: str, found: SettlementIn
) -> DecisionOut:
    """Say whether a letter in doubt reached the buyer: if not, the stage may go out again.

    Problems: not-found; 409 not-in-doubt.
    """
    with deps.db.reading(principal.tenant_id) as session:
        row = session.get(Decision, (principal.tenant_id, decision_id))
    if row is None or row.submission_id != submission_id:
        raise not_found()
    if row.outcome != "unknown":
        raise Problem(409, "not-in-doubt", "L'envoi de cette relance n'est pas incertain. / "
                      "Nothing is uncertain about this letter.")
    for one in of_one_mail(deps, row):
        conclude(deps, one, "sent" if found.delivered else "failed", found.reason, actor=principal.actor)
    with deps.db.reading(principal.tenant_id) as session:
        return decision_out(session.get_one(Decision, (principal.tenant_id, decision_id)))


def bounce(deps: Deps, principal: Principal, submission_id: str, decision_id: str, found: BounceIn) -> DecisionOut:
    """A letter that was sent came back: its address gets nothing more, a case is opened, the stage stays taken.

    Problems: not-found; 409 not-sent.
    """
    now, tenant_id = deps.now(), principal.tenant_id
    with deps.db.transaction(tenant_id) as session:
        lock_tenant(session, tenant_id)
        row = session.get(Decision, (tenant_id, decision_id))
        if row is None or row.submission_id != submission_id:
            raise not_found()
        if row.outcome != "sent" or row.recipient is None:
            raise Problem(409, "not-sent", "Aucun courriel n'est parti pour cette décision. / No mail went out.")
        came_back(session, row, found.reason, actor=principal.actor, now=now, today=deps.today())
        session.flush()
        return decision_out(row)


def current_scenario(deps: Deps, tenant_id: str, segment: str = "") -> Scenario:
    """The scenario in force for a segment of clients; of everybody, where that segment has none."""
    with deps.db.reading(tenant_id) as session:
        return scenario_for(scenarios_of(session), segment)


def save_scenario(
    deps: Deps, principal: Principal, definition: Mapping[str, Any], segment: str = ""
) -> Scenario:
    """Put a new version of a segment's scenario in force; earlier versions stay as they are.

    Problems: 422 bad-scenario, bad-segment.
    """
    if not SEGMENT.fullmatch(segment):
        raise Problem(422, "bad-segment", "Un segment s'écrit en minuscules, chiffres et tirets. / "
                      "A segment has small letters, digits and dashes.")
    try:
        scenario = checked(definition)
    except BadScenario as error:
        raise Problem(422, "bad-scenario", str(error)) from error
    now, tenant_id = deps.now(), principal.tenant_id
    with deps.db.transaction(tenant_id) as session:
        lock_tenant(session, tenant_id)
        ours = ScenarioRow.segment == segment
        version = (session.scalar(select(func.max(ScenarioRow.version)).where(ours)) or 0) + 1
        session.execute(update(ScenarioRow).where(ours, ScenarioRow.active.is_(True)).values(active=False))
        row = ScenarioRow(tenant_id=tenant_id, id=str(uuid.uuid4()), segment=segment, name=scenario.name,
                          version=version, active=True, definition=to_json(scenario), created_at=now,
                          actor=principal.actor)
        session.add(row)
        record(session, tenant_id, Change(kind="setting", code="scenario", actor=principal.actor,
                                          subject=f"scenario:{segment}:{version}",
                                          data={"segment": segment, "version": version}), now=now)
        return named(row)
