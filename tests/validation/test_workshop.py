"""A worker that hangs, explodes, aborts or lies costs itself and nothing else."""

import os
import pickle
import random
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import pytest
from mutants import mutant, origins
from samples import AS_OF, CII, INVOICE, JSON, UBL

from formats.errors import BadValue, FormatError, LimitExceeded
from formats.identifiers import is_siren
from validation import wire
from validation import workshop as workshop_module
from validation.explain import grouping
from validation.explain.catalogue import explained
from validation.findings import Outcome, Verdict
from validation.worker import HEADER, Worker
from validation.workshop import Poison, Workshop


class BadWorkshop(Workshop):
    command: ClassVar[tuple[str, ...]] = (sys.executable, "-P", str(Path(__file__).parent / "bad_jail.py"))

    def ask(self, document: bytes) -> object:
        return self._ask("inspect", document=document)

    def workers(self) -> set[int]:
        return {worker.process.pid for worker in self._all}

    def retire_after(self, jobs: int) -> None:
        for worker in self._all:
            worker.jobs = workshop_module.JOBS_PER_WORKER - jobs


@pytest.fixture(scope="module")
def bad() -> Iterator[BadWorkshop]:
    with BadWorkshop(1, seconds=8, memory_bytes=400 << 20) as workshop:
        assert workshop.ask(b"warm") == b"warm"
        yield workshop


@pytest.fixture
def bad_warm() -> Iterator[BadWorkshop]:
    with BadWorkshop(1, seconds=20, warm=True) as workshop:
        yield workshop


@pytest.fixture(scope="module")
def good() -> Iterator[Workshop]:
    with Workshop(1) as workshop:
        yield workshop


def test_time_is_limited_and_the_worker_replaced() -> None:
    with BadWorkshop(1, seconds=5) as workshop:
        workshop.ask(b"warm")
        before = workshop.workers()
        with pytest.raises(Poison, match="more than 5 s"):
            workshop.ask(b"hang")
        assert workshop.workers().isdisjoint(before)
        assert all(not Path(f"/proc/{pid}").exists() for pid in before)


def test_memory_is_limited(bad: BadWorkshop) -> None:
    with pytest.raises(Poison, match="bytes of memory"):
        bad.ask(b"memory")
    assert bad.ask(b"next") == b"next"


@pytest.mark.parametrize("document", [b"abort", b"bug", b"twice"])
def test_an_input_that_kills_two_workers_is_poison(bad: BadWorkshop, document: bytes) -> None:
    with pytest.raises(Poison, match="killed two workers"):
        bad.ask(document)
    assert bad.ask(b"next") == b"next"


def test_a_worker_that_dies_is_replaced_and_the_input_tried_once_more(bad: BadWorkshop) -> None:
    bad.ask(b"make it old")
    before = bad.workers()
    assert bad.ask(b"abort-if-old") == b"abort-if-old"
    assert bad.workers().isdisjoint(before)


def test_poison_becomes_a_verdict_of_error(bad: BadWorkshop) -> None:
    report = bad.inspect(b"abort", as_of=AS_OF).report
    assert report.verdict is Verdict.ERROR
    assert [f.rule for f in report.findings] == ["PAS-ENGINE-POISON"]
    assert "deux processus" in report.findings[0].message.fr
    assert explained(report.findings[0]) == report.findings[0]
    assert report.problems == grouping.problems(report.findings)
    assert [layer.outcome for layer in report.layers[1:]] == [Outcome.SKIPPED] * 5


def test_what_an_engine_prints_does_not_reach_the_answers(bad: BadWorkshop) -> None:
    assert bad.ask(b"noise") == b"noise"


def test_an_answer_is_unpickled_by_name_from_a_list(bad: BadWorkshop) -> None:
    with pytest.raises(pickle.UnpicklingError, match="not on the list"):
        bad.ask(b"evil")
    assert not Path("/tmp/owned-by-a-pickle").exists()
    assert bad.ask(b"next") == b"next"


