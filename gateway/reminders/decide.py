"""Whether an invoice is reminded today, with which letter, and if not, why. Pure: facts and a date in, words out.

The state of an invoice is computed from its events, payments and holds each time: there are no counters that
could be wrong after an outage. Stages come one after the other, so that nobody gets a formal notice before a friendly
word: what an outage or a dispute delayed goes on from where it was, at the pace of the scenario.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from itertools import chain
from typing import Final

from gateway.reminders.facts import Facts, Sent, Status
from gateway.reminders.reasons import TRANSMISSION, amount_words, day_words, sentence
from gateway.reminders.scenario import COURTESY, SMS, THANKS, Scenario, Stage
from gateway.reminders.working import is_working, next_working, working_days_after

FINAL_STATUSES: Final = frozenset({"210", "213", "220"})
"""Refused by the buyer, rejected by a platform, cancelled: nothing is owed under this invoice any more."""

OPENS: Final = frozenset({"206", "207", "208"})
"""Partly approved, disputed, suspended: somebody must answer."""

APPROVED: Final = "205"
COMPLETED: Final = "209"
SUSPENDED: Final = "208"
FACTORED: Final = "225"
NOT_FACTORED: Final = "228"
PAYMENT_SENT: Final = "211"
CASHED: Final = "212"
SLACK_DAYS: Final = 4
"""A letter that waited over a weekend and a holiday does not push the whole ladder back."""

WRITTEN: Final = frozenset({"mail", SMS})
"""Ways by which the machine itself writes."""

KEPT_WORD: Final = frozenset({"promise", "plan"})
"""Holds that a full payment fulfils: they do not stand against thanks."""

_ATOM: Final = r"[!#$%&'*+\-/=?^_`{|}~0-9A-Za-z]+"
_LABEL: Final = r"[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?"
ADDRESS: Final = re.compile(rf"(?=.{{3,254}}\Z){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")
"""A mail address in plain ASCII (RFC 5321 without quoted forms): one, and nothing around it."""


class Outcome(StrEnum):
    """What becomes of the reminder on the day."""

    SENT = "sent"
    """A letter goes out; in a plan: would go out."""

    HELD = "held"
    """Not on this day; may change by itself."""

    SKIPPED = "skipped"
    """Nothing more comes, unless something new happens to the invoice."""


TO_CONFIRM: Final = "payment-to-confirm"
"""Held since money is there that a person has yet to confirm."""

QUIET: Final = frozenset({"not-yet", "waiting"})
"""Answers that are no decisions: nothing was due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer for one invoice and one day."""

    outcome: Outcome
    code: str
    """Stable word for programs; see reasons.py."""

    reason: str
    """For people, in French."""

    stage: str | None = None
    """The stage it is about; None where none is due."""

    tone: str | None = None
    """The letter, when one goes out."""

    channel: str = "mail"
    """By which way it goes; see scenario.py."""

    until: date | None = None
    """The first day on which the answer may change by itself; None: only an event can change it."""


def decide(facts: Facts, scenario: Scenario, today: date) -> Decision:
    """The decision for `today`, a date in France. The weightiest reason wins.

    Not checked: whether the mail server works and whether the address is the buyer's.
    """
    against = next(_reasons_against(facts, scenario, today), None)
    if against is not None:
        return against
    if facts.balance <= 0:
        return Decision(outcome=Outcome.SENT, code="thanks", reason=sentence("thanks"), stage=THANKS, tone=THANKS,
                        channel=way_of(facts, "mail"))
    stage = next_stage(facts, scenario, today)
    if stage is None:
        raise AssertionError("without a stage there is a reason against")
    text = sentence("due", on=day_of(facts, stage), balance=(facts.balance, facts.currency))
    return Decision(outcome=Outcome.SENT, code="due", reason=text, stage=stage.key, tone=stage.tone,
                    channel=way_of(facts, stage.channel))


def way_of(facts: Facts, channel: str) -> str:
    """By which way a stage goes: what is a mail goes by SMS to a client who prefers it."""
    return SMS if channel == "mail" and facts.by_sms else channel


def recipient_of(facts: Facts) -> str | None:
    """The mail address or the number that mails of a scenario go to."""
    return facts.phone if way_of(facts, "mail") == SMS else facts.email


def plan(facts: Facts, scenario: Scenario, today: date, days: int) -> Iterator[tuple[date, Decision]]:
    """What goes out from `today` on, for `days` days, if nothing else happens to the invoice."""
    day: date | None = today
    while day is not None and (day - today).days < days:
        decision = decide(facts, scenario, day)
        if decision.outcome is Outcome.SENT:
            yield day, decision
            facts = after_sending(facts, scenario, decision, day)
            day += timedelta(days=1)
        else:
            day = decision.until


def after_sending(facts: Facts, scenario: Scenario, decision: Decision, day: date) -> Facts:
    """The facts once the letter of `decision` went out on `day`."""
    sent = Sent(stage=decision.stage or "", offset=offset_of(scenario, decision.stage), on=day)
    return replace(facts, sent=(*facts.sent, sent))


def stop_of(facts: Facts, scenario: Scenario, today: date) -> Decision | None:
    """What stands on a day against asking for an invoice at all, whatever the stage; None where nothing does."""
    return next(chain(_never(facts), _stopped(facts, None), _waiting_for_people(facts, scenario, today, None)), None)


def offset_of(scenario: Scenario, key: str | None) -> int | None:
    """Days from the due date of a stage; None for thanks."""
    return next((stage.offset for stage in scenario.stages if stage.key == key), None)


def _reasons_against(facts: Facts, scenario: Scenario, today: date) -> Iterator[Decision]:
    yield from _never(facts)
    if facts.balance <= 0:
        yield from _against_thanks(facts, scenario, today)
        yield from _against_mail(facts, scenario, today, THANKS, way_of(facts, "mail"))
        return
    stage = next_stage(facts, scenario, today)
    key = stage.key if stage is not None and today >= day_of(facts, stage) else None
    yield from _stopped(facts, key)
    yield from _waiting_for_people(facts, scenario, today, key)
    yield from _against_stage(facts, scenario, stage, today)
    yield from _too_close(facts, scenario, today, key)
    if stage is not None:
        yield from _unapproved(facts, scenario, stage)
        yield from _against_mail(facts, scenario, today, stage.key, way_of(facts, stage.channel))


def _never(facts: Facts) -> Iterator[Decision]:
    """What ends reminders of this invoice for good."""
    if facts.credit_note:
        yield _skipped("credit-note")
    if facts.already_paid or facts.due <= 0:
        yield _skipped("nothing-due")
    for status in facts.statuses:
        if status.code in FINAL_STATUSES:
            yield _skipped(f"status-{status.code}", on=status.on)
    if facts.transmission == "refused":
        yield _skipped("refused-by-us")
    if facts.corrected_by is not None:
        yield _skipped("corrected", number=facts.corrected_by)
    if not facts.active:
        yield _skipped("replaced")


def _against_thanks(facts: Facts, scenario: Scenario, today: date) -> Iterator[Decision]:
    """Thanks are due once, for money, soon after it came, where nothing is open between the two."""
    if facts.paid <= 0 or facts.paid_known_on is None:
        yield _skipped("credited")
    elif scenario.thanks_days is None or (today - facts.paid_known_on).days > scenario.thanks_days:
        yield _skipped("paid")
    if any(sent.stage == THANKS for sent in facts.sent) or next(_stopped(facts, None), None):
        yield _skipped("paid")
    if any(wait.covers(today) for wait in facts.waits if wait.kind not in KEPT_WORD):
        yield _skipped("paid")


def _stopped(facts: Facts, key: str | None) -> Iterator[Decision]:
    """A status that waits for an answer; a factored invoice is chased by the factor."""
    for status in reversed(open_questions(facts)):
        yield _held(f"status-{status.code}", stage=key, on=status.on)
    factoring = [status for status in facts.statuses if status.code in {FACTORED, NOT_FACTORED}]
    if factoring and factoring[-1].code == FACTORED:
        yield _held(f"status-{FACTORED}", stage=key, on=factoring[-1].on)


def open_questions(facts: Facts) -> tuple[Status, ...]:
    """What nobody answered. An approval answers all; a completion the suspension, or what else is open."""
    questions: tuple[Status, ...] = ()
    for status in facts.statuses:
        if status.code in OPENS:
            questions = (*(known for known in questions if known.code != status.code), status)
        elif status.code == APPROVED:
            questions = ()
        elif status.code == COMPLETED:
            suspended = any(known.code == SUSPENDED for known in questions)
            questions = tuple(known for known in questions if known.code != SUSPENDED) if suspended else ()
    return questions


def _waiting_for_people(facts: Facts, scenario: Scenario, today: date, key: str | None) -> Iterator[Decision]:
    """Holds, an announced payment, and money of which we do not know enough."""
    for wait in facts.waits:
        if wait.covers(today):
            until_text = "" if wait.until is None else f" jusqu'au {day_words(wait.until)}"
            yield _held(f"hold-{wait.kind}", stage=key, until=_day_after(wait.until), text=wait.reason,
                        until_text=until_text)
    announced = _last(facts, PAYMENT_SENT)
    if announced is not None:
        last_day = working_days_after(announced.on, scenario.pause_days, facts.region or scenario.region)
        if today <= last_day:
            yield _held("payment-announced", stage=key, until=_day_after(last_day), on=announced.on, last_day=last_day)
    cashed = _last(facts, CASHED)
    if cashed is not None and (facts.paid == 0 if facts.unrecorded is None else facts.unrecorded):
        yield _held("cashed-unrecorded", stage=key, on=cashed.on)
    if (money := facts.pending) is not None:
        yield _held(TO_CONFIRM, stage=key, on=money.on, amount=(money.amount, money.currency),
                    number=money.number, on_en=day_words(money.on, "en"),
                    amount_en=amount_words(money.amount, money.currency, "en"))
    if facts.shared_credit is not None:
        yield _held("shared-credit", stage=key, number=facts.shared_credit)
    if facts.paid_before is not None:
        yield _held("paid-before", stage=key, number=facts.paid_before)


def _against_stage(facts: Facts, scenario: Scenario, stage: Stage | None, today: date) -> Iterator[Decision]:
    """Nothing is due on this day, or nothing ever again."""
    if facts.due_date is None:
        yield _skipped("no-due-date")
    elif stage is None:
        yield _skipped("finished")
    elif today < day_of(facts, stage):
        begun = any(sent.offset is not None for sent in facts.sent) or today >= _calendar(facts, scenario.stages[0])
        yield _held("waiting" if begun else "not-yet", until=day_of(facts, stage))
    elif facts.balance < scenario.smallest:
        yield _skipped("small-balance", balance=(facts.balance, facts.currency))


def _unapproved(facts: Facts, scenario: Scenario, stage: Stage) -> Iterator[Decision]:
    """A stage that wants a person's word and has none yet; one that was refused is over (`_is_over`)."""
    large = scenario.largest is not None and facts.balance >= scenario.largest
    wanted = stage.needs_person or (stage.offset > 0 and (large or facts.watched))
    granted = any(one.stage == stage.key and one.granted and facts.balance <= one.balance for one in facts.approvals)
    if wanted and not granted:
        why = "large" if large else "watched" if facts.watched and not stage.needs_person else "stage"
        yield _held(f"approval-{why}", stage=stage.key, balance=(facts.balance, facts.currency))


