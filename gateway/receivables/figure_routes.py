"""Ageing and figures over HTTP, for programs; the console shows the same."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from gateway.auth import Permission, Principal, Requires
from gateway.deps import CurrentDeps
from gateway.receivables.ageing import totals
from gateway.receivables.analysis import FIRST_DAY, LAST_DAY, PERIOD, ageing_on, figures_on
from gateway.receivables.figure_schemas import AgeingOut, FigureListOut, aged_out, figure_list_out
from gateway.receivables.lines import catch_up
from gateway.reminders.effect import disputes_on, effects

router = APIRouter(prefix="/v1/receivables", tags=["receivables"])
AsOf = Annotated[date | None, Query(ge=FIRST_DAY, le=LAST_DAY)]
Looking = Annotated[Principal, Requires(Permission.REMINDERS_READ)]


@router.get("/ageing")
def show_ageing(
    principal: Looking, deps: CurrentDeps, *, as_of: AsOf = None,
    currency: Annotated[str, Query(pattern=r"^([A-Z]{3})?$")] = "", after: Annotated[str, Query(max_length=300)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> AgeingOut:
    """Who owes what since when, at the end of a day (today). `after` is the `next` of the page before."""
    on = as_of or deps.today()
    catch_up(deps, principal.tenant_id)
    with deps.db.reading(principal.tenant_id) as session:
        rows = [row for row in ageing_on(session, on) if not currency or row.currency == currency]
    left = [row for row in rows if not after or (row.key, row.currency) > place_of(after)]
    last = left[limit - 1] if len(left) > limit else None
    return AgeingOut(as_of=on, totals=[aged_out(row) for row in totals(rows)],
                     clients=[aged_out(row) for row in left[:limit]],
                     next=f"{last.currency}~{last.key}" if last is not None else None)


@router.get("/figures")
def show_figures(
    principal: Looking, deps: CurrentDeps, as_of: AsOf = None,
    days: Annotated[int, Query(ge=1, le=3660)] = PERIOD,
) -> FigureListOut:
    """DSO in three formulas, delays, shares, disputes and the cost of reminders, at the end of a day (today)."""
    on = as_of or deps.today()
    catch_up(deps, principal.tenant_id)
    with deps.db.reading(principal.tenant_id) as session:
        return figure_list_out(on, days, figures_on(session, on, days), disputes_on(session, on),
                               effects(session, on, days))


def place_of(after: str) -> tuple[str, str]:
    """The client and currency after which a page begins."""
    currency, _, key = after.partition("~")
    return key, currency