def test_a_worker_has_no_environment_and_writes_no_file(bad: BadWorkshop, tmp_path: Path) -> None:
    os.environ["PASSERELLE_SECRET_OF_THE_TEST"] = "secret"
    names = bad.ask(b"environment")
    assert isinstance(names, tuple)
    assert set(names) <= {"LC_ALL", "LC_CTYPE", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH"}
    assert bad.ask(b"write:" + bytes(tmp_path / "file")) == "File too large"
    assert (tmp_path / "file").read_bytes() == b""


def test_many_threads_share_the_workers() -> None:
    with BadWorkshop(2) as workshop, ThreadPoolExecutor(8) as threads:
        documents = [f"{number}".encode() for number in range(60)]
        assert list(threads.map(workshop.ask, documents)) == documents
        assert len(workshop.workers()) == 2


def test_a_warm_workshop_has_a_process_in_reserve(bad_warm: BadWorkshop) -> None:
    """It takes the place of one that is killed, and another one is started behind it."""
    before = bad_warm.workers()
    assert len(before) == 2
    with pytest.raises(Poison):
        bad_warm.ask(b"abort")
    after = bad_warm.workers()
    assert len(after) == 2
    assert bad_warm.ask(b"which") in before | after


def test_a_retired_worker_is_followed_by_the_reserve(bad_warm: BadWorkshop) -> None:
    first = bad_warm.ask(b"which")
    (reserve,) = bad_warm.workers() - {first}
    bad_warm.retire_after(1)
    assert bad_warm.ask(b"which") == first
    assert bad_warm.ask(b"which") == reserve


def test_what_earlier_documents_left_in_memory_kills_no_later_one() -> None:
    """A worker that already holds much is over the limit sooner: the document gets a fresh one before it is refused."""
    with BadWorkshop(1, memory_bytes=300 << 20) as workshop:
        assert workshop.ask(b"keep:100") == b"keep:100"
        first = workshop.ask(b"which")
        assert workshop.ask(b"keep:150") == b"keep:150"
        assert workshop.ask(b"which") != first
        with pytest.raises(Poison, match="bytes of memory"):
            workshop.ask(b"keep:400")


def test_closing_ends_every_process() -> None:
    workshop = BadWorkshop(2)
    pids = workshop.workers()
    workshop.close()
    assert pids
    assert all(not Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_worker_that_was_started_before_is_the_first_and_ends_with_the_others() -> None:
    first = Worker(BadWorkshop.command, {})
    with BadWorkshop(2, first=first) as workshop:
        assert first.process.pid in workshop.workers()
        assert len(workshop.workers()) == 2
        assert workshop.ask(b"x") == b"x"
    assert first.process.poll() is not None
    first.kill()  # once more does no harm


def test_inspection(good: Workshop) -> None:
    for document in (UBL, CII, JSON):
        inspection = good.inspect(document, as_of=AS_OF)
        assert inspection.report.verdict is Verdict.VALID
        assert inspection.invoice is not None
        assert inspection.invoice.totals == INVOICE.totals
    only = good.inspect(UBL, as_of=AS_OF, layers=("en16931",), rules=("en16931-ubl",), max_findings=1)
    assert [layer.layer for layer in only.report.layers] == ["en16931"]
    assert good.inspect(UBL, as_of=date(2020, 1, 1)).report.verdict is Verdict.ERROR


def test_conversion_rendering_and_extraction(good: Workshop) -> None:
    made_at = datetime(2026, 11, 21, tzinfo=UTC)
    converted = good.convert(UBL, to="factur-x", made_at=made_at)
    assert converted.syntax == "factur-x"
    assert converted.document.startswith(b"%PDF")
    assert isinstance(converted.loss, dict)
    assert good.inspect(converted.document, as_of=AS_OF).report.verdict is Verdict.VALID
    assert b"CrossIndustryInvoice" in good.extract(converted.document)
    assert good.render(CII, lang="en").startswith(b"%PDF")


def test_errors_of_formats_come_back_as_themselves(good: Workshop) -> None:
    made_at = datetime(2026, 11, 21, tzinfo=UTC)
    with pytest.raises(BadValue) as caught:
        good.convert(CII.replace(b">100.00<", b">100,00<"), to="json", made_at=made_at)
    assert (caught.value.term, caught.value.text) == ("BT-106", "100,00")
    with pytest.raises(LimitExceeded):
        good.convert(b"<a>" * 300, to="cii", made_at=made_at)
    with pytest.raises(FormatError):
        good.extract(b"%PDF-1.4 nonsense")


def test_status_messages(good: Workshop) -> None:
    reading = good.read_status(b"<a/>", as_of=AS_OF)
    assert reading.message is None
    assert reading.report.verdict is Verdict.INVALID


def test_what_passes_the_wire_comes_out_equal() -> None:
    value = (INVOICE, Decimal("1.10"), date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), b"\x00", {"a": ("b", None)})
    assert wire.unpack_answer(wire.pack(value)[HEADER:]) == value
    assert is_siren(INVOICE.seller.siren or "")


def test_a_verdict_does_not_depend_on_what_ran_before(good: Workshop) -> None:
    """Each document alone in a fresh process, then all in one process in several orders: the same reports."""
    documents = [UBL, CII, JSON, b"<a/>", b"%PDF-", UBL.replace(b"120.00", b"1,00"), CII.replace(b">EUR<", b">EUX<"),
                 *(mutant(7, number, origins()).document for number in range(30))]

    def report(workshop: Workshop, document: bytes) -> object:
        made = workshop.inspect(document, as_of=AS_OF).report.to_json()
        del made["elapsed_ms"]
        for layer in made["layers"]:  # type: ignore[attr-defined] # a list of dictionaries
            del layer["duration_ms"]
        return made

    expected = [report(good, document) for document in documents]
    chance = random.Random(5)
    for _ in range(3):
        order = chance.sample(range(len(documents)), len(documents))
        assert [report(good, documents[index]) for index in order] == [expected[index] for index in order]
    for index in chance.sample(range(len(documents)), 2):
        with Workshop(1) as fresh:
            assert report(fresh, documents[index]) == expected[index]
