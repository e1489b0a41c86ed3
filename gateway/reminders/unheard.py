"""Statuses that say nothing: those of ours that the platform refused, and those that the lifecycle does not count."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.db import slices
from gateway.lifecycle.derive import derive
from gateway.lifecycle.guard import OWN, Effect, rule_of
from gateway.lifecycle.history import ANSWERS, status_of
from gateway.tables import Event

CASHED: Final = "212"
ENDS_OR_CASHES: Final = frozenset({Effect.END, Effect.CASH})


def counted(events: Sequence[Event], cashed: Mapping[int, Mapping[str, Any]], total: Decimal | None
            ) -> Sequence[Event]:
    """The lifecycle events of one invoice that count for the lifecycle (lifecycle/derive.py), in their order.

    `cashed` is the data of its 212 by position (`cashed_of`); `total` as for `derive`.
    """
    if all(map(_counts_anyhow, events)):
        return events
    told = [(event, status_of(event, cashed.get(event.position, {}))) for event in events]
    against = {status for status, _ in derive((status for _, status in told), total).anomalies}
    return [event for event, status in told if status not in against]


def is_unrecorded(events: Sequence[Event], cashed: Mapping[int, Mapping[str, Any]], total: Decimal | None,
                  recorded: Decimal) -> bool | None:
    """Whether the 212 of one invoice tell of more than was `recorded` here, also what was taken back since.

    None without any. One that names no amount tells of something; the other arguments are as for `counted`.
    """
    told = [status_of(event, cashed.get(event.position, {})) for event in events]
    amounts = [status.amount for status in told if status.code == CASHED]
    if not amounts:
        return None
    return derive(told, total).cashed > recorded or (None in amounts and not recorded)


def cashed_of(session: Session, events: Mapping[str, Sequence[Event]]) -> Mapping[int, Mapping[str, Any]]:
    """The data of all 212 among these events, by position: how much came in. Few open invoices have any."""
    places = [event.position for told in events.values() for event in told if event.code == CASHED]
    return {position: data for part in slices(places) for position, data in session.execute(
        select(Event.position, Event.data).where(Event.position.in_(part)))}


def _counts_anyhow(event: Event) -> bool:
    """Whether no other status decides on it: it comes from whom it may, needs nothing before it, and ends nothing."""
    rule = rule_of(event.code)
    return (event.actor in rule.by and rule.needs_open is None and not rule.needs_deposit
            and rule.effect not in ENDS_OR_CASHES)


def without_refused(session: Session, events: Mapping[str, list[Event]]) -> Mapping[str, list[Event]]:
    """Lifecycle events by invoice, without those that the platform refused; as `heard` of lifecycle/history.py.

    Few invoices have a status of ours, and of few of these one was refused: only then is more read than asked.
    """
    ours = sorted(one for one, told in events.items() if any(event.code in OWN for event in told))
    gone: set[int] = set()
    for part in slices(ours):
        answers = {(one, data.get("flow_id")): code for one, data, code in session.execute(
            select(Event.submission_id, Event.data, Event.code).where(
                Event.submission_id.in_(part), Event.kind == "transmission", Event.code.in_(ANSWERS)
            ).order_by(Event.position)) if data.get("flow_id")}
        refused = {answered for answered, code in answers.items() if code == "status-refused"}
        gone |= {position for position, one, data in session.execute(
            select(Event.position, Event.submission_id, Event.data).where(
                Event.submission_id.in_({one for one, _ in refused}), Event.kind == "lifecycle", Event.code.in_(OWN)))
            if data.get("own") and (one, data.get("flow_id")) in refused} if refused else set()
    if not gone:
        return events
    return {one: [event for event in told if event.position not in gone] for one, told in events.items()}
