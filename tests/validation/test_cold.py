"""A cold jail with a process beside it says what any jail says, and both end together."""

import os
import select
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from samples import AS_OF, CII, UBL

from schematron import supply
from validation.cold import guessed
from validation.findings import Report
from validation.worker import COLD, Worker, resident_bytes
from validation.workshop import Workshop

TWO_PROCESSORS = len(os.sched_getaffinity(0)) > 1
needs_two = pytest.mark.skipif(not TWO_PROCESSORS, reason="one processor: nothing runs beside a cold jail")
NOTHING_ASKED: dict[str, tuple[str, ...]] = {"rules": (), "layers": ()}


@pytest.fixture(scope="module")
def plain() -> Iterator[Workshop]:
    with Workshop(1) as workshop:
        yield workshop


def said(report: Report) -> Report:
    """All but the times."""
    layers = tuple(replace(layer, duration_ms=0.0) for layer in report.layers)
    return replace(report, layers=layers, elapsed_ms=0.0)


def beside(worker: Worker) -> list[int]:
    pid = worker.process.pid
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


@needs_two
def test_a_cold_jail_says_what_another_says_also_when_it_is_left_alone(plain: Workshop) -> None:
    wrong = UBL.replace(b"<cbc:ID>", b"<cbc:ID>\xc3\xa9 ", 1).replace(b">EUR<", b">EU<")
    documents = (UBL, wrong, UBL.replace(b":Invoice-2", b":Nothing-2"))
    with Workshop(1, first=Worker(COLD, {})) as cold:
        (worker,) = cold._all
        first = [said(cold.judge(each, as_of=AS_OF)) for each in documents]
        (pid,) = beside(worker)
        assert worker.memory() > resident_bytes(worker.process.pid) + (10 << 20)
        os.kill(pid, signal.SIGKILL)
        again = [said(cold.judge(each, as_of=AS_OF)) for each in documents]
        assert cold._all == {worker}
    expected = [said(plain.inspect(each, as_of=AS_OF).report) for each in documents]
    assert [report.verdict.value for report in expected] == ["valid", "invalid", "invalid"]
    assert first == expected
    assert again == expected


@needs_two
def test_who_ends_a_cold_jail_ends_what_works_beside_it() -> None:
    worker = Worker(COLD, {})
    with Workshop(1, first=worker) as cold:
        cold.inspect(UBL.replace(b"</cbc:ID>", b"</cbc:XX>", 1), as_of=AS_OF)
        ended = os.pidfd_open(beside(worker)[0])
    assert select.select([ended], [], [], 10)[0]
    os.close(ended)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (UBL, "en16931-ubl"),
        (CII, "facturx-en16931"),
        (UBL.replace(b"urn:cen.eu:en16931:2017", b"urn:x:extended-ctc-fr", 1), None),
        (b"<a/>", None),
        (b"", None),
    ],
)
def test_what_is_guessed(document: bytes, expected: str | None) -> None:
    key = guessed(document, AS_OF, **NOTHING_ASKED)
    assert key == (supply.get_rule_set(expected).key if expected else None)


def test_nothing_is_guessed_where_rules_or_layers_are_named() -> None:
    assert guessed(UBL, AS_OF, rules=("en16931-ubl",), layers=()) is None
    assert guessed(UBL, AS_OF, rules=(), layers=("xsd",)) is None
