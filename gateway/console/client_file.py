"""One client as its credit controller sees it: items, figures, what was sent and is planned, what waits. Only reads."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from gateway.bank.waiting import Waiting, waiting_for
from gateway.deps import Deps
from gateway.receivables.account import Client, Item
from gateway.receivables.analysis import Figures, figures_of
from gateway.receivables.documents import received_of
from gateway.receivables.open_items import Owed, all_items, by_currency, claims_of, of_client
from gateway.reminders.planning import Planned, planned_of
from gateway.reminders.state import ground_of, look_at
from gateway.tables import Submission
from gateway.tables_reminders import Case, Decision, Hold, ReminderClient

DAYS_AHEAD = 30
MOST_PLANNED, MOST_SHOWN = 50, 30
"""How many open invoices the plan is made for, the oldest due date first; how many cases, holds and decisions show."""

PROMISED = ("promise", "plan")
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

    cases: Sequence[tuple[Case, Submission]]
    closed: Sequence[tuple[Case, Submission]]
    holds: Sequence[tuple[Hold, Submission]]
    """In force; promises and plans are among them."""

    decisions: Sequence[tuple[Decision, Submission]]
    """What was sent or not, newest first."""

    movements: Sequence[Waiting]
    """Of the bank account, undecided, perhaps of this client."""

    @property
    def open(self) -> Sequence[Item]:
        """The items with a balance."""
        return [item for item in self.items if item.balance]

    @property
    def promises(self) -> Sequence[tuple[Hold, Submission]]:
        """What the client announced or agreed."""
        return [row for row in self.holds if row[0].kind in PROMISED]


def client_file(
    session: Session, deps: Deps, tenant_id: str, key: str, as_of: date, *, bank: bool
) -> ClientFile | None:
    """The file of a client (`Client.key`); None where no document names it.

    Money and figures are those of `as_of`; plan, cases, holds and movements those of today. `bank`: whether the reader
    may see movements of the bank account.
    """
    items = all_items(session, as_of, key)
    if not items:
        return None
    who = of_client(session, key)
    newest = max((item.document for item in items), key=lambda one: one.issued_on)
    coming, held = _plan(session, deps, [item for item in items if item.balance > 0])
    return ClientFile(
        client=newest.client, settled=session.get(ReminderClient, (tenant_id, key)), sample=newest.id, items=items,
        debts=by_currency(items, claims_of(session, as_of, key)), figures=_figures(session, items, as_of),
        coming=coming, held=held,
        cases=_about(session, who, Case, Case.active.is_(True), order=(Case.due_on, Case.opened_at)),
        closed=_about(session, who, Case, Case.active.is_(None), order=(Case.closed_at.desc(), Case.id)),
        holds=_about(session, who, Hold, Hold.lifted_at.is_(None), order=(Hold.until, Hold.id)),
        decisions=_about(session, who, Decision, order=(Decision.at.desc(), Decision.id)),
        movements=waiting_for(session, items) if bank else (),
    )


def _plan(session: Session, deps: Deps, owing: Sequence[Item]) -> tuple[list[Planned], list[Planned]]:
    """What comes next for these items, and what waits."""
    ids = [item.document.id for item in owing[:MOST_PLANNED]]
    invoices = session.scalars(select(Submission).where(Submission.id.in_(ids))).all()
    planned = [one for seen in look_at(session, invoices, ground_of(session, invoices), deps.today())
               for one in planned_of(deps, seen, DAYS_AHEAD)]
    coming = sorted((one for one in planned if one.on is not None), key=lambda one: (one.on, one.number))
    return coming, [one for one in planned if one.on is None]


def _figures(session: Session, items: Sequence[Item], as_of: date) -> list[Figures]:
    payments = received_of(session, [item.document.id for item in items])
    known: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        known[item.document.currency].append(item)
    called = {item.document.client.key: item.document.client for item in items}
    return [figures_of(same, payments, called, as_of) for _, same in sorted(known.items())]


def _about(
    session: Session, who: Sequence[ColumnElement[bool]], model: type[T], *where: ColumnElement[bool],
    order: Sequence[Any],
) -> list[tuple[T, Submission]]:
    """The first MOST_SHOWN rows about the invoices of a client (`of_client`), each with its invoice."""
    query = select(model, Submission).join(Submission, and_(
        Submission.tenant_id == model.tenant_id, Submission.id == model.submission_id)).where(
        *who, *where).order_by(*order).limit(MOST_SHOWN)
    return [(row, invoice) for row, invoice in session.execute(query)]
