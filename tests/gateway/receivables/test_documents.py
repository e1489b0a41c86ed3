"""What names a document is found by the text of its number, however odd, as it is among everything."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from gateway.deps import Deps
from gateway.receivables.documents import FEW, document_of, documents_of, relations_of
from gateway.record import Change, record
from gateway.tables import Submission


@pytest.mark.parametrize("number", ["F-1", "A/2026_7", '10 % "é" \\n', "F€1"])
def test_what_names_a_number_is_found_among_few_and_among_all(
    deps: Deps, tenant: str, make_invoice: Callable[..., Submission], number: str
) -> None:
    invoice = make_invoice(number=number)
    credit = make_invoice(number="AV-1", type_code="381", preceding=["other", number])
    make_invoice(number="AV-2", type_code="381", preceding=[f"{number}-", "-".join(number)])
    others = [make_invoice(number=f"G-{count}") for count in range(FEW)]
    with deps.db.reading(tenant) as session:
        few, many, every = relations_of(session, [invoice]), relations_of(session, [invoice, *others]), relations_of(
            session)
        back = relations_of(session, [credit])
    around = [{one.id for one in found.of(document_of(invoice)).documents()} for found in (few, many, every)]
    assert around == [{invoice.id, credit.id}] * 3
    assert {one.id for one in back.of(document_of(credit)).documents()} == {invoice.id, credit.id}


def test_a_document_ended_on_the_day_of_the_status_that_ended_it(
    deps: Deps, tenant: str, make_invoice: Callable[..., Submission]
) -> None:
    """Not on that of one that ended nothing: a refusal by the seller, a cancellation that the platform refused."""
    invoice = make_invoice(lifecycle="213", active=None)
    with deps.db.transaction(tenant) as session:
        for code, by, day in (("210", "seller", 3), ("220", "seller", 4), ("213", "platform", 5), ("213", "buyer", 9)):
            record(session, tenant, Change(kind="lifecycle", code=code, actor=by, submission_id=invoice.id,
                                           platform_at=datetime(2026, 2, day, 12, tzinfo=UTC)), now=deps.now())
    with deps.db.reading(tenant) as session:
        [found] = documents_of(session, [session.get_one(Submission, (tenant, invoice.id))])
    assert found.ended_on == date(2026, 2, 5)
