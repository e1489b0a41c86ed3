"""What goes over the wire about ageing and figures: decimals as text, of amounts at least two."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from gateway.receivables.ageing import CLASSES, Aged
from gateway.receivables.analysis import Figures
from gateway.receivables.figures import DisputeFigures
from gateway.receivables.lines import as_kept
from gateway.receivables.schemas import Out
from gateway.reminders.effect import Effect


class AgedOut(Out):
    """What one client owes in one currency, or everybody does, by days after the due date."""

    client: str | None
    """Key of the client: its SIREN, else `nom:` and the name; absent in a total."""

    name: str | None
    siren: str | None
    currency: str
    items: int
    classes: dict[str, str]
    """current (not due, or without a due date), 1-30, 31-60, 61-90, over-90; credits are not taken off."""

    overdue: str
    credits: str
    """Over-payments and open credit notes, a positive amount."""

    balance: str
    """The classes less the credits."""

    claimed: str
    """Open claims for lateness, in no other amount."""

    oldest_due: date | None
    """The earliest due date that is past."""


class AgeingOut(Out):
    """The ageing of a day: totals by currency, and clients in the order of their keys; `next` goes on."""

    as_of: date
    totals: list[AgedOut]
    clients: list[AgedOut]
    next: str | None


class LateClientOut(Out):
    """A client more than 30 % of whose invoices that fell due in twelve months were late."""

    client: str
    name: str
    late: int
    due: int
    share: str


class FiguresOut(Out):
    """The figures of a currency; null where there is nothing to divide by."""

    currency: str
    owed: str
    overdue: str
    over_90: str
    over_90_share: str | None
    sales: str
    dso_simple: str | None
    dso_countback: str | None
    dso_best_possible: str | None
    settled: int
    average_delay: str | None
    weighted_delay: str | None
    late: int
    due: int
    late_share: str | None
    late_clients: list[LateClientOut]


class DisputesOut(Out):
    """Cases of invoices approved in part, disputed or suspended; days."""

    open: int
    average_age: str | None
    oldest: int | None
    solved: int
    average_solving: str | None


class ChannelOut(Out):
    """What went out by a channel, what it cost (null: nobody said) and the euro that came in within 30 days after."""

    channel: str
    messages: int
    unit_cost: str | None
    cost: str | None
    collected: str
    cost_per_euro: str | None


class FigureListOut(Out):
    """Every figure of a day; sales, messages and money are of the last `days` days."""

    as_of: date
    days: int
    currencies: list[FiguresOut]
    disputes: DisputesOut
    channels: list[ChannelOut]


def aged_out(row: Aged) -> AgedOut:
    """A row of the ageing as it is shown."""
    return AgedOut(
        client=row.key or None, name=row.name or None, siren=row.siren, currency=row.currency, items=row.items,
        classes={name: _amount(part) for name, part in zip(CLASSES, row.parts, strict=True)},
        overdue=_amount(row.overdue), credits=_amount(row.credits), balance=_amount(row.balance),
        claimed=_amount(row.claimed), oldest_due=row.oldest)


def figure_list_out(
    as_of: date, days: int, figures: Sequence[Figures], disputes: DisputeFigures, channels: Sequence[Effect]
) -> FigureListOut:
    """All of them as they are shown."""
    return FigureListOut(
        as_of=as_of, days=days, currencies=[_figures_out(one) for one in figures],
        disputes=DisputesOut(open=disputes.open, average_age=_text(disputes.average_age), oldest=disputes.oldest,
                             solved=disputes.solved, average_solving=_text(disputes.average_solving)),
        channels=[ChannelOut(channel=one.channel, messages=one.messages, unit_cost=_text(one.unit_cost),
                             cost=_text(one.cost), collected=_amount(one.collected),
                             cost_per_euro=_text(one.per_euro)) for one in channels])


def _figures_out(one: Figures) -> FiguresOut:
    return FiguresOut(
        currency=one.currency, owed=_amount(one.owed), overdue=_amount(one.overdue),
        over_90=_amount(one.over_90), over_90_share=_text(one.over_90_share), sales=_amount(one.sales),
        dso_simple=_text(one.dso_simple), dso_countback=_text(one.dso_countback),
        dso_best_possible=_text(one.dso_best_possible), settled=one.settled, average_delay=_text(one.average_delay),
        weighted_delay=_text(one.weighted_delay), late=one.late, due=one.due, late_share=_text(one.late_share),
        late_clients=[LateClientOut(client=late.client.key, name=late.client.name, late=late.late, due=late.bills,
                                    share=format(late.share, "f")) for late in one.late_clients])


def _amount(value: Decimal) -> str:
    return format(as_kept(value), "f")


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")
