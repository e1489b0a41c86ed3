"""A key acts once, also when requests are slow, fail, or are taken over (the HTTP side is in outgoing/test_submit)."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.deps import Deps
from gateway.idempotency import Answer, fingerprint_of, forget_unfinished, once, remember
from gateway.problems import Problem
from gateway.tables import Tenant


def answer_once(deps: Deps, tenant: str, act: Callable[[], Answer]) -> Answer:
    return once(deps, tenant, "k", fingerprint_of(b"x"), act)


def test_a_request_that_was_taken_over_has_no_effect(deps: Deps, tenant: str, clock) -> None:
    """The first is slow, not dead; the second takes over after a minute and takes effect first."""
    effects: list[str] = []

    def effect(name: str) -> Answer:
        with deps.db.transaction(tenant) as session:
            answer = 201, {"by": name}
            remember(session, tenant, "k", answer)
            effects.append(name)
        return answer

    def slow() -> Answer:
        clock.forward(seconds=61)
        assert answer_once(deps, tenant, lambda: effect("second")) == (201, {"by": "second"})
        return effect("first")

    assert answer_once(deps, tenant, slow) == (201, {"by": "second"})
    assert effects == ["second"]
    assert answer_once(deps, tenant, lambda: effect("third")) == (201, {"by": "second"})


def test_a_failure_frees_no_key_that_another_request_took_over(deps: Deps, tenant: str, clock) -> None:
    """The first fails while the second, which took over, still runs: the key stays the second's."""
    began, may_end = threading.Event(), threading.Event()

    def second() -> Answer:
        began.set()
        assert may_end.wait(20)
        with deps.db.transaction(tenant) as session:
            remember(session, tenant, "k", (201, {}))
        return 201, {}

    with ThreadPoolExecutor(1) as pool:
        running = []

        def first() -> Answer:
            clock.forward(seconds=61)
            running.append(pool.submit(answer_once, deps, tenant, second))
            assert began.wait(20)
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            answer_once(deps, tenant, first)
        with pytest.raises(Problem) as refused:
            answer_once(deps, tenant, second)
        assert refused.value.code == "idempotency-in-progress"
        may_end.set()
        assert running[0].result() == (201, {})
    assert answer_once(deps, tenant, second) == (201, {})


def test_what_lost_its_key_has_no_effect(deps: Deps, tenant: str) -> None:
    def act() -> Answer:
        forget_unfinished(deps)  # as a second service on the same database would at its start
        with deps.db.transaction(tenant) as session:
            session.get_one(Tenant, tenant).name = "changed"
            remember(session, tenant, "k", (201, {}))
        return 201, {}

    with pytest.raises(Problem) as refused:
        answer_once(deps, tenant, act)
    assert refused.value.code == "idempotency-in-progress"
    with deps.db.reading(tenant) as session:
        assert session.get_one(Tenant, tenant).name != "changed"


def test_a_failed_request_may_be_repeated(deps: Deps, tenant: str) -> None:
    def fail() -> Answer:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        answer_once(deps, tenant, fail)

    def act() -> Answer:
        with deps.db.transaction(tenant) as session:
            remember(session, tenant, "k", (201, {}))
        return 201, {}

    assert answer_once(deps, tenant, act) == (201, {})
