"""Any order, repetition and interleaving of statuses ends the same: a machine over events, and whole deliveries."""

import random
import sys
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, rule

from gateway.deps import Deps
from gateway.lifecycle.derive import derive
from gateway.lifecycle.guard import BUYER, DEPOSITED, OTHER, PLATFORM, SELLER
from gateway.lifecycle.history import heard, objections_of, read_events
from gateway.tables import Event

sys.path.insert(0, str(Path(__file__).parent))

from stories import CODES, START, TOTAL, Remembering, play

SAMPLE = range(20261122, 20261122 + 15)
"""The seeds of the sample; the campaign goes on from here."""


class Lifecycles(RuleBasedStateMachine):
    """Two invoices hear statuses in whatever order, some twice, some refused afterwards by the platform."""

    told = Bundle("told")

    def __init__(self) -> None:
        super().__init__()
        self.events: list[list[Event]] = [[], []]
        self.count = 0

    @rule(target=told, invoice=st.integers(0, 1), code=st.sampled_from(CODES), minute=st.integers(0, 6),
          by=st.sampled_from([PLATFORM, PLATFORM, BUYER, SELLER, OTHER]),
          amount=st.none() | st.sampled_from([Decimal(40), Decimal(120), Decimal(-40)]), own=st.booleans())
    def tell(self, *, invoice: int, code: str, minute: int, by: str, amount: Decimal | None,
             own: bool) -> tuple[int, Event]:
        """Something new is said, possibly about a time long past."""
        self.count += 1
        data = {"message": f"m{self.count}", "flow_id": f"f{self.count}", "own": own and by == SELLER}
        if code == "212" and amount is not None:
            data["details"] = [{"amounts": [{"type": "MEN", "amount": str(amount)}]}]
        event = Event(id=f"e{self.count}", position=self.count, kind="lifecycle", code=code, actor=by, data=data,
                      at=START + timedelta(days=1), platform_at=START + timedelta(minutes=minute))
        self.events[invoice].append(event)
        return invoice, event

    @rule(said=told)
    def repeat(self, said: tuple[int, Event]) -> None:
        """Something is said once more."""
        invoice, event = said
        self.events[invoice].append(event)

    @rule(said=told)
    def refuse(self, said: tuple[int, Event]) -> None:
        """The platform refuses the flow in its acknowledgement: only a status of our own falls with it."""
        invoice, event = said
        self.count += 1
        self.events[invoice].append(Event(
            id=f"r{self.count}", position=self.count, kind="transmission", code="status-refused", actor=PLATFORM,
            at=START, platform_at=START, data={"flow_id": event.data["flow_id"]}))

    def teardown(self) -> None:
        """The end of a sequence is what is compared; every beginning of it is a sequence of its own."""
        self.every_order_ends_the_same()
        self.nothing_is_lost_and_the_guard_holds()

    def every_order_ends_the_same(self) -> None:
        """Forwards, backwards, shuffled and doubled."""
        for events in self.events:
            state = derive(read_events(events), TOTAL)
            shuffled = [*events, *events]
            random.Random(len(events)).shuffle(shuffled)
            for order in (events[::-1], shuffled, list(dict.fromkeys(events))):
                assert derive(read_events(order), TOTAL) == state
                assert objections_of(order, TOTAL) == objections_of(events, TOTAL)

    def nothing_is_lost_and_the_guard_holds(self) -> None:
        """What is said counts or has its objection; the end, the money and the rejection are those of the guard."""
        for events in self.events:
            statuses = {status for _, status in heard(events)}
            state = derive(statuses, TOTAL)
            against = {status for status, _ in state.anomalies}
            counted = statuses - against
            assert state.counted == {status.code for status in counted}
            assert state.cashed == sum((s.amount or 0 for s in counted if s.code == "212"), Decimal(0))
            assert state.cashed >= 0
            assert not state.cashed or state.counted & DEPOSITED
            if any(s.code == "213" and s.by == PLATFORM for s in statuses):
                assert state.code == state.ended == "213"


Lifecycles.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestLifecycles = Lifecycles.TestCase


def test_deliveries_in_any_order_end_as_the_story_does(deps: Deps) -> None:
    deps = replace(deps, workshop=Remembering(deps.workshop))  # type: ignore[arg-type]  # only read_status is asked
    for seed in SAMPLE:
        ended, wanted, _ = play(deps, seed)
        assert ended == wanted, f"seed {seed}"
