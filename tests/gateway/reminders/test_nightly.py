"""The regular turn over many invoices: some hundred decisions are written at once, each with all that belongs to it."""

import json
from typing import TYPE_CHECKING

import pytest
from reminder_cases import cases_of_kind
from sqlalchemy import event as sql_event
from sqlalchemy import select

from archive.journal import check
from gateway.evidence import saying
from gateway.evidence.ledger import LogRows, current_log
from gateway.reminders import keeping
from gateway.reminders.nightly import decide_all
from gateway.tables import Event
from gateway.tables_care import EventWord

if TYPE_CHECKING:
    from tests.gateway.reminders.conftest import Play


def disputed(play: "Play", count: int, prefix: str = "FA") -> None:
    """So many invoices that the buyer disputed."""
    for number in range(count):
        play.invoice = play.another(f"{prefix}-{number}", "2026-03-13", "50.00")
        play.status("207")
    play.on("2026-03-23")


def night(play: "Play") -> list[str]:
    """The statements of a turn that write."""
    statements: list[str] = []
    listening = (play.deps.db.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    sql_event.listen(*listening)
    decide_all(play.deps, play.invoice.tenant_id)
    sql_event.remove(*listening)
    return [one for one in statements if one.startswith(("INSERT", "UPDATE"))]


def test_many_decisions_are_written_by_few_statements(play: "Play") -> None:
    disputed(play, 3)
    few = night(play)
    play.on("2026-02-11")
    disputed(play, 40, "FB")
    assert len(night(play)) <= len(few)
    assert len(cases_of_kind(play, "207")) == 43


@pytest.mark.parametrize("at_once", [1, 3, 200])
def test_each_has_its_record_event_words_and_proof(
    play: "Play", at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "AT_ONCE", at_once)
    disputed(play, 7)
    tenant_id = play.invoice.tenant_id
    night(play)
    assert len(cases_of_kind(play, "207")) == 7
    assert play.told() == [("held", "status-207", "friendly")]
    with play.deps.db.reading(tenant_id) as session:
        events = session.scalars(select(Event).where(Event.kind == "reminder").order_by(Event.position)).all()
        assert [one.code for one in events].count("held") == 7
        assert [one.code for one in events].count("case-opened") == 7
        rows = LogRows(session, tenant_id, current_log(session, tenant_id, play.deps.now()))
        lines = [json.loads(row.line) for row in rows.all()]
        told = {line["cause"]: line for line in lines}
        for one in events:
            key = saying.key_of(session, tenant_id, one.submission_id or "")
            assert told[one.id]["said"] == saying.mac(key or b"", saying.text_of(one))
            assert session.scalar(select(EventWord.word).where(EventWord.position == one.position).limit(1))
        assert check(rows.all())[0] == len(lines)
