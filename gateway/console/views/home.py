"""The first page: what needs me today."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Response

from gateway.auth import Permission
from gateway.console import attention, people, queries
from gateway.console.page import Page, Sees, Visit
from gateway.receivables.ageing import Piece
from gateway.receivables.lines import catch_up
from gateway.receivables.standing import open_on
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
        pieces = [piece for piece in open_on(session, today) if piece.balance > 0]
        week = queries.due_between(session, today, queries.this_week(today), 8)
        sealing = attention.sealing(session)
        events = attention.latest(session, 8)
        names = people.names(session)
        cases = open_cases(session, most=6) if visit.may(Permission.REMINDERS_READ) else []
    late = [piece for piece in pieces if piece.days_late(today)]
    soon = [one for one in pieces if one.due_date and today <= one.due_date <= queries.this_week(today)]
    ages = queries.ages([piece for piece in pieces if piece.currency == EURO], today)
    return visit.draw(
        "accueil.html", waiting=waiting, week=week, week_total=in_euro(soon), week_count=count_of(soon), ages=ages,
        bars=shares([age.amount for age in ages]), owed=in_euro(pieces), overdue=in_euro(late),
        overdue_count=count_of(late),
        sealing=sealing, events=events, names=names, cases=cases, kinds=KINDS,
        foreign=sorted({piece.currency for piece in pieces} - {EURO}),
    )


def in_euro(pieces: Sequence[Piece]) -> Decimal:
    """What is owed in euro; other currencies are never added to it."""
    return sum((piece.balance for piece in pieces if piece.currency == EURO), Decimal(0))


def count_of(pieces: Sequence[Piece]) -> int:
    """How many invoices these are."""
    return sum(piece.items for piece in pieces)


def shares(amounts: list[Decimal]) -> list[tuple[int, int]]:
    """(start, width) of each part of a bar that is 1000 wide. A part above zero is at least 6 wide."""
    total = sum(amounts, Decimal(0))
    start, parts = 0, []
    for amount in amounts:
        width = 0 if not total or amount <= 0 else max(6, int(amount * 1000 / total))
        parts.append((start, min(width, 1000 - start)))
        start += width
    return parts