def _too_close(facts: Facts, scenario: Scenario, today: date, key: str | None) -> Iterator[Decision]:
    """After an outage two stages may come within days: the later one waits a little."""
    if facts.sent:
        free = max(sent.on for sent in facts.sent) + timedelta(days=scenario.gap_days)
        if today < free:
            yield _held("too-close", stage=key, until=free, gap=scenario.gap_days)


def _against_mail(facts: Facts, scenario: Scenario, today: date, key: str, way: str) -> Iterator[Decision]:
    """What stands against any letter, thanks included; what is no mail needs no address."""
    if facts.transmission != "deposited":
        words = TRANSMISSION.get(facts.transmission, facts.transmission)
        yield _held("not-deposited", stage=key, transmission=words)
    if not facts.entity_enabled:
        yield _held("entity-off", stage=key)
    if way == "mail":
        yield from _against_address(facts, key)
    elif way == SMS:
        yield from _against_number(facts, key)
    region = facts.region or scenario.region
    if scenario.working_days_only and not is_working(today, region):
        yield _held("closed-day", stage=key, until=next_working(today, region))


def _against_address(facts: Facts, key: str | None) -> Iterator[Decision]:
    if facts.email is None or not facts.email.strip():
        yield _held("no-address", stage=key)
    elif not ADDRESS.fullmatch(facts.email):
        yield _held("bad-address", stage=key, email=facts.email)
    elif facts.email in facts.refused_addresses:
        yield _held("refused-address", stage=key, email=facts.email)


