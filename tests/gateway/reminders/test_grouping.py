"""Which invoices of a client one letter names."""

import uuid
from datetime import date, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from gateway.tables import Payment, Submission
from gateway.tables_reminders import Decision

if TYPE_CHECKING:
    from conftest import Play


def test_a_long_settled_history_hides_no_open_invoice(play: "Play") -> None:
    settle_long_ago(play, 500)
    play.another("FA-2026-0050", play.document.due_date.isoformat() if play.document.due_date else "", "10.00")
    play.on("2026-03-23")
    play.work()
    assert len(play.mails()) == 1
    assert "FA-2026-0042" in play.text()
    assert "FA-2026-0050" in play.text()


def settle_long_ago(play: "Play", count: int) -> None:
    """So many invoices of the usual client, paid years ago, about which the last thing was said then."""
    with play.deps.db.transaction(play.invoice.tenant_id) as session:
        row = session.execute(select(*Submission.__table__.columns).where(
            Submission.id == play.invoice.id)).mappings().one()
        ids = [str(uuid.uuid4()) for _ in range(count)]
        then, tenant = row["received_at"] - timedelta(days=700), row["tenant_id"]
        session.add_all(Submission(**{**row, "id": id_, "number": f"FA-2024-{number:04}", "received_at": then,
                                      "due_date": date(2024, 3, 13)}) for number, id_ in enumerate(ids))
        session.flush()
        session.add_all(Payment(tenant_id=tenant, id=str(uuid.uuid4()), submission_id=id_, amount=row["due"],
                                currency="EUR", paid_on=then.date(), recorded_at=then, actor="key:test") for id_ in ids)
        session.add_all(Decision(tenant_id=tenant, id=str(uuid.uuid4()), submission_id=id_, intent=f"{id_}:skipped",
                                 at=then, outcome="skipped", stage="", reason="", scenario="",
                                 facts={"code": "paid", "credited": "0", "n": 1}) for id_ in ids)
