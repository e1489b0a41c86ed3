"""Indicateurs: the figures that matter first, on any day, each with its formula; what a reminder costs by channel."""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import ValidationError

from gateway.auth import Permission
from gateway.console.forms import plain_amount
from gateway.console.page import Act, Does, Page, Sees, Visit, go
from gateway.console.scenario_form import CHANNEL_NAMES
from gateway.console.views.receivables import day_or
from gateway.receivables.analysis import PERIOD, PERIODS, figures_on
from gateway.receivables.lines import catch_up
from gateway.reminders.effect import AFTER_DAYS, CostsIn, costs_of, disputes_on, effects, set_costs
from gateway.reminders.scenario import CHANNELS

router = APIRouter(route_class=Page, include_in_schema=False)
Reading = Annotated[Visit, Sees(Permission.REMINDERS_READ)]
Deciding = Annotated[Act, Does(Permission.REMINDERS_WRITE)]
NAMED = 50
"""So many of the late clients are shown."""

PRICED: tuple[str, ...] = CHANNELS
"""Channels whose cost may be said."""


@router.get("/encours/indicateurs")
def show_figures(visit: Reading, au: str = "", periode: str = "") -> Response:
    """Every figure of a day."""
    return _page(visit, au, periode)


@router.post("/encours/indicateurs/couts")
def save_costs(act: Deciding) -> Response:
    """Say what a message of each channel costs; an empty field: not known."""
    values = {channel: act.text(f"cout-{channel}") for channel in PRICED}
    try:
        wanted = CostsIn(costs={channel: plain_amount(text) for channel, text in values.items() if text})
    except ValidationError:
        return _page(act.visit, "", "", values=values,
                     problem="Un coût s'écrit en euros, avec quatre décimales au plus, par exemple 0,50.")
    set_costs(act.deps, act.principal, wanted)
    return go("/encours/indicateurs", "couts")


def _page(visit: Visit, au: str, periode: str, *, values: dict[str, str] | None = None, problem: str = "") -> Response:
    today = visit.deps.today()
    as_of = day_or(au, today)
    days = next((one for one in PERIODS if str(one) == periode), PERIOD)
    catch_up(visit.deps, visit.principal.tenant_id)
    with visit.deps.db.reading(visit.principal.tenant_id) as session:
        figures = figures_on(session, as_of, days, NAMED)
        disputes, channels, costs = disputes_on(session, as_of), effects(session, as_of, days), costs_of(session)
    shown: dict[str, Any] = values or {name: str(cost).replace(".", ",") for name, cost in costs.items()}
    return visit.draw(
        "indicateurs.html", figures=figures, disputes=disputes, channels=channels, as_of=as_of, days=days,
        periods=PERIODS, names=CHANNEL_NAMES, priced=PRICED, values=shown, problem=problem, after=AFTER_DAYS,
        status=422 if problem else 200)
