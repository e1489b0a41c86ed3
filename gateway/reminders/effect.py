"""What reminders cost and what came in after them, by channel; how long disputes last. Reads, and keeps the costs.

What one message costs is for a person to say: no cost is assumed. The costs in force are the last `channel-costs` that
the journal knows, whatever the day that is looked at.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session

from gateway.auth import Principal
from gateway.clock import day_in_france, midnight
from gateway.deps import Deps
from gateway.receivables import figures
from gateway.receivables.account import client_of
from gateway.record import Change, record
from gateway.reminders.decide import OPENS
from gateway.reminders.scenario import CHANNELS, THANKS
from gateway.tables import Event, Payment, Submission
from gateway.tables_reminders import Case, Decision

COSTS: Final = "channel-costs"
MAILERS: Final = frozenset({"spool", "smtp"})
"""Ways of the one channel mail, as decisions name them."""

AFTER_DAYS: Final = 30
"""Money counts for the last message before it, if that is not older than this."""

EURO: Final = "EUR"
NOTHING: Final = Decimal(0)
GONE_OUT: Final = (Decision.outcome == "sent", Decision.channel.is_not(None), Decision.stage != THANKS)
"""What narrows decisions to messages; thanks are no reminder."""


class CostsIn(BaseModel):
    """What one message of each channel costs, in euro; a channel that is left out has no known cost."""

    model_config = ConfigDict(extra="forbid")

    costs: dict[Annotated[str, Field(pattern=r"^[a-z-]{1,20}$")],
                Annotated[str, Field(pattern=r"^[0-9]{1,6}(\.[0-9]{1,4})?$")]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One channel in a period."""

    channel: str
    messages: int
    """One mail, letter or call about several invoices is one message."""

    unit_cost: Decimal | None
    """In euro; None: nobody said."""

    collected: Decimal
    """Euro that came in within AFTER_DAYS of a message of this channel, which was the last before the money."""

    @property
    def cost(self) -> Decimal | None:
        """Of all messages, in euro."""
        return None if self.unit_cost is None else self.unit_cost * self.messages

    @property
    def per_euro(self) -> Decimal | None:
        """Cost for each euro that came in."""
        return figures.cost_per_euro(self.cost, self.collected)


def disputes_on(session: Session, as_of: date) -> figures.DisputeFigures:
    """How old disputes are: invoices approved in part, disputed or suspended (206, 207, 208).

    From the day of the status, or of the case where no status is known, to the day on which the case was closed.
    """
    rows = session.execute(
        select(Case.id, Case.opened_at, Case.closed_at, Event.platform_at, Event.at).outerjoin(Event, and_(
            Event.tenant_id == Case.tenant_id, Event.submission_id == Case.submission_id, Event.kind == "lifecycle",
            Event.code == Case.kind)).where(Case.kind.in_(sorted(OPENS))))
    said: dict[tuple[str, date, date | None], list[date]] = defaultdict(list)
    for case_id, opened_at, closed_at, set_at, at in rows:
        case = case_id, day_in_france(opened_at), day_in_france(closed_at) if closed_at is not None else None
        said[case] += [] if at is None else [day_in_france(min(set_at or at, at))]
    return figures.dispute_figures([
        figures.Spell(max((day for day in days if day <= opened), default=opened), closed)
        for (_, opened, closed), days in said.items()], as_of)


def effects(session: Session, as_of: date, days: int) -> list[Effect]:
    """Every channel that has a cost, or that something went out by in the `days` days up to `as_of`."""
    first = as_of - timedelta(days=days - 1)
    sent, collected, costs = _sent(session, first, as_of), _collected(session, first, as_of), costs_of(session)
    order = [str(channel) for channel in CHANNELS]
    return [Effect(channel=channel, messages=sent[channel], unit_cost=costs.get(channel),
                   collected=collected.get(channel, NOTHING))
            for channel in sorted({*sent, *collected, *costs}, key=lambda one: (
                order.index(one) if one in order else len(order), one))]


def costs_of(session: Session) -> Mapping[str, Decimal]:
    """What a message costs by channel, as a person said last."""
    told = session.scalar(select(Event.data).where(Event.code == COSTS, Event.kind == "setting")
                          .order_by(Event.at.desc(), Event.position.desc()).limit(1))
    return {channel: Decimal(cost) for channel, cost in (told or {"costs": {}})["costs"].items()}


def set_costs(deps: Deps, principal: Principal, wanted: CostsIn) -> Mapping[str, Decimal]:
    """Keep what a message costs by channel; what was said before is over."""
    with deps.db.transaction(principal.tenant_id) as session:
        record(session, principal.tenant_id, Change(kind="setting", code=COSTS, actor=principal.actor,
                                                    data={"costs": wanted.costs}), now=deps.now())
    return {channel: Decimal(cost) for channel, cost in wanted.costs.items()}


def channel_name(channel: str) -> str:
    """The channel of a decision, whichever mailer delivered it."""
    return "mail" if channel in MAILERS else channel


def _sent(session: Session, first: date, last: date) -> Counter[str]:
    """The messages between two days by channel: one paper, or one call of a client, at one moment is one message."""
    mail = case((Decision.channel.in_(sorted(MAILERS)), "mail"), else_=Decision.channel)
    of_these = *GONE_OUT, *_between(first, last)
    papers = select(mail.label("channel"), Decision.at, Decision.sha256).where(
        *of_these, Decision.sha256.is_not(None)).distinct().subquery()
    found: Counter[str] = Counter()
    for channel, count in session.execute(select(papers.c.channel, func.count()).group_by(papers.c.channel)):
        found[channel] += count
    calls = session.execute(select(mail, Decision.at, Submission.buyer_siren, Submission.buyer_name).join(
        Submission, and_(Submission.tenant_id == Decision.tenant_id, Submission.id == Decision.submission_id)).where(
        *of_these, Decision.sha256.is_(None)).distinct())
    found.update(channel for channel, _, _ in {
        (channel, at, client_of(siren, name).key) for channel, at, siren, name in calls})
    return found


def _collected(session: Session, first: date, last: date) -> Mapping[str, Decimal]:
    """The euro of the period by the channel of the last message before them; what is taken back is taken off."""
    rows = session.execute(
        select(Payment.id, Payment.amount, Payment.paid_on, Decision.at, Decision.channel).join(Decision, and_(
            Decision.tenant_id == Payment.tenant_id, Decision.submission_id == Payment.submission_id)).where(
            Payment.currency == EURO, Payment.paid_on >= first, Payment.paid_on <= last, *GONE_OUT,
            *_between(first - timedelta(days=AFTER_DAYS), last)))
    began: dict[date, datetime] = {}
    before: dict[str, tuple[datetime, str, Decimal, date]] = {}
    for payment_id, amount, on, at, channel in rows:
        if on not in began:
            began[on] = midnight(on).astimezone(UTC)
        told = at, channel or ""
        if at < began[on] and (payment_id not in before or told > before[payment_id][:2]):
            before[payment_id] = *told, amount, on
    collected: dict[str, Decimal] = defaultdict(Decimal)
    for at, channel, amount, on in before.values():
        if (on - day_in_france(at)).days <= AFTER_DAYS:
            collected[channel_name(channel)] += amount
    return collected


def _between(first: date, last: date) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """What was decided between two French days, both included."""
    return Decision.at >= midnight(first), Decision.at < midnight(last + timedelta(days=1))
