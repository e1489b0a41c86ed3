"""A platform that is away is left alone, one request tries whether it is back, and nobody overtakes `Retry-After`."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.circuits import DIRECTORY, FLOWS, admit, failed, succeeded
from gateway.deps import Deps
from gateway.platforms.circuit import LONGEST_ASKED, LONGEST_PAUSE, TRIPS_AFTER, Circuit, after_failure, is_open

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@given(st.integers(0, 200), st.one_of(st.none(), st.floats(0, 1e300)))
def test_pauses_are_bounded_and_a_wish_is_never_cut_short(failures: int, asked: float | None) -> None:
    after = after_failure(Circuit(failures), NOW, asked)
    pause = (after.open_until or NOW) - NOW
    assert after.failures == failures + 1
    assert pause <= max(LONGEST_PAUSE, min(timedelta(seconds=min(asked or 0, 1e6)), LONGEST_ASKED))
    assert is_open(after, NOW) is (pause > timedelta(0))
    if failures + 1 < TRIPS_AFTER and not asked:
        assert not is_open(after, NOW)


def test_five_failures_open_it_and_one_success_closes_it(deps: Deps, connection, clock) -> None:
    for _ in range(TRIPS_AFTER):
        assert admit(deps, connection, FLOWS) is None
        failed(deps, connection, FLOWS, "ANSWER_LOST: x")
    until = admit(deps, connection, FLOWS)
    assert until == clock.now + timedelta(seconds=30)
    assert admit(deps, connection, DIRECTORY) is None  # the other service is another matter
    clock.forward(seconds=30)
    assert admit(deps, connection, FLOWS) is None
    assert admit(deps, connection, FLOWS) is not None  # one tries, the others wait
    succeeded(deps, connection, FLOWS)
    assert admit(deps, connection, FLOWS) is None
    assert admit(deps, connection, FLOWS) is None


def test_of_many_callers_one_tries(deps: Deps, connection, clock) -> None:
    for _ in range(TRIPS_AFTER):
        failed(deps, connection, FLOWS, "x")
    clock.forward(minutes=1)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: admit(deps, connection, FLOWS), range(8)))
    assert answers.count(None) == 1


def test_a_probe_that_dies_holds_nobody_up_for_long(deps: Deps, connection, clock) -> None:
    for _ in range(TRIPS_AFTER):
        failed(deps, connection, FLOWS, "x")
    clock.forward(minutes=1)
    assert admit(deps, connection, FLOWS) is None  # and nothing is heard of it again
    clock.forward(minutes=1)
    assert admit(deps, connection, FLOWS) is None


def test_retry_after_holds_for_the_whole_connection(deps: Deps, connection, clock) -> None:
    failed(deps, connection, FLOWS, "TOO_MANY_REQUESTS: x", retry_after_s=600)
    assert admit(deps, connection, FLOWS) == clock.now + timedelta(minutes=10)
    clock.forward(minutes=10)
    assert [admit(deps, connection, FLOWS) for _ in range(3)] == [None] * 3
