"""Random lives of an invoice, with crashes: whatever happens, no letter too many and none lost."""

import random
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from gateway.outbox import Park, RetryLater
from gateway.reminders import service
from gateway.reminders.scenario import DEFAULT, THANKS
from gateway.reminders.working import is_working

if TYPE_CHECKING:
    from tests.gateway.reminders.conftest import Play


class Crash(BaseException):
    """The process ends here."""


class Life:
    """What the test knows by itself, without the code under test."""

    def __init__(self, play: "Play", dice: random.Random) -> None:
        self.play, self.dice = play, dice
        self.paid, self.open = Decimal(0), False
        self.ended = False
        self.seen: list[str] = []

    def step(self) -> None:
        """Something happens, or time passes."""
        match self.dice.choices(["time", "pay", "reverse", "ask", "answer", "end"], [12, 2, 1, 2, 2, 0.4])[0]:
            case "time":
                self.play.clock.forward(hours=self.dice.choice([1, 5, 13, 26, 100]))
            case "pay":
                self.money(self.dice.choice(["300.00", "1200.00"]))
            case "reverse" if self.paid > 0:
                self.money(f"-{self.paid}")
            case "ask" if not self.ended:
                self.play.status(self.dice.choice(["207", "208"]))
                self.open = True
            case "answer" if not self.ended:
                self.play.status("205")
                self.open = False
            case "end":
                self.play.status("210")
                self.ended = True

    def money(self, amount: str) -> None:
        self.play.pay(amount)
        self.paid += Decimal(amount)

    def run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One run of the worker, which may die before or after the mail is delivered."""
        really = service.deliver
        when = self.dice.choices(["never", "before", "after"], [6, 1, 1])[0]

        def deliver(*given: Any, **named: Any) -> None:
            if when == "before":
                raise Crash
            really(*given, **named)
            if when == "after":
                raise Crash

        with monkeypatch.context() as patch:
            patch.setattr(service, "deliver", deliver)
            try:
                self.play.remind()
            except (Crash, RetryLater, Park):
                self.play.clock.forward(minutes=self.dice.choice([1, 10]))

    def check(self) -> None:
        """Look at the letters that are new."""
        stages = [mail["Message-ID"] for mail in self.play.mails()]
        new = [stage for stage in stages if stage not in self.seen]
        assert len(new) <= 1
        assert len(stages) == len(set(stages))
        for mail in self.play.mails():
            if mail["Message-ID"] in new:
                assert not self.open
                assert not self.ended
                assert is_working(mail["Date"].datetime.date())
                assert 8 <= mail["Date"].datetime.hour < 19
                assert mail["Subject"].startswith("Merci") == (self.paid >= 1200)
        self.seen += new


@pytest.mark.parametrize("seed", range(6))
def test_a_random_life(play: "Play", seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    life = Life(play, random.Random(seed))
    play.on("2026-03-05")
    for _ in range(40):
        life.step()
        life.run(monkeypatch)
        life.check()
    play.clock.forward(minutes=10)
    play.remind()
    life.check()
    told = play.told()
    sent = [stage for outcome, _, stage in told if outcome == "sent"]
    assert len(sent) == len(life.seen), "every letter in the spool is told as sent, and no other"
    assert not [row for row in told if row[0] in {"sending", "unknown"}]
    order = [stage.key for stage in DEFAULT.stages]
    rising = [order.index(stage) for stage in sent if stage != THANKS]
    assert rising == sorted(set(rising))
    assert sent.count(THANKS) <= 1
    days = sorted(mail["Date"].datetime for mail in play.mails() if not mail["Subject"].startswith("Merci"))
    assert all(later.date() - earlier.date() >= timedelta(days=DEFAULT.gap_days)
               for earlier, later in pairwise(days))