def _against_number(facts: Facts, key: str) -> Iterator[Decision]:
    if facts.phone is None:
        yield _held("no-phone", stage=key)
    elif facts.phone in facts.refused_addresses:
        yield _held("refused-phone", stage=key, phone=facts.phone)
    elif not facts.texting:
        yield _held("no-texting", stage=key)


def next_stage(facts: Facts, scenario: Scenario, today: date) -> Stage | None:
    """The first stage that has not had its turn; None after the last one or without a due date.

    A courtesy around the due date is passed over once the day of the following stage has come.
    """
    if facts.due_date is None:
        return None
    for stage, following in zip(scenario.stages, [*scenario.stages[1:], None], strict=True):
        too_late = stage.tone in COURTESY and following is not None and today >= _calendar(facts, following)
        if not too_late and not _is_over(facts, stage):
            return stage
    return None


def passed_over(facts: Facts, scenario: Scenario, key: str) -> list[str]:
    """The earlier stages of a stage that never went out, in their order."""
    keys = [stage.key for stage in scenario.stages]
    done = {sent.stage for sent in facts.sent}
    return [earlier for earlier in keys[:keys.index(key)] if earlier not in done] if key in keys else []


def day_of(facts: Facts, stage: Stage) -> date:
    """The day of a stage: that of the calendar, or later where the one before went out late."""
    day = _calendar(facts, stage)
    before = max((sent for sent in facts.sent if sent.offset is not None), key=lambda sent: sent.offset or 0,
                 default=None)
    if before is None or before.offset is None or before.offset < 0:
        return day
    pace = stage.offset - before.offset - SLACK_DAYS
    return max(day, before.on + timedelta(days=max(pace, 0)))


