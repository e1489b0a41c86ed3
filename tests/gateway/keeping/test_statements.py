"""Statements of the bank are kept like accounting records, and go with what their movements said of people."""

import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

sys.path.insert(0, str(Path(__file__).parents[1] / "bank"))

from statements import paid, statement

from archive.errors import ObjectMissing
from archive.store import Digest
from gateway.auth import Permission, Principal
from gateway.bank.deciding import allocate
from gateway.bank.files import take_in
from gateway.bank.proposals import movements
from gateway.bank.schemas import AllocationIn, BankFileOut
from gateway.deps import Deps
from gateway.keeping import destruction, holds, retention
from gateway.problems import Problem
from gateway.tables import Event, OutboxEntry, Submission
from gateway.tables_care import Alarm
from gateway.tables_receivables import BankFile, BankMovement, LedgerLine, LedgerSpell
from gateway.tables_retention import Destruction

FIRST, SECOND, WHY = "user:first", "user:second", "au terme des dix ans"
DOCUMENT = statement(paid("120.00", "Mme Canari règle F-2026-001", name="Zoé Canari"),
                     paid("5.00", "Canari", name="Zoé Canari"))


def told(deps: Deps, tenant: str, invoice: Submission, name: str = "canari.xml") -> BankFileOut:
    """The statement, one of its movements allocated."""
    who = Principal(tenant_id=tenant, actor=FIRST, name="", permissions=frozenset(Permission))
    made = take_in(deps, who, DOCUMENT, name)
    [movement] = [one for one in movements(deps, tenant).items if one.amount == "120.00"]
    allocate(deps, who, movement.id, AllocationIn.model_validate(
        {"parts": [{"invoice_id": invoice.id, "amount": "120.00"}]}), "k")
    with deps.db.transaction(tenant) as session:
        session.execute(delete(OutboxEntry))  # letters and statuses of another year would lengthen the retention
    return made


def code_of(deps: Deps, tenant: str, *subjects: str) -> str:
    with pytest.raises(Problem) as caught:
        destruction.propose(deps, tenant, FIRST, subjects, WHY)
    return caught.value.code


@pytest.mark.parametrize("name", ["canari.xml", ""])
def test_a_statement_goes_after_its_time_with_its_words(
    deps: Deps, tenant: str, make_invoice: Any, clock: Any, drain: Any, name: str
) -> None:
    invoice = make_invoice()
    made = told(deps, tenant, invoice, name)
    subject = f"object:{made.sha256}"
    retention.count_due(deps)
    with deps.db.reading(tenant) as session:
        assert session.scalars(select(BankFile.kept_until)).one() == date(2036, 12, 31)
        assert retention.owners_of(session, tenant, made.sha256) == {invoice.id}
    assert code_of(deps, tenant, subject) == "retention-runs"

    clock.forward(days=3700)  # the year 2037
    retention.count_due(deps)
    with deps.db.reading(tenant) as session:
        assert [(file.id, until) for file, until in retention.due_statements(session, tenant, deps.today())] == [
            (made.id, date(2036, 12, 31))]
        assert session.scalars(select(Alarm).where(Alarm.kind == "retention-late")).all() == []
    held = holds.set_hold(deps, tenant, FIRST, invoice.id, "contrôle fiscal")
    assert code_of(deps, tenant, subject) == "under-hold"
    with deps.db.reading(tenant) as session:
        assert retention.due_statements(session, tenant, deps.today()) == []
    holds.lift_hold(deps, tenant, held.id, FIRST, "terminé")

    row = destruction.propose(deps, tenant, FIRST, [invoice.id, subject], WHY)
    destruction.approve(deps, tenant, SECOND, row.id)
    drain(deps)

    with pytest.raises(ObjectMissing):
        deps.store.get(Digest(made.sha256))
    with deps.db.reading(tenant) as session:
        assert session.get_one(Destruction, (tenant, row.id)).state == "done"
        rows = session.scalars(select(BankMovement)).all()
        assert {(one.name, one.iban, one.remittance) for one in rows} == {(None, None, "")}
        assert sum((one.amount for one in rows), Decimal(0)) == Decimal("125.00")
        for table in (LedgerLine, LedgerSpell):
            assert session.scalars(select(table)).all() == [], "what had the client's name went too"
        events = session.scalars(select(Event)).all()
        assert not any("anari" in f"{event.reason}{event.data}" for event in events)
        assert retention.due_statements(session, tenant, deps.today()) == []
    who = Principal(tenant_id=tenant, actor=FIRST, name="", permissions=frozenset(Permission))
    assert take_in(deps, who, DOCUMENT, "encore.xml").already_known, "and no movement counts again"


def test_a_statement_whose_invoice_stays_stays(
    deps: Deps, tenant: str, make_invoice: Any, clock: Any, drain: Any
) -> None:
    invoice = make_invoice()
    made = told(deps, tenant, invoice)
    clock.forward(days=3750)
    retention.count_due(deps)
    row = destruction.propose(deps, tenant, FIRST, [f"object:{made.sha256}"], WHY)
    destruction.approve(deps, tenant, SECOND, row.id)
    drain(deps)
    assert deps.store.get(Digest(made.sha256)) == DOCUMENT
    with deps.db.reading(tenant) as session:
        assert {one.name for one in session.scalars(select(BankMovement))} == {"Zoé Canari"}
