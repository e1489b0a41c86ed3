"""Statuses of ours that the platform refused in its acknowledgement: nobody heard them, so they answer nothing."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.lifecycle.guard import OWN
from gateway.tables import Event

SLICE: Final = 500


def without_refused(session: Session, events: Mapping[str, list[Event]]) -> Mapping[str, list[Event]]:
    """Lifecycle events by invoice, without those that the platform refused; as `heard` of lifecycle/history.py.

    Few invoices have a status of ours, and of few of these one was refused: only then is more read than asked.
    """
    ours = sorted(one for one, told in events.items() if any(event.code in OWN for event in told))
    gone: set[int] = set()
    for start in range(0, len(ours), SLICE):
        refused = {(one, data.get("flow_id")) for one, data in session.execute(
            select(Event.submission_id, Event.data).where(
                Event.submission_id.in_(ours[start:start + SLICE]), Event.kind == "transmission",
                Event.code == "status-refused")) if data.get("flow_id")}
        gone |= {position for position, one, data in session.execute(
            select(Event.position, Event.submission_id, Event.data).where(
                Event.submission_id.in_({one for one, _ in refused}), Event.kind == "lifecycle", Event.code.in_(OWN)))
            if data.get("own") and (one, data.get("flow_id")) in refused} if refused else set()
    if not gone:
        return events
    return {one: [event for event in told if event.position not in gone] for one, told in events.items()}
