"""The first page: what needs me today."""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Response

from gateway.auth import Permission
from gateway.console import attention, people, queries
from gateway.console.page import Page, Sees, Visit
from gateway.receivables.lines import catch_up
from gateway.reminders.cases import KINDS
from gateway.reminders.cases import cases as open_cases

EURO = "EUR"
router = APIRouter(route_class=Page, include_in_schema=False)


@router.get("/")
def show_home(visit: Annotated[Visit, Sees(Permission.INVOICES_READ)]) -> Response:
    """What waits for somebody, what falls due this week, what is owed since when, what happened last."""
    deps, today = visit.deps, visit.deps.today()
    catch_up(deps, visit.principal.tenant_id)
    with deps.db.reading(visit.principal.tenant_id) as session:
        waiting = [item for item in attention.items(session, deps.now()) if visit.may(item.permission)]
        owed = queries.owed(session)
        sealing = attention.sealing(session)
        events = attention.latest(session, 8)
        names = people.names(session)
        cases = open_cases(session, most=6) if visit.may(Permission.REMINDERS_READ) else []
    euros = [row for row in owed if row.currency == EURO]
    late = [row for row in owed if row.days_late(today)]
    week = [row for row in owed if row.due_date and today <= row.due_date <= queries.this_week(today)]
    ages = queries.ages(euros, today)
    return visit.draw(
        "accueil.html", waiting=waiting, week=week[:8], week_total=in_euro(week), week_count=len(week), ages=ages,
        bars=shares([age.amount for age in ages]), owed=in_euro(owed), overdue=in_euro(late), overdue_count=len(late),
        sealing=sealing, events=events, names=names, cases=cases, kinds=KINDS,
        foreign=sorted({row.currency for row in owed} - {EURO}),
    )


def in_euro(rows: list[queries.Owing]) -> Decimal:
    """What is owed in euro; other currencies are never added to it."""
    return sum((row.outstanding for row in rows if row.currency == EURO), Decimal(0))


def shares(amounts: list[Decimal]) -> list[tuple[int, int]]:
    """(start, width) of each part of a bar that is 1000 wide. A part above zero is at least 6 wide."""
    total = sum(amounts, Decimal(0))
    start, parts = 0, []
    for amount in amounts:
        width = 0 if not total or amount <= 0 else max(6, int(amount * 1000 / total))
        parts.append((start, min(width, 1000 - start)))
        start += width
    return parts