def _is_over(facts: Facts, stage: Stage) -> bool:
    """Whether a stage has had its turn: it or a later one went out, a person refused it, or it came too late.

    Whoever gets an invoice today must not get a word about its due date within the hour.
    """
    if any(sent.stage == stage.key or (sent.offset is not None and sent.offset >= stage.offset) for sent in facts.sent):
        return True
    if any(one.stage == stage.key and not one.granted for one in facts.approvals):
        return True
    return stage.tone in COURTESY and facts.received_on >= _calendar(facts, stage)


def _calendar(facts: Facts, stage: Stage) -> date:
    """The day of a stage by the due date alone, of an invoice that has one. What no calendar has is its end."""
    if facts.due_date is None:
        raise AssertionError("a stage has a day only with a due date")
    try:
        return facts.due_date + timedelta(days=stage.offset)
    except OverflowError:  # programs write 9999-12-31 and 0001-01-01 for days that they do not know
        return date.max if stage.offset > 0 else date.min


def _last(facts: Facts, code: str) -> Status | None:
    return next((status for status in reversed(facts.statuses) if status.code == code), None)


def _day_after(day: date | None) -> date | None:
    """None after the end of the calendar, which people write for a hold without end."""
    return None if day is None or day == date.max else day + timedelta(days=1)


def _skipped(code: str, **values: object) -> Decision:
    return Decision(outcome=Outcome.SKIPPED, code=code, reason=sentence(code, **values))


def _held(code: str, *, stage: str | None = None, until: date | None = None, **values: object) -> Decision:
    return Decision(outcome=Outcome.HELD, code=code, stage=stage, until=until,
                    reason=sentence(code, until=until, **values))
