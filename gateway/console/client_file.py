"""One client as its credit controller sees it: items, figures, what was sent and is planned, what waits. Only reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from gateway.bank.waiting import Waiting, waiting_for
from gateway.db import slices
from gateway.deps import Deps
from gateway.receivables.account import Client, Document, Item
from gateway.receivables.analysis import Figures, figures_of
from gateway.receivables.documents import received_of
from gateway.receivables.open_items import Owed, all_items, by_currency, claims_of
from gateway.reminders.planning import Planned, planned_of
from gateway.reminders.state import ground_of, look_at
from gateway.tables import Submission
from gateway.tables_reminders import Case, Decision, Hold, ReminderClient

DAYS_AHEAD = 30
MOST_PLANNED, MOST_SHOWN = 20, 30
"""How many open invoices the plan is made for, the oldest due date first; how many cases, holds and decisions show.

Lists of these have one more where there are more, for the page to say so.
"""

T = TypeVar("T", Case, Decision, Hold)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFile:
    """Everything about one client."""

    client: Client
    settled: ReminderClient | None
    """What a person settled about its reminders."""

    sample: str
    """Id of one of its invoices, by which its settings are found."""

    items: Sequence[Item]
    """All of them on the day, the settled ones too, oldest due date first."""

    debts: Mapping[str, Owed]
    """By currency."""

    figures: Sequence[Figures]
    """By currency."""

    coming: Sequence[Planned]
    """Letters with their day, the next one first."""

    held: Sequence[Planned]
    """Those that wait, and why."""

    cases: Sequence[tuple[Case, Document]]
    closed: Sequence[tuple[Case, Document]]
    holds: Sequence[tuple[Hold, Document]]
    """In force; promises and plans are among them."""

    decisions: Sequence[tuple[Decision, Document]]
    """What was sent or not, newest first."""

    movements: Sequence[Waiting]
    """Of the bank account, undecided, perhaps of this client."""

    owing: int
    """How many items ask for money today; the plan is made for MOST_PLANNED of them."""


def client_file(
    session: Session, deps: Deps, tenant_id: str, key: str, as_of: date, *, bank: bool
) -> ClientFile | None:
    """The file of a client (`Client.key`); None where no document names it.

    Money and figures are those of `as_of`; plan, cases, holds and movements those of today. `bank`: whether the reader
    may see movements of the bank account.
    """
    items, today = all_items(session, as_of, key), deps.today()
    current = items if as_of == today else all_items(session, today, key)
    owing = [item for item in current if item.balance > 0]
    documents = {item.document.id: item.document for item in current or all_items(session, date.max, key)}
    if not documents:
        return None
    newest = max(documents.values(), key=lambda one: one.issued_on)
    payments = received_of(session, [item.document.id for item in items])
    coming, held = _plan(session, deps, owing)
    return ClientFile(
        client=newest.client, settled=session.get(ReminderClient, (tenant_id, key)), sample=newest.id, items=items,
        debts=by_currency(items, claims_of(session, as_of, key)), figures=figures_of(items, payments, as_of),
        coming=coming, held=held,
        cases=_about(session, documents, Case, Case.active.is_(True), order=Case.due_on),
        closed=_about(session, documents, Case, Case.active.is_(None), order=Case.closed_at, newest=True),
        holds=_about(session, documents, Hold, Hold.lifted_at.is_(None), order=Hold.created_at, newest=True),
        decisions=_about(session, documents, Decision, order=Decision.at, newest=True),
        movements=waiting_for(session, current) if bank else (), owing=len(owing),
    )


def _plan(session: Session, deps: Deps, owing: Sequence[Item]) -> tuple[list[Planned], list[Planned]]:
    """What comes next for these items, and what waits."""
    ids = [item.document.id for item in owing[:MOST_PLANNED]]
    invoices = session.scalars(select(Submission).where(Submission.id.in_(ids))).all()
    planned = [one for seen in look_at(session, invoices, ground_of(session, invoices), deps.today())
               for one in planned_of(deps, seen, DAYS_AHEAD)]
    coming = sorted((one for one in planned if one.on is not None), key=lambda one: (one.on, one.number))
    return coming, [one for one in planned if one.on is None]


def _about(
    session: Session, documents: Mapping[str, Document], model: type[T], *where: ColumnElement[bool],
    order: InstrumentedAttribute[Any], newest: bool = False,
) -> list[tuple[T, Document]]:
    """The first MOST_SHOWN rows about these documents in an order, and one more, each with its document."""
    found = [row for part in slices(list(documents)) for row in session.scalars(
        select(model).where(model.submission_id.in_(part), *where)
        .order_by(order.desc() if newest else order, model.id).limit(MOST_SHOWN + 1))]
    found.sort(key=lambda row: getattr(row, order.key), reverse=newest)
    return [(row, documents[row.submission_id]) for row in found[:MOST_SHOWN + 1]]
